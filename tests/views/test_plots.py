"""Figures by what they say: labels, numbers, lines. How they look is for people: tools/gallery."""

import functools
from collections.abc import Callable
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text

from sensorrep.model import Foot, FootStats
from sensorrep.views import plots
from sensorrep.views.plots.style import numbered
from tests.views.sessions import CASES, Case, Move, one_foot, session, typical, with_gap

FIGURES: dict[str, Callable[[Case], Figure]] = {
    "session": lambda case: plots.figure_session(case.summary, case.trace, simulated=case.simulated),
    "reps": lambda case: plots.figure_reps(case.summary, case.trace, simulated=case.simulated),
    "range": lambda case: plots.figure_range(case.summary, simulated=case.simulated),
    "tempo": lambda case: plots.figure_tempo(case.summary, simulated=case.simulated),
    "speed": lambda case: plots.figure_speed(case.summary, simulated=case.simulated),
    "sets": lambda case: plots.figure_sets(case.summary, simulated=case.simulated),
}


def words_in(figure: Figure) -> list[str]:
    return [one.get_text() for one in figure.findobj(Text) if isinstance(one, Text)]


@functools.cache
def drawn(figure: str, name: str) -> Figure:
    return FIGURES[figure](CASES[name]())


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("name", ["typical", "fatigued", "with_gap", "one_foot", "one_rep", "half_reps", "five_sets"])
def test_every_figure_names_its_axes_with_units_in_readable_size(name: str, figure: str) -> None:
    shown = drawn(figure, name)
    for axes in shown.axes:
        beside = axes.get_ylabel() or shown.get_supylabel()
        assert "(" in beside or beside == "SPARC" or "not measured" in [text.get_text() for text in axes.texts]
    below = {axes.get_xlabel() for axes in shown.axes} - {""}
    assert below
    assert all("(s)" in label or "(min:s)" in label or label in ("Rep", "Set") for label in below)
    sizes = [text.get_fontsize() for text in shown.findobj(Text) if isinstance(text, Text)]
    assert min(float(size) for size in sizes) >= 10


@pytest.mark.parametrize("figure", FIGURES)
def test_a_simulated_session_says_so_in_each_figure_and_a_real_one_does_not(figure: str) -> None:
    assert "SIMULATED" not in words_in(drawn(figure, "typical"))
    assert "SIMULATED" in words_in(drawn(figure, "half_reps"))


def test_the_session_numbers_each_rep_and_shades_each_set() -> None:
    case = typical()
    figure = drawn("session", "typical")
    whole, *rows = figure.axes
    assert [text.get_text() for text in whole.texts] == ["set 1", "set 2", "set 3"]
    assert len(whole.patches) == 3
    for axes, one in zip(rows, case.summary.sets, strict=True):
        assert [text.get_text() for text in axes.texts] == [str(n) for n in range(1, len(one.reps) + 1)]
        starts = [axes.patches[n].get_x() for n in range(len(one.reps))]  # type: ignore[attr-defined]
        assert starts == pytest.approx([rep.start_s for rep in one.reps])


def test_the_session_marks_what_was_not_counted() -> None:
    assert "movement not counted" in words_in(drawn("session", "typical"))
    assert "movement not counted" not in words_in(drawn("session", "fatigued"))


def test_a_number_stands_in_brackets_where_the_rep_has_a_flag() -> None:
    first = drawn("session", "half_reps").axes[1]
    assert [text.get_text() for text in first.texts] == ["1", "2", "3", "4", "(5)", "6", "7", "(8)"]


def test_a_gap_is_named_and_the_line_breaks_there() -> None:
    case = with_gap()
    figure = drawn("session", "with_gap")
    assert "right lost" in words_in(figure)  # once, in the legend: over short gaps words would lie on each other
    assert "left leg alone" in words_in(figure)
    line = figure.axes[0].lines[0]
    inside = (case.trace.time_s > 99.0) & (case.trace.time_s < 108.4)
    assert np.isnan(np.asarray(line.get_ydata(), float)[inside]).all()
    assert np.isfinite(np.asarray(line.get_ydata(), float)[~inside & (case.trace.time_s < 98.9)]).all()


