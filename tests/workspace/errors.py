"""What can go wrong: one error for the people acting here, one for the app calling the Web API."""

from typing import Any


class WorkspaceError(Exception):
    """The test asked for something a person in Slack could not do, or waited in vain."""


class ApiError(Exception):
    """The Web API says no; `fields` go into the answer beside the error's name."""

    def __init__(self, name: str, **fields: Any) -> None:
        super().__init__(name)
        self.name = name
        self.fields = fields
