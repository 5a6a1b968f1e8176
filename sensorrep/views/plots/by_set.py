"""Set against set."""

import math
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sensorrep.model import Foot, SessionSummary
from sensorrep.views.comparison import typical_speed
from sensorrep.views.plots.style import (
    INK,
    PHASES,
    QUIET,
    blank,
    from_zero,
    laid_out,
    legend,
    nothing,
    numbered,
    series,
    stack,
)

NUMBERS_ALONG: Final = 6
"""Numbers of sets of 11 pt that fit along an axis."""


@laid_out
def figure_sets(summary: SessionSummary, *, simulated: bool = False) -> Figure:
    """Range, symmetry, speed and tempo of each set."""
    figure = blank("Set against set", 2.7, simulated)
    ranges, symmetry, speeds, tempos = figure.subplots(1, 4)
    for axes, title, unit in (
        (ranges, "Mean range", "Range (°)"),
        (symmetry, "Right against left", "Difference (%)"),
        (speeds, "Opening speed", "Speed (°/s)"),
        (tempos, "Tempo", "Time (s)"),
    ):
        axes.set_title(title)
        axes.set_ylabel(unit)
        axes.set_xlabel("Set")
        axes.set_xticks(numbered(len(summary.sets), NUMBERS_ALONG))
        axes.set_xlim(0.5, max(1, len(summary.sets)) + 0.5)
    if not summary.sets:
        for axes in (ranges, symmetry, speeds, tempos):
            nothing(axes, "no reps")
        return figure
    _ranges(ranges, summary)
    _symmetry(symmetry, summary)
    _speeds(speeds, summary)
    phases = {phase.word: [getattr(one.tempo, phase.field) for one in summary.sets] for phase in PHASES}
    stack(tempos, range(1, len(summary.sets) + 1), phases)
    for axes in (ranges, speeds, tempos):
        from_zero(axes)
    legend(figure)
    return figure


def _ranges(axes: Axes, summary: SessionSummary) -> None:
    for foot in Foot:
        found = [one.range_rad[foot] for one in summary.sets]
        means = [None if one is None else math.degrees(one.mean) for one in found]
        spread = [None if one is None else math.degrees(one.uncertainty) for one in found]
        series(axes, foot, range(1, len(found) + 1), means, spread)


def _speeds(axes: Axes, summary: SessionSummary) -> None:
    for foot in Foot:
        fast = [typical_speed(one, [foot]) for one in summary.sets]
        series(axes, foot, range(1, len(fast) + 1), [None if v is None else math.degrees(v) for v in fast])


def _symmetry(axes: Axes, summary: SessionSummary) -> None:
    known = [(number, one.symmetry) for number, one in enumerate(summary.sets, 1) if one.symmetry is not None]
    if not known:
        nothing(axes, "not measured")
        return
    axes.axhline(0, color=INK, linewidth=0.8)
    for number, found in known:
        low, high = found.interval_pct
        axes.plot([number, number], [low, high], "_-", color=INK, markersize=9)
        axes.plot(number, found.index_pct, "D", color=INK, markersize=5.5)
    reach = 1.6 * max(20.0, *(abs(bound) for _, found in known for bound in found.interval_pct))
    axes.set_ylim(-reach, reach)
    axes.text(0.02, 0.98, "right opens more", transform=axes.transAxes, va="top", color=QUIET)
    axes.text(0.02, 0.02, "left opens more", transform=axes.transAxes, va="bottom", color=QUIET)
