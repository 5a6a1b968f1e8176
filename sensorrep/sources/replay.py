"""Replay: a recording or a table as a source of packets, as fast as it can be read or paced as it was."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from sensorrep.model import Packet

PACE_S = 0.02
"""Paced replay hands over what arrived in such a stretch together: 50 times a second looks smooth."""


async def at_once(blocks: Iterable[list[Packet]]) -> AsyncIterator[list[Packet]]:
    """The packets as fast as they can be read."""
    for block in blocks:
        yield block


async def paced(
    blocks: Iterable[list[Packet]], speed: float, sleep: Callable[[float], Awaitable[None]]
) -> AsyncIterator[list[Packet]]:
    """The packets at `speed` times the pace at which they arrived; `sleep` waits so many seconds."""
    waiting: list[Packet] = []
    for packet in (packet for block in blocks for packet in block):
        if waiting and packet.received_ns - waiting[0].received_ns >= PACE_S * 1e9 * speed:
            pause_s = (packet.received_ns - waiting[0].received_ns) * 1e-9 / speed
            yield waiting
            await sleep(pause_s)
            waiting = []
        waiting.append(packet)
    if waiting:
        yield waiting
