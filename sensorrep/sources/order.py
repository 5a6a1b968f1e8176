"""Times of arrival that cannot be (pure).

A damaged digit in a time would stretch a session by hours or years. Packets are written as they arrive, on a clock that
never goes back, so such a time stands out from those around it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from sensorrep import packets as columns
from sensorrep.model import BoolArray, IntArray, Packet

DISORDER_NS: Final = 2_000_000_000
"""How far a time may be from the median of the five around it, which in an ordered file is the time itself. Larger
lets more damage through; two sensors' packets are written out of order by milliseconds at most."""
LONE_NS: Final = 3_600_000_000_000
"""The first and the last packets have neighbours on one side only: there, what is further off than this."""
LONGEST_NS: Final = 86_400_000_000_000
"""A session of more than a day is none: frames would be made for all of it."""
_AROUND: Final = 2


class Order:
    """Passes packets on, and leaves out those whose time of arrival cannot be.

    A packet is judged with two on each side, however the packets are cut. A long silence is no fault: times that go on
    from there agree with each other.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._seen: Sequence[Packet] = []
        """The last three judged (at the beginning none), and all behind them."""
        self._judged = 0
        self._begun = False
        self._first_ns: int | None = None

    def push(self, packets: Sequence[Packet]) -> Sequence[Packet]:
        """The packets that can be judged by now."""
        self._seen = columns.joined([self._seen, packets])
        return self._judge(len(self._seen) - _AROUND) if len(self._seen) > 2 * _AROUND else []

    def finish(self) -> Sequence[Packet]:
        """The rest."""
        return self._judge(len(self._seen), last=True)

    def _judge(self, end: int, last: bool = False) -> Sequence[Packet]:
        """Judge packets up to `end` of those seen, and forget those that are no longer needed."""
        received_ns = columns.arrivals_ns(self._seen)
        good = _possible(received_ns, first=not self._begun, last=last)
        if self._first_ns is None and good[:end].any():
            self._first_ns = int(received_ns[:end][good[:end]][0])
        if self._first_ns is not None:
            good &= received_ns - self._first_ns <= LONGEST_NS
        out = self._seen[self._judged : end]
        if not good[self._judged : end].all():
            out = columns.picked(out, np.flatnonzero(good[self._judged : end]))
        self.left_out += end - self._judged - len(out)
        self._judged = min(end, _AROUND + 1)
        self._seen = self._seen[end - self._judged :]
        self._begun = True
        return out


def _possible(received_ns: IntArray, first: bool, last: bool) -> BoolArray:
    """Which times may be, (n,); `first`, `last`: whether the stream begins or ends here."""
    count, width = len(received_ns), 2 * _AROUND + 1
    if not (first or last) and (received_ns[1:] >= received_ns[:-1]).all():
        return np.ones(count, np.bool_)
    if count < width:
        median_ns = np.full(count, np.sort(received_ns)[count // 2 :][:1])
    else:
        around = np.lib.stride_tricks.sliding_window_view(received_ns, width)
        median_ns = np.pad(np.sort(around, axis=1)[:, _AROUND], _AROUND, "edge")
    early_ns, late_ns = np.full(count, DISORDER_NS), np.full(count, DISORDER_NS)
    if first:
        early_ns[:_AROUND] = LONE_NS
    if last:
        late_ns[-_AROUND:] = LONE_NS
    possible: BoolArray = (received_ns - median_ns >= -early_ns) & (received_ns - median_ns <= late_ns)
    return possible
