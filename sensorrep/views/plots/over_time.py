"""The heel opening over time: the whole session, and each set."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from sensorrep.model import (
    BoolArray,
    FloatArray,
    Foot,
    Rep,
    SessionSummary,
    SetSummary,
    Trace,
)
from sensorrep.views import formats
from sensorrep.views.plots.style import (
    COLOUR,
    HATCH,
    INK,
    QUIET,
    SHADE,
    WARN,
    blank,
    columns,
    laid_out,
    legend,
    numbered,
)

MARGIN_S = 2.0
"""Shown before and after each set."""
NUMBERS_A_ROW = 26
"""Rep numbers of 11 pt that fit side by side."""


@laid_out
def figure_session(summary: SessionSummary, trace: Trace, *, simulated: bool = False) -> Figure:
    """The session at a glance: heel opening over all of it, then each set with its reps numbered."""
    across = columns(len(summary.sets))
    rows = -(-len(summary.sets) // across)
    figure = blank("Session at a glance", max(3.0, 1.9 + 1.45 * rows), simulated)
    grid = figure.add_gridspec(1 + rows, across, height_ratios=[0.75] + [1.0] * rows)
    whole = figure.add_subplot(grid[0, :])
    heel_deg = _heel_deg(trace)
    limits_deg = _limits_deg(summary, trace, heel_deg)
    span_s = max((one.end_s - one.start_s for one in summary.sets), default=0.0) + 2 * MARGIN_S
    _overview(whole, summary, trace, heel_deg)
    whole.set_ylim(*limits_deg)
    for index, one in enumerate(summary.sets):
        axes = figure.add_subplot(grid[1 + index // across, index % across])
        lasted = formats.duration(one.end_s - one.start_s)
        axes.set_title(f"Set {index + 1}: {formats.plural(len(one.reps), 'rep')}, {lasted}")
        _set_row(axes, summary, trace, heel_deg, one, NUMBERS_A_ROW // across)
        axes.set_xlim(one.start_s - MARGIN_S, one.start_s - MARGIN_S + span_s)
        axes.set_ylim(*limits_deg)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda at_s, _, from_s=one.start_s: f"{at_s - from_s:.0f}"))
        axes.set_xticks(one.start_s + np.arange(0.0, span_s - MARGIN_S, _step_s(span_s)))
        lowest = index + across >= len(summary.sets)
        axes.tick_params(labelbottom=lowest)
        axes.set_xlabel("Time from the set's first rep (s)" if lowest else "")
    if any(rep.flags for one in summary.sets for rep in one.reps):
        whole.plot([], [], " ", label="(n): rep with a note")
    figure.supylabel(_heel_words(trace), fontsize=11)
    legend(figure)
    return figure


def _overview(axes: Axes, summary: SessionSummary, trace: Trace, heel_deg: FloatArray) -> None:
    for number, one in enumerate(summary.sets, 1):
        axes.axvspan(one.start_s, one.end_s, color=SHADE, zorder=0)
        middle_s = (one.start_s + one.end_s) / 2
        axes.annotate(
            f"set {number}", (middle_s, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom", color=QUIET
        )
    axes.plot(trace.time_s, heel_deg, color=INK, linewidth=0.7)
    _gaps(axes, summary)
    if not summary.sets:
        axes.text(0.5, 0.5, "no reps", transform=axes.transAxes, ha="center", va="center", color=QUIET)
    for movement in summary.rejected:
        at_s = (movement.start_s + movement.end_s) / 2
        axes.plot(at_s, 0.88, "x", color=QUIET, transform=axes.get_xaxis_transform(), label="movement not counted")
    axes.set_xlabel("Time of the recording (min:s)")
    axes.set_xlim(0, summary.duration_s or 1.0)
    axes.xaxis.set_major_formatter(FuncFormatter(_clock))
    step_s = _step_s(summary.duration_s)
    axes.set_xticks(np.arange(0.0, summary.duration_s, step_s))


def _set_row(
    axes: Axes, summary: SessionSummary, trace: Trace, heel_deg: FloatArray, one: SetSummary, numbers: int
) -> None:
    inside = (trace.time_s > one.start_s - MARGIN_S) & (trace.time_s < one.end_s + MARGIN_S)
    for rep in one.reps:
        axes.axvspan(rep.start_s, rep.end_s, color=SHADE, zorder=0)
    axes.plot(trace.time_s[inside], heel_deg[inside], color=INK)
    for foot in Foot:
        alone = inside & trace.ok[:, foot] & _in_gaps(summary, Foot(1 - foot), trace)
        if alone.any():
            own_deg = np.where(alone, np.degrees(trace.opening_rad[:, foot]), np.nan)
            axes.plot(trace.time_s, own_deg, color=COLOUR[foot], linestyle=":", label=f"{foot.word} leg alone")
    _gaps(axes, summary)
    for number in numbered(len(one.reps), numbers):
        _number(axes, trace, one.reps[number - 1], number)
    for rejected in summary.rejected:
        if one.start_s - MARGIN_S < rejected.start_s < one.end_s + MARGIN_S:
            axes.axvspan(rejected.start_s, rejected.end_s, color=WARN, zorder=0)
            axes.annotate(
                "not counted", (rejected.start_s, 0.97), xycoords=("data", "axes fraction"), color=QUIET, va="top"
            )


def _number(axes: Axes, trace: Trace, rep: Rep, number: int) -> None:
    """The rep's number over its peak, in brackets where the rep is flagged."""
    within = (trace.time_s >= rep.start_s) & (trace.time_s <= rep.end_s)
    seen_rad = np.where(trace.ok[within], trace.opening_rad[within], 0.0).sum(axis=1)
    peak_deg = np.degrees(seen_rad.max(initial=0.0))
    at_s = (rep.open_s + rep.close_s) / 2
    text = f"({number})" if rep.flags else f"{number}"
    over_hatching = {"facecolor": "white", "edgecolor": "none", "pad": 1.0} if rep.flags else None
    axes.annotate(
        text,
        (at_s, peak_deg),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        bbox=over_hatching,
    )


