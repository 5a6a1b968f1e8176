"""A set of heels apart as joint moves."""

from typing import Final

import numpy as np

from sensorrep.model import FloatArray, Foot
from sensorrep.sources.synthetic.body import Joint, progress
from sensorrep.sources.synthetic.scenario import Set
from sensorrep.sources.synthetic.truth import Bounds
from sensorrep.sources.synthetic.wearer import PlannedRep, Wearer

_RAMPS: Final = np.linspace(0.1, 0.5, 21)


def _share_at_tenth() -> FloatArray:
    """For each ramp, the share of a step's time at which a tenth of the way is done."""
    share = np.linspace(0.0, 0.5, 501)
    return np.array([np.interp(0.1, progress(share, ramp), share) for ramp in _RAMPS])


_AT_TENTH: Final = _share_at_tenth()
_TAIL: Final = _AT_TENTH / (1.0 - 2.0 * _AT_TENTH)
"""Time before the 10 % crossing (and after 90 %), relative to that between them: falls with the ramp."""


def ramp_for(tempo_s: tuple[float, float, float, float]) -> float:
    """The softest ramp that still fits this tempo: short holds and pauses leave little time to slow down."""
    concentric_s, hold_s, eccentric_s, pause_s = tempo_s
    room = 0.92 * min(hold_s, pause_s) / (concentric_s + eccentric_s)
    fitting = np.flatnonzero(room >= _TAIL)
    return float(_RAMPS[fitting[-1]]) if len(fitting) else float(_RAMPS[0])


def perform_set(wearer: Wearer, one: Set) -> None:
    """Take position, do the reps, and drift meanwhile."""
    wearer.take_position()
    wearer.now_s += wearer.rng.uniform(1.0, 2.5)
    began_s = wearer.now_s
    level = [wearer.values[Joint.OPENING.of(foot)] for foot in Foot]
    wearer.sets.append([])
    paused_s = 1.0
    for number in range(1, one.reps + 1):
        paused_s = _rep(wearer, one, number, level, paused_s)
    _drift(wearer, one.drift_deg, began_s)


def _rep(wearer: Wearer, one: Set, number: int, level: list[float], paused_s: float) -> float:
    """One rep of both legs from now on. Returns how long the feet rest after it."""
    rng = wearer.rng
    loss = _share(one, number)
    fatigue = one.fatigue
    concentric_s, hold_s, eccentric_s, pause_s = np.array(one.tempo_s) * np.exp(one.variation * rng.normal(size=4))
    if fatigue:
        concentric_s, eccentric_s = (
            concentric_s * (1.0 + fatigue.slowing * loss),
            eccentric_s * (1.0 - fatigue.slowing * loss),
        )
        pause_s *= 1.0 + 0.5 * loss
    ramp = float(np.clip(ramp_for(one.tempo_s) * rng.uniform(0.85, 1.15), 0.1, 0.5))
    tail = float(np.interp(ramp, _RAMPS, _TAIL))
    out_s, back_s = concentric_s * (1.0 + 2.0 * tail), eccentric_s * (1.0 + 2.0 * tail)
    held_s = max(hold_s - tail * (concentric_s + eccentric_s), 0.0)
    rest_s = max(pause_s - tail * (concentric_s + eccentric_s), 0.05)
    stop_s = rng.uniform(0.25, 0.6) if number in one.hesitate else 0.0
    dips = int(rng.integers(1, 4)) if number in one.bounce else 0

    size = np.exp(one.variation * rng.normal()) * (1.0 - (fatigue.range_loss if fatigue else 0.0) * loss)
    if number in one.partial:
        size *= rng.uniform(0.35, 0.48)
    sizes = size * np.array(one.range_deg) * np.exp(0.4 * one.variation * rng.normal(size=2))
    for told, foot in one.one_sided:
        if told == number:
            sizes[1 - foot] *= rng.uniform(0.0, 0.06)
    lag_s = one.lag_s + 0.02 * rng.normal()
    late_s = (max(-lag_s, 0.0), max(lag_s, 0.0))
    stay = one.incomplete * rng.uniform(0.5, 1.5)
    dip = [(rng.uniform(0.2, 0.4), rng.uniform(0.28, 0.4), rng.uniform(0.28, 0.4)) for _ in range(dips)]
    tremor = one.tremor_deg * (1.0 + (fatigue.tremor - 1.0 if fatigue else 0.0) * loss)

    onset_s = wearer.now_s
    finish_s = onset_s
    for foot in Foot:
        column, turn = Joint.OPENING.of(foot), float(sizes[foot])
        at_s = onset_s + late_s[foot]
        wearer.step(Joint.TREMOR.of(foot), at_s, 0.7 * out_s, tremor)
        if stop_s:
            part = rng.uniform(0.4, 0.6)
            wearer.step(column, at_s, 0.6 * out_s, part * turn, ramp)
            wearer.step(column, at_s + 0.6 * out_s + stop_s, 0.6 * out_s, (1.0 - part) * turn, ramp)
            at_s += 1.2 * out_s + stop_s
        else:
            late = rng.uniform(-0.02, 0.05)  # a small correction near the end
            wearer.step(column, at_s, out_s, (1.0 - late) * turn, ramp)
            wearer.step(column, at_s + 0.7 * out_s, 0.45 * out_s, late * turn)
            at_s += out_s
        for depth, down_s, up_s in dip:
            wearer.step(column, at_s + 0.1, down_s, -depth * turn)
            wearer.step(column, at_s + 0.1 + down_s, up_s, depth * turn * rng.uniform(0.9, 1.0))
            at_s += 0.1 + down_s + up_s
        wearer.step(column, at_s, max(held_s, 0.25), -one.sag * turn * rng.uniform(0.5, 1.5))
        at_s += held_s
        rest_level = level[foot] + stay * turn * (number < one.reps)
        wearer.step(column, at_s, back_s, rest_level - wearer.values[column], ramp)
        wearer.to(Joint.TREMOR.of(foot), at_s + 0.3 * back_s, 0.7 * back_s, 0.0)
        finish_s = max(finish_s, at_s + back_s)
    wearer.now_s = finish_s + rest_s
    resting_s = rest_s if number < one.reps else 1.0
    flags = [
        name
        for name, numbers in (("partial", one.partial), ("bounce", one.bounce), ("hesitation", one.hesitate))
        if number in numbers
    ]
    if any(told == number for told, _ in one.one_sided):
        flags.append("one_sided")
    lost = (fatigue.range_loss if fatigue else 0.0) * loss
    wearer.sets[-1].append(PlannedRep(Bounds(onset_s, finish_s, paused_s, resting_s), tuple(flags), lost))
    return resting_s


def _share(one: Set, number: int) -> float:
    """How far fatigue has come by this rep: 0 before it begins, 1 at the last rep."""
    if one.fatigue is None or number < one.fatigue.from_rep:
        return 0.0
    return (number - one.fatigue.from_rep + 1) / (one.reps - one.fatigue.from_rep + 1)


def _drift(wearer: Wearer, size_deg: float, began_s: float) -> None:
    """Knees and pelvis creep during the set, in a direction of the day."""
    seconds = wearer.now_s - began_s
    way = wearer.rng.normal(size=6)
    way *= size_deg / np.linalg.norm(way)
    columns = [Joint.TWIST, Joint.PITCH, *(joint.of(foot) for foot in Foot for joint in (Joint.ABDUCTION, Joint.KNEE))]
    for column, change in zip(columns, way, strict=True):
        wearer.step(column, began_s, seconds, float(change), ramp=0.2)
