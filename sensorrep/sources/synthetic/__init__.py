"""A simulated wearer: packets of two sensors on two shanks that obey physics, and the truth about what was done.

::

    scenario     what is done, with which sensors and radio
    wearer       the timeline of joint moves; exercise and activities fill it, liveliness makes it breathe
    body         joint angles -> orientation, angular rate and specific force at each sensor
    sensor       -> int16 samples in packets of the open profile for DIY sensors
    radio        -> arrivals at the host
    truth        reps, sets and openings, measured on the noise-free motion

Nothing here knows how sensorrep counts. A seed gives the same session to the bit; the motion does not depend on the
sensors and the radio, so the same session can be seen through other ones.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sensorrep.model import FloatArray, Foot, Packet, RecordingHeader, SensorInfo
from sensorrep.sources.synthetic import radio, sensor
from sensorrep.sources.synthetic.activities import perform
from sensorrep.sources.synthetic.body import GRID_HZ, Build, Motion, course, move
from sensorrep.sources.synthetic.liveliness import enliven
from sensorrep.sources.synthetic.scenario import (
    CHEAP,
    Activity,
    Adjust,
    Fatigue,
    Fidget,
    KneeBends,
    Link,
    OneLeg,
    Outage,
    Rest,
    Scenario,
    Sensor,
    Set,
    SitToStand,
    Stand,
    Sway,
    ToeTap,
    Walk,
    typical,
)
from sensorrep.sources.synthetic.truth import TrueRep, TrueSet, Truth, measure_rep
from sensorrep.sources.synthetic.wearer import PlannedRep, Wearer

__all__ = [
    "CHEAP",
    "Activity",
    "Adjust",
    "Fatigue",
    "Fidget",
    "KneeBends",
    "Link",
    "OneLeg",
    "Outage",
    "Rest",
    "Scenario",
    "Sensor",
    "Set",
    "Simulated",
    "SitToStand",
    "Stand",
    "Sway",
    "ToeTap",
    "TrueRep",
    "TrueSet",
    "Truth",
    "Walk",
    "simulate",
    "typical",
]

_MARGIN_S: Final = 1.0
_FATIGUED: Final = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """A recording that never was, and what really happened."""

    header: RecordingHeader
    packets: list[Packet]
    truth: Truth


def simulate(scenario: Scenario, seed: int) -> Simulated:
    """Play a scenario: the same seed gives the same packets and the same truth."""
    body_rng, straps_rng, left_rng, right_rng, host_rng = np.random.default_rng(seed).spawn(5)
    worn = {foot: one for foot, one in zip(Foot, (scenario.left, scenario.right), strict=True) if one}
    wearer, motion = act(scenario, body_rng, straps_rng)
    begin_s = _MARGIN_S + scenario.begin_s
    end_s = wearer.now_s if scenario.end_s is None else min(_MARGIN_S + scenario.end_s, wearer.now_s)
    host_ns = int(host_rng.integers(10**12, 10**14))
    names = {foot: f"REP-{foot.name[0]}-{host_rng.integers(0x10000):04X}" for foot in Foot}
    came: list[tuple[float, Packet]] = []
    for foot, one in worn.items():
        faults = tuple(fault for fault in scenario.outages if fault.foot is foot)
        run_rng, noise_rng, radio_rng = (left_rng, right_rng)[foot].spawn(3)
        runs = sensor.runs(one, begin_s, end_s, faults, run_rng)
        time_s = np.concatenate([run.time_s for run in runs]) if runs else np.zeros(0)
        readings = sensor.measure(motion, foot, one, time_s, noise_rng)
        pieces = np.split(readings, np.cumsum([len(run.time_s) for run in runs])[:-1]) if runs else []
        sent = [
            message
            for run, piece in zip(runs, pieces, strict=True)
            for message in sensor.messages(one, run, piece, noise_rng)
        ]
        came += radio.arrivals(sent, foot, scenario.link, faults, begin_s, host_ns, radio_rng)
    came.sort(key=lambda arrival: arrival[1].received_ns)
    header = RecordingHeader(
        feet={foot: SensorInfo("diy", names[foot], sensor.info(one, foot)) for foot, one in worn.items()},
        simulated=True,
        movement="heels-apart" if len(worn) == 2 else "one-leg",
    )
    zero_s = min((first_s for first_s, _ in came), default=begin_s)
    weights = np.array([float(foot in worn) for foot in Foot])
    return Simulated(header, [packet for _, packet in came], _truth(wearer, motion, weights, seed, zero_s, end_s))


def act(scenario: Scenario, body_rng: np.random.Generator, straps_rng: np.random.Generator) -> tuple[Wearer, Motion]:
    """All that the wearer does, and how both sensors move with it. Time 0 lies a moment before the first activity."""
    wearer = Wearer(scenario.posture, body_rng, now_s=_MARGIN_S)
    wearer.begin(ready=scenario.lies_ready)
    builds = tuple(
        _build(one or Sensor(), body_rng, rng)
        for one, rng in zip((scenario.left, scenario.right), straps_rng.spawn(2), strict=True)
    )
    for activity in scenario.activities:
        perform(wearer, activity)
    points = int((wearer.now_s + _MARGIN_S) * GRID_HZ)
    joints = course(wearer.start, wearer.steps, points)
    enliven(joints, scenario.posture, body_rng)
    return wearer, move(joints, (builds[0], builds[1]))


def _build(one: Sensor, body_rng: np.random.Generator, strap_rng: np.random.Generator) -> Build:
    """One leg and the place of its sensor."""
    axis = np.append(np.tan(np.deg2rad(body_rng.normal(0.0, 2.0, size=2))), 1.0)
    axis /= np.linalg.norm(axis)
    body = body_rng.normal(size=5)
    around = strap_rng.uniform(0.0, 2.0 * np.pi)
    height_m = strap_rng.uniform(0.28, 0.38)
    strap = _strap(around, strap_rng)
    if one.q_shank_sensor is not None:
        strap = _matrix(np.array(one.q_shank_sensor))
    return Build(
        thigh_m=0.42 + 0.015 * body[0],
        shank_m=0.42 + 0.015 * body[1],
        hip_m=0.09,
        rotation_axis=(float(axis[0]), float(axis[1]), float(axis[2])),
        rest_rotation_deg=3.0 * body[2],
        knee_coupling=0.06 * body[3],
        abduction_coupling=0.05 * body[4],
        sensor_m=(0.045 * np.cos(around), 0.045 * np.sin(around), -(one.height_m or height_m)),
        shank_sensor=strap,
    )


def _strap(around: float, rng: np.random.Generator) -> FloatArray:
    """Sensor's face outward somewhere round the shank, its long side along the leg either way up, all a bit askew."""
    face = np.array([np.cos(around), np.sin(around), 0.0])
    along = np.array([0.0, 0.0, rng.choice((-1.0, 1.0))])
    straight = np.stack([along, np.cross(face, along), face], axis=1)
    askew = np.append(1.0, 0.5 * np.deg2rad(rng.normal(0.0, 8.0, size=3)))
    return np.asarray(straight @ _matrix(askew))


