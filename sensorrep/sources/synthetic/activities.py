"""All that is no rep, as joint moves: walking, resting, fidgeting, swaying, adjusting the band."""

from collections.abc import Callable
from typing import Final, assert_never

import numpy as np

from sensorrep.model import Foot
from sensorrep.sources.synthetic.anatomy import HEELS_TOGETHER_DEG
from sensorrep.sources.synthetic.body import Joint
from sensorrep.sources.synthetic.exercise import perform_set
from sensorrep.sources.synthetic.scenario import (
    Activity,
    Adjust,
    ChairRises,
    Fidget,
    KneeBends,
    OneLeg,
    Rest,
    RollOver,
    Set,
    SitToStand,
    Squats,
    Stand,
    Sway,
    ToeTap,
    Walk,
)
from sensorrep.sources.synthetic.wearer import STAND, Wearer

_TOES_OUT_DEG: Final = -STAND.opening - HEELS_TOGETHER_DEG
"""How far the feet of one who stands point outward."""


def perform(wearer: Wearer, activity: Activity) -> None:
    """Add an activity to the wearer's timeline, with the change of position that it needs."""
    match activity:
        case Set():
            perform_set(wearer, activity)
        case Rest():
            _rest(wearer, activity)
        case Stand():
            wearer.go(0)
            wearer.now_s += activity.seconds
        case Walk():
            wearer.go(0)
            _noted(wearer, "walking", lambda: _walk(wearer, activity))
        case SitToStand():
            for _ in range(activity.count):
                wearer.go(0)
                wearer.now_s += wearer.rng.uniform(0.5, 1.5)
                wearer.take_position()
        case KneeBends():
            wearer.take_position()
            _noted(wearer, "knee bends", lambda: _knee_bends(wearer, activity))
        case Fidget():
            for _ in range(activity.count):
                _noted(wearer, "fidget", lambda: _fidget(wearer, activity.size_deg))
                wearer.now_s += wearer.rng.uniform(0.3, 2.0)
        case OneLeg():
            wearer.take_position()
            _noted(wearer, "one leg", lambda: _one_leg(wearer, activity))
        case Sway():
            wearer.take_position()
            _noted(wearer, "sway", lambda: _sway(wearer, activity))
        case RollOver():
            wearer.go(max(len(wearer.route) - 2, 0))
            _noted(wearer, "rolling over", lambda: _roll_over(wearer, activity))
        case Adjust():
            wearer.take_position()
            _noted(wearer, "adjusting the band", lambda: _adjust(wearer, activity.seconds))
        case ToeTap():
            wearer.take_position()
            _noted(wearer, "toe tapping", lambda: _toe_tap(wearer, activity))
        case Squats():
            _on_the_spot(wearer, "squats", lambda: _squats(wearer, activity))
        case ChairRises():
            _on_the_spot(wearer, "chair rises", lambda: _chair_rises(wearer, activity))
        case _:
            assert_never(activity)


def _on_the_spot(wearer: Wearer, kind: str, doing: Callable[[], None]) -> None:
    """Standing, the feet find their spots, and stay there until the wearer goes elsewhere."""
    wearer.go(0)
    wearer.to(Joint.ROOTED, wearer.now_s, 0.8, 1.0)
    wearer.now_s += 2.0
    _noted(wearer, kind, doing)


def _noted(wearer: Wearer, kind: str, doing: Callable[[], None]) -> None:
    start_s = wearer.now_s
    doing()
    wearer.note(kind, start_s)


def _rest(wearer: Wearer, rest: Rest) -> None:
    """Rest for at least the time told; what happens in it leaves the last seconds still."""
    until_s = wearer.now_s + rest.seconds
    relaxed = wearer.place == len(wearer.route) - 1 and (
        rest.movement == "relax" or (rest.movement == "mixed" and rest.seconds > 20.0 and wearer.rng.random() < 0.4)
    )
    if relaxed:
        wearer.now_s += wearer.rng.uniform(0.8, 2.0)
        wearer.go(len(wearer.route) - 2)
    while rest.movement in ("fidget", "mixed") and wearer.now_s < until_s - 9.0:
        wearer.now_s += wearer.rng.uniform(1.0, 4.0)
        perform(wearer, Fidget() if relaxed or rest.movement == "fidget" else _restless(wearer.rng))
    if relaxed:
        wearer.now_s = max(wearer.now_s, until_s - wearer.rng.uniform(4.0, 6.0))
        wearer.take_position()
    wearer.now_s = max(wearer.now_s, until_s)


