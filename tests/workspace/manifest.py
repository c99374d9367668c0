"""Whether Slack would make an app of a manifest, with every fault found in it.

https://docs.slack.dev/reference/app-manifest and, for what one part asks of another, apps.manifest.validate.
"""

import re
from typing import Any

from tests.workspace.faults import Fault, Faults, Json, listed, objects, too_long, too_many
from tests.workspace.schema import words

# What an object at a place may hold; objects that stand nowhere here are not looked into.
FIELDS = {
    "": words("_metadata display_information features oauth_config settings functions"),
    "/display_information": words("name description long_description background_color"),
    "/features": words("app_home bot_user shortcuts slash_commands unfurl_domains"),
    "/features/app_home": words("home_tab_enabled messages_tab_enabled messages_tab_read_only_enabled"),
    "/features/bot_user": words("display_name always_online"),
    "/oauth_config": words("redirect_urls scopes token_management_enabled"),
    "/oauth_config/scopes": words("bot user"),
    "/settings": words(
        "allowed_ip_address_ranges event_subscriptions incoming_webhooks interactivity org_deploy_enabled"
        " socket_mode_enabled token_rotation_enabled function_runtime"
    ),
    "/settings/event_subscriptions": words("bot_events user_events request_url"),
    "/settings/interactivity": words("is_enabled request_url message_menu_options_url"),
}
COMMAND_FIELDS = words("command description should_escape url usage_hint")
# Scopes of a bot that this workspace knows to exist; Slack has more.
BOT_SCOPES = words(
    "app_mentions:read channels:history channels:join channels:manage channels:read chat:write"
    " chat:write.customize chat:write.public commands emoji:read files:read files:write groups:history"
    " groups:read groups:write im:history im:read im:write metadata.message:read mpim:history mpim:read"
    " mpim:write pins:read pins:write reactions:read reactions:write team:read usergroups:read"
    " usergroups:write users.profile:read users:read users:read.email users:write"
)


def validate_manifest(manifest: Any) -> tuple[Fault, ...]:
    """The faults of a manifest, read from YAML or JSON."""
    return tuple(_manifest(manifest))


def _manifest(manifest: Any) -> Faults:
    if not isinstance(manifest, dict):
        yield Fault("must provide an object", "")
        return
    for at, known in FIELDS.items():
        for key in sorted(set(_at(manifest, at)) - known):
            yield Fault(f"invalid additional property: {key}", at)
    yield from _display(_at(manifest, "/display_information"), "/display_information")
    yield from _bot_user(_at(manifest, "/features/bot_user"), "/features/bot_user")
    yield from _commands(manifest)
    yield from _scopes(_at(manifest, "/oauth_config/scopes").get("bot"), "/oauth_config/scopes/bot")
    yield from _reachable(manifest)


def _at(manifest: Json, pointer: str) -> Json:
    found: Any = manifest
    for key in filter(None, pointer.split("/")):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _display(display: Json, at: str) -> Faults:
    if not display.get("name"):
        yield Fault("missing required field: name", at)
    yield from too_long(display.get("name"), "manifest.name", f"{at}/name")
    yield from too_long(display.get("description"), "manifest.description", f"{at}/description")
    colour = display.get("background_color", "#000000")
    if not re.fullmatch(r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", str(colour)):
        yield Fault("must be a hex color value", f"{at}/background_color")


def _bot_user(bot: Json, at: str) -> Faults:
    yield from too_long(bot.get("display_name"), "manifest.display_name", f"{at}/display_name")
    if not re.fullmatch(r"[a-z0-9._-]+", str(bot.get("display_name", ""))):
        yield Fault("must be of a-z, 0-9, -, _ and .", f"{at}/display_name")


def _commands(manifest: Json) -> Faults:
    at = "/features/slash_commands"
    commands = _at(manifest, "/features").get("slash_commands")
    yield from too_many(commands, "manifest.commands", at)
    if commands and "commands" not in listed(_at(manifest, "/oauth_config/scopes").get("bot")):
        yield Fault("slash commands require the bot scope commands", "/oauth_config/scopes/bot")
    for index, command in enumerate(objects(commands)):
        yield from _command(command, f"{at}/{index}")
        if not command.get("url") and not _is_socket_mode(manifest):
            yield Fault("a slash command requires a URL or Socket Mode enabled", f"{at}/{index}")


def _command(command: Json, at: str) -> Faults:
    for key in sorted(set(command) - COMMAND_FIELDS):
        yield Fault(f"invalid additional property: {key}", at)
    for key in ("command", "description"):
        if not command.get(key):
            yield Fault(f"missing required field: {key}", at)
    if not str(command.get("command", "/")).startswith("/"):
        yield Fault("must begin with /", f"{at}/command")
    yield from too_long(command.get("command"), "manifest.command", f"{at}/command")
    yield from too_long(command.get("description"), "manifest.command_description", f"{at}/description")
    yield from too_long(command.get("usage_hint"), "manifest.usage_hint", f"{at}/usage_hint")


def _scopes(scopes: object, at: str) -> Faults:
    yield from too_many(scopes, "manifest.scopes", at)
    for index, scope in enumerate(listed(scopes)):
        if scope not in BOT_SCOPES:
            yield Fault(f"not a bot scope: {scope}", f"{at}/{index}")


def _is_socket_mode(manifest: Json) -> bool:
    return _at(manifest, "/settings").get("socket_mode_enabled") is True


def _reachable(manifest: Json) -> Faults:
    events, at = _at(manifest, "/settings/event_subscriptions"), "/settings/event_subscriptions"
    yield from too_many(events.get("bot_events"), "manifest.events", f"{at}/bot_events")
    if events and not events.get("request_url") and not _is_socket_mode(manifest):
        yield Fault("Event Subscription requires either Request URL or Socket Mode Enabled", at)
    presses = _at(manifest, "/settings/interactivity")
    if presses.get("is_enabled") and not presses.get("request_url") and not _is_socket_mode(manifest):
        yield Fault("Interactivity requires a Request URL", "/settings/interactivity")