def test_one_leg_alone_is_drawn_only_where_the_other_sensor_was_lost() -> None:
    """For an instant one leg may be unknown without a loss."""
    case = typical()
    ok = case.trace.ok.copy()
    ok[1000:1005, Foot.LEFT] = False
    figure = FIGURES["session"](replace(case, trace=replace(case.trace, ok=ok)))
    assert not any("alone" in text for text in words_in(figure))


def test_a_sensor_that_never_came_does_not_hatch_the_whole_session() -> None:
    case = one_foot()
    never = FootStats("diy", 0, 0, 0.0, ((0.0, case.summary.duration_s),))
    summary = replace(case.summary, feet={**case.summary.feet, Foot.RIGHT: never})
    figure = FIGURES["session"](replace(case, summary=summary))
    assert not any("lost" in text or "alone" in text for text in words_in(figure))


def test_getting_into_position_does_not_flatten_the_reps() -> None:
    """Before the first set legs turn by a hundred degrees and more."""
    case = typical()
    opening_rad = case.trace.opening_rad.copy()
    opening_rad[case.trace.time_s < 5] = 2.5
    figure = FIGURES["session"](replace(case, trace=replace(case.trace, opening_rad=opening_rad)))
    for axes in figure.axes:
        assert axes.get_ylim()[1] < 45


def test_one_foot_is_named_as_what_is_shown() -> None:
    assert "Opening of the left leg (°)" in words_in(drawn("session", "one_foot"))
    assert len(drawn("reps", "one_foot").axes) == 2  # two sets, one column
    assert "Left leg" in words_in(drawn("range", "one_foot"))


def test_overlaid_reps_are_one_thin_line_each_and_their_mean() -> None:
    case = session([[*(replace(move, left_deg=10.0 + 2 * n) for n, move in enumerate(session_moves(5)))]])
    left = FIGURES["reps"](case).axes[0]
    thin = [line for line in left.lines if line.get_linewidth() == 0.8 and len(line.get_xdata())]  # type: ignore[arg-type]
    thick = [line for line in left.lines if line.get_linewidth() == 2.8 and len(line.get_xdata())]  # type: ignore[arg-type]
    assert len(thin) == 5
    assert np.max(np.asarray(thick[0].get_ydata(), float)) == pytest.approx(14.0, abs=0.1)


def session_moves(count: int) -> list[Move]:
    return [Move() for _ in range(count)]


def test_range_shows_each_side_with_bars_of_two_standard_uncertainties() -> None:
    case = session([session_moves(3)])
    _, sides = FIGURES["range"](case).axes
    for foot, container in zip(Foot, sides.containers, strict=True):
        line, _, (bars,) = container.lines  # type: ignore[attr-defined]
        degrees = np.degrees([rep.range_rad[foot] or 0 for rep in case.summary.sets[0].reps])
        assert line.get_ydata() == pytest.approx(degrees)
        heights = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
        assert heights == pytest.approx([4 * (0.5, 0.6)[foot]] * 3)


def test_a_line_breaks_where_a_side_is_not_known() -> None:
    _, sides = drawn("range", "with_gap").axes
    right = sides.containers[3].lines[0]  # type: ignore[attr-defined]
    assert np.isnan(right.get_ydata()).tolist() == [False, False, True, True, True, False, False, False]


def test_opening_and_return_speed_have_the_same_scale() -> None:
    opening, back, _ = drawn("speed", "typical").axes
    assert opening.get_ylim() == back.get_ylim()


def test_reps_laid_over_each_other_start_from_their_own_rest() -> None:
    """The level of the rest differs from rep to rep, and is no part of the range."""
    case = typical()
    opening_rad = case.trace.opening_rad.copy()
    opening_rad[:, Foot.LEFT] += np.radians(1.5)
    shifted = FIGURES["reps"](replace(case, trace=replace(case.trace, opening_rad=opening_rad)))
    for moved, plain in zip(shifted.axes[0].lines, drawn("reps", "typical").axes[0].lines, strict=True):
        assert np.asarray(moved.get_ydata(), float) == pytest.approx(np.asarray(plain.get_ydata(), float), nan_ok=True)


