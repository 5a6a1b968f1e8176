"""Figures of a finished session, one function each: `SessionSummary` (and `Trace`) -> matplotlib Figure.

One quiet style: left is blue, round and solid, right is orange, square and dashed, so that neither colour nor shape is
needed alone. Only the object API is used: no window, no global state, and the same session gives the same file.
"""

from sensorrep.views.plots.by_rep import figure_range, figure_speed, figure_tempo
from sensorrep.views.plots.by_set import figure_sets
from sensorrep.views.plots.laid_over import figure_reps
from sensorrep.views.plots.over_time import figure_session
from sensorrep.views.plots.style import image

__all__ = ["figure_range", "figure_reps", "figure_session", "figure_sets", "figure_speed", "figure_tempo", "image"]
