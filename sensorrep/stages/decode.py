"""Packets -> samples: each foot's bytes to SI units, once each and in order.

Latency: none while packets come in order; behind a hole samples wait for what may still come, at most REORDER_WAIT_NS.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from sensorrep import packets as columns
from sensorrep import records
from sensorrep.devices import device
from sensorrep.model import SAMPLE, Foot, IntArray, Packet, Samples, SensorInfo

REORDER_WAIT_NS: Final = 200_000_000
"""How long a hole is held open for packets that were overtaken. Larger delays everything behind a real loss by so
much; radios reorder within a few connection intervals (50 ms each at most), if at all."""

FEW: Final = 2
"""Up to so many packets are taken one by one, which is faster than to sort out what is whose and merge it again."""
NEVER_NS: Final = 2**62
"""Later than any packet."""


class Decode:
    """Runs each foot's decoder, drops duplicates, restores the order, counts what is missing.

    Samples are told apart by (epoch, counter). A missing one is waited for until a packet of either foot arrives more
    than REORDER_WAIT_NS after the first one that showed the hole; what comes later is dropped and counted `late`.
    What `push` returns is one block with both feet, ordered by the packet that released each sample, so that the
    blocks joined together are the same, bit for bit, however the packets are cut; each foot by itself is in strictly
    increasing order of (epoch, counter).
    """

    def __init__(self, feet: Mapping[Foot, SensorInfo]) -> None:
        self.samples = dict.fromkeys(Foot, 0)
        self.saturated = dict.fromkeys(Foot, 0)
        self.lost = dict.fromkeys(Foot, 0)
        """Samples that never came, or came too late, in holes that are closed."""
        self.duplicates = dict.fromkeys(Foot, 0)
        self.late = dict.fromkeys(Foot, 0)
        """Samples that came after their hole was closed, or of an epoch that is over."""
        self.malformed = dict.fromkeys(Foot, 0)
        self._decoders = {foot: device(sensor.device).Decoder(sensor.info) for foot, sensor in feet.items()}
        self._orders = {foot: _Order() for foot in feet}
        self._now_ns = -(2**63)

    def push(self, packets: Sequence[Packet]) -> list[Samples]:
        """At most one block: what these packets release, of both feet."""
        if len(packets) > FEW:
            return self._push(packets)
        blocks = [block for packet in packets for block in self._push_one(packet)]
        return blocks if len(blocks) < 2 else [Samples(records.joined(blocks))]

    def _push_one(self, packet: Packet) -> list[Samples]:
        if packet.foot not in self._orders or any(order.waits for order in self._orders.values()):
            return self._push([packet])
        self._now_ns = max(self._now_ns, packet.received_ns)
        samples = self._decoders[packet.foot].push([packet])
        samples["foot"] = packet.foot
        self.malformed[packet.foot] = self._decoders[packet.foot].malformed
        came = _At(np.zeros(len(samples), np.int64), samples)
        return _merge([self._order(packet.foot, came, np.array([self._now_ns]))])

    def _push(self, packets: Sequence[Packet]) -> list[Samples]:
        received_ns = columns.arrivals_ns(packets)
        now_ns = np.maximum(received_ns, self._now_ns)
        np.maximum.accumulate(now_ns, out=now_ns)
        self._now_ns = int(now_ns[-1])
        of = columns.feet(packets)
        released = []
        for foot in Foot:
            (which,) = (of == int(foot)).nonzero()
            if foot not in self._decoders:
                self.malformed[foot] += len(which)
            elif len(which):
                mine = packets if len(which) == len(packets) else columns.picked(packets, which)
                released.append(self._order(foot, self._decode(foot, mine, which, received_ns), now_ns))
            elif self._orders[foot].waits:
                released.append(self._order(foot, _nothing(), now_ns))
        return _merge(released)

    def finish(self) -> list[Samples]:
        """What still waited behind holes."""
        end_ns = np.array([2**63 - 1])
        return _merge([self._order(foot, _nothing(), end_ns) for foot in self._orders])

    def _decode(self, foot: Foot, packets: Sequence[Packet], which: IntArray, received_ns: IntArray) -> "_At":
        """The samples of one foot's packets, which are those at `which` of all, and at which of them each came."""
        decoder = self._decoders[foot]
        mine_ns = received_ns[which]
        # Where arrival times rise, a sample's own tells its packet; where they do not, cut.
        cuts = ((mine_ns[1:] <= mine_ns[:-1]).nonzero()[0] + 1).tolist()
        if getattr(decoder, "holds_back", False):
            # It joins streams, and a sample comes out long after its own packet came: cut everywhere.
            cuts = list(range(1, len(which)))
        runs = []
        for begin, end in pairwise([0, *cuts, len(which)]):
            samples = decoder.push(packets[begin:end])
            samples["foot"] = foot
            runs.append(_At(which[begin + mine_ns[begin:end].searchsorted(samples["received_ns"])], samples))
        self.malformed[foot] = decoder.malformed
        return _joined(runs)

    def _order(self, foot: Foot, came: "_At", now_ns: IntArray) -> "_At":
        order = self._orders[foot]
        out = order.push(*came, now_ns)
        self.lost[foot] = order.lost
        self.duplicates[foot] = order.duplicates
        self.late[foot] = order.late
        self.samples[foot] += len(out.samples)
        self.saturated[foot] += int(np.count_nonzero(out.samples["saturated"]))
        return out