def _restless(rng: np.random.Generator) -> Activity:
    """Something that people do while they rest in position."""
    choice = rng.random()
    if choice < 0.5:
        return Fidget()
    if choice < 0.65:
        return Sway(size_deg=rng.uniform(3.0, 12.0))
    if choice < 0.8:
        return KneeBends(size_deg=rng.uniform(8.0, 40.0), seconds=rng.uniform(1.5, 3.0))
    if choice < 0.9:
        return Adjust(rng.uniform(3.0, 5.0))
    return OneLeg(Foot(int(rng.integers(2))), size_deg=rng.uniform(4.0, 14.0))


def _walk(wearer: Wearer, walk: Walk) -> None:
    """Gait: each leg swings while the other stands, the shank is knocked at each heel strike."""
    rng, step_s = wearer.rng, 1.0 / walk.steps_per_s
    total_s = step_s * (walk.steps + 1)
    wearer.step(Joint.PLANTED, wearer.now_s, step_s, -1.0)
    wearer.to(Joint.ROOTED, wearer.now_s, step_s, 0.0)
    wearer.step(Joint.FORWARD_M, wearer.now_s, total_s, 0.62 * walk.steps, ramp=min(0.5, step_s / total_s))
    wearer.origin_m += 0.62 * walk.steps
    wearer.step(Joint.TURN, wearer.now_s, total_s, rng.normal(0.0, 40.0))
    standing = {joint.of(foot): wearer.values[joint.of(foot)] for joint in (Joint.FLEXION, Joint.KNEE) for foot in Foot}
    first = int(rng.integers(2))
    for number in range(walk.steps):
        at_s = wearer.now_s + step_s * (number + 0.02 * rng.normal())
        swing, stance = Foot((first + number) % 2), Foot((first + number + 1) % 2)
        wearer.to(Joint.FLEXION.of(swing), at_s, step_s, rng.normal(24.0, 1.5))
        wearer.to(Joint.FLEXION.of(stance), at_s, step_s, rng.normal(-9.0, 1.5))
        wearer.step(Joint.KNEE.of(swing), at_s - 0.08, 0.5 * step_s, rng.normal(52.0, 3.0))
        wearer.to(Joint.KNEE.of(swing), at_s + 0.42 * step_s, 0.55 * step_s, rng.normal(5.0, 1.0))
        wearer.out_and_back(Joint.KNEE.of(stance), at_s, 0.45 * step_s, rng.normal(12.0, 2.0))
        wearer.out_and_back(Joint.HEIGHT_M, at_s, step_s, 0.03)
        _knock(wearer, swing, at_s + 0.98 * step_s, rng.uniform(0.8, 1.4))
    for column, target in standing.items():
        wearer.to(column, wearer.now_s + walk.steps * step_s, step_s, target)
    wearer.step(Joint.PLANTED, wearer.now_s + walk.steps * step_s, step_s, 1.0)
    wearer.now_s += total_s


def _knock(wearer: Wearer, foot: Foot, at_s: float, size_mm: float) -> None:
    """A shock along the shank: about 2 g a millimetre."""
    wearer.step(Joint.JOLT_M.of(foot), at_s, 0.02, 1e-3 * size_mm)
    wearer.step(Joint.JOLT_M.of(foot), at_s + 0.02, 0.045, -1e-3 * size_mm)


def _knee_bends(wearer: Wearer, bends: KneeBends) -> None:
    """Knees straighten and bend; with the feet near the floor the hips follow."""
    rng = wearer.rng
    with_hip = {"hook-lying": 0.5, "table-top": 0.2}.get(wearer.posture, 0.0)
    for _ in range(bends.count):
        size, seconds = bends.size_deg * rng.uniform(0.9, 1.1), bends.seconds * rng.uniform(0.9, 1.1)
        first = wearer.some_foot()
        lag_s = seconds * 1.05 if bends.alternate else abs(rng.normal(0.0, 0.04))
        for foot in Foot:
            at_s = wearer.now_s + lag_s * (foot != first)
            one = size * rng.uniform(0.95, 1.05)
            wearer.out_and_back(Joint.KNEE.of(foot), at_s, seconds, -one, rng.uniform(0.98, 1.02))
            wearer.out_and_back(Joint.FLEXION.of(foot), at_s, seconds, -with_hip * one)
        wearer.now_s += seconds + lag_s + rng.uniform(0.1, 0.5)


