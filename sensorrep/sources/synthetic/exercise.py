"""A set of heels apart as joint moves."""

from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import FloatArray, Foot
from sensorrep.sources.synthetic.body import Joint, progress
from sensorrep.sources.synthetic.scenario import Fatigue, Set
from sensorrep.sources.synthetic.truth import PlannedRep
from sensorrep.sources.synthetic.wearer import Wearer

_RAMPS: Final = np.linspace(0.1, 0.5, 21)


def _share_at_tenth() -> FloatArray:
    """For each ramp, the share of a step's time at which a tenth of the way is done."""
    share = np.linspace(0.0, 0.5, 501)
    return np.array([np.interp(0.1, progress(share, ramp), share) for ramp in _RAMPS])


_AT_TENTH: Final = _share_at_tenth()
_TAIL: Final = _AT_TENTH / (1.0 - 2.0 * _AT_TENTH)
"""Time before the 10 % crossing (and after 90 %), relative to the time between them: grows with the ramp."""


class _Turn(NamedTuple):
    """One rep as the wearer means to do it, both legs."""

    sizes_deg: FloatArray
    """(2,)"""
    late_s: tuple[float, float]
    out_s: float
    stop_s: float
    """A stop on the way out."""
    dips: tuple[tuple[float, float, float], ...]
    """(depth as a fraction, seconds down, seconds up) at the top."""
    held_s: float
    sag: float
    back_s: float
    stay: float
    """Fraction of the range that stays open."""
    rest_s: float
    ramp: float
    tremor_deg: float
    unsteady: float
    """Wobbles to be expected on each way."""


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
    began_s, rested_s = wearer.now_s, 1.0
    level_deg = [float(wearer.values[Joint.OPENING.of(foot)]) for foot in Foot]
    planned = []
    for number in range(1, one.reps + 1):
        turn = _turn(one, number, wearer.rng)
        last = number == one.reps
        onset_s = wearer.now_s
        back_s = max(_leg(wearer, foot, turn, level_deg[foot], last=last) for foot in Foot)
        wearer.now_s = back_s + turn.rest_s
        rest_s = 1.0 if last else turn.rest_s
        planned.append(PlannedRep(onset_s, back_s, rested_s, rest_s, _flags(one, number), _loss(one, number)))
        rested_s = rest_s
    wearer.sets.append(planned)
    _drift(wearer, one.drift_deg, began_s)


def _turn(one: Set, number: int, rng: np.random.Generator) -> _Turn:
    """Draw a rep: how it differs from the ideal one, and what fatigue does to it."""
    fatigue = one.fatigue or Fatigue(0, 0.0, 0.0, 1.0)
    tired = _tired(one, number)
    stretch = np.exp(one.variation * rng.normal(size=4))
    stretch *= 1.0 + tired * np.array([fatigue.slowing, 0.0, -fatigue.slowing, 0.5])
    concentric_s, hold_s, eccentric_s, pause_s = (stretch * one.tempo_s).tolist()
    ramp = float(np.clip(ramp_for(one.tempo_s) * rng.uniform(0.85, 1.15), _RAMPS[0], _RAMPS[-1]))
    tail = float(np.interp(ramp, _RAMPS, _TAIL))
    tails_s = tail * (concentric_s + eccentric_s)
    lag_s = one.lag_s + 0.02 * rng.normal()
    stop_s, depth = rng.uniform(0.25, 0.6), rng.uniform(0.2, 0.4, size=3)
    dips = tuple((float(one_depth), rng.uniform(0.28, 0.4), rng.uniform(0.28, 0.4)) for one_depth in depth)
    return _Turn(
        sizes_deg=_sizes(one, number, 1.0 - fatigue.range_loss * tired, rng),
        late_s=(max(-lag_s, 0.0), max(lag_s, 0.0)),
        out_s=concentric_s * (1.0 + 2.0 * tail),
        stop_s=stop_s if number in one.hesitate else 0.0,
        dips=dips[: rng.integers(1, 4)] if number in one.bounce else (),
        held_s=max(hold_s - tails_s, 0.0),
        sag=one.sag * rng.uniform(0.5, 1.5),
        back_s=eccentric_s * (1.0 + 2.0 * tail),
        stay=one.incomplete * rng.uniform(0.5, 1.5),
        rest_s=max(pause_s - tails_s, 0.05),
        ramp=ramp,
        tremor_deg=one.tremor_deg * (1.0 + (fatigue.tremor - 1.0) * tired),
        unsteady=0.5 + 2.0 * tired,
    )


