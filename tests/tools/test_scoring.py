"""Scoring, on sessions small enough to be solved by hand."""

from dataclasses import replace

import pytest

from benchmark.scoring import Mark, Marks, figures, iou, match, match_by_middle, score, total


def rep(start_s: float, end_s: float, set_number: int = 0, *, optional: bool = False, partial: bool = False) -> Mark:
    """A rep that takes a quarter of its time to open and a quarter to close, 10 degrees left and 12 right."""
    quarter = (end_s - start_s) / 4
    return Mark(
        start_s,
        end_s,
        start_s + quarter,
        end_s - quarter,
        (10.0, 12.0),
        (0.5, 0.5),
        set_number,
        optional,
        partial,
    )


TWO_SETS = Marks(60.0, (rep(0, 4), rep(5, 9), rep(30, 34, 1), rep(35, 39, 1)), (False, False))


def test_iou_is_shared_time_over_time_of_either() -> None:
    assert iou(Mark(0, 4), Mark(2, 6)) == pytest.approx(2 / 6)
    assert iou(Mark(0, 4), Mark(4, 6)) == 0
    assert iou(Mark(0, 4), Mark(5, 6)) == 0


def test_a_pair_needs_half_of_its_time_in_common() -> None:
    assert match([Mark(0, 4)], [Mark(0, 8)]) == [(0, 0)]
    assert match([Mark(0, 3.9)], [Mark(0, 8)]) == []


def test_matching_is_one_to_one() -> None:
    """A rep that is found twice is matched once, by the better half."""
    assert match([Mark(0, 3), Mark(0.5, 4.2)], [Mark(0, 4)]) == [(1, 0)]


def test_the_middle_forgives_wrong_boundaries() -> None:
    found, true = [Mark(1.5, 2.5)], [Mark(0, 4)]
    assert match(found, true) == []
    assert match_by_middle(found, true) == [(0, 0)]


def test_the_truth_scores_full_marks() -> None:
    got = figures(score(TWO_SETS, TWO_SETS))
    assert (got["precision"], got["recall"], got["f1"], got["sets_exact"]) == (1, 1, 1, 1)
    assert (got["edge_p95_ms"], got["range_rmse_deg"], got["missed"], got["extra"]) == (0, 0, 0, 0)


def test_a_missed_and_an_extra_rep_cost_recall_and_precision() -> None:
    found = Marks(60.0, (rep(0, 4), rep(5, 9), rep(20, 22, 1), rep(30, 34, 2)), (False,) * 3)
    got = figures(score(found, TWO_SETS))
    assert (got["missed"], got["extra"], got["false_per_min"]) == (1, 1, 1)
    assert (got["precision"], got["recall"]) == (3 / 4, 3 / 4)
    assert got["sets_exact"] == 1 / 2


def test_an_extra_rep_spoils_the_set_that_holds_it() -> None:
    found = replace(TWO_SETS, reps=(*TWO_SETS.reps, rep(40, 41, 1)))
    assert figures(score(found, TWO_SETS))["sets_exact"] == 1 / 2


@pytest.mark.parametrize(
    ("numbers", "exact"), [((0, 0, 0, 0), 0), ((0, 1, 2, 2), 1)], ids=["both merged", "first split"]
)
def test_sets_that_are_merged_or_split_are_not_exact(numbers: tuple[int, ...], exact: int) -> None:
    reps = tuple(one._replace(set_number=n) for one, n in zip(TWO_SETS.reps, numbers, strict=True))
    assert score(Marks(60.0, reps, (False,) * 3), TWO_SETS).sets_exact == exact


def test_an_optional_rep_may_be_counted_or_not() -> None:
    cut_off = rep(-2, 2, optional=True)
    truth = Marks(60.0, (cut_off, rep(5, 9)))
    for reps in [(rep(5, 9),), (rep(-2, 2), rep(5, 9))]:
        got = figures(score(Marks(60.0, reps), truth))
        assert (got["reps"], got["missed"], got["extra"], got["sets_exact"]) == (1, 0, 0, 1)


def test_boundary_errors_are_those_of_all_four_edges() -> None:
    late = Mark(0.1, 4.0, 1.0, 3.2, (None, None))
    got = score(Marks(60.0, (late,)), Marks(60.0, (rep(0, 4),)))
    assert sorted(got.edge_errors_s) == pytest.approx([0, 0, 0.1, 0.2])
    assert got.concentric_errors_s == pytest.approx([-0.1])
    assert got.hold_errors_s == pytest.approx([0.2])
    assert got.eccentric_errors_s == pytest.approx([-0.2])


def test_range_errors_are_signed_by_side_and_judged_by_the_stated_uncertainty() -> None:
    found = rep(0, 4)._replace(range_deg=(11.0, 9.0), range_sd_deg=(0.6, 0.6))
    got = figures(score(Marks(60.0, (found,)), Marks(60.0, (rep(0, 4),))))
    assert got["range_bias_left_deg"] == 1.0
    assert got["range_bias_right_deg"] == -3.0
    assert got["range_rmse_deg"] == pytest.approx(5**0.5)
    assert got["range_covered"] == 1 / 2


def test_partial_reps_are_right_missed_or_false() -> None:
    truth = Marks(60.0, (rep(0, 4, partial=True), rep(5, 9, partial=True), rep(10, 14)))
    found = Marks(60.0, (rep(0, 4, partial=True), rep(5, 9), rep(10, 14, partial=True), rep(20, 21, partial=True)))
    got = score(found, truth)
    assert (got.partial_right, got.partial_missed, got.partial_false) == (1, 1, 2)


@pytest.mark.parametrize(
    ("true", "said", "expected"),
    [(True, True, (1, 0, 0)), (True, False, (0, 1, 0)), (False, True, (0, 0, 1)), (None, True, (0, 0, 0))],
)
def test_fatigue_is_right_missed_or_false(true: bool | None, said: bool, expected: tuple[int, int, int]) -> None:
    reps = tuple(rep(5.0 * i, 5.0 * i + 4) for i in range(6))
    got = score(Marks(60.0, reps, (said,)), Marks(60.0, reps, (true,)))
    assert (got.fatigue_right, got.fatigue_missed, got.fatigue_false) == expected


def test_scores_add_up() -> None:
    got = total([score(TWO_SETS, TWO_SETS), score(Marks(60.0, ()), TWO_SETS)])
    assert (got.sessions, got.true, got.matched, got.minutes) == (2, 8, 4, 2.0)
    assert len(got.edge_errors_s) == 16


def test_what_cannot_be_measured_is_none() -> None:
    got = figures(score(Marks(60.0, ()), Marks(60.0, ())))
    assert (got["precision"], got["recall"], got["f1"], got["edge_median_ms"], got["range_rmse_deg"]) == (None,) * 5
    assert got["false_per_min"] == 0