def _fidget(wearer: Wearer, size_deg: tuple[float, float]) -> None:
    """A move in a random direction; at most one heel goes outward."""
    rng = wearer.rng
    size = np.exp(rng.uniform(*np.log(size_deg)))
    seconds = rng.uniform(0.5, 1.2) + 0.06 * size
    legs = list(Foot) if rng.random() < 0.4 else [wearer.some_foot()]
    way = rng.normal(size=(2, 4))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    if len(legs) == 2:
        way[1, 1] = -np.sign(way[0, 1]) * abs(way[1, 1])
    for foot in legs:
        at_s = wearer.now_s + rng.uniform(0.0, 0.15)
        joints = (Joint.KNEE, Joint.OPENING, Joint.ABDUCTION, Joint.FLEXION)
        for joint, share, reach in zip(joints, way[foot], (1.0, 1.0, 0.5, 0.5), strict=True):
            wearer.out_and_back(joint.of(foot), at_s, seconds, reach * share * size, rng.normal(1.0, 0.03))
    wearer.out_and_back(Joint.TWIST, wearer.now_s, seconds, rng.normal(0.0, 0.1) * size)
    wearer.now_s += seconds + 0.15


def _one_leg(wearer: Wearer, move: OneLeg) -> None:
    for _ in range(move.count):
        seconds = move.seconds * wearer.rng.uniform(0.9, 1.1)
        size = move.size_deg * wearer.rng.uniform(0.9, 1.1)
        wearer.out_and_back(Joint.OPENING.of(move.foot), wearer.now_s, seconds, size)
        wearer.now_s += seconds + wearer.rng.uniform(0.2, 0.6)


def _sway(wearer: Wearer, sway: Sway) -> None:
    """Both feet to one side: partly the pelvis rolls, partly one hip turns in while the other turns out."""
    rng = wearer.rng
    side = rng.choice((-1.0, 1.0))
    roll = rng.uniform(0.2, 1.0)
    for _ in range(sway.count):
        size, seconds = sway.size_deg * rng.uniform(0.9, 1.1), sway.seconds * rng.uniform(0.9, 1.1)
        turn_s = seconds * rng.uniform(0.4, 0.6)
        moves = (
            (int(Joint.TWIST), -side * roll * size),
            (Joint.OPENING.of(Foot.LEFT), side * (1.0 - roll) * size),
            (Joint.OPENING.of(Foot.RIGHT), -side * (1.0 - roll) * size),
        )
        for column, change in moves:
            wearer.step(column, wearer.now_s, turn_s, change)
            wearer.step(column, wearer.now_s + turn_s, seconds - turn_s, -change)
        wearer.now_s += seconds + rng.uniform(0.0, 0.4)
        side = -side if sway.both_sides else side


def _roll_over(wearer: Wearer, roll: RollOver) -> None:
    """The trunk turns, the legs help by bending and parting."""
    side = wearer.rng.choice((-1.0, 1.0))
    wearer.out_and_back(Joint.TWIST, wearer.now_s, roll.seconds, side * roll.size_deg)
    for foot in Foot:
        for joint in (Joint.FLEXION, Joint.KNEE):
            wearer.out_and_back(joint.of(foot), wearer.now_s, roll.seconds, wearer.rng.uniform(5.0, 30.0))
    wearer.now_s += roll.seconds


def _adjust(wearer: Wearer, seconds: float) -> None:
    """A leg (or both) comes up to the hands, is pulled about, and goes back."""
    rng = wearer.rng
    until_s = wearer.now_s + seconds
    legs = list(Foot) if rng.random() < 0.5 else [wearer.some_foot()]
    raised = [(joint.of(foot), rng.uniform(5.0, 20.0)) for foot in legs for joint in (Joint.FLEXION, Joint.KNEE)]
    for column, change in raised:
        wearer.step(column, wearer.now_s, 0.8, change)
    wearer.now_s += 0.7
    while wearer.now_s < until_s - 0.8:
        foot = legs[rng.integers(len(legs))]
        pull_s = rng.uniform(0.3, 0.8)
        for joint in (Joint.KNEE, Joint.OPENING, Joint.ABDUCTION, Joint.FLEXION):
            wearer.out_and_back(joint.of(foot), wearer.now_s, pull_s, rng.normal(0.0, 2.5))
        if rng.random() < 0.3:
            _knock(wearer, foot, wearer.now_s, rng.uniform(0.1, 0.5))
        wearer.now_s += pull_s * rng.uniform(0.7, 1.8)
    for column, change in raised:
        wearer.step(column, wearer.now_s, 0.8, -change)
    wearer.now_s += 0.8


