"""The bot's command line, and the one place that reads its settings.

Exit codes: 0 done, 1 something is wrong (said in a line), 2 the command line or a setting is wrong.
"""

import argparse
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit, urlunsplit

from bot import dispatch, doctor, keys, logs
from bot.errors import BotError, SettingsError
from bot.memory.database import Database
from bot.memory.store import Store
from bot.service import Service, Wiring, identified, now
from bot.settings import SECRETS, BotSettings, StateSettings
from bot.slack.identity import Identity, app_token_finding, slack_findings
from bot.slack.threads import web_client
from workers.contract import HOST_PATTERN

logger = logging.getLogger("bot")


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    options = parser().parse_args(arguments)
    logs.configure()
    try:
        return COMMANDS[options.command](options)
    except SettingsError as error:
        print(f"bot: {error}", file=sys.stderr)
        return 2
    except BotError as error:
        print(f"bot: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """What can be typed."""
    top = argparse.ArgumentParser(prog="python -m bot", description="Safe Prune's Slack bot.")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    top.set_defaults(command="serve")
    commands.add_parser("serve", help="run the bot (also without a command)")
    commands.add_parser("keys", help="make the signing key, once")
    commands.add_parser("doctor", help="check everything the bot needs")
    hosts = commands.add_parser("hosts", help="admit hosts, list them, send them away")
    actions = hosts.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="the admitted hosts, and when each was last heard of")
    for name, help_ in (("add", "admit a host; prints what it needs"), ("remove", "send a host away")):
        actions.add_parser(name, help=help_).add_argument("name", type=_host_name, metavar="NAME")
    return top


def _host_name(text: str) -> str:
    if not re.fullmatch(HOST_PATTERN, text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a host's name: a-z, 0-9 and -, at most 63")
    return text


def serve(_: argparse.Namespace) -> int:
    """Run the bot until SIGTERM or Ctrl-C."""
    settings = BotSettings.load()
    settings.refuse_deafness()
    settings.state.make()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with settings.state.held():
        wiring = _wiring(settings)
        who = identified(wiring, stopping)
        if who is not None:
            _say_what_is_missing(settings)
            _service(wiring, who).run(stopping)
    return 0


def _wiring(settings: BotSettings) -> Wiring:
    wiring = Wiring(
        database=settings.state.database,
        key=keys.load(settings.signing_key_file),
        bot_token=settings.slack_bot_token.get_secret_value(),
        app_token=settings.slack_app_token.get_secret_value(),
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        api_url=settings.slack_api_url,
        redis_url=settings.redis_url.get_secret_value(),
        channels=settings.prune_channels,
        approvers=settings.prune_approvers,
        bind=settings.prune_bind,
        port=settings.port,
    )
    # Bolt reads the environment by itself, and nothing we start has any need of these.
    for name in SECRETS:
        os.environ.pop(name, None)
    return wiring


def _service(wiring: Wiring, who: Identity) -> Service:
    try:
        return Service(wiring, who)
    except ValueError as error:
        raise SettingsError(f"PRUNE_CHANNELS or PRUNE_APPROVERS cannot be used: {error}") from error


def _say_what_is_missing(settings: BotSettings) -> None:
    """What can be mended while the bot runs is said, and waited for."""
    client = dispatch.connect(settings.redis_url.get_secret_value())
    for finding in doctor.redis_findings(client):
        if not finding.is_good:
            logger.warning("%s: %s", finding.name, finding.says)
    if not settings.prune_channels:
        logger.warning("PRUNE_CHANNELS names no channel, so commands are taken nowhere")
    if not settings.prune_approvers:
        logger.warning("PRUNE_APPROVERS names nobody, so nobody may execute")


def make_keys(_: argparse.Namespace) -> int:
    """Make the signing key and say what hosts need of it."""
    settings = StateSettings.load()
    settings.state.make()
    key = keys.make(settings.signing_key_file)
    print(f"# The signing key {key.id} is in {settings.signing_key_file}. Each host needs this line:")
    print(key.host_line)
    return 0


def hosts(options: argparse.Namespace) -> int:
    """Admit, list or send away hosts, beside the running bot."""
    settings = StateSettings.load()
    settings.state.make()
    database = Database(settings.state.database)
    try:
        return ACTIONS[options.action](options, settings, Store(database))
    finally:
        database.close()


def _add(options: argparse.Namespace, settings: StateSettings, store: Store) -> int:
    key = keys.load(settings.signing_key_file)
    is_new = store.admit(options.name, now())
    print(f"# {options.name} {'is admitted' if is_new else 'was admitted before'}. Its worker needs:")
    print(f"PRUNE_HOST={options.name}")
    print(f"REDIS_URL={_for_hosts(settings.redis_url.get_secret_value())}")
    print(key.host_line)
    return 0


def _for_hosts(redis_url: str) -> str:
    """The address without the bot's own password: a host has its own."""
    if not redis_url:
        return "redis://REDIS:6379/0"
    parts = urlsplit(redis_url)
    if not parts.password:
        return redis_url
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"USER:PASSWORD@{address}"))


def _list(_: argparse.Namespace, __: StateSettings, store: Store) -> int:
    for contact in store.contacts():
        seen = contact.last_seen.isoformat(timespec="seconds") if contact.last_seen else "never"
        print(f"{contact.host}\t{seen}")
    return 0


def _remove(options: argparse.Namespace, _: StateSettings, store: Store) -> int:
    if not store.dismiss(options.name):
        raise SettingsError(f"there is no host {options.name}; python -m bot hosts list shows them")
    print(f"{options.name} is sent away; its worker is not asked any more.")
    return 0


def examine(_: argparse.Namespace) -> int:
    """Look at everything the bot needs and say what is missing."""
    settings = BotSettings.load()
    settings.refuse_deafness()
    settings.state.make()
    findings = list(_findings(settings))
    for finding in findings:
        print(f"{'ok     ' if finding.is_good else 'MISSING'}  {finding.name}: {finding.says}")
    return 0 if all(finding.is_good for finding in findings) else 1


def _findings(settings: BotSettings) -> Iterator[doctor.Finding]:
    client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    yield from slack_findings(client, settings.prune_channels)
    if settings.is_socket_mode:
        yield app_token_finding(client, settings.slack_app_token.get_secret_value())
    yield _key_finding(settings)
    yield doctor.store_finding(lambda: Database(settings.state.database))
    redis = dispatch.connect(settings.redis_url.get_secret_value())
    yield from doctor.redis_findings(redis)
    database = Database(settings.state.database)
    admitted = Store(database).hosts()
    database.close()
    yield from doctor.host_findings(redis, admitted, now())


def _key_finding(settings: BotSettings) -> doctor.Finding:
    try:
        key = keys.load(settings.signing_key_file)
    except SettingsError as error:
        return doctor.Finding("signing key", is_good=False, says=str(error))
    return doctor.Finding("signing key", is_good=True, says=key.id)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "serve": serve,
    "keys": make_keys,
    "hosts": hosts,
    "doctor": examine,
}
ACTIONS: dict[str, Callable[[argparse.Namespace, StateSettings, Store], int]] = {
    "add": _add,
    "list": _list,
    "remove": _remove,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
