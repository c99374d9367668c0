"""How a service is at one look, in words: its state and health, since when, its exit code, its restarts."""

from bot.render.blocks import code, date
from workers.contract import Condition
from workers.wording import amount

STATE = 40


def how(word: str, when: str, condition: Condition) -> str:
    """How it is, was, or was found."""
    end = [] if condition.exit_code is None else [f"exit code {condition.exit_code}"]
    restarts = amount(condition.restarts, "restart")
    health = [code(condition.health, STATE)] if _tells_more(word, condition) else []
    return ", ".join([f"{code(word, STATE)} {when}", *health, *_since(word, condition), *end, restarts])


def _tells_more(word: str, condition: Condition) -> bool:
    """Whether the word is not that of its check: of what does not run, none counts."""
    return condition.state == "running" and condition.health not in ("", word)


def _since(word: str, condition: Condition) -> list[str]:
    if condition.since is None:
        return []
    at = f"since {date(condition.since)}{' or earlier' if condition.earlier else ''}"
    if condition.state != "running" or word == "running":
        return [at]
    return [f"its check fails {at}" if condition.health == "unhealthy" else f"running {at}"]
