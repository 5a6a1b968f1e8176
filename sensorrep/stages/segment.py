"""Segment: poses of both shanks -> reps, as they are completed, and once more when their set is over."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from sensorrep import quaternion
from sensorrep.kinematics import axes as turning
from sensorrep.kinematics import worn
from sensorrep.kinematics.arms import SURE
from sensorrep.kinematics.axes import ALIGNMENT
from sensorrep.kinematics.measures import measure, pause_s
from sensorrep.kinematics.otherwise import Other, otherwise
from sensorrep.kinematics.posture import posture
from sensorrep.kinematics.reps import HYSTERESIS, VALLEY, Clues, Found, Template, common_stroke, find
from sensorrep.kinematics.sets import (
    LEAST_DOUBTFUL,
    LEAST_REPS,
    SET_GAP_S,
    begun,
    last_set,
    like_known,
    may_be_set,
    set_before,
    set_rules,
)
from sensorrep.kinematics.spans import LIMITS, LONGEST_REP_S, Span
from sensorrep.model import (
    FRAME_RATE_HZ,
    FloatArray,
    Foot,
    HeelSignal,
    Movement,
    Posture,
    Rejected,
    Rep,
    RepCounted,
    RepsCorrected,
)
from sensorrep.stages.stretch import Stretch

SECOND_LOOK: Final = "more of the set shows better which movements are reps"
GAP_FRAMES: Final = round(SET_GAP_S * FRAME_RATE_HZ)
PATIENCE_FRAMES: Final = round(60.0 * FRAME_RATE_HZ)
"""Movement without a rep is forgotten after this long: five of the slowest reps."""
GROSS_STEP: Final = 10
"""Whether a shank left the exercise position is asked of every tenth frame."""
HALF_TURN_RAD: Final = float(np.radians(175.0))
"""Openings are counted from a pose in the stretch, and half a turn from it they jump."""
OPEN_SHARE: Final = 0.35
"""Legs that are further open than this share of a rep are in the middle of one: their set is not over yet."""
MOVING: Final = 0.6
MOVING_FRAMES: Final = round(3.0 * FRAME_RATE_HZ)
"""Legs that moved for so large a share of so long are at their reps: longer holds only make it known later."""
POSTPONE_FRAMES: Final = round(1.0 * FRAME_RATE_HZ)
LONGEST_REP_FRAMES: Final = round(LONGEST_REP_S * FRAME_RATE_HZ)
"""Legs that stay open for longer are at rest there."""


@dataclass(frozen=True, slots=True)
class SetFound:
    """The reps of a finished set, about which axes they were, and in which posture."""

    decided_s: float
    reps: tuple[Rep, ...]
    found: Found
    posture: Posture | None


Finding = RepCounted | RepsCorrected | Rejected | SetFound


class _Look(NamedTuple):
    """What a look at the stretch showed."""

    stretch: HeelSignal
    """What was looked at: no more of it, or it would matter where the stream is cut."""
    found: Found
    run: list[Span]
    """The running set's reps; none where there is no set."""
    other: Other | None
    """What the run was in place of the exercise."""


class _Asked(NamedTuple):
    """The last run that was asked about: what it was in place of the exercise."""

    other: Other | None = None
    """None where it may be the exercise."""
    end: int = 0
    """Frame in which the run ended."""
    turned_down: FloatArray | None = None
    """(6,) joint direction of the last run that was another movement."""