@pytest.mark.parametrize(("away_s", "known"), [(0.06, True), (0.5, False)])
def test_a_mean_takes_reps_that_lack_samples_but_none_with_a_gap(away_s: float, known: bool) -> None:
    case = session([session_moves(3)])
    ok = case.trace.ok.copy()
    for rep in case.summary.sets[0].reps:
        ok[(case.trace.time_s > rep.open_s) & (case.trace.time_s < rep.open_s + away_s), Foot.LEFT] = False
    left = FIGURES["reps"](replace(case, trace=replace(case.trace, ok=ok))).axes[0]
    (mean, *_) = (line for line in left.lines if line.get_linewidth() == 2.8)
    assert bool(len(mean.get_xdata())) is known  # type: ignore[arg-type]


def test_many_sets_stand_in_two_columns_and_few_in_one() -> None:
    def lefts(name: str) -> set[float]:
        return {round(axes.get_position().x0, 3) for axes in drawn("session", name).axes}

    assert (len(lefts("typical")), len(lefts("five_sets"))) == (1, 2)
    assert len(drawn("reps", "five_sets").axes) == 10


def test_range_of_both_legs_has_a_hole_where_one_was_lost() -> None:
    both, _ = drawn("range", "with_gap").axes
    second = [line for line in both.lines if line.get_marker() == "D"][1]
    assert np.isnan(np.asarray(second.get_ydata(), float)).tolist() == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_range_carries_the_reference_and_the_ground_of_fatigue() -> None:
    assert "fatigue showed" in words_in(drawn("range", "fatigued"))
    calm = words_in(drawn("range", "typical"))
    assert "fatigue showed" not in calm
    assert "best early reps of the set" in calm


def test_left_and_right_differ_in_marker_and_line_not_only_in_colour() -> None:
    axes = drawn("speed", "typical").axes[0]
    left, right = (container.lines[0] for container in (axes.containers[0], axes.containers[3]))  # type: ignore[attr-defined]
    assert left.get_marker() != right.get_marker()
    assert left.get_linestyle() != right.get_linestyle()
    assert left.get_color() != right.get_color()


def test_tempo_stacks_the_phases_to_the_time_of_the_rep() -> None:
    case = typical()
    axes = drawn("tempo", "typical").axes[0]
    first_set = [one for one in axes.containers if isinstance(one, BarContainer)][:4]
    for index, rep in enumerate(case.summary.sets[0].reps):
        total_s = sum(container.patches[index].get_height() for container in first_set)
        assert total_s == pytest.approx(rep.end_s - rep.start_s + (rep.pause_s or 0))
    assert {"opening", "hold", "return", "pause"} <= set(words_in(drawn("tempo", "typical")))


def test_no_reps_says_so_instead_of_drawing_nothing() -> None:
    for name in FIGURES:
        assert "no reps" in words_in(drawn(name, "no_reps"))


@pytest.mark.parametrize(("count", "room"), [(1, 26), (8, 26), (26, 26), (30, 26), (60, 26), (150, 5), (3, 0)])
def test_numbers_never_crowd_and_always_begin_with_one(count: int, room: int) -> None:
    shown = numbered(count, room)
    assert shown[0] == 1
    assert len(shown) <= room + 1
    assert shown == sorted(set(shown))
    assert shown[-1] <= count


def test_drawing_and_writing_leave_the_settings_of_matplotlib_alone() -> None:
    before = dict(mpl.rcParams.copy())
    plots.image(FIGURES["sets"](typical()), "svg")
    after = dict(mpl.rcParams.copy())
    assert after == before


@pytest.mark.parametrize(("kind", "begin"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_the_same_session_gives_the_same_file_with_no_address_in_it(kind: str, begin: bytes) -> None:
    first, second = (plots.image(FIGURES["tempo"](typical()), kind) for _ in range(2))  # type: ignore[arg-type]
    assert first == second
    assert first.startswith(begin)
    assert b"matplotlib.org" not in first
