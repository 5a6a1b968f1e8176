"""Samples of two sensors with clocks of their own -> frames: both feet on one even grid.

Latency: a frame waits for the next sample of both feet after its end (one sample interval, plus what the radio
delays one foot more than the other; a silent foot delays it by up to 2 s, once). The first two seconds of a
sensor, and of one whose clock started anew, wait for the first fit of its clock; of one that sends no clock the first
four, and half a second after each pause.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from sensorrep.model import (
    FRAME,
    FRAME_RATE_HZ,
    SHORTEST_GAP,
    BoolArray,
    Foot,
    Frames,
    IntArray,
    Samples,
    SensorInfo,
)
from sensorrep.stages.feed import Feed
from sensorrep.stages.track import NEVER_NS, Timed, Track

FRAME_NS: Final = round(1e9 / FRAME_RATE_HZ)
WAIT_NS: Final = 2_000_000_000
"""How long frames wait for a foot that is silent. Larger: a lost sensor stops the counting for longer. Smaller: a
radio stall (1.5 s measured) loses samples that come in a burst after it."""
SILENCE_NS: Final = 500_000_000
"""Nothing of either foot for so long is a silence of the radio, and no foot's: the backlogs come one after the other.
Larger: who is first after a shorter one makes the other seem away. Two sensors send every 0.1 s at least."""
HEAD_START_FRAMES: Final = 100
"""The shortest gap before a foot's first sample: two sensors never start in the same instant, nothing is lost in it."""


