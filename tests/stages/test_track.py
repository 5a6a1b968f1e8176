"""One foot's line through time: means that can be worked out by hand, and what is dropped."""

from collections.abc import Sequence

import numpy as np
import pytest

from sensorrep.model import IntArray
from sensorrep.stages.track import NEVER_NS, Timed, Track

MS = 1_000_000
NEVER = np.array([NEVER_NS])


def timed(
    times_ms: Sequence[int], turns: Sequence[float], counter: Sequence[int] | None = None, epoch: int = 0
) -> Timed:
    """Samples that turn about x and feel 10 times as much along z."""
    values = np.zeros((6, len(times_ms)))
    values[3], values[2] = turns, 10 * np.array(turns)
    counter = range(len(times_ms)) if counter is None else counter
    at = np.arange(len(times_ms))
    return Timed(at, np.array(times_ms) * MS, epoch, np.array(counter), values, 60.0 * MS)


def edges(*times_ms: int) -> IntArray:
    return np.array(times_ms) * MS


def turns(track: Track, *times_ms: int) -> list[float]:
    return [float(turn) for turn in track.means(edges(*times_ms))[0][3]]


def test_means_between_edges_are_those_of_the_line() -> None:
    """0, 2, 4 at 0, 20, 40 ms is 0.1 per ms."""
    track = Track()
    track.push(timed([0, 20, 40], [0, 2, 4]), NEVER)
    mean, ok = track.means(edges(0, 10, 20, 40))
    np.testing.assert_allclose(mean[3], [0.5, 1.5, 3.0])
    np.testing.assert_allclose(mean[2], [5, 15, 30])
    assert ok.tolist() == [True, True, True]


def test_edges_may_be_asked_for_piece_by_piece() -> None:
    track = Track()
    track.push(timed([0, 20, 40], [0, 2, 4]), NEVER)
    assert turns(track, 0, 10) + turns(track, 10, 25) + turns(track, 25, 40) == pytest.approx([0.5, 1.75, 3.25])


def test_a_jump_of_the_counter_is_a_hole_with_a_line_over_it() -> None:
    track = Track()
    track.push(timed([0, 20, 60, 80], [1, 1, 3, 3], [0, 1, 3, 4]), NEVER)
    mean, ok = track.means(edges(0, 20, 40, 60, 80))
    np.testing.assert_allclose(mean[3], [1, 1.5, 2.5, 3])
    assert ok.tolist() == [True, False, False, True]
    assert (track.spans, track.spans_ns) == (2, 40 * MS)


def test_over_a_long_hole_nothing_turns_and_the_acceleration_stays() -> None:
    track = Track()
    track.push(timed([0, 10, 310], [2, 2, 4]), NEVER)
    mean, ok = track.means(edges(0, 10, 160, 310))
    np.testing.assert_allclose(mean[3], [2, 0, 0])
    np.testing.assert_allclose(mean[2], [20, 20, 20])
    assert ok.tolist() == [True, False, False]


def test_beyond_the_newest_sample_is_a_hole_and_stays_one_when_the_next_comes_late() -> None:
    track = Track()
    track.push(timed([0, 10], [2, 2]), NEVER)
    mean, ok = track.means(edges(0, 10, 500))
    assert ok.tolist() == [True, False]
    np.testing.assert_allclose(mean[2:4, 1], [20, 0])
    assert track.push(timed([490, 510], [6, 6], [2, 3]), np.full(2, 500 * MS)) == 1
    mean, ok = track.means(edges(500, 510, 520))
    np.testing.assert_allclose(mean[3], [0, 0])
    assert ok.tolist() == [False, False]


def test_a_new_epoch_is_a_hole_even_where_counter_and_time_go_on() -> None:
    track = Track()
    track.push(timed([0, 10], [1, 1]), NEVER)
    track.push(timed([20, 30], [1, 1], [2, 3], epoch=1), NEVER)
    assert track.means(edges(0, 10, 20, 30))[1].tolist() == [True, False, True]


def test_samples_that_are_no_later_than_an_earlier_one_are_dropped() -> None:
    track = Track()
    assert track.push(timed([0, 20, 10, 20, 30], [1, 2, 9, 9, 3]), NEVER) == 2
    assert turns(track, 0, 20, 30) == pytest.approx([1.5, 2.5])


@pytest.mark.parametrize(("wait_ms", "turn"), [(100, 5.0), (300, 0.0)])
def test_before_the_first_sample_its_value_holds_for_a_short_while_only(wait_ms: int, turn: float) -> None:
    track = Track()
    track.push(timed([wait_ms, wait_ms + 10], [5, 5]), NEVER)
    track.begin(0)
    mean, ok = track.means(edges(0, wait_ms, wait_ms + 10))
    np.testing.assert_allclose(mean[3], [turn, 5])
    assert ok.tolist() == [False, True]


def test_a_track_without_samples_is_still_and_not_ok() -> None:
    track = Track()
    track.begin(0)
    mean, ok = track.means(edges(0, 10))
    assert (mean == 0).all()
    assert not ok.any()


def test_edges_may_be_asked_for_in_the_middle_of_a_hole() -> None:
    track = Track()
    track.push(timed([0, 10, 60, 70], [2, 2, 2, 2], [0, 1, 6, 7]), NEVER)
    assert track.means(edges(0, 10, 20))[1].tolist() == [True, False]
    assert track.means(edges(20, 40, 55))[1].tolist() == [False, False]
    assert track.means(edges(55, 60, 70))[1].tolist() == [False, True]
