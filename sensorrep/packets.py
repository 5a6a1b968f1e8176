"""Packets as columns: a recording holds many that differ in their bytes alone, and an object for each costs more than
all that is done with it afterwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import overload

import numpy as np
import numpy.typing as npt

from sensorrep.model import Foot, IntArray, Packet


@dataclass(frozen=True, slots=True, eq=False)
class Alike(Sequence[Packet]):
    """Packets of one channel and one length; n of them."""

    received_ns: IntArray
    """(n,)"""
    foot: npt.NDArray[np.uint8]
    """(n,)"""
    channel: str
    payloads: npt.NDArray[np.uint8]
    """(n, length)"""

    def __len__(self) -> int:
        return len(self.received_ns)

    @overload
    def __getitem__(self, at: int) -> Packet: ...
    @overload
    def __getitem__(self, at: slice) -> "Alike": ...
    def __getitem__(self, at: int | slice) -> "Packet | Alike":
        if isinstance(at, slice):
            return Alike(self.received_ns[at], self.foot[at], self.channel, self.payloads[at])
        return Packet(int(self.received_ns[at]), Foot(self.foot[at]), self.channel, self.payloads[at].tobytes())

    def __iter__(self) -> Iterator[Packet]:
        feet = tuple(Foot)
        content, length = self.payloads.tobytes(), self.payloads.shape[1]
        for n, (received_ns, foot) in enumerate(zip(self.received_ns.tolist(), self.foot.tolist(), strict=True)):
            yield Packet(received_ns, feet[foot], self.channel, content[n * length : (n + 1) * length])


def arrivals_ns(packets: Sequence[Packet]) -> IntArray:
    """When each arrived, (n,)."""
    if isinstance(packets, Alike):
        return packets.received_ns
    return np.array([packet.received_ns for packet in packets], np.int64)


def feet(packets: Sequence[Packet]) -> npt.NDArray[np.uint8]:
    """Whose each is, (n,)."""
    if isinstance(packets, Alike):
        return packets.foot
    return np.frombuffer(bytes([packet.foot for packet in packets]), np.uint8)


def lengths(packets: Sequence[Packet]) -> set[int]:
    """Which lengths of payload there are."""
    if isinstance(packets, Alike):
        return {packets.payloads.shape[1]}
    return {len(packet.payload) for packet in packets}


def picked(packets: Sequence[Packet], at: IntArray) -> Sequence[Packet]:
    """The packets at these indices."""
    if isinstance(packets, Alike):
        return Alike(packets.received_ns[at], packets.foot[at], packets.channel, packets.payloads[at])
    return [packets[n] for n in at.tolist()]


def joined(parts: Sequence[Sequence[Packet]]) -> Sequence[Packet]:
    """All packets, one part after the other: as columns if all are alike."""
    parts = [part for part in parts if len(part)]
    alike = [part for part in parts if isinstance(part, Alike)]
    if len(parts) < 2:
        return parts[0] if parts else []
    if len(alike) < len(parts) or len({(part.channel, part.payloads.shape[1]) for part in alike}) > 1:
        return list(chain.from_iterable(parts))
    received_ns, foot, payloads = (
        np.concatenate(columns)
        for columns in zip(*((part.received_ns, part.foot, part.payloads) for part in alike), strict=True)
    )
    return Alike(received_ns, foot, alike[0].channel, payloads)