class _At(NamedTuple):
    """Samples, and for each the index, within the packets pushed together, of the one that brought or released it."""

    at: IntArray
    samples: Samples


def _nothing() -> _At:
    return _At(np.zeros(0, np.int64), Samples(np.zeros(0, SAMPLE)))


def _joined(parts: Sequence[_At]) -> _At:
    if len(parts) == 1:
        return parts[0]
    return _At(np.concatenate([part.at for part in parts]), Samples(records.joined([part.samples for part in parts])))


def _merge(released: Sequence[_At]) -> list[Samples]:
    """Both feet's samples in the order of their packets; of one packet's, the left foot's first."""
    released = [part for part in released if len(part.at)]
    if len(released) < 2:
        return [part.samples for part in released]
    left, right = released
    merged = Samples(np.empty(len(left.at) + len(right.at), SAMPLE))
    places = records.as_bytes(merged)
    places[np.arange(len(left.at)) + right.at.searchsorted(left.at)] = records.as_bytes(left.samples)
    places[np.arange(len(right.at)) + left.at.searchsorted(right.at, side="right")] = records.as_bytes(right.samples)
    return [merged]


class _Order:
    """Puts one foot's samples in order of (epoch, counter), each once."""

    def __init__(self) -> None:
        self.lost = 0
        self.duplicates = 0
        self.late = 0
        self._epoch = -1
        self._next = 0
        """Counter of the next sample to go out, in this epoch."""
        self._held = Samples(np.zeros(0, SAMPLE))
        self._held_ns = np.zeros(0, np.int64)
        """When each held sample came, on the clock of all packets."""
        self._hole_begin = np.zeros(0, np.int64)
        """First counter of each closed hole of this epoch."""
        self._hole_end = np.zeros(0, np.int64)

    @property
    def waits(self) -> bool:
        """Whether samples are held back behind a hole."""
        return len(self._held) > 0

    def push(self, at: IntArray, samples: Samples, now_ns: IntArray) -> _At:
        """What these samples, and the time that passed with `now_ns` (of all packets), release."""
        if not self.waits and (not len(samples) or self._continues(samples)):
            self._next += len(samples)
            return _At(at, samples)
        newest = np.maximum.accumulate(samples["epoch"]).clip(self._epoch)
        current = samples["epoch"] == newest
        self.late += len(samples) - int(np.count_nonzero(current))
        parts = []
        for epoch in dict.fromkeys([self._epoch, *newest.tolist()]):
            mine = current & (newest == epoch)
            if epoch > self._epoch:
                parts.append(self._begin_epoch(epoch, int(at[mine][0]), int(samples["counter"][mine][0])))
            later = newest > epoch
            end = int(at[later][0]) if later.any() else len(now_ns)
            parts.append(self._settle(at[mine], Samples(samples[mine]), now_ns[:end]))
        return _joined(parts)

    def _continues(self, samples: Samples) -> bool:
        counter = samples["counter"]
        return bool(
            counter[0] == self._next
            and counter[-1] == self._next + len(counter) - 1
            and (samples["epoch"] == self._epoch).all()
            and (counter[1:] - counter[:-1] == 1).all()
        )

    def _begin_epoch(self, epoch: int, at: int, counter: int) -> _At:
        """Leave the old epoch, whose holes nothing can fill any more: what it held goes out with packet `at`."""
        held = self._held
        self._close(np.append(self._next, held["counter"][:-1] + 1)[: len(held)], held["counter"])
        self._held, self._held_ns = Samples(held[:0]), self._held_ns[:0]
        self._hole_begin = self._hole_end = np.zeros(0, np.int64)
        self._epoch, self._next = epoch, counter
        return _At(np.full(len(held), at), held)

    def _close(self, begin: IntArray, end: IntArray) -> None:
        """Give up the samples from `begin` to before `end`; empty spans are no holes."""
        hole = end > begin
        self.lost += int((end - begin).sum())
        self._hole_begin = np.concatenate([self._hole_begin, begin[hole]])
        self._hole_end = np.concatenate([self._hole_end, end[hole]])

    def _settle(self, at: IntArray, samples: Samples, now_ns: IntArray) -> _At:
        """Sort what is held and what came; let out what waits for nothing, or has waited long enough.

        A number is missed from the first arrival of any higher one; its place is closed by the first packet more than
        the wait later. Both follow from the arrivals alone, so all are settled at once, as one by one they would be.
        """
        pool = np.concatenate([self._held, samples])
        came = np.concatenate([np.full(len(self._held), -1), at])
        came_ns = np.concatenate([self._held_ns, now_ns[at]])
        came, came_ns, pool = self._unique(came, came_ns, pool, now_ns)
        counter = pool["counter"]
        begin = np.append(self._next, counter[:-1] + 1)[: len(counter)]
        missed_ns = np.minimum.accumulate(came_ns[::-1])[::-1]
        closed = np.where(counter > begin, _closing(missed_ns, now_ns), -1)
        released = np.maximum.accumulate(np.maximum(came, closed))
        out = int(np.searchsorted(released, len(now_ns)))
        self._close(begin[:out], counter[:out])
        if out:
            self._next = int(counter[out - 1]) + 1
        self._held, self._held_ns = Samples(pool[out:]), came_ns[out:]
        return _At(released[:out], Samples(pool[:out]))

    def _unique(
        self, came: IntArray, came_ns: IntArray, pool: np.ndarray, now_ns: IntArray
    ) -> tuple[IntArray, IntArray, np.ndarray]:
        """Sort by counter, first arrivals only; drop and count duplicates and what came after its place was closed."""
        order = np.argsort(pool["counter"], kind="stable")
        counter = pool["counter"][order]
        passed = int(np.searchsorted(counter, self._next))
        hole = np.searchsorted(self._hole_begin, counter[:passed], side="right") - 1
        too_late = (hole >= 0) & (counter[:passed] < np.append(self._hole_end, 0)[hole])
        self.late += int(np.count_nonzero(too_late))
        self.duplicates += passed - int(np.count_nonzero(too_late))

        order, counter = order[passed:], counter[passed:]
        first = np.append(True, counter[1:] != counter[:-1])[: len(counter)]
        times = np.diff(np.append(np.flatnonzero(first), len(counter)))
        order = order[first]
        missed_ns = np.append(np.minimum.accumulate(came_ns[order][::-1])[::-1][1:], NEVER_NS)[: len(order)]
        too_late = came[order] >= _closing(missed_ns, now_ns)
        self.late += int(times[too_late].sum())
        self.duplicates += int((times - 1)[~too_late].sum())
        order = order[~too_late]
        return came[order], came_ns[order], pool[order]


def _closing(missed_ns: IntArray, now_ns: IntArray) -> IntArray:
    """Index of the packet that closes the place of a sample missed since then; len(now_ns) where none does yet."""
    return np.searchsorted(now_ns, missed_ns + REORDER_WAIT_NS, side="right")