def _sizes(one: Set, number: int, strength: float, rng: np.random.Generator) -> FloatArray:
    """(2,) how far each leg opens in this rep, in degrees."""
    both, partial, other = np.exp(one.variation * rng.normal()), rng.uniform(0.35, 0.48), rng.uniform(0.0, 0.06)
    sizes: FloatArray = strength * both * np.array(one.range_deg) * np.exp(0.4 * one.variation * rng.normal(size=2))
    if number in one.partial:
        sizes = partial * sizes
    for chosen, foot in one.one_sided:
        if chosen == number:
            sizes[1 - foot] *= other
    return sizes


def _leg(wearer: Wearer, foot: Foot, turn: _Turn, level_deg: float, *, last: bool) -> float:
    """One leg's part in a rep that begins now. Returns when the leg is back."""
    column, size = Joint.OPENING.of(foot), float(turn.sizes_deg[foot])
    way = level_deg + size - float(wearer.values[column])
    at_s = wearer.now_s + turn.late_s[foot]
    wearer.step(Joint.TREMOR.of(foot), at_s, 0.7 * turn.out_s, turn.tremor_deg)
    if turn.stop_s:
        part = wearer.rng.uniform(0.4, 0.6)
        _swing(wearer, column, at_s, 0.6 * turn.out_s, part * way, turn)
        at_s += 0.6 * turn.out_s + turn.stop_s
        _swing(wearer, column, at_s, 0.6 * turn.out_s, (1.0 - part) * way, turn)
        at_s += 0.6 * turn.out_s
    else:
        _swing(wearer, column, at_s, turn.out_s, way, turn)
        at_s += turn.out_s
    for depth, down_s, up_s in turn.dips:
        wearer.step(column, at_s + 0.1, down_s, -depth * size)
        wearer.step(column, at_s + 0.1 + down_s, up_s, 0.97 * depth * size)
        at_s += 0.1 + down_s + up_s
    wearer.step(column, at_s, max(turn.held_s, 0.25), -turn.sag * size)
    at_s += turn.held_s
    goal_deg = level_deg + (0.0 if last else turn.stay * size)
    _swing(wearer, column, at_s, turn.back_s, goal_deg - float(wearer.values[column]), turn)
    wearer.to(Joint.TREMOR.of(foot), at_s + 0.3 * turn.back_s, 0.7 * turn.back_s, 0.0)
    return at_s + turn.back_s


def _swing(wearer: Wearer, column: int, at_s: float, seconds: float, change: float, turn: _Turn) -> None:
    """One way, out or back: people are faster early than late, and wobble."""
    rng = wearer.rng
    early, late = rng.uniform(0.05, 0.25), rng.uniform(0.0, 0.12)
    wearer.step(column, at_s, seconds, (1.0 - early - late) * change, turn.ramp)
    wearer.step(column, at_s, seconds * rng.uniform(0.6, 0.85), early * change)
    share = rng.uniform(0.4, 0.7)
    wearer.step(column, at_s + (1.0 - share) * seconds, share * seconds, late * change)
    for _ in range(rng.poisson(turn.unsteady)):
        wobble_s = rng.uniform(0.25, 0.45) * min(seconds, 1.5)
        wearer.out_and_back(column, at_s + rng.uniform(0.1, 0.65) * seconds, wobble_s, change * rng.normal(0.0, 0.012))


def _flags(one: Set, number: int) -> tuple[str, ...]:
    numbers = {
        "partial": one.partial,
        "one_sided": tuple(chosen for chosen, _ in one.one_sided),
        "bounce": one.bounce,
        "hesitation": one.hesitate,
    }
    return tuple(flag for flag, chosen in numbers.items() if number in chosen)


def _tired(one: Set, number: int) -> float:
    """How far fatigue has come by this rep: 0 before it begins, 1 at the last rep."""
    if one.fatigue is None or number < one.fatigue.from_rep:
        return 0.0
    return (number - one.fatigue.from_rep + 1) / (one.reps - one.fatigue.from_rep + 1)


def _loss(one: Set, number: int) -> float:
    """What this rep is meant to lose in opening speed, as a fraction: range lost, and time gained."""
    if one.fatigue is None:
        return 0.0
    tired = _tired(one, number)
    return 1.0 - (1.0 - one.fatigue.range_loss * tired) / (1.0 + one.fatigue.slowing * tired)


def _drift(wearer: Wearer, size_deg: float, began_s: float) -> None:
    """Knees and pelvis creep during the set, in a direction of the day."""
    columns = [Joint.TWIST, Joint.PITCH, *(joint.of(foot) for foot in Foot for joint in (Joint.ABDUCTION, Joint.KNEE))]
    way = wearer.rng.normal(size=len(columns))
    way *= size_deg / np.linalg.norm(way)
    for column, change in zip(columns, way.tolist(), strict=True):
        wearer.step(column, began_s, wearer.now_s - began_s, change, ramp=0.2)
