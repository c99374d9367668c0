"""One line to stderr for each thing worth knowing; an error's line ends with where it came from."""

import logging
import sys
import time
import traceback
from types import TracebackType

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
DATES = "%Y-%m-%dT%H:%M:%SZ"
# These say every frame and every reconnection at INFO.
QUIET = ("slack_bolt", "slack_sdk", "waitress", "rq")
# What these have to say is said by us, without the bodies they add.
SILENT = ("slack_sdk.web", "slack_sdk.webhook")

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class OneLine(logging.Formatter):
    """Says an exception in the line it belongs to."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line."""
        line = super().format(record)
        return " ".join(line.split("\n"))

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802
        """Name the error and the place, instead of the whole way there."""
        if ei[1] is None:
            return ""
        frames = traceback.extract_tb(ei[2])
        where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        return f"[{type(ei[1]).__name__}: {ei[1]}{where}]"


def configure() -> None:
    """Log to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(FORMAT, DATES))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