def _toe_tap(wearer: Wearer, tap: ToeTap) -> None:
    rng = wearer.rng
    foot = wearer.some_foot()
    for _ in range(tap.count):
        beat_s = (1.0 / tap.rate_hz) * rng.uniform(0.92, 1.08)
        wearer.out_and_back(Joint.KNEE.of(foot), wearer.now_s, 0.8 * beat_s, rng.uniform(0.8, 2.5))
        wearer.out_and_back(Joint.OPENING.of(foot), wearer.now_s, 0.8 * beat_s, rng.normal(0.0, 0.5))
        _knock(wearer, foot, wearer.now_s + 0.8 * beat_s, rng.uniform(0.05, 0.25))
        wearer.now_s += beat_s


def _squats(wearer: Wearer, squats: Squats) -> None:
    """Thighs go down and shanks lean over the feet, which bear it all and stay."""
    for _ in range(squats.count):
        seconds, lean_deg = (
            squats.seconds * wearer.rng.uniform(0.9, 1.1),
            squats.lean_deg * wearer.rng.uniform(0.9, 1.1),
        )
        down_s = seconds * wearer.rng.uniform(0.4, 0.6)
        for at_s, lasts_s, way in ((0.0, down_s, 1.0), (down_s, seconds - down_s, -1.0)):
            _lower(wearer, wearer.now_s + at_s, lasts_s, 60.0, way)
            _lean(wearer, wearer.now_s + at_s, lasts_s, way * lean_deg)
        wearer.now_s += seconds + wearer.rng.uniform(0.2, 0.8)


def _chair_rises(wearer: Wearer, rises: ChairRises) -> None:
    """Shanks and trunk lean forward on the way down and again on the way up, and are upright in the seat."""
    for _ in range(rises.count):
        for way in (1.0, -1.0):
            seconds, lean_deg = (
                rises.seconds * wearer.rng.uniform(0.9, 1.1),
                rises.lean_deg * wearer.rng.uniform(0.9, 1.1),
            )
            _lower(wearer, wearer.now_s, seconds, 82.0, way)
            _lean(wearer, wearer.now_s, 0.5 * seconds, lean_deg)
            _lean(wearer, wearer.now_s + 0.5 * seconds, 0.5 * seconds, -lean_deg)
            wearer.now_s += seconds + wearer.rng.uniform(0.3, 1.0)


def _lower(wearer: Wearer, at_s: float, seconds: float, thigh_deg: float, way: float) -> None:
    """Thighs go from hanging to `thigh_deg` (`way` 1), or back (-1), with upright shanks and knees over the toes."""
    toes, thigh = np.deg2rad(_TOES_OUT_DEG), np.deg2rad(thigh_deg)
    abducted = np.arcsin(np.sin(thigh) * np.sin(toes))
    turned = toes - np.arccos(np.cos(toes) / np.cos(abducted))
    for foot in Foot:
        wearer.step(Joint.FLEXION.of(foot), at_s, seconds, way * thigh_deg)
        wearer.step(Joint.KNEE.of(foot), at_s, seconds, way * thigh_deg)
        wearer.step(Joint.ABDUCTION.of(foot), at_s, seconds, way * float(np.rad2deg(abducted)))
        wearer.step(Joint.OPENING.of(foot), at_s, seconds, way * float(np.rad2deg(turned)))


def _lean(wearer: Wearer, at_s: float, seconds: float, shank_deg: float) -> None:
    """Shanks lean forward, and the trunk as much, with the thighs as they are."""
    wearer.step(Joint.PITCH, at_s, seconds, shank_deg)
    for foot in Foot:
        wearer.step(Joint.FLEXION.of(foot), at_s, seconds, shank_deg)
        wearer.step(Joint.KNEE.of(foot), at_s, seconds, shank_deg)
