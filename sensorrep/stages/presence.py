"""Presence: frames -> word of a foot whose samples stay away, and of its return."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from sensorrep.model import FRAME_RATE_HZ, Event, Foot, FootBack, FootLost, Frames

LOST_FRAMES: Final = round(1.0 * FRAME_RATE_HZ)
"""A foot that is away for so long is said to be lost. Larger: people hear later that counting goes on with one foot."""


class Presence:
    """Says once when one of `feet` has been away for a second, and once when its samples come again.

    A foot that never came is not lost. Latency: LOST_FRAMES. State: since when each foot is away.
    """

    def __init__(self, feet: Iterable[Foot]) -> None:
        self._away_s: dict[Foot, float | None] = dict.fromkeys(feet)
        self._frames = dict.fromkeys(self._away_s, LOST_FRAMES)
        """For how long each is away; with no time since when, it never came."""

    def push(self, frames: Frames) -> list[Event]:
        """What these frames say, in order of time for each foot."""
        if not any(self._frames.values()) and frames["ok"][:, list(self._away_s)].all():
            return []
        return [event for foot in self._away_s for event in self._of(foot, frames)]

    def finish(self) -> list[Event]:
        """Nothing is held back."""
        return []

    def _of(self, foot: Foot, frames: Frames) -> Iterator[FootLost | FootBack]:
        ok, time_s = frames["ok"][:, foot], frames["time_s"]
        cuts = [0, *(np.flatnonzero(ok[1:] != ok[:-1]) + 1).tolist(), len(ok)]
        for start, stop in itertools.pairwise(cuts):
            if start == stop:
                continue
            since_s = self._away_s[foot]
            if ok[start]:
                if since_s is not None and self._frames[foot] >= LOST_FRAMES:
                    yield FootBack(foot, since_s, float(time_s[start]))
                self._away_s[foot], self._frames[foot] = None, 0
                continue
            if since_s is None and self._frames[foot]:
                continue
            since_s = float(time_s[start]) if since_s is None else since_s
            self._away_s[foot] = since_s
            if self._frames[foot] < LOST_FRAMES <= self._frames[foot] + stop - start:
                yield FootLost(foot, since_s)
            self._frames[foot] += stop - start
