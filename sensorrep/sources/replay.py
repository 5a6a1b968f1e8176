"""Replay: a recording or a table as a source of packets, as fast as it can be read or paced as it was."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from sensorrep.model import Packet

PACE_S = 0.02
"""Paced replay hands over what arrived in such a stretch together: 50 times a second looks smooth."""


async def at_once(blocks: Iterable[Sequence[Packet]]) -> AsyncIterator[Sequence[Packet]]:
    """The packets as fast as they can be read."""
    for block in blocks:
        yield block


async def paced(blocks: Iterable[Sequence[Packet]], speed: float) -> AsyncIterator[list[Packet]]:
    """The packets at `speed` times the pace at which they arrived, however long each takes whoever reads them."""
    loop = asyncio.get_running_loop()
    begun_s, first_ns = loop.time(), 0
    waiting: list[Packet] = []
    for packet in (packet for block in blocks for packet in block):
        first_ns = first_ns or packet.received_ns
        if waiting and packet.received_ns - waiting[0].received_ns >= PACE_S * 1e9 * speed:
            yield waiting
            waiting = []
            due_s = begun_s + (packet.received_ns - first_ns) * 1e-9 / speed
            await asyncio.sleep(max(due_s - loop.time(), 0.0))
        waiting.append(packet)
    if waiting:
        yield waiting
