"""The bot's command line, and the one place that reads its settings.

Exit codes: 0 done, 1 something is wrong (said in a line), 2 the command line or a setting is wrong; of an
audit 1 means differences, 2 that a host was not compared.
"""

import argparse
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress

from bot import acl, dispatch, doctor, examples, host_commands, key_commands, keys, logs
from bot.audit import commands as audit
from bot.checks import Finding
from bot.errors import BotError, SettingsError
from bot.host_commands import HostCommands
from bot.memory.audit import Audit
from bot.memory.database import Database
from bot.memory.store import Store
from bot.parts import Wiring, now
from bot.render.files import one_line
from bot.rulebook import Rulebook
from bot.service import Service, identified
from bot.settings import SECRETS, BotSettings, SlackSettings, StateSettings
from bot.slack.identity import Identity, app_token_finding, scope_findings, slack_findings
from bot.slack.threads import web_client
from bot.slack.validation import block_findings
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
    key_commands.add_to(commands)
    examined = commands.add_parser("doctor", help="check everything the bot needs")
    examined.add_argument(
        "--blocks", action="store_true", help="have Slack look at every message and form that the bot draws"
    )
    audit.add_parser(commands)
    acl.add_to(commands, _host_name)
    host_commands.add_to(commands, _host_name)
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
            _say_what_is_missing(settings, wiring.book, who)
            Service(wiring, who).run(stopping)
    return 0


def _wiring(settings: BotSettings) -> Wiring:
    wiring = Wiring(
        database=settings.state.database,
        key=keys.InUse(settings.signing_key_file),
        bot_token=settings.slack_bot_token.get_secret_value(),
        app_token=settings.slack_app_token.get_secret_value(),
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        api_url=settings.slack_api_url,
        redis_url=settings.redis(),
        book=settings.rules(),
        bind=settings.prune_bind,
        port=settings.port,
    )
    # Bolt reads the environment by itself, and nothing we start has any need of these.
    for name in SECRETS:
        os.environ.pop(name, None)
    return wiring


def _say_what_is_missing(settings: BotSettings, book: Rulebook, who: Identity) -> None:
    """What can be mended while the bot runs is said, and waited for."""
    for finding in (
        *scope_findings(who.scopes, user_groups=book.user_groups),
        *doctor.redis_findings(dispatch.connect(settings.redis())),
        *doctor.rules_findings(book, _admitted(settings)),
    ):
        if not finding.is_good:
            logger.warning("%s: %s", finding.name, finding.told())


def _admitted(settings: BotSettings) -> tuple[str, ...]:
    with closing(Database(settings.state.database)) as database:
        return Store(database).hosts()


def change_keys(options: argparse.Namespace) -> int:
    """List the signing keys, or do to them what was asked for."""
    settings = StateSettings.load()
    settings.state.make()
    with closing(Database(settings.state.database)) as database:
        # All of it before the first line: what is done is on record, whoever reads that.
        lines = list(key_commands.run(options, settings.signing_key_file, Audit(database), at=now()))
    return _say(lines)


def hosts(options: argparse.Namespace) -> int:
    """Admit, list or send away hosts, beside the running bot."""
    settings = StateSettings.load()
    settings.state.make()
    with closing(Database(settings.state.database)) as database:
        about = (settings.signing_key_file, settings.redis_url.get_secret_value(), now())
        lines = list(HostCommands(Store(database), *about).run(options))
    return _say(lines)


def _say(lines: Iterable[str]) -> int:
    for line in lines:
        print(line)
    return 0


def show_rights(options: argparse.Namespace) -> int:
    """Print what Redis has to know of the bot or of a host."""
    print(acl.line(options))
    if not options.password_file:
        print(acl.TO_FILL_IN, file=sys.stderr)
    return 0


def show_audit(options: argparse.Namespace) -> int:
    """Compare or export what is on record, beside the running bot."""
    return audit.run(options, StateSettings.load().state.database)


def examine(options: argparse.Namespace) -> int:
    """Look at everything the bot needs and say what is missing, or have Slack look at what the bot draws."""
    if options.blocks:
        return _tell(_drawn(SlackSettings.load()), bad="REFUSED")
    settings = BotSettings.load()
    settings.refuse_deafness()
    settings.state.make()
    return _tell(_findings(settings), bad="MISSING")


def _tell(findings: Iterable[Finding], *, bad: str) -> int:
    """Print each as soon as it is known; returns the exit code."""
    all_good = True
    for finding in findings:
        print(
            f"{'ok     ' if finding.is_good else bad}  {finding.name}: {one_line(finding.told())}", flush=True
        )
        all_good = all_good and finding.is_good
    return 0 if all_good else 1


def _drawn(settings: SlackSettings) -> Iterator[Finding]:
    client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    yield from block_findings(client, examples.drawn(), wait=time.sleep)


def _findings(settings: BotSettings) -> Iterator[Finding]:
    client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    book = settings.rules()
    yield from slack_findings(client, book.channels, user_groups=book.user_groups)
    if settings.is_socket_mode:
        yield app_token_finding(client, settings.slack_app_token.get_secret_value())
    yield _key_finding(settings)
    yield doctor.store_finding(lambda: Database(settings.state.database))
    redis = dispatch.connect(settings.redis())
    yield from doctor.redis_findings(redis)
    admitted = _admitted(settings)
    yield from doctor.rules_findings(book, admitted)
    yield from doctor.host_findings(redis, admitted, now(), keys=_key_ids(settings))


def _key_ids(settings: BotSettings) -> tuple[str, ...]:
    """The one that signs first; none where they cannot be read, which is a finding of its own."""
    with suppress(SettingsError):
        return tuple(key.id for key in keys.load_all(settings.signing_key_file))
    return ()


def _key_finding(settings: BotSettings) -> Finding:
    try:
        signing, *others = keys.load_all(settings.signing_key_file)
    except SettingsError as error:
        return Finding("signing key", is_good=False, says=str(error))
    also = f"; {others[0].id} does not sign" if others else ""
    return Finding("signing key", is_good=True, says=f"{signing.id} signs{also}")


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "serve": serve,
    "keys": change_keys,
    "hosts": hosts,
    "audit": show_audit,
    "acl": show_rights,
    "doctor": examine,
}
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
