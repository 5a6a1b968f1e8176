"""Summarise: reps of finished sets -> set summaries and, at the end, the session."""

from collections.abc import Mapping
from typing import Final

from sensorrep.kinematics import trends
from sensorrep.model import (
    Event,
    Foot,
    FootStats,
    Movement,
    Rejected,
    Rep,
    SessionEnded,
    SessionSummary,
    SetEnded,
    SetSummary,
    Spread,
)
from sensorrep.stages.segment import Finding, SetFound

PARTIAL: Final = 0.6
"""A rep is partial when its opening is below this share of the set's median."""


class Summarise:
    """Passes announcements on, turns finished sets into summaries, and keeps what the session's summary needs.

    Latency: none. State: the sets so far and what was rejected.
    """

    def __init__(self, movement: Movement) -> None:
        self._movement: Movement = movement
        self._sets: list[SetSummary] = []
        self._rejected: list[Rejected] = []

    def push(self, findings: list[Finding]) -> list[Event]:
        """An event for each finding."""
        return [self._event(finding) for finding in findings]

    def finish(self, duration_s: float, feet: Mapping[Foot, FootStats]) -> list[Event]:
        """The session as a whole."""
        postures = {summary.posture for summary in self._sets}
        summary = SessionSummary(
            duration_s=duration_s,
            movement=self._movement,
            posture=postures.pop() if len(postures) == 1 else None,
            feet=feet,
            sets=tuple(self._sets),
            rejected=tuple(sorted(self._rejected, key=lambda rejected: rejected.start_s)),
        )
        return [SessionEnded(summary)]

    def _event(self, finding: Finding) -> Event:
        if isinstance(finding, Rejected):
            self._rejected.append(finding)
            return finding
        if not isinstance(finding, SetFound):
            return finding
        summary = self._summary(finding)
        self._sets.append(summary)
        return SetEnded(len(self._sets), finding.decided_s, summary)

    def _summary(self, found: SetFound) -> SetSummary:
        reps = trends.mark_partial(found.reps, PARTIAL)
        left, right = (axis if any(axis) else None for axis in map(tuple, found.found.axes.tolist()))
        return SetSummary(
            start_s=reps[0].start_s,
            end_s=reps[-1].end_s,
            rest_before_s=reps[0].start_s - self._sets[-1].end_s if self._sets else None,
            posture=found.posture,
            reps=reps,
            tempo=trends.tempo(reps),
            range_rad=(_spread(reps, Foot.LEFT), _spread(reps, Foot.RIGHT)),
            symmetry=trends.symmetry(reps),
            fatigue=trends.fatigue(reps),
            axes=(left, right),
        )


def _spread(reps: tuple[Rep, ...], foot: Foot) -> Spread | None:
    """Range of one leg over the reps in which it was measured."""
    measured = [(rep.range_rad[foot], rep.range_sd_rad[foot]) for rep in reps]
    known = [(value, sd) for value, sd in measured if value is not None and sd is not None]
    return trends.spread([value for value, _ in known], [sd for _, sd in known]) if known else None
