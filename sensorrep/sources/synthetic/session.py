"""Scenario and seed -> a recording that never was, and the truth about it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sensorrep.model import FloatArray, Foot, Packet, RecordingHeader, SensorInfo
from sensorrep.sources.synthetic.activities import perform
from sensorrep.sources.synthetic.anatomy import draw_build
from sensorrep.sources.synthetic.body import GRID_HZ, Motion, course, move, sense
from sensorrep.sources.synthetic.liveliness import enliven
from sensorrep.sources.synthetic.radio import receive
from sensorrep.sources.synthetic.scenario import Scenario, Sensor
from sensorrep.sources.synthetic.sensor import info, send
from sensorrep.sources.synthetic.straps import loosen
from sensorrep.sources.synthetic.truth import Course, Truth, measure_set
from sensorrep.sources.synthetic.wearer import Wearer

MARGIN_S: Final = 1.0
"""Motion before the first activity and after the last one: time 0 of the motion lies this long before the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """Packets in the order in which they arrived, and what really happened."""

    header: RecordingHeader
    packets: list[Packet]
    truth: Truth


def simulate(scenario: Scenario, seed: int) -> Simulated:
    """Play a scenario. A seed gives the same bytes each time, and the same movements whatever the sensors and radio."""
    body_rng, straps_rng, left_rng, right_rng, host_rng = np.random.default_rng(seed).spawn(5)
    wearer, motion = act(scenario, body_rng, straps_rng)
    begin_s = MARGIN_S + scenario.begin_s
    end_s = wearer.now_s if scenario.end_s is None else min(MARGIN_S + scenario.end_s, wearer.now_s)
    host_ns = int(host_rng.integers(10**12, 10**14))
    names = [f"REP-{foot.name[0]}-{host_rng.integers(0x10000):04X}" for foot in Foot]
    feet, came = {}, []
    for foot, rng in zip(Foot, (left_rng, right_rng), strict=True):
        one = scenario.sensor(foot)
        if one is None:
            continue
        feet[foot] = SensorInfo("diy", names[foot], info(one, foot))
        faults = tuple(fault for fault in scenario.outages if fault.foot is foot)
        sensor_rng, radio_rng = rng.spawn(2)
        sent = send(motion, foot, one, (begin_s, end_s), faults, sensor_rng)
        came += receive(sent, foot, scenario.link, faults, begin_s, host_ns, radio_rng)
    came.sort(key=lambda arrival: arrival.packet.received_ns)
    zero_s = min((arrival.first_s for arrival in came), default=begin_s)
    worn = np.array([float(foot in feet) for foot in Foot])
    return Simulated(
        RecordingHeader(feet, simulated=True, movement="heels-apart" if len(feet) == 2 else "one-leg"),
        [arrival.packet for arrival in came],
        _truth(wearer, motion, worn, seed, zero_s, end_s - zero_s, _gaps(scenario, begin_s - zero_s)),
    )


def act(scenario: Scenario, body_rng: np.random.Generator, straps_rng: np.random.Generator) -> tuple[Wearer, Motion]:
    """All that the wearer does, and how both sensors move with it."""
    wearer = Wearer(scenario.posture, body_rng, now_s=MARGIN_S)
    wearer.begin(ready=scenario.lies_ready)
    sensors = [scenario.sensor(foot) or Sensor() for foot in Foot]
    strap_rngs = straps_rng.spawn(2)
    left, right = (draw_build(one, body_rng, rng) for one, rng in zip(sensors, strap_rngs, strict=True))
    for activity in scenario.activities:
        perform(wearer, activity)
    joints = course(wearer.start, wearer.steps, int((wearer.now_s + MARGIN_S) * GRID_HZ))
    enliven(joints, scenario.posture, body_rng)
    return wearer, sense(loosen(move(joints, (left, right)), (left, right), sensors, strap_rngs), joints)


def _gaps(scenario: Scenario, shift_s: float) -> list[tuple[float, float]]:
    """When samples of a worn foot are missing for good."""
    missing = (fault for fault in scenario.outages if fault.kind != "stall" and scenario.sensor(fault.foot))
    return [(fault.start_s + shift_s, fault.start_s + fault.seconds + shift_s) for fault in missing]


def _truth(
    wearer: Wearer,
    motion: Motion,
    worn: FloatArray,
    seed: int,
    zero_s: float,
    length_s: float,
    gaps: list[tuple[float, float]],
) -> Truth:
    """What happened, on the recording's clock, as far as it was recorded."""
    true = Course(motion.time_s - zero_s, motion.opening_deg, worn)
    sets = (
        measure_set(
            true,
            [one._replace(onset_s=one.onset_s - zero_s, back_s=one.back_s - zero_s) for one in planned],
            wearer.posture,
            length_s,
            gaps,
        )
        for planned in wearer.sets
    )
    moves = (
        (kind, max(start_s - zero_s, 0.0), min(stop_s - zero_s, length_s)) for kind, start_s, stop_s in wearer.movements
    )
    recorded = np.flatnonzero((true.time_s >= 0.0) & (true.time_s <= length_s))[:: round(GRID_HZ / 100.0)]
    return Truth(
        seed=seed,
        posture=wearer.posture,
        sets=tuple(one for one in sets if one is not None),
        movements=tuple(sorted((move for move in moves if move[2] > move[1]), key=lambda move: move[1])),
        time_s=true.time_s[recorded],
        opening_deg=true.opening_deg[recorded],
    )
