"""Sets and sessions summed up from findings."""

import numpy as np
import pytest

from sensorrep.model import Foot, FootStats, Rejected, RepCounted, SessionEnded, SetEnded
from sensorrep.stages.segment import SetFound
from sensorrep.stages.summarise import Summarise
from tests.motion import course, findings, poses, reps

FEET = {foot: FootStats("diy", 1000, 3, 100.0, ((1.0, 2.0),)) for foot in Foot}
STARTS_S = (3.0, 6.2, 9.4, 12.6, 15.8, 19.0)
AGAIN_S = (40.0, 43.2, 46.4)


def found_in(left_deg: float = 10.0, right_deg: float = 14.0, weak: float = 1.0) -> list[object]:
    """What is found in six reps and, 17 s later, three; the third rep is `weak` times as large."""
    time_s = course(54.0)
    shape = reps(time_s, (*STARTS_S, *AGAIN_S)) - (1.0 - weak) * reps(time_s, STARTS_S[2:3])
    return list(findings(poses(np.stack([left_deg * shape, right_deg * shape], axis=1))))


def summed_up(found: list[object]) -> tuple[list[object], SessionEnded]:
    stage = Summarise("heels-apart")
    events = stage.push(found)  # type: ignore[arg-type]
    (last,) = stage.finish(54.0, FEET)
    assert isinstance(last, SessionEnded)
    return list(events), last


def test_a_session_holds_its_sets_with_their_reps_and_rests() -> None:
    _, ended = summed_up(found_in())
    summary = ended.summary
    assert (summary.duration_s, summary.movement, summary.feet) == (54.0, "heels-apart", FEET)
    first, second = summary.sets
    assert [len(one.reps) for one in summary.sets] == [6, 3]
    assert (first.start_s, first.end_s) == (first.reps[0].start_s, first.reps[-1].end_s)
    assert first.rest_before_s is None
    assert second.rest_before_s == pytest.approx(second.start_s - first.end_s)


def test_the_means_of_a_set_are_those_of_its_reps() -> None:
    _, ended = summed_up(found_in())
    one = ended.summary.sets[0]
    for foot, true_deg in ((Foot.LEFT, 10.0), (Foot.RIGHT, 14.0)):
        spread = one.range_rad[foot]
        assert spread is not None
        assert np.degrees(spread.mean) == pytest.approx(true_deg, abs=0.15)
        assert spread.mean == pytest.approx(np.mean([rep.range_rad[foot] for rep in one.reps]))
    assert one.symmetry is not None
    assert one.symmetry.index_pct == pytest.approx(100 * 4 / 12, abs=0.5)
    assert one.tempo.pause_s == pytest.approx(3.2 - 2.6 + 0.45, abs=0.05)


def test_axes_are_the_sensors_own_and_a_still_leg_has_none() -> None:
    turning = poses(np.stack([10.0 * reps(course(24.0), STARTS_S), np.zeros(len(course(24.0)))], axis=1))
    _, ended = summed_up(list(findings(turning, "one-leg", Foot.LEFT)))
    left, right = ended.summary.sets[0].axes
    assert left is not None
    assert np.linalg.norm(left) == pytest.approx(1.0)
    assert right is None


def test_a_small_rep_of_a_set_is_partial() -> None:
    _, ended = summed_up(found_in(weak=0.45))
    assert [rep.flags for rep in ended.summary.sets[0].reps] == [(), (), ("partial",), (), (), ()]


def test_each_finding_becomes_an_event_and_a_set_is_announced_with_its_number() -> None:
    found = found_in()
    events, ended = summed_up(found)
    assert len(events) == len(found)
    for one, event in zip(found, events, strict=True):
        assert event == one if not isinstance(one, SetFound) else isinstance(event, SetEnded)
    announced = [event for event in events if isinstance(event, SetEnded)]
    assert [one.set_number for one in announced] == [1, 2]
    assert tuple(one.summary for one in announced) == ended.summary.sets
    assert len([event for event in events if isinstance(event, RepCounted)]) == 9


def test_rejected_movements_are_listed_by_time() -> None:
    late, early = Rejected(9.0, 10.0, "why"), Rejected(2.0, 3.0, "so")
    _, ended = summed_up([late, early])
    assert ended.summary.rejected == (early, late)
    assert ended.summary.sets == ()
    assert ended.summary.posture is None
