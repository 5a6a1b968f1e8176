"""The poses since the last rest, by the numbers of their frames. Part of `segment`."""

import numpy as np

from sensorrep import records
from sensorrep.model import HEEL, FloatArray, HeelSignal


class Stretch:
    """Frames `origin` to before `end`, numbered from the recording's first: longer with each block, until forgotten.

    They lie in memory that is kept, with room for more: adding a block copies that block alone.
    """

    def __init__(self, room: int) -> None:
        self._room = np.zeros(room, HEEL)
        self.origin = 0
        self.frames = HeelSignal(self._room[:0])

    @property
    def end(self) -> int:
        """Number of the frame that comes next."""
        return self.origin + len(self.frames)

    def push(self, signal: HeelSignal) -> None:
        """Add the next frames."""
        kept, length = len(self.frames), len(self.frames) + len(signal)
        if length > len(self._room):
            self._room = records.joined([self.frames, np.zeros(2 * length - kept, HEEL)])
        records.as_bytes(self._room)[kept:length] = records.as_bytes(np.ascontiguousarray(signal))
        self.frames = HeelSignal(self._room[:length])

    def forget(self, frame: int) -> None:
        """Drop what was before `frame`. Arrays that were taken from here do not outlive it."""
        kept = self.between(frame, self.end)
        records.as_bytes(self._room)[: len(kept)] = records.as_bytes(kept)
        self.frames, self.origin = HeelSignal(self._room[: len(kept)]), frame

    def between(self, start: int, stop: int) -> HeelSignal:
        """The frames from `start` to before `stop`."""
        return HeelSignal(self.frames[start - self.origin : stop - self.origin])

    def pose(self, frame: int) -> FloatArray:
        """(2, 4) orientation of both shanks in a frame."""
        pose: FloatArray = self.frames["q_earth_sensor"][frame - self.origin]
        return pose

    def time_s(self, frame: int) -> float:
        """Session time of a frame."""
        return float(self.frames["time_s"][frame - self.origin])
