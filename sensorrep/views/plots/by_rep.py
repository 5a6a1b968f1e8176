"""How range, tempo, speed and smoothness run from rep to rep."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sensorrep.model import Foot, PerFoot, Rep, SessionSummary, SetSummary
from sensorrep.views.plots.style import (
    INK,
    PHASES,
    QUIET,
    SHADE,
    WARN,
    blank,
    from_zero,
    laid_out,
    legend,
    nothing,
    numbered,
    series,
    stack,
)

NUMBERS_ALONG: Final = 28
"""Rep numbers of 11 pt that fit along the axis."""
LEAST_ROOM: Final = 6
"""Reps that the axis has room for at least."""
LEAST_SMOOTHNESS_SPAN: Final = 0.6
"""Shown at least, so that differences that mean nothing do not fill the panel."""


@laid_out
def figure_range(summary: SessionSummary, *, simulated: bool = False) -> Figure:
    """Range of each rep: both legs together against the best early reps, and each side with its uncertainty."""
    figure = blank("Range of each rep", 3.9, simulated)
    both, sides = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
    _rep_axis((both, sides), summary)
    sides.set_title("Each side, with about 95 % uncertainty")
    for axes in (both, sides):
        axes.set_ylabel("Range (°)")
    feet = [foot for foot in Foot if any(one.range_rad[foot] is not None for one in summary.sets)]
    both.set_title(f"{feet[0].word.capitalize()} leg" if len(feet) == 1 else "Both legs together")
    for one, at in _placed(summary):
        _reference(both, one, at)
        both.plot(at, [_whole_deg(rep, feet) for rep in one.reps], "D-", color=INK, markersize=5)
    _sides(sides, summary, lambda rep: _degrees(rep.range_rad), lambda rep: _degrees(rep.range_sd_rad))
    from_zero(both)
    from_zero(sides)
    legend(figure)
    return figure


@laid_out
def figure_tempo(summary: SessionSummary, *, simulated: bool = False) -> Figure:
    """Phases of each rep stacked in the order in which a tempo is written."""
    figure = blank("Tempo of each rep", 3.0, simulated)
    axes = figure.subplots()
    axes.set_ylabel("Time (s)")
    _rep_axis((axes,), summary)
    for one, at in _placed(summary):
        stack(axes, at, {phase.word: [getattr(rep, phase.field) for rep in one.reps] for phase in PHASES})
    from_zero(axes)
    legend(figure)
    return figure


@laid_out
def figure_speed(summary: SessionSummary, *, simulated: bool = False) -> Figure:
    """Highest speeds out and back, and smoothness, of each rep and side."""
    figure = blank("Speed and smoothness of each rep", 4.8, simulated)
    opening, back, smooth = figure.subplots(3, 1, sharex=True)
    _rep_axis((opening, back, smooth), summary)
    opening.set_title("Opening: highest speed")
    back.set_title("Return: highest speed")
    smooth.set_title("Smoothness (SPARC): nearer to zero is smoother")
    for axes in (opening, back):
        axes.set_ylabel("Speed (°/s)")
    smooth.set_ylabel("SPARC")
    _sides(opening, summary, lambda rep: _degrees(rep.peak_speed_rad_s))
    _sides(back, summary, lambda rep: _degrees(rep.return_speed_rad_s))
    _sides(smooth, summary, lambda rep: rep.smoothness)
    from_zero(opening, back)
    low, high = smooth.get_ylim()
    more = max(0.0, LEAST_SMOOTHNESS_SPAN - (high - low)) / 2
    smooth.set_ylim(low - more, high + more)
    legend(figure)
    return figure


def _placed(summary: SessionSummary) -> Iterator[tuple[SetSummary, list[int]]]:
    """Each set with its reps' places along the axis: consecutive, with room between sets."""
    at = 1
    for one in summary.sets:
        yield one, list(range(at, at + len(one.reps)))
        at += len(one.reps) + 1


def _rep_axis(panels: Sequence[Axes], summary: SessionSummary) -> None:
    """Sets shaded in all panels; rep numbers and the sets' names under the lowest."""
    placed = [places for _, places in _placed(summary)]
    if not placed:
        for axes in panels:
            nothing(axes, "no reps")
            axes.set_xticks([])
        return
    room = NUMBERS_ALONG // len(placed)
    shown = numbered(max(map(len, placed)), room) if room > 2 else []
    ticks = [(places[n - 1], str(n)) for places in placed for n in shown if n <= len(places)]
    for axes in panels:
        for places in placed:
            axes.axvspan(places[0] - 0.5, places[-1] + 0.5, color=SHADE, zorder=0)
        axes.set_xlim(0.3, max(LEAST_ROOM, placed[-1][-1]) + 0.7)
        axes.set_xticks([at for at, _ in ticks], [text for _, text in ticks])
    for number, places in enumerate(placed, 1):
        panels[-1].annotate(
            f"set {number}",
            ((places[0] + places[-1]) / 2, 0),
            xycoords=("data", "axes fraction"),
            xytext=(0, -20),
            textcoords="offset points",
            ha="center",
            va="top",
            fontweight="bold",
        )
    panels[-1].set_xlabel("Rep", labelpad=16)


def _reference(axes: Axes, one: SetSummary, at: Sequence[int]) -> None:
    """The best early reps as a line, and a warm ground from the rep on that showed fatigue."""
    found = one.fatigue
    if found.reference_range_rad is not None:
        level = math.degrees(found.reference_range_rad)
        axes.plot([at[0] - 0.5, at[-1] + 0.5], [level, level], "--", color=QUIET, label="best early reps of the set")
    if found.detected and found.from_rep is not None and found.from_rep <= len(at):
        first = at[found.from_rep - 1]
        axes.axvspan(
            first - 0.5,
            at[-1] + 0.5,
            facecolor=WARN,
            hatch="..",
            edgecolor="#E3BDA3",
            lw=0,
            zorder=0.5,
            label="fatigue showed",
        )


def _whole_deg(rep: Rep, feet: Sequence[Foot]) -> float:
    """Opening of all these feet; NaN where one of them was lost: the rest alone would look like a loss of range."""
    return math.nan if any(rep.range_rad[foot] is None for foot in feet) else math.degrees(rep.opening_rad)


def _sides(
    axes: Axes, summary: SessionSummary, of: Callable[[Rep], PerFoot], sd: Callable[[Rep], PerFoot] | None = None
) -> None:
    """Left and right of each rep, a line a set; `sd` gives standard uncertainties."""
    for foot in Foot:
        for one, at in _placed(summary):
            spread = None if sd is None else [sd(rep)[foot] for rep in one.reps]
            series(axes, foot, at, [of(rep)[foot] for rep in one.reps], spread)


def _degrees(values: PerFoot) -> PerFoot:
    left, right = values
    return (None if left is None else math.degrees(left), None if right is None else math.degrees(right))