class Deskew:
    """Puts each foot's clock on the host's, and both feet on frames from the first sample on.

    A frame is the mean over its 10 ms of the straight lines between the samples, so that adding up frames' angular
    rates gives the same rotation as adding up the samples', at any rate of 25 to 300 Hz; above 100 Hz the mean is the
    anti-alias filter. `ok` is false in a frame that touches a span between two samples where some were lost (a jump
    of the counter, an interval above 2.5 usual ones and above 60 ms) or where the foot was away. Its numbers there are
    the straight line up to 0.25 s, beyond that the last acceleration and no rotation; zero before the first sample.

    Frames are made up to where both feet have samples. A foot more than 2 s behind the other is away and not waited
    for (4 s while its clock is fitted anew, 6 s where it sends none; after a silence of both by so much longer as that
    lasted); what it sends later for frames already made is dropped, counted `late`. All this depends on the order of
    the samples and on when they came: push what `Decode` gives, cut anywhere.
    """

    def __init__(self, feet: Mapping[Foot, SensorInfo]) -> None:
        self.late = dict.fromkeys(Foot, 0)
        """Samples that came after their frames had been made, or not after an earlier sample of the same foot."""
        self._feeds = {foot: Feed(sensor.device) for foot, sensor in feet.items()}
        self._tracks = {foot: Track() for foot in feet}
        self._gaps = {foot: _Gaps() for foot in Foot}
        self._newest_ns = dict.fromkeys(feet, NEVER_NS)
        self._oldest_ns = dict.fromkeys(feet, NEVER_NS)
        self._horizon_ns = NEVER_NS
        """Frames that end up to here may be made."""
        self._silences = _Silences()
        self._zero_ns: int | None = None
        """Host time of session time zero."""
        self._frame = 0
        """Number of the next frame."""

    @property
    def gaps(self) -> dict[Foot, list[tuple[float, float]]]:
        """Spans of session time, 0.1 s and longer, in which a foot was not ok."""
        return {foot: gaps.until(self._frame) for foot, gaps in self._gaps.items()}

    @property
    def rate_hz(self) -> dict[Foot, float]:
        """Measured samples per second of session time, holes left out; 0 where there were too few."""
        rates = dict.fromkeys(Foot, 0.0)
        for foot, track in self._tracks.items():
            rates[foot] = track.spans / (track.spans_ns * 1e-9) if track.spans else 0.0
        return rates

    def push(self, samples: Samples) -> list[Frames]:
        """At most one block: the frames that these samples complete."""
        if not len(samples):
            return []
        timed: dict[Foot, list[Timed]] = {}
        of = samples["foot"]
        for foot, feed in self._feeds.items():
            (at,) = (of == int(foot)).nonzero()
            timed[foot] = feed.push(samples, at) if len(at) else []
        self._take(timed, self._silences.push(samples["received_ns"]))
        return self._frames()

    def finish(self) -> list[Frames]:
        """The frames up to the last sample of either foot."""
        self._take({foot: feed.release(0) for foot, feed in self._feeds.items()}, np.zeros(1, np.int64))
        heard = [ns for ns in self._oldest_ns.values() if ns > NEVER_NS]
        if self._zero_ns is None and heard:
            self._zero_ns = min(heard)
        self._horizon_ns = max([self._horizon_ns, *self._newest_ns.values()])
        return self._frames()

    def _take(self, timed: Mapping[Foot, list[Timed]], silence_ns: IntArray) -> None:
        """Hand a block's samples to the tracks, and move the horizon past its rows, each after such a silence."""
        if self._in_step(timed):
            return
        rows = len(silence_ns)
        newest = {foot: _newest(self._newest_ns[foot], parts, rows) for foot, parts in timed.items()}
        for foot, parts in timed.items():
            if parts and self._oldest_ns[foot] == NEVER_NS:
                self._oldest_ns[foot] = int(parts[0].time_ns[0])
        wait_ns = np.full(rows + 1, WAIT_NS, np.int64)
        wait_ns[1:] += silence_ns
        waits_ns: dict[Foot, IntArray] = {foot: wait_ns + feed.holds_ns(rows) for foot, feed in self._feeds.items()}
        horizon_ns = _horizon(newest, self._oldest_ns, waits_ns)
        horizon_ns[0] = self._horizon_ns
        if self._zero_ns is None:
            begun, self._zero_ns = _zero(newest, self._oldest_ns, horizon_ns)
            horizon_ns[:begun] = NEVER_NS
        np.maximum.accumulate(horizon_ns, out=horizon_ns)
        for foot, parts in timed.items():
            for part in parts:
                self.late[foot] += self._tracks[foot].push(part, horizon_ns[part.at])
            self._newest_ns[foot] = int(newest[foot][-1])
        self._horizon_ns = int(horizon_ns[-1])

    def _in_step(self, timed: Mapping[Foot, list[Timed]]) -> bool:
        """Do so where it is plain that no foot is or was away and no sample can be late: in all short blocks but few.

        Then frames have been made up to the slower foot's newest sample at most, and every sample comes after that.
        """
        held = any(feed.is_held for feed in self._feeds.values())
        before_ns = min(self._newest_ns.values())
        if held or self._zero_ns is None or before_ns < self._horizon_ns:
            return False
        newest_ns = dict(self._newest_ns)
        for foot, parts in timed.items():
            newest_ns[foot] = max([newest_ns[foot], *(int(part.time_ns.max()) for part in parts)])
        if max(newest_ns.values()) > before_ns + WAIT_NS:
            return False
        for foot, parts in timed.items():
            for part in parts:
                self.late[foot] += self._tracks[foot].push(part, self._horizon_ns)
        self._newest_ns, self._horizon_ns = newest_ns, min(newest_ns.values())
        return True

    def _frames(self) -> list[Frames]:
        if self._zero_ns is None:
            return []
        count = (self._horizon_ns - self._zero_ns) // FRAME_NS - self._frame
        if count <= 0:
            return []
        number = np.arange(self._frame, self._frame + count + 1)
        edges_ns = self._zero_ns + number * FRAME_NS
        frames = np.zeros(count, FRAME)
        frames["time_s"] = (number[:-1] + 0.5) / FRAME_RATE_HZ
        acc, gyr, oks = frames["acc_m_s2"], frames["gyr_rad_s"], frames["ok"]
        for foot, track in self._tracks.items():
            if not self._frame:
                track.begin(self._zero_ns)
            mean, oks[:, foot] = track.means(edges_ns)
            acc[:, foot] = mean[:3].T
            gyr[:, foot] = mean[3:].T
        for foot, gaps in self._gaps.items():
            gaps.push(oks[:, foot], self._frame)
        self._frame += count
        return [Frames(frames)]


