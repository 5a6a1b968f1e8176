"""The one look of all figures, and their way into files."""

import functools
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, ParamSpec, TypeVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.style import context
from matplotlib.ticker import MaxNLocator

from sensorrep.model import Foot

WIDTH_IN: Final = 7.5
"""An A4 page between its margins, so that 11 pt are 11 pt on paper."""

COLOUR: Final = {Foot.LEFT: "#0072B2", Foot.RIGHT: "#D55E00"}
"""Blue and vermilion of Okabe and Ito's palette: told apart with any colour vision, and dark enough on white."""
MARKER: Final = {Foot.LEFT: "o", Foot.RIGHT: "s"}
LINE: Final = {Foot.LEFT: "-", Foot.RIGHT: "--"}
HATCH: Final = {Foot.LEFT: "////", Foot.RIGHT: "\\\\\\\\"}
"""While this foot's sensor was lost."""
INK: Final = "#222222"
QUIET: Final = "#6B6B6B"
SHADE: Final = "#EDF0F3"
WARN: Final = "#F7E3D6"
BADGE: Final = "#A84300"
"""Under white letters: vermilion, darkened until they can be read."""
SIDESTEP: Final = 0.1
"""How far left and right stand beside each other, in reps or sets."""


class Phase(NamedTuple):
    """How one phase of a rep is drawn."""

    word: str
    field: str
    """Its name in `Rep` and `Tempo`."""
    colour: str
    hatch: str


PHASES: Final = (
    Phase("opening", "concentric_s", "#009E73", ""),
    Phase("hold", "hold_s", "#CFCFCF", ""),
    Phase("return", "eccentric_s", "#CC79A7", "////"),
    Phase("pause", "pause_s", "#FFFFFF", ""),
)
"""In the order of the tempo; told apart by lightness and hatch too."""

LOOK: Final[list[Any]] = [
    "default",  # whatever the machine's own matplotlib settings are
    {
        "font.family": "DejaVu Sans",  # comes with matplotlib, so figures are the same everywhere
        "font.size": 11,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.labelsize": 11,
        "axes.edgecolor": QUIET,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": "#DDDDDD",
        "grid.linewidth": 0.6,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "legend.frameon": False,
        "legend.fontsize": 11,
        "hatch.linewidth": 0.6,
        "lines.linewidth": 1.4,
        "svg.hashsalt": "sensorrep",
        "svg.fonttype": "path",
        "pdf.fonttype": 3,
    },
]


SAYS: Final = {
    "png": ("Software",),
    "pdf": ("CreationDate", "Creator", "Producer"),
    "svg": ("Date", "Creator", "Format", "Type"),
}
"""What matplotlib would write into each kind of file besides the figure."""

P = ParamSpec("P")
T = TypeVar("T")


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """In the one look, for whatever draws or saves: matplotlib reads the style at both times."""

    @functools.wraps(draw)
    def within(*args: P.args, **kwargs: P.kwargs) -> T:
        with context(LOOK):
            return draw(*args, **kwargs)

    return within


def laid_out(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Places of all panels settled once, instead of at each of the three times that a figure is written."""

    @functools.wraps(draw)
    def settled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        figure = draw(*args, **kwargs)
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.execute(figure)
            figure.set_layout_engine("none")
        return figure

    return styled(settled)


def blank(title: str, height_in: float, simulated: bool) -> Figure:
    """A figure with its title on the left and, over a made-up session, the word SIMULATED on the right."""
    figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained", facecolor="white")
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
    if simulated:
        badge = {"facecolor": BADGE, "edgecolor": "none", "boxstyle": "square,pad=0.25"}
        mark = figure.text(0.995, 0.995, "SIMULATED", ha="right", va="top", color="white", bbox=badge)
        mark.set(fontsize=12, fontweight="bold")
    return figure


HANDLE: Final = 6
"""Letters that a legend's entry takes beside its word."""
A_ROW: Final = 84
"""Letters of 11 pt that fit into a row of a legend."""


def legend(figure: Figure) -> None:
    """One legend for all panels, under them, each word once."""
    entries: dict[str, Artist] = {}
    for axes in figure.axes:
        for artist, word in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(word, artist)
    if entries:
        rows = -(-sum(len(word) + HANDLE for word in entries) // A_ROW)
        columns = -(-len(entries) // rows)
        handles = list(entries.values())
        figure.legend(handles, list(entries), loc="outside lower center", ncols=columns, columnspacing=1.4)


def series(
    axes: Axes,
    foot: Foot,
    at: Sequence[float],
    values: Sequence[float | None],
    sd: Sequence[float | None] | None = None,
) -> None:
    """One foot's values in its colour, marker and line, with bars of two `sd`; the line breaks at what is unknown."""
    if all(value is None for value in values):
        return
    axes.errorbar(
        np.array(at, float) + SIDESTEP * (2 * foot - 1),
        np.array(values, float),
        None if sd is None else 2 * np.array([one or 0.0 for one in sd], float),
        color=COLOUR[foot],
        marker=MARKER[foot],
        markersize=4,
        linestyle=LINE[foot],
        linewidth=1.0,
        elinewidth=0.9,
        capsize=2.5,
        label=foot.word,
    )


def stack(axes: Axes, at: Sequence[float], phases: Mapping[str, Sequence[float | None]]) -> None:
    """A bar at each place: its phases on top of each other, by the words of PHASES; an unknown one takes no room."""
    below = np.zeros(len(at))
    for phase in PHASES:
        lengths = np.array([length or 0.0 for length in phases[phase.word]])
        bars = axes.bar(at, lengths, 0.8, below, color=phase.colour, hatch=phase.hatch, label=phase.word)
        for bar in bars:
            bar.set(edgecolor=QUIET, linewidth=0.6)
        below += lengths


def from_zero(*panels: Axes) -> None:
    """Vertical axes from zero with room over the highest value, the same for all panels, marked at whole steps."""
    top = 1.08 * max(axes.get_ylim()[1] for axes in panels)
    for axes in panels:
        axes.set_ylim(0, top)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def nothing(axes: Axes, text: str) -> None:
    """An empty panel that says why it is empty."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=QUIET)
    axes.set_yticks([])


def columns(sets: int) -> int:
    """How many sets stand beside each other: more than three below each other are higher than what a page has left."""
    return 1 if sets <= 3 else 2


def numbered(count: int, room: int) -> list[int]:
    """Those of the numbers 1 to `count` that are written where there is room for `room`: 1 3 5, 1 5 10, 1 10 20, …"""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, count) if count <= step * max(1, room))
    return list(range(1, count + 1, step)) if step < 5 else [1, *range(step, count + 1, step)]


@styled
def image(figure: Figure, kind: Literal["png", "pdf", "svg"]) -> bytes:
    """The figure as a file's content, with no date and no address in it: the same figure gives the same bytes."""
    out = io.BytesIO()
    figure.savefig(out, format=kind, dpi=160, metadata=dict.fromkeys(SAYS[kind]))
    return out.getvalue()
