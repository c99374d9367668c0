"""What befalls a bot at the k-th of its effects: everything it writes to its memory, to Redis or to Slack."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from redis.client import Pipeline
from slack_sdk.web.base_client import BaseClient
from slack_sdk.webhook import WebhookClient

from bot.memory.database import Database


class Died(BaseException):
    """The process has ended here; nothing of it happens any more."""


@dataclass
class Fate:
    """Counts the effects; when the one that is meant comes, before it or after it, something happens.

    `at`: its number, from 1; `after`: once it has been done, not before. `happens` may raise `Died`.
    """

    at: int = 0
    after: bool = False
    happens: Callable[[], None] | None = None
    effects: list[str] = field(default_factory=list)
    has_struck: bool = False
    _acting: bool = False
    _dead: bool = False
    _nested: bool = False

    @contextlib.contextmanager
    def acting(self) -> Iterator[None]:
        """Within it, it is the bot that acts; a bot that dies is gone at its end."""
        self._acting = True
        try:
            yield
        finally:
            self._acting = self._dead = False

    @contextlib.contextmanager
    def effect(self, name: str) -> Iterator[None]:
        """One effect of the bot's."""
        if not self._acting or self._nested:
            yield
            return
        self._begin(name)
        self._nested = True
        try:
            yield
        finally:
            self._nested = False
            if self._is_it and self.after:
                self._strike()

    @property
    def _is_it(self) -> bool:
        return len(self.effects) == self.at and not self.has_struck

    def _begin(self, name: str) -> None:
        if self._dead:
            raise Died
        self.effects.append(name)
        if self._is_it and not self.after:
            self._strike()

    def _strike(self) -> None:
        self.has_struck = True
        assert self.happens is not None
        try:
            self.happens()
        except Died:
            self._dead = True
            raise

    def die(self) -> None:
        """What usually happens."""
        raise Died


@contextlib.contextmanager
def fateful(fate: Fate) -> Iterator[None]:
    """Every effect of a bot in this process is counted by this fate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "transaction", _committing(fate, Database.transaction))
        for kind, name in ((redis.Redis, "execute_command"), (Pipeline, "execute")):
            patch.setattr(kind, name, _calling(fate, getattr(kind, name), _redis_name))
        for kind, name in ((BaseClient, "api_call"), (BaseClient, "_upload_file"), (WebhookClient, "send")):
            patch.setattr(kind, name, _calling(fate, getattr(kind, name), _slack_name))
        yield


def _committing(fate: Fate, transaction: Callable[[Database], Any]) -> Callable[[Database], Any]:
    """The effect of a transaction is its commit: before that everything else in it has been done."""

    @contextlib.contextmanager
    def committing(database: Database) -> Iterator[Any]:
        with contextlib.ExitStack() as stack, transaction(database) as connection:
            yield connection
            stack.enter_context(fate.effect("commit"))

    return committing


def _calling(
    fate: Fate, call: Callable[..., Any], name: Callable[[tuple[Any, ...]], str]
) -> Callable[..., Any]:
    def calling(client: Any, *arguments: Any, **named: Any) -> Any:
        with fate.effect(name(arguments)):
            return call(client, *arguments, **named)

    return calling


def _redis_name(arguments: tuple[Any, ...]) -> str:
    return f"redis {arguments[0] if arguments else 'pipeline'}"


def _slack_name(arguments: tuple[Any, ...]) -> str:
    return f"slack {arguments[0] if arguments else 'upload or answer'}"
