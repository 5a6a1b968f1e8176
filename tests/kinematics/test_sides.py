"""Exchanged sensors are seen from the way into the exercise position, or not at all: never wrongly."""

from typing import get_args

import numpy as np
import pytest

from sensorrep import quaternion
from sensorrep.kinematics.sides import swapped
from sensorrep.model import FloatArray, Foot, Posture, SessionEnded, SessionSummary
from sensorrep.pipeline import Pipeline
from sensorrep.sources.synthetic import simulate, typical

X, Y, Z = np.eye(3)


def turn(axis: FloatArray, degrees: float) -> FloatArray:
    return quaternion.from_rotation_vector(np.radians(degrees) * axis)


def prone(*, headings_deg: tuple[float, float] = (0.0, 0.0)) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lying straight (2, 4), knees bent (2, 4), opening axes (2, 3): head towards +x, so left is +y.

    The sensor's z is up the leg, from ankle to knee, and its x forward, as on a standing person.
    """
    straight = turn(Y, 90.0)
    bent = quaternion.multiply(turn(Y, 90.0), straight)
    headings = np.stack([turn(Z, degrees) for degrees in headings_deg])
    # heels apart: the left foot, which is up, goes to +y: about -x of the room
    axes = np.stack([quaternion.rotate(quaternion.conjugate(bent), one) for one in (-X, X)])
    return quaternion.multiply(headings, straight), quaternion.multiply(headings, bent), axes


@pytest.mark.parametrize("headings_deg", [(0.0, 0.0), (70.0, -130.0), (180.0, 3.0)])
def test_by_hand(headings_deg: tuple[float, float]) -> None:
    straight, bent, axes = prone(headings_deg=headings_deg)
    assert swapped([straight], bent, axes, "prone") is False
    assert swapped([straight[::-1]], bent[::-1], axes[::-1], "prone") is True


def test_what_does_not_tell_is_not_said() -> None:
    straight, bent, axes = prone()
    assert swapped([], bent, axes, "prone") is None
    assert swapped([bent], bent, axes, "prone") is None
    assert swapped([straight], bent, axes, "seated") is None
    assert swapped([straight], bent, axes, None) is None
    assert swapped([straight], bent, np.stack([axes[0], np.zeros(3)]), "prone") is None
    assert swapped([straight], bent, np.stack([axes[0], axes[0]]), "prone") is None
    rolled = quaternion.multiply(turn(X, 80.0), straight)  # on the side before
    assert swapped([rolled], bent, axes, "prone") is None


def test_the_latest_straight_pose_counts() -> None:
    straight, bent, axes = prone()
    turned_round = quaternion.multiply(turn(Z, 180.0), straight)
    assert swapped([turned_round, straight], bent, axes, "prone") is False


def recorded(posture: Posture, *, exchanged: bool) -> tuple[Pipeline, SessionSummary]:
    """The pipeline after a simulated session of one set, perhaps with the sensors on the wrong feet."""
    session = simulate(typical(posture, sets=1, reps=6), 1)
    feet, packets = dict(session.header.feet), session.packets
    if exchanged:
        feet = {Foot(1 - foot): sensor for foot, sensor in feet.items()}
        packets = [packet._replace(foot=Foot(1 - packet.foot)) for packet in packets]
    pipeline = Pipeline(feet, trace=True)
    last = (pipeline.push(packets) + pipeline.finish())[-1]
    assert isinstance(last, SessionEnded)
    return pipeline, last.summary


@pytest.mark.parametrize(("posture", "told"), [("prone", True), ("hook-lying", False), ("seated", False)])
@pytest.mark.parametrize("exchanged", [False, True])
def test_lying_down_tells_in_prone(posture: Posture, told: bool, exchanged: bool) -> None:
    pipeline, summary = recorded(posture, exchanged=exchanged)
    one, signal = summary.sets[0], pipeline.signal()
    rest = int(np.searchsorted(signal["time_s"], one.reps[0].start_s - 0.3))
    q = signal["q_earth_sensor"]
    axes = np.array([axis or (0.0, 0.0, 0.0) for axis in one.axes])
    found = swapped(list(q[0:rest:20]), q[rest], axes, posture)
    assert found is (exchanged if told else None)


@pytest.mark.parametrize("posture", get_args(Posture))
@pytest.mark.parametrize("exchanged", [False, True])
def test_a_walk_tells_in_every_posture_and_all_reps_are_counted(posture: Posture, exchanged: bool) -> None:
    pipeline, summary = recorded(posture, exchanged=exchanged)
    assert pipeline.swapped() is exchanged
    assert [len(one.reps) for one in summary.sets] == [6]
