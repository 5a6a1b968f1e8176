"""The pipeline: packets in, events out, through all stages in data order. Pure: same packets, same events."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

import numpy as np

from sensorrep import packets as columns
from sensorrep.model import (
    HEEL,
    Event,
    Foot,
    FootStats,
    Frames,
    HeelSignal,
    Movement,
    Packet,
    Poses,
    Samples,
    SensorInfo,
)
from sensorrep.stages.decode import Decode
from sensorrep.stages.deskew import Deskew
from sensorrep.stages.filter import Filter
from sensorrep.stages.fuse import Fuse
from sensorrep.stages.measure import Measure
from sensorrep.stages.presence import Presence
from sensorrep.stages.segment import Finding, Segment
from sensorrep.stages.summarise import Summarise

MOVING_NS: Final = 125_000_000
"""For how long packets are gathered at most while the legs move: all stages cost nearly the same for one packet as for
many. Larger: the bars on screen jerk."""
MARGIN_NS: Final = 60_000_000
"""Gathering ends this long before the next standstill can come (`Measure.ahead_s`): packets of one foot come up to
50 ms apart, and it takes one more to see that the time is over. Larger: more packets go through all stages alone."""
STILL_NS: Final = 300_000_000
"""The same while the legs are still: the next standstill comes a whole stroke later, 0.4 s in the fastest reps. Larger:
the movement on screen begins later."""

Before = TypeVar("Before")
After = TypeVar("After")


class Pipeline:
    """One session's stages. `push` packets in the order in which they arrived, `finish` at the end.

    `foot` is the one to look at in the movement `one-leg`. With `trace`, `signal()` gives the poses of the whole
    session afterwards, for plots; unless `aloud`, reps are not told as they come. Raises ValueError for `one-leg`
    without a foot.
    """

    def __init__(
        self,
        feet: Mapping[Foot, SensorInfo],
        movement: Movement = "heels-apart",
        foot: Foot | None = None,
        *,
        trace: bool = False,
        aloud: bool = True,
    ) -> None:
        if (movement == "one-leg") != (foot is not None):
            raise ValueError("the movement one-leg, and only that, needs a foot")
        self._sensors = feet
        self._waiting: list[Sequence[Packet]] = []
        self._decode = Decode(feet)
        self._deskew = Deskew(feet)
        self._presence = Presence(feet)
        self._filter = Filter()
        self._fuse = Fuse()
        self._measure = Measure(foot)
        self._segment = Segment(movement, foot, aloud=aloud)
        self._summarise = Summarise(movement)
        self._trace: list[HeelSignal] | None = [] if trace else None
        self._waiting_since_ns = 0
        self._patience_ns = MOVING_NS
        """For how long packets are gathered now; near a standstill, which may end a rep, not at all (0 or less)."""
        self._end_s = 0.0

    def push(self, packets: Sequence[Packet]) -> list[Event]:
        """What these packets and those gathered before them decided; nothing while packets are gathered."""
        if not packets:
            return []
        if not self._waiting:
            self._waiting_since_ns = packets[0].received_ns
        self._waiting.append(packets[:])
        if packets[-1].received_ns - self._waiting_since_ns < self._patience_ns:
            return []
        return self._samples(self._decode.push(self._gathered()))

    def finish(self) -> list[Event]:
        """What the end of the session decides: each stage's tail goes through the rest. The last event sums it up."""
        events = self._samples(self._decode.push(self._gathered())) + self._samples(self._decode.finish())
        events += self._frames(self._deskew.finish())
        events += self._filtered(self._filter.finish())
        events += self._poses(self._fuse.finish())
        events += self._signal(self._measure.finish())
        events += self._summarise.push(self._segment.finish())
        return events + self._summarise.finish(self._end_s, self._stats())

    def now(self) -> tuple[float, float] | None:
        """Opening of both legs (rad) in the last frame; None before a set has shown about which axes they turn."""
        return self._segment.now()

    def swapped(self) -> bool | None:
        """Whether the sensors look exchanged, left for right; None while no set has told."""
        return self._segment.swapped

    def moves(self) -> bool:
        """Whether the legs have moved on and on just now, as in reps."""
        return self._segment.moves()

    def signal(self) -> HeelSignal:
        """The session's poses so far. Raises ValueError without `trace`."""
        if self._trace is None:
            raise ValueError("a pipeline keeps its signal only with trace=True")
        return HeelSignal(np.concatenate([np.zeros(0, HEEL), *self._trace]))

    def _gathered(self) -> Sequence[Packet]:
        packets = columns.joined(self._waiting)
        self._waiting = []
        return packets

    def _samples(self, blocks: Iterable[Samples]) -> list[Event]:
        return self._frames(_through(self._deskew.push, blocks))

    def _frames(self, blocks: Iterable[Frames]) -> list[Event]:
        blocks = list(blocks)
        return _through(self._presence.push, blocks) + self._filtered(_through(self._filter.push, blocks))

    def _filtered(self, blocks: Iterable[Frames]) -> list[Event]:
        return self._poses(_through(self._fuse.push, blocks))

    def _poses(self, blocks: Iterable[Poses]) -> list[Event]:
        return self._signal(_through(self._measure.push, blocks))

    def _signal(self, blocks: Iterable[HeelSignal]) -> list[Event]:
        findings: list[Finding] = []
        for signal in blocks:
            if self._trace is not None:
                self._trace.append(signal)
            findings += self._segment.push(signal)
            if len(signal):
                self._end_s = float(signal["time_s"][-1])
                is_still = signal["still"][-1].all()
                ahead_ns = round(self._measure.ahead_s * 1e9) - MARGIN_NS
                self._patience_ns = STILL_NS if is_still else min(ahead_ns, MOVING_NS)
        return self._summarise.push(findings)

    def _stats(self) -> dict[Foot, FootStats]:
        return {
            foot: FootStats(
                device=sensor.device,
                samples=self._decode.samples[foot],
                lost=self._decode.lost[foot],
                rate_hz=self._deskew.rate_hz[foot],
                gaps=tuple(self._deskew.gaps[foot]),
                malformed=self._decode.malformed[foot],
                saturated=self._decode.saturated[foot],
            )
            for foot, sensor in self._sensors.items()
        }


def _through(push: Callable[[Before], list[After]], blocks: Iterable[Before]) -> list[After]:
    return [after for block in blocks for after in push(block)]