def _matrix(q: FloatArray) -> FloatArray:
    """(3, 3) rotation matrix of a quaternion (w first) of any length."""
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ]
    )


def _truth(wearer: Wearer, motion: Motion, weights: FloatArray, seed: int, zero_s: float, end_s: float) -> Truth:
    """What happened, on the recording's clock, as far as it was recorded."""
    time_s = motion.time_s - zero_s
    length_s = end_s - zero_s
    sets = [
        _true_set(planned, wearer.posture, time_s, motion.opening_deg, weights, zero_s, length_s)
        for planned in wearer.sets
    ]
    moves = (
        (kind, max(start_s - zero_s, 0.0), min(stop_s, end_s) - zero_s) for kind, start_s, stop_s in wearer.movements
    )
    recorded = (time_s >= 0.0) & (time_s <= length_s)
    every = slice(None, None, round(GRID_HZ / 100.0))
    return Truth(
        seed=seed,
        posture=wearer.posture,
        sets=tuple(one for one in sets if one.reps),
        movements=tuple(sorted((one for one in moves if one[2] > one[1]), key=lambda one: one[1])),
        time_s=time_s[recorded][every],
        opening_deg=motion.opening_deg[recorded][every],
    )


def _true_set(
    planned: Sequence[PlannedRep],
    posture: str,
    time_s: FloatArray,
    opening_deg: FloatArray,
    weights: FloatArray,
    zero_s: float,
    length_s: float,
) -> TrueSet:
    """The reps that were recorded at least in part; one that was cut is `truncated`."""
    reps = []
    for one in planned:
        bounds = one.bounds._replace(onset_s=one.bounds.onset_s - zero_s, back_s=one.bounds.back_s - zero_s)
        rep = measure_rep(time_s, opening_deg, weights, bounds, one.flags)
        if rep.start_s >= 0.0 and rep.end_s <= length_s:
            reps.append(rep)
        elif rep.start_s < length_s and rep.end_s > 0.0:
            reps.append(measure_rep(time_s, opening_deg, weights, bounds, (*one.flags, "truncated")))
    losses = [one.loss >= _FATIGUED for one in planned]
    fatigued = any(first and second for first, second in itertools.pairwise(losses))
    if not reps:
        return TrueSet(0.0, 0.0, posture, (), fatigued)
    return TrueSet(reps[0].start_s, reps[-1].end_s, posture, tuple(reps), fatigued)