def _in_gaps(summary: SessionSummary, foot: Foot, trace: Trace) -> BoolArray:
    """(n,) true while this foot's sensor was lost."""
    lost = np.zeros(len(trace.time_s), bool)
    for start_s, end_s in _lost(summary, foot):
        lost |= (trace.time_s >= start_s) & (trace.time_s <= end_s)
    return lost


def _lost(summary: SessionSummary, foot: Foot) -> Sequence[tuple[float, float]]:
    """When this foot's sensor was lost; one that never came was not: hatching would cover all that is to be seen."""
    stats = summary.feet.get(foot)
    return stats.gaps if stats is not None and stats.samples else ()


def _gaps(axes: Axes, summary: SessionSummary) -> None:
    for foot in summary.feet:
        for start_s, end_s in _lost(summary, foot):
            axes.axvspan(
                start_s,
                end_s,
                facecolor="none",
                edgecolor=COLOUR[foot],
                hatch=HATCH[foot],
                linewidth=0,
                zorder=1,
                label=f"{foot.word} lost",
            )


def _limits_deg(summary: SessionSummary, trace: Trace, heel_deg: FloatArray) -> tuple[float, float]:
    """What the sets need: getting into position turns the legs much further, and may leave the panel."""
    inside = np.isfinite(heel_deg)
    if summary.sets:
        inside &= np.any([(trace.time_s >= one.start_s) & (trace.time_s <= one.end_s) for one in summary.sets], axis=0)
    shown = heel_deg[inside]
    top_deg = 1.35 * max(
        [5.0, *shown.tolist(), *(np.degrees(rep.opening_rad) for one in summary.sets for rep in one.reps)]
    )
    return min([-0.12 * top_deg, *shown.tolist()]), top_deg


def _heel_deg(trace: Trace) -> FloatArray:
    """(n,) sum over the feet that were there at all; NaN where one of them was lost."""
    there = trace.ok.any(axis=0)
    if not there.any():
        return np.full(len(trace.time_s), np.nan)
    known = trace.ok[:, there].all(axis=1)
    return np.where(known, np.degrees(trace.opening_rad[:, there].sum(axis=1)), np.nan)


def _heel_words(trace: Trace) -> str:
    there = [foot for foot in Foot if trace.ok[:, foot].any()]
    return f"Opening of the {there[0].word} leg (°)" if len(there) == 1 else "Heel opening, both legs (°)"


def _step_s(span_s: float) -> float:
    return next(
        step for step in (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, span_s) if span_s <= 10 * step
    )


def _clock(at_s: float, _: int | None = None) -> str:
    return f"{int(at_s) // 60}:{int(at_s) % 60:02d}"
