"""A stretch holds the frames that came, by their numbers, however they came and whatever was forgotten before."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sensorrep.model import HEEL, HeelSignal
from sensorrep.stages.stretch import Stretch


def frames(first: int, count: int) -> HeelSignal:
    """Frames whose time is their number."""
    signal = np.zeros(count, HEEL)
    signal["time_s"] = np.arange(first, first + count)
    signal["q_earth_sensor"][:, :, 0] = signal["time_s"][:, None]
    return HeelSignal(signal)


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0.0, 1.0)), max_size=20), st.integers(0, 12))
def test_what_is_kept_is_what_came(steps: list[tuple[int, float]], room: int) -> None:
    """Blocks of any length, after each of which any share of all is forgotten."""
    stretch = Stretch(room)
    for count, share in steps:
        stretch.push(frames(stretch.end, count))
        stretch.forget(stretch.origin + round(share * len(stretch.frames)))
        assert stretch.frames["time_s"].tolist() == list(range(stretch.origin, stretch.end))
    assert stretch.end == sum(count for count, _ in steps)


def test_frames_go_by_their_numbers() -> None:
    stretch = Stretch(4)
    stretch.push(frames(0, 10))
    stretch.forget(6)
    assert (stretch.origin, stretch.end) == (6, 10)
    assert stretch.between(7, 9)["time_s"].tolist() == [7.0, 8.0]
    assert stretch.time_s(9) == 9.0
    assert stretch.pose(6)[:, 0].tolist() == [6.0, 6.0]