class Segment:
    """Looks at the stretch of poses since the last rest at every standstill, and says what is new.

    A set is over after SET_GAP_S without a rep, or when a shank leaves the exercise position; then it is looked at once
    more as a whole. Latency: none beyond `measure`'s, from the standstill that decides. State: the stretch, what was
    announced of the running set, what the reps of the last set were like, and what walking and changes of position
    showed of the legs. Frame numbers are absolute. Unless `aloud`, reps are not told as they come, and so not measured
    twice; sets are the same.
    """

    def __init__(self, movement: Movement = "heels-apart", foot: Foot | None = None, *, aloud: bool = True) -> None:
        self._movement: Movement = movement
        self._aloud = aloud
        self._feet = (0, 1) if foot is None else (int(foot),)
        self._first_ok: dict[int, int] = {}
        """Frame in which each foot was there first: one that never came leaves no gaps in reps."""
        self._stretch = Stretch(PATIENCE_FRAMES)
        self._done = 0
        """Frames before this one have been searched for what happens in them."""
        self._decided = 0
        """The frame after the last standstill, or the last deadline: what hangs on it is the same for any cutting."""
        self._edges: list[int] = [0]
        self._anchor: FloatArray | None = None
        """(2, 4) pose whose leaving is gross movement; None until the legs come to a standstill after that."""
        self._last_pose = np.tile([1.0, 0.0, 0.0, 0.0], (2, 1))
        """At the last standstill."""
        self._deadline = PATIENCE_FRAMES
        self._set_number = 1
        self._announced = 0
        """Reps of the running set; 0 while none runs."""
        self._begun = 0
        """Frame from which on they were found."""
        self._last_back = 0
        """Frame in which the last of them ended."""
        self._found: Found | None = None
        """The exercise as of the last look that found a set."""
        self._furthest = 0.0
        """How far open the legs were since that look, as a share of a rep."""
        self._pending = False
        """Whether the last excursion was on its way back when last looked at."""
        self._known: Template | None = None
        """The last set that is over."""
        self._asked = _Asked()
        self._worn = worn.NOTHING_SEEN
        self._watched = 0
        """Number of frames of which `_worn` knows."""

    @property
    def swapped(self) -> bool | None:
        """Whether the first set that could tell it showed left and right exchanged."""
        return self._worn.swapped

    def push(self, signal: HeelSignal) -> list[Finding]:
        """What these frames decided."""
        for foot in set(self._feet) - self._first_ok.keys():
            if signal["ok"][:, foot].any():
                self._first_ok[foot] = self._stretch.end + int(signal["ok"][:, foot].argmax())
        self._stretch.push(signal)
        if self._done == 0 and len(signal):
            self._anchor = self._last_pose = signal["q_earth_sensor"][0].copy()
            self._worn = self._worn._replace(poses=((0, self._anchor),))
        return list(self._advance(self._stretch.end))

    def finish(self) -> list[Finding]:
        """What the end of the recording decides."""
        self._decided = self._stretch.end
        return list(self._close(self._decided - 1)) if len(self._stretch.frames) else []

    def _advance(self, end: int) -> Iterator[Finding]:
        """Take what happens in the frames before `end` in order of time: standstills, gross movement, deadlines."""
        while self._done < end:
            stop = min(end, self._deadline)
            marks = np.flatnonzero(self._stretch.between(self._done, stop)["turning_point"])
            edge = self._done + int(marks[0]) if len(marks) else stop
            gross = self._leaves_position(self._done, edge)
            if gross is not None:
                yield from self._close(gross)
                self._anchor = None
                self._done = gross + 1
            elif edge < stop:
                self._done = self._decided = edge + 1
                yield from self._at_standstill(edge)
            elif stop == self._deadline < end:
                self._done = self._decided = stop
                yield from self._at_deadline(stop)
            else:
                self._done = end

    def _watch(self, end: int) -> None:
        """Take what the frames before `end` that were not watched yet show of the legs."""
        part = self._stretch.between(self._watched, end)
        self._worn = worn.with_frames(self._worn, part, self._watched)
        self._watched = max(end, self._watched)

    def _leaves_position(self, start: int, stop: int) -> int | None:
        """First of every tenth frame in [start, stop) in which a shank has left the exercise position.

        It is inclined otherwise than in that position, or has turned far since the last standstill. What heading says
        of a longer time ago is drift, unless it is half a turn.
        """
        first = start + (-start) % GROSS_STEP
        if self._anchor is None or first >= stop:
            return None
        q = self._stretch.between(first, stop)["q_earth_sensor"][::GROSS_STEP]
        gross_rad = LIMITS[self._movement].gross_rad
        whole = quaternion.angle_between(np.stack([self._anchor, self._last_pose])[:, None], q)
        if whole.max() <= gross_rad:  # nothing is inclined by more than it has turned
            return None
        turned = np.maximum(quaternion.tilt_between(self._anchor, q), whole[1])
        left = (turned > gross_rad) | (whole[0] > HALF_TURN_RAD)
        far = left[:, list(self._feet)].any(axis=1)
        return first + GROSS_STEP * int(np.argmax(far)) if far.any() else None

    def _at_standstill(self, frame: int) -> Iterator[Finding]:
        pose = self._stretch.pose(frame).copy()
        turned = quaternion.rotation_vector(quaternion.multiply(quaternion.conjugate(self._last_pose), pose))
        self._last_pose = pose
        before = self._stretch.between(self._stretch.origin, frame + 1)
        self._worn = worn.with_stroke(worn.with_pose(self._worn, before, frame), turned)
        if self._anchor is None:
            self._restart(frame)
            return
        if np.sqrt((turned**2).sum(axis=1))[list(self._feet)].max() > LIMITS[self._movement].most_range_rad:
            yield from self._close(self._edges[-1])
            self._restart(frame)
            return
        self._edges.append(frame)
        if self._announced:
            share = self._open_share(frame)
            self._furthest = max(self._furthest, share)
            if not self._pending and share > min(1.0 - VALLEY, self._furthest - HYSTERESIS):
                return  # amid a rep, or no way back since the last look
        look = self._look(frame)
        rest = self._rest_before(look) if look is not None and self._announced else None
        if rest is not None:
            self._last_back = rest
            yield from self._end_set()
            look = self._look(frame)
        if look is not None:
            run, spans, coming_back = look.run, look.found.spans, look.found.coming_back
            self._pending = coming_back
            unsure = coming_back and run[-1:] == list(spans[-1:])
            yield from self._announce(frame, look._replace(run=run[:-1] if unsure else run))
            if look.other is not None and look.other.are_steps:
                yield from self._leave_steps(look)

    def _leave_steps(self, look: _Look) -> Iterator[Rejected]:
        """Begin a new stretch after steps, or they would outvote a set's reps for as long as they are remembered."""
        end = self._asked.end
        yield from self._rejected(look, [span for span in look.found.spans if span.back + self._stretch.origin <= end])
        self._begin_stretch(end)

    def _announce(self, frame: int, look: _Look) -> Iterator[RepCounted | RepsCorrected]:
        """Say which reps of the running set are new, or that some were none."""
        time_s, run = self._stretch.time_s(frame), look.run
        if 0 < len(run) < self._announced:
            yield RepsCorrected(self._set_number, self._announced, len(run), time_s, SECOND_LOOK)
            self._announced = len(run)
        for number in range(self._announced + 1, len(run) + 1) if self._aloud else ():
            rep = self._measure(look, run[number - 1])
            yield RepCounted(self._set_number, number, time_s, rep)
        if len(run) > self._announced:
            self._announced, self._begun = len(run), run[0].leaves + self._stretch.origin
            self._anchor = look.found.q_rest
        if self._goes_on(run):
            self._last_back = run[-1].back + self._stretch.origin
            self._deadline = max(self._last_back + GAP_FRAMES, self._decided)

    def _measure(self, look: _Look, span: Span) -> Rep:
        """One rep, by the feet that were there by then."""
        there = [foot for foot, first in self._first_ok.items() if first <= span.back + self._stretch.origin]
        return measure(look.stretch, look.found, span, self._feet, there)

    def _rest_before(self, look: _Look) -> int | None:
        """Frame in which the rest began after which a run is the next set; None where it is the running one's.

        What was taken for the last rep of that one may have been a fidget in the rest: then it is known better now.
        """
        run, origin, back = look.run, self._stretch.origin, self._last_back
        if not run or run[0].leaves + origin <= self._begun:
            return None
        before = set_before(look.found, self._known)
        if before and before[-1].back + origin > self._begun:
            back = before[-1].back + origin
        return back if run[0].leaves + origin > back + GAP_FRAMES else None

    def _goes_on(self, run: list[Span]) -> bool:
        """Whether a run has reps after the last one that is known of, however many it has lost at its beginning."""
        return bool(run) and run[-1].high + self._stretch.origin > self._last_back

    def _openings(self, frame: int) -> FloatArray:
        """(2,) opening of each leg on the axes last found."""
        if self._found is None:
            return np.zeros(2)
        return turning.opening(self._stretch.pose(frame), self._found.q_rest, self._found.axes)

    def _open_share(self, frame: int) -> float:
        """How far open the legs are, as a share of a rep, as last found: at the top of one nothing can be decided."""
        if self._found is None:
            return 0.0
        heel = float(self._openings(frame)[list(self._feet)].sum())
        return (heel - self._found.rest_rad) / self._found.typical_rad

    def now(self) -> tuple[float, float] | None:
        """Opening of both legs in the last frame; None before a set has shown about which axes they turn."""
        if self._found is None or not len(self._stretch.frames):
            return None
        left, right = self._openings(self._stretch.end - 1).tolist()
        return left, right

    def moves(self) -> bool:
        """Whether the legs moved for most of the last seconds, as they do in reps and not in a rest."""
        still = np.asarray(self._stretch.frames["still"][-MOVING_FRAMES:, list(self._feet)].all(axis=1))
        return len(still) == MOVING_FRAMES and float(still.mean()) <= 1.0 - MOVING

    def _look(self, frame: int, *, final: bool = False) -> _Look | None:
        """What the stretch up to `frame` holds, None where no exercise; `final`: all that is no rep too."""
        stretch = self._stretch.between(self._stretch.origin, frame + 1)
        edges = np.array([edge for edge in self._edges if edge <= frame]) - self._stretch.origin
        keep = self._is_established()
        prior = None if self._found is None else self._found.direction
        common = common_stroke(stretch, edges, self._feet, self._movement, prior, keep=keep)
        if common is None or not (final or self._announced or may_be_set(common, self._known)):
            return None
        if not self._announced:
            self._watch(self._decided)
        begun = self._begun - self._stretch.origin if keep else None
        inward = worn.inward(self._worn) if len(self._feet) > 1 else None
        clues = Clues(self._known, prior, begun, inward, swapped=bool(self._worn.swapped))
        found = find(stretch, edges, common, self._feet, self._movement, clues)
        if found is None:
            return None
        run = last_set(found, self._known)
        if run:
            self._found, self._furthest = found, found.now
        sure = like_known(found, self._known)  # headings and arms are known less well than that
        if run and not sure and len(self._feet) > 1 and (final or not self._announced):
            other = self._in_place(stretch, found, run, again=final and self._announced > 0)
            return _Look(stretch, found, run if other is None else [], other)
        return _Look(stretch, found, run, None)

    def _in_place(self, stretch: HeelSignal, found: Found, run: list[Span], *, again: bool) -> Other | None:
        """What a run is in place of the exercise.

        Asked once for its last rep, as of many answers one would be wrong, and `again` of all reps when they are over:
        then it is known best. What once was another movement is not given the benefit of the doubt any more, be it
        faster or slower.
        """
        if again or self._asked.other is None or run[-1].leaves + self._stretch.origin > self._asked.end:
            turned_down = self._asked.turned_down
            was_none = turned_down is not None and abs(float(found.direction @ turned_down)) > ALIGNMENT
            other = otherwise(stretch, found, run, self._worn, 0.0 if was_none else SURE)
            end = run[-1].back + self._stretch.origin
            self._asked = _Asked(other, end, turned_down if other is None else found.direction)
        return self._asked.other

    def _is_established(self) -> bool:
        """Whether the running set is one beyond doubt: hands at the band after it do not unmake it."""
        if self._found is None:
            return False
        least = LEAST_REPS if like_known(self._found, self._known) else LEAST_DOUBTFUL
        return self._announced >= least

    def _at_deadline(self, frame: int) -> Iterator[Finding]:
        """A set is over, or movement without a rep has become too old."""
        if self._announced:
            look = self._look(frame)
            rest = None if look is None else self._rest_before(look)
            if look is not None and rest is None and self._is_midway(frame, look):
                self._deadline += POSTPONE_FRAMES
                yield from self._announce(frame, look)
                return
            self._last_back = self._last_back if rest is None else rest
            yield from self._end_set()
            self._deadline = frame + PATIENCE_FRAMES
        else:
            look = self._look(frame, final=True)
            first = None if look is None else begun(look.found)
            since = frame if first is None else first + self._stretch.origin
            keep = max(min(frame - PATIENCE_FRAMES // 2, since), frame - 2 * PATIENCE_FRAMES)
            self._forget(max(keep, self._stretch.origin))
            self._deadline = frame + PATIENCE_FRAMES // 2

    def _is_midway(self, frame: int, look: _Look) -> bool:
        """Whether the running set goes on beyond its deadline: it has more reps, or the legs are amid one."""
        found, run = look.found, look.run
        overdue = bool(run) and frame - self._stretch.origin - run[-1].back > GAP_FRAMES + LONGEST_REP_FRAMES
        moving = not self._stretch.between(frame, frame + 1)["still"][:, list(self._feet)].all()
        amid_rep = (found.now > OPEN_SHARE or moving) and not overdue
        return amid_rep or self._goes_on(run)

    def _end_set(self) -> Iterator[Finding]:
        """Close the running set in the rest after it; what came since belongs to the next stretch.

        If it was no set after all, nothing is over: its movements may be parts of one that goes on.
        """
        cut, edges = self._last_back + GAP_FRAMES // 2, self._edges
        findings = list(self._close(cut))
        if any(isinstance(finding, SetFound) for finding in findings):
            yield from findings
            self._begin_stretch(cut)
        else:
            yield from (finding for finding in findings if isinstance(finding, RepsCorrected))
            self._edges = edges

    def _close(self, frame: int) -> Iterator[Finding]:
        """Look at the stretch as a whole, and say what its set was."""
        time_s = self._stretch.time_s(max(frame, self._decided - 1))
        if self._announced:
            frame = min(frame, self._last_back + GAP_FRAMES // 2)  # how the legs left the position is no rep
        self._edges = sorted({*self._edges, frame})
        look = self._look(frame, final=True)
        run = [] if look is None else look.run
        if look is not None:
            counted = set(run)
            yield from self._rejected(look, [span for span in look.found.spans if span not in counted])
        if len(run) != self._announced:
            why = SECOND_LOOK if look is None or look.other is None else look.other.what
            yield RepsCorrected(self._set_number, self._announced, len(run), time_s, why)
        if look is not None and run:
            yield self._set_found(time_s, look)
        self._announced = 0

    def _set_found(self, time_s: float, look: _Look) -> SetFound:
        """Measure a set that is over, and remember what its reps were like."""
        stretch, found, run, _ = look
        reps = [self._measure(look, span) for span in run]
        pauses = [pause_s(stretch, rep, after, self._feet) for rep, after in itertools.pairwise(reps)]
        reps[:-1] = [replace(rep, pause_s=pause) for rep, pause in zip(reps, pauses, strict=False)]
        self._known = Template(found.direction, float(np.median([span.opening_rad for span in run])), found.evidence)
        self._set_number += 1
        where = posture(stretch, found, run, self._feet) if self._movement == "heels-apart" else None
        self._worn = worn.with_set(self._worn, found, where)
        return SetFound(time_s, tuple(reps), found, where)

    def _rejected(self, look: _Look, spans: list[Span]) -> Iterator[Rejected]:
        """Excursions that were not counted, with all rules that were put to them."""
        time_s, rules, other = look.stretch["time_s"], set_rules(look.found, self._known), look.other
        for span in spans:
            checks = (*span.checks, *rules.get(span, ()))
            failed = [check for check in checks if not check.passed]
            why = f"not {failed[0].rule}" if failed else "not of the set that was counted"
            if not failed and other is not None:
                why, checks = other.what, (*checks, other.check)
            yield Rejected(float(time_s[span.leaves]), float(time_s[span.back]), why, checks)

    def _restart(self, frame: int) -> None:
        """Begin anew at `frame`, whatever is known of what comes after it."""
        self._begin_stretch(frame)
        self._edges = [frame]
        self._deadline = frame + PATIENCE_FRAMES

    def _begin_stretch(self, frame: int) -> None:
        """Drop what was before `frame`; the pose there is the one whose leaving is gross movement."""
        self._forget(frame)
        self._anchor = self._stretch.pose(frame).copy()

    def _forget(self, frame: int) -> None:
        """Drop what was before `frame`."""
        self._watch(frame)
        self._stretch.forget(frame)
        self._edges = [frame, *(edge for edge in self._edges if edge > frame)]
