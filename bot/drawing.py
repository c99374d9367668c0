"""Draws one picture and ends: a figure as JSON on its standard input, a PNG on its standard output.

It is a process of its own (``python -m bot.drawing``), since matplotlib is large and stays large. It limits
itself in time, memory and output before it imports that, and gives way to whoever else wants the processor.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# An alarm ends a child whose parent is gone; the parent itself has less patience.
SECONDS = 150
CPU_SECONDS = 30
MEMORY = 768 * 1024**2
OUTPUT = 4 * 1024**2
PR_SET_PDEATHSIG = 1

# In pixels of a picture that a phone shows a third as wide.
WIDTH, HEIGHT, DPI = 1080, 1000, 100
TEXT, SMALL, TITLE = 27, 24, 38
PAD, MIDDLE = 44, 540
CARD, EDGE, INK, SOFT, RULE = "#f7f7f5", "#8d9299", "#1d2126", "#555b63", "#d4d7da"
RUN, LINE = "#b3261e", "#0b5394"
# Okabe and Ito's colours, which colour-blind people tell apart; the hatching tells them apart without colour.
FILLS = (("#e69f00", "//"), ("#0072b2", ""), ("#009e73", ".."), ("#b9bdc2", "xx"))
ROW = 44
# A point on the edge is drawn whole.
ON_TOP: dict[str, Any] = {"clip_on": False, "zorder": 3}

Json = dict[str, Any]


def main() -> int:
    """Draw what is described."""
    limit()
    described = json.load(sys.stdin)
    draw(described, sys.stdout.buffer)
    return 0


def limit() -> None:
    """Be small, short-lived, and the first to go."""
    # It dies with the thread that began it, which lives as long as the bot.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.alarm(SECONDS)
    for what, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, OUTPUT),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    # Neither is granted everywhere, and the picture does not depend on it.
    with suppress(OSError):
        os.nice(5)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def draw(described: Json, out: Any) -> None:
    """Write the picture as a PNG."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # A `$` in a name is no formula; what this font lacks is drawn as a box.
    matplotlib.rcParams |= {"text.parse_math": False, "hatch.linewidth": 2.0, "font.family": "DejaVu Sans"}
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=CARD, edgecolor=EDGE, linewidth=4)
    FigureCanvasAgg(figure)
    top = _title(figure, described)
    _bars(figure, described["bars"], top)
    _course(figure, described["course"], top)
    # Nothing but the picture: no time, no version, no path of a machine.
    figure.savefig(out, format="png", metadata={"Software": None}, edgecolor=EDGE)


def _title(figure: "Figure", described: Json) -> int:
    """The outcome in words; returns how far down it goes."""
    y = PAD + TITLE
    for line in described["title"]:
        _text(figure, PAD, y, line, TITLE, weight="bold")
        y += TITLE + 10
    _text(figure, PAD, y, described["subtitle"], SMALL, color=SOFT)
    return y + 30


def _bars(figure: "Figure", described: Json, top: int) -> None:
    key_top = HEIGHT - PAD - ROW * len(described["key"])
    _text(figure, PAD, top + TEXT, described["title"], TEXT, weight="bold")
    axes = _axes(figure, (PAD + 100, top + 64, MIDDLE - 40, key_top - 110), described["marks"])
    for n, bar in enumerate(described["bars"]):
        _stack(axes, n, bar)
    axes.set_xlim(-0.5, 1.5)
    axes.set_xticks([0, 1], [bar["name"] for bar in described["bars"]])
    _key(figure, described, key_top)


def _stack(axes: "Axes", place: int, bar: Json) -> None:
    foot = 0.0
    for (fill, hatch), part in zip(reversed(FILLS), reversed(bar["parts"]), strict=True):
        axes.bar(place, part, 0.62, bottom=foot, color=fill, hatch=hatch, edgecolor=CARD, linewidth=0)
        foot += part
    style = {"ha": "center", "weight": "bold", "fontsize": _points(TEXT)}
    _beside(axes, bar["total"], (place, foot), (0, 7), **style)


def _key(figure: "Figure", described: Json, top: int) -> None:
    first, second = (bar["name"] for bar in described["bars"])
    _text(figure, 370, top - 8, first, SMALL, color=SOFT, ha="right")
    _text(figure, 520, top - 8, second, SMALL, color=SOFT, ha="right")
    for n, ((fill, hatch), row) in enumerate(zip(FILLS, described["key"], strict=True)):
        y = top + ROW * n + 32
        _swatch(figure, PAD, y, fill, hatch)
        _text(figure, PAD + 46, y, row["name"], SMALL)
        _text(figure, 370, y, row["before"], SMALL, ha="right")
        _text(figure, 520, y, row["after"], SMALL, weight="bold", ha="right")


