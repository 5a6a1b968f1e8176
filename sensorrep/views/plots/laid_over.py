"""Each set's reps laid over each other."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from sensorrep.model import (
    FRAME_RATE_HZ,
    SHORTEST_GAP,
    BoolArray,
    FloatArray,
    Foot,
    Rep,
    SessionSummary,
    SetSummary,
    Trace,
)
from sensorrep.views.plots.style import COLOUR, INK, QUIET, blank, columns, laid_out, legend, nothing

BEFORE_S: Final = 0.5
"""Shown before each rep's start."""
GAP_S: Final = SHORTEST_GAP / FRAME_RATE_HZ


@laid_out
def figure_reps(summary: SessionSummary, trace: Trace, *, simulated: bool = False) -> Figure:
    """Reps of each set laid over each other from their starts, with their mean: left beside right."""
    feet = [foot for foot in Foot if trace.ok[:, foot].any()] or list(Foot)
    across = columns(len(summary.sets))
    rows = max(1, -(-len(summary.sets) // across))
    figure = blank("Reps laid over each other, each from its own rest", max(2.8, 1.0 + 1.05 * rows), simulated)
    grid = figure.subplots(rows, len(feet) * across, sharex=True, sharey=True, squeeze=False)
    panels = grid.reshape(-1, len(feet))
    if not summary.sets:
        for axes in panels[0]:
            nothing(axes, "no reps")
    for number, (pair, one) in enumerate(zip(panels, summary.sets, strict=False), 1):
        means = {foot: _mean_rep(one, trace, foot) for foot in feet}
        for axes, foot in zip(pair, feet, strict=True):
            axes.set_title(f"Set {number}, {foot.word}")
            _overlay(axes, one, trace, foot)
            axes.plot(*means[foot], color=COLOUR[foot], linewidth=2.8)
            for other in set(feet) - {foot}:
                axes.plot(*means[other], color=INK, linestyle=":", linewidth=1.8, label="mean of the other side")
            lowest = number + across > len(summary.sets)
            axes.tick_params(labelbottom=lowest)
            axes.set_xlabel("Time from start (s)" if lowest else "")
    for axes in panels[max(1, len(summary.sets)) :].flat:
        axes.remove()
    figure.supylabel("Opening of the leg (°)", fontsize=11)
    if summary.sets:
        grid[0][0].plot([], [], color=QUIET, linewidth=0.8, label="single reps (first light, last dark)")
        grid[0][0].plot([], [], color=QUIET, linewidth=2.8, label="mean")
    legend(figure)
    return figure


def _overlay(axes: Axes, one: SetSummary, trace: Trace, foot: Foot) -> None:
    for index, rep in enumerate(one.reps):
        within = _around(rep, trace)
        deg = np.where(trace.ok[within, foot], _from_rest_deg(rep, trace, foot)[within], np.nan)
        late = 0.25 + 0.6 * index / max(1, len(one.reps) - 1)
        colour = tuple(1 - late * (1 - part) for part in to_rgb(COLOUR[foot]))
        axes.plot(trace.time_s[within] - rep.start_s, deg, color=colour, linewidth=0.8)


def _mean_rep(one: SetSummary, trace: Trace, foot: Foot) -> tuple[FloatArray, FloatArray]:
    """Mean opening in degrees at times from the start, over the reps without a gap, to their median end."""
    measured = [rep for rep in one.reps if rep.range_rad[foot] is not None]
    whole = [rep for rep in measured if _longest_hole_s(rep, trace, foot) <= GAP_S]
    if not whole:
        return np.empty(0), np.empty(0)
    end_s = float(np.median([rep.end_s - rep.start_s for rep in whole])) + BEFORE_S
    time_s = np.arange(-BEFORE_S, end_s, 0.02)
    drawn = [np.interp(rep.start_s + time_s, trace.time_s, _from_rest_deg(rep, trace, foot)) for rep in whole]
    return time_s, np.mean(drawn, axis=0)


def _from_rest_deg(rep: Rep, trace: Trace, foot: Foot) -> FloatArray:
    """The trace with the rep's range at its highest point, and so its own rest at zero.

    The level of a rest differs from rep to rep by a degree or two. Left in, the sides of a set would seem to differ
    where their ranges do not.
    """
    deg = np.degrees(trace.opening_rad[:, foot])
    range_rad = rep.range_rad[foot]
    if range_rad is None:
        return np.full_like(deg, np.nan)
    highest_deg = deg[(trace.time_s >= rep.start_s) & (trace.time_s <= rep.end_s)].max(initial=-np.inf)
    from_rest: FloatArray = deg - highest_deg + np.degrees(range_rad)
    return from_rest


def _longest_hole_s(rep: Rep, trace: Trace, foot: Foot) -> float:
    """How long the foot was away at a time, around a rep."""
    around = _around(rep, trace)
    known_s = trace.time_s[around & trace.ok[:, foot]]
    first_s, last_s = trace.time_s[around][[0, -1]]
    return float(np.diff(known_s, prepend=first_s, append=last_s).max())


def _around(rep: Rep, trace: Trace) -> BoolArray:
    inside: BoolArray = (trace.time_s >= rep.start_s - BEFORE_S) & (trace.time_s <= rep.end_s + BEFORE_S)
    return inside