def _newest(carried_ns: int, parts: Sequence[Timed], rows: int) -> IntArray:
    """A foot's newest time before a block of so many rows and after each of them, (rows + 1,)."""
    newest = np.empty(rows + 1, np.int64)
    newest.fill(carried_ns)
    for part in parts:
        newest[part.at + 1] = part.time_ns  # of several in one row the last, which is the newest
    return np.maximum.accumulate(newest, out=newest)


def _horizon(
    newest: Mapping[Foot, IntArray], oldest_ns: Mapping[Foot, int], waits_ns: Mapping[Foot, IntArray]
) -> IntArray:
    """Up to when frames may be made as of each row: both feet's newest, or the one's when the other is away."""
    if len(newest) < 2:
        return next(iter(newest.values())).copy()
    left, right = newest[Foot.LEFT], newest[Foot.RIGHT]
    if left[0] == NEVER_NS or right[0] == NEVER_NS:  # one that has not been timed yet counts as at the other's start
        left, right = (
            np.where(left == NEVER_NS, np.minimum(right, oldest_ns[Foot.RIGHT]), left),
            np.where(right == NEVER_NS, np.minimum(left, oldest_ns[Foot.LEFT]), right),
        )
    horizon = np.minimum(left, right)
    ahead = left - right
    away = (ahead > waits_ns[Foot.RIGHT]) | (-ahead > waits_ns[Foot.LEFT])
    if away.any():
        horizon[away] = np.maximum(left, right)[away]
    return horizon


def _zero(
    newest: Mapping[Foot, IntArray], oldest_ns: Mapping[Foot, int], horizon_ns: IntArray
) -> tuple[int, int | None]:
    """First row at which a frame may begin, and the first sample of the feet that have been heard by then."""
    first_ns = np.minimum.reduce([np.where(newest[foot] > NEVER_NS, oldest_ns[foot], -NEVER_NS) for foot in newest])
    (begun,) = np.nonzero(horizon_ns > first_ns)
    return (int(begun[0]), int(first_ns[begun[0]])) if len(begun) else (len(horizon_ns), None)


class _Silences:
    """How long nothing had come of either foot, for as long after it as its backlog may take: WAIT_NS."""

    def __init__(self) -> None:
        self._heard_ns: int | None = None
        """When the newest sample came."""
        self._since_ns = NEVER_NS
        """When the last silence ended."""
        self._lasted_ns = 0

    def push(self, received_ns: IntArray) -> IntArray:
        """(n,) length of the silence before each sample, 0 where there was none just now."""
        before_ns = received_ns[0] if self._heard_ns is None else self._heard_ns
        heard_ns = np.maximum.accumulate(np.append(before_ns, received_ns))
        steps_ns = np.diff(heard_ns)
        (ends,) = (steps_ns > SILENCE_NS).nonzero()
        lasted_ns = np.zeros(len(received_ns), np.int64)
        for begin, end in pairwise([0, *ends.tolist(), len(received_ns)]):
            if begin in ends:
                self._since_ns, self._lasted_ns = int(heard_ns[begin + 1]), int(steps_ns[begin])
            lasted_ns[begin:end] = self._lasted_ns * (heard_ns[begin + 1 : end + 1] - self._since_ns < WAIT_NS)
        self._heard_ns = int(heard_ns[-1])
        return lasted_ns


class _Gaps:
    """Runs of frames that are not ok."""

    def __init__(self) -> None:
        self._closed: list[tuple[float, float]] = []
        self._since: int | None = None

    def push(self, ok: BoolArray, first: int) -> None:
        """Frames from number `first` on."""
        if self._since is None and ok.all():
            return
        (changes,) = (np.append(self._since is None, ok[:-1]) != ok).nonzero()
        for frame in (changes + first).tolist():
            self._closed += self._run(frame)
            self._since = None if self._since is not None else frame

    def until(self, frame: int) -> list[tuple[float, float]]:
        """All gaps, an open one up to this frame."""
        return self._closed + self._run(frame)

    def _run(self, end: int) -> list[tuple[float, float]]:
        if self._since is None or end - self._since < (SHORTEST_GAP if self._since else HEAD_START_FRAMES):
            return []
        return [(self._since / FRAME_RATE_HZ, end / FRAME_RATE_HZ)]