def _swatch(figure: "Figure", x: int, y: int, fill: str, hatch: str) -> None:
    from matplotlib.patches import Rectangle

    place = (x / WIDTH, 1 - (y + 4) / HEIGHT)
    figure.add_artist(
        Rectangle(
            place,
            34 / WIDTH,
            28 / HEIGHT,
            transform=figure.transFigure,
            facecolor=fill,
            hatch=hatch,
            edgecolor=CARD,
            linewidth=0,
        )
    )


def _course(figure: "Figure", described: Json, top: int) -> None:
    left, right = MIDDLE + 30, WIDTH - PAD
    notes_top = HEIGHT - PAD - ROW * 4
    _text(figure, left, top + TEXT, described["title"], TEXT, weight="bold")
    axes = _axes(figure, (left + 100, top + 64, right - 36, notes_top - 110), described["marks"])
    axes.set_xlim(0, 1)
    axes.set_xticks([d["at"] for d in described["days"]], [d["label"] for d in described["days"]])
    _limit(axes, described["limit"])
    _points_in_time(axes, described)
    for n, note in enumerate(described["notes"]):
        _text(figure, left, notes_top + ROW * n + 32, note, SMALL)
    _legend(figure, left, notes_top + ROW * len(described["notes"]) + 32)


def _limit(axes: "Axes", limit: Json | None) -> None:
    if limit is None:
        return
    axes.axhline(limit["at"], color=INK, linewidth=2, linestyle=(0, (6, 3)))
    # Below its line, for above it another mark may stand.
    _beside(axes, limit["label"], (0, limit["at"]), (6, -5), va="top", fontsize=_points(SMALL))


def _beside(axes: "Axes", text: str, at: tuple[float, float], by: tuple[int, int], **style: Any) -> None:
    """Words beside a place of a plot, on the card's own colour so that no line goes through them."""
    ground = {"facecolor": CARD, "edgecolor": "none", "pad": 2}
    axes.annotate(
        text, at, by, textcoords="offset points", color=INK, bbox=ground, annotation_clip=False, **style
    )


def _points_in_time(axes: "Axes", described: Json) -> None:
    for run in described["runs"]:
        axes.axvline(run, color=RUN, linewidth=1.5, linestyle=":", zorder=1)
    axes.plot(described["runs"], [1.0] * len(described["runs"]), "v", color=RUN, **ON_TOP, markersize=11)
    across, up = [x for x, _ in described["points"]], [y for _, y in described["points"]]
    axes.plot(across, up, "-o", color=LINE, **ON_TOP, linewidth=2.5, markersize=6)


def _legend(figure: "Figure", x: int, y: int) -> None:
    from matplotlib.lines import Line2D

    for marker, color, word, at in (("o", LINE, "measured", x + 10), ("v", RUN, "run", x + 190)):
        place = [at / WIDTH], [1 - (y - 8) / HEIGHT]
        figure.add_artist(
            Line2D(*place, marker=marker, color=color, markersize=10, transform=figure.transFigure)
        )
        _text(figure, at + 22, y, word, SMALL, color=SOFT)


def _axes(figure: "Figure", box: tuple[int, int, int, int], marks: list[Json]) -> "Axes":
    """A plot in a box of pixels from the top left, whose upright axis goes from 0 to the top."""
    left, top, right, bottom = box
    axes = figure.add_axes(
        (left / WIDTH, 1 - bottom / HEIGHT, (right - left) / WIDTH, (bottom - top) / HEIGHT), facecolor=CARD
    )
    axes.set_ylim(0, 1)
    axes.set_yticks([mark["at"] for mark in marks], [mark["label"] for mark in marks])
    axes.grid(axis="y", color=RULE, linewidth=1.5)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=_points(SMALL), colors=SOFT, length=0, pad=10)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color=SOFT, linewidth=2)
    return axes


def _text(figure: "Figure", x: int, y: int, text: str, height: int, **style: Any) -> None:
    """Text whose foot is so many pixels from the top."""
    figure.text(x / WIDTH, 1 - y / HEIGHT, text, fontsize=_points(height), **{"color": INK, **style})


def _points(pixels: int) -> float:
    return pixels * 72 / DPI


if __name__ == "__main__":
    sys.exit(main())
