"""Presence: who is lost, who is back, whatever the cutting."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.model import FRAME, Foot, FootBack, FootLost, Frames
from sensorrep.stages.presence import LOST_FRAMES, Presence


def frames(ok: list[bool]) -> Frames:
    block = np.zeros(len(ok), FRAME)
    block["time_s"] = np.arange(len(ok)) / 100.0
    block["ok"] = True
    block["ok"][:, Foot.RIGHT] = ok
    return Frames(block)


def test_a_foot_is_lost_after_a_second_and_back_with_its_first_sample() -> None:
    away = [True] * 50 + [False] * 150 + [True] * 50
    assert Presence(Foot).push(frames(away)) == [FootLost(Foot.RIGHT, 0.5), FootBack(Foot.RIGHT, 0.5, 2.0)]


def test_a_shorter_absence_is_not_worth_a_word() -> None:
    assert Presence(Foot).push(frames([True] * 5 + [False] * (LOST_FRAMES - 1) + [True] * 5)) == []


def test_a_foot_that_wears_no_sensor_is_never_lost() -> None:
    assert Presence([Foot.LEFT]).push(frames([False] * 300)) == []


def test_a_foot_that_never_came_is_not_lost_and_its_coming_no_return() -> None:
    assert Presence(Foot).push(frames([False] * 300 + [True] * 50)) == []


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.lists(st.integers(1, 250), min_size=1, max_size=6), st.lists(st.integers(1, 80), min_size=1, max_size=8))
def test_cutting_does_not_change_what_is_said(runs: list[int], cuts: list[int]) -> None:
    ok = [number % 2 == 0 for number, run in enumerate(runs) for _ in range(run)]
    whole, parts = Presence(Foot), Presence(Foot)
    said, start = [], 0
    for size in [*cuts, len(ok)]:
        said += parts.push(Frames(frames(ok)[start : start + size]))
        start += size
    assert said == whole.push(frames(ok))
