"""The wearer's score: joint moves on a timeline, from pose to pose. Degrees and seconds, as people would say them."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import FloatArray, Foot, Posture
from sensorrep.sources.synthetic.body import COLUMNS, Joint, Step
from sensorrep.sources.synthetic.truth import PlannedRep


class Pose(NamedTuple):
    """Joint angles that a person settles into; both legs alike."""

    pitch: float = 0.0
    twist: float = 0.0
    height_m: float = 0.11
    planted: float = 0.0
    forward_m: float = 0.0
    flexion: float = 0.0
    abduction: float = 0.0
    opening: float = 0.0
    knee: float = 0.0


STAND: Final = Pose(height_m=0.9, planted=1.0, flexion=4.0, opening=-9.0, knee=6.0)
KNEEL: Final = Pose(height_m=0.5, flexion=6.0, opening=-4.0, knee=96.0)
ALL_FOURS: Final = Pose(pitch=80.0, height_m=0.45, forward_m=0.1, flexion=85.0, opening=-4.0, knee=88.0)
SIT_ON_FLOOR: Final = Pose(-20.0, 0.0, 0.12, 0.0, -0.3, 85.0, 4.0, -5.0, 95.0)
SUPINE: Final = Pose(pitch=-90.0, forward_m=-0.3, flexion=4.0, abduction=5.0, opening=-18.0, knee=7.0)
FACE_DOWN: Final = Pose(pitch=90.0, forward_m=0.3, flexion=1.0, abduction=3.0, opening=-10.0, knee=9.0)
PRONE: Final = Pose(pitch=90.0, forward_m=0.3, knee=90.0)
HOOK_LYING: Final = Pose(pitch=-90.0, forward_m=-0.3, flexion=52.0, knee=104.0)
TABLE_TOP: Final = Pose(pitch=-90.0, forward_m=-0.3, flexion=90.0, knee=90.0)
SEATED: Final = Pose(pitch=-4.0, height_m=0.5, forward_m=-0.42, flexion=86.0, knee=90.0)

ROLLED: Final = {"pitch": -90.0, "twist": 180.0, "forward_m": -0.3}
"""Face down, reached from the back by rolling over."""

ROUTES: Final[dict[Posture, tuple[tuple[Pose, ...], ...]]] = {
    "prone": (
        (STAND, KNEEL, ALL_FOURS, FACE_DOWN, PRONE),
        (STAND, SIT_ON_FLOOR, SUPINE, FACE_DOWN._replace(**ROLLED), PRONE._replace(**ROLLED)),
    ),
    "hook-lying": ((STAND, SIT_ON_FLOOR, SUPINE, HOOK_LYING),),
    "table-top": ((STAND, SIT_ON_FLOOR, SUPINE, HOOK_LYING, TABLE_TOP),),
    "seated": ((STAND, SEATED),),
}
"""Ways from standing into the exercise position; one is drawn."""

_PELVIS: Final = (Joint.PITCH, Joint.TWIST, Joint.FORWARD_M, Joint.HEIGHT_M, Joint.PLANTED)
_LEG: Final = (Joint.FLEXION, Joint.ABDUCTION, Joint.OPENING, Joint.KNEE)
_HABIT_DEG: Final = {Joint.FLEXION: 3.0, Joint.ABDUCTION: 1.5, Joint.OPENING: 2.0, Joint.KNEE: 4.0}
"""How much people differ in a pose: three tenths of it from leg to leg, a sixth from time to time."""
_PITCH_HABIT_DEG: Final = 3.0
_REGRIP_DEG: Final = 0.3
"""How well the band and the other heel bring the legs back to where they rested before."""


@dataclass(slots=True)
class Wearer:
    """A timeline under construction. `values` is where each joint will be once all steps so far are done."""

    posture: Posture
    rng: np.random.Generator
    route: tuple[Pose, ...] = ()
    place: int = 0
    """Where on the route: 0 stands, the last is the exercise position."""
    now_s: float = 0.0
    start: FloatArray = field(default_factory=lambda: np.zeros(COLUMNS))
    values: FloatArray = field(default_factory=lambda: np.zeros(COLUMNS))
    steps: list[Step] = field(default_factory=list)
    movements: list[tuple[str, float, float]] = field(default_factory=list)
    sets: list[list[PlannedRep]] = field(default_factory=list)
    habits: dict[Pose, FloatArray] = field(default_factory=dict)
    origin_m: float = 0.0
    """How far the wearer has walked."""

    def step(self, column: int, start_s: float, seconds: float, change: float, ramp: float = 0.5) -> None:
        """Move a joint by `change`; steps may overlap, their changes add up."""
        if change != 0.0:
            self.steps.append(Step(column, start_s, seconds, change, ramp))
            self.values[column] += change

    def to(self, column: int, start_s: float, seconds: float, target: float) -> None:
        """Move a joint to a value."""
        self.step(column, start_s, seconds, target - self.values[column])

    def out_and_back(self, column: int, start_s: float, seconds: float, change: float, back: float = 1.0) -> None:
        """Move a joint by `change` and this share of it back, in `seconds` in all."""
        turn_s = seconds * self.rng.uniform(0.4, 0.6)
        self.step(column, start_s, turn_s, change)
        self.step(column, start_s + turn_s, seconds - turn_s, -change * back)

    def some_foot(self) -> Foot:
        """One foot or the other."""
        return Foot(int(self.rng.integers(2)))

    def note(self, kind: str, start_s: float) -> None:
        """Enter a movement that is no rep, from `start_s` until now."""
        self.movements.append((kind, start_s, self.now_s))

    def begin(self, *, ready: bool) -> None:
        """Draw the way into position and take the first pose."""
        routes = ROUTES[self.posture]
        self.route = routes[self.rng.integers(len(routes))]
        self.place = len(self.route) - 1 if ready else 0
        self.start = self._targets(self.route[self.place])
        self.values = self.start.copy()

    def take_position(self) -> None:
        """Go on to the exercise position."""
        self.go(len(self.route) - 1)

    def go(self, place: int) -> None:
        """Walk the route of poses, forth or back, to a place on it."""
        forth = place > self.place
        while self.place != place:
            start_s = self.now_s
            self.place += 1 if forth else -1
            self._settle(self.route[self.place], one_by_one=self.place >= 2 and self.rng.random() < 0.4)
            self.note("getting into position" if forth else "leaving the position", start_s)
            self.now_s += self.rng.uniform(0.2, 1.2)

    def _settle(self, pose: Pose, *, one_by_one: bool) -> None:
        """Move all joints into a pose, both legs at once or one after the other."""
        targets = self._targets(pose)
        seconds = self.rng.uniform(1.3, 2.2)
        later = self.some_foot()
        lag_s = self.rng.uniform(0.5, 0.9) * seconds if one_by_one else self.rng.uniform(0.0, 0.12)
        for joint in _PELVIS:
            self.to(joint, self.now_s, seconds, targets[joint])
        self.to(Joint.ROOTED, self.now_s, seconds, 0.0)
        for foot in Foot:
            start_s = self.now_s + lag_s * (foot == later)
            for joint in _LEG:
                late = self.rng.uniform(0.0, 0.08) * seconds
                self.to(joint.of(foot), start_s + late, seconds - late, targets[joint.of(foot)])
        self.now_s += seconds + lag_s

    def _targets(self, pose: Pose) -> FloatArray:
        """Value of each column in a pose as this person takes it this time."""
        targets = np.zeros(COLUMNS)
        targets[list(_PELVIS)] = pose.pitch, pose.twist, self.origin_m + pose.forward_m, pose.height_m, pose.planted
        for foot in Foot:
            targets[[joint.of(foot) for joint in _LEG]] = pose.flexion, pose.abduction, pose.opening, pose.knee
        first = pose not in self.habits
        if first:
            self.habits[pose] = self._habit()
        targets += self.habits[pose]
        for foot in Foot:
            for joint, size_deg in _HABIT_DEG.items():
                targets[joint.of(foot)] += size_deg / 6.0 * self.rng.normal()
            if pose == self.route[-1]:
                targets[Joint.OPENING.of(foot)] = 0.0 if first else _REGRIP_DEG * self.rng.normal()
        return targets

    def _habit(self) -> FloatArray:
        """A person's own way in a pose, nearly the same for both legs."""
        habit = np.zeros(COLUMNS)
        habit[Joint.PITCH] = _PITCH_HABIT_DEG * self.rng.normal()
        for joint, size_deg in _HABIT_DEG.items():
            both, own = self.rng.normal(), self.rng.normal(size=2)
            habit[[joint.of(foot) for foot in Foot]] = size_deg * (both + 0.3 * own)
        return habit
