"""Carrying out a sensor's scripts (`sensorrep.devices`) on an open connection."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from sensorrep.devices import Action, Await, Mtu, Pause, Read, Script, Subscribe, Write, device
from sensorrep.errors import RadioError, RadioReason
from sensorrep.model import Packet


class Connection(Protocol):
    """An open link to one sensor. Whatever fails raises RadioError."""

    model: str
    name: str
    address: str
    rssi_dbm: int | None

    async def subscribe(self, channel: str) -> None: ...  # noqa: D102
    async def write(self, channel: str, payload: bytes, response: bool) -> None: ...  # noqa: D102
    async def read(self, channel: str) -> bytes: ...  # noqa: D102
    async def read_battery(self) -> int | None: ...  # noqa: D102
    async def close(self) -> None: ...  # noqa: D102
    def mtu(self) -> int: ...  # noqa: D102


class Scripts:
    """Runs one script at a time on an open connection, and subscribes to a channel once.

    `hear` what the sensor sends meanwhile. What a script reads is told to `read`.
    """

    def __init__(self, who: str, connection: Connection, read: Callable[[str, bytes], None]) -> None:
        self.answer_ns = 0
        """When the last awaited answer arrived."""
        self._who, self._connection, self._read = who, connection, read
        self._heard: deque[Packet] | None = None
        self._subscribed: set[str] = set()
        self._more = asyncio.Event()

    def hear(self, packet: Packet) -> None:
        """Take in a notification: it may be an answer, also to a command whose answer is awaited later."""
        if self._heard is not None:
            self._heard.append(packet)
            self._more.set()

    async def run(self, script: Script) -> bytes:
        """What the script returns. Raises RadioError where the link fails or the sensor does not answer."""
        self._heard = deque()
        try:
            action = next(script)
            while True:
                action = script.send(await self._act(action))
        except StopIteration as end:
            returned: bytes = end.value
            return returned
        finally:
            self._heard = None
            script.close()

    async def _act(self, action: Action) -> bytes:
        match action:
            case Subscribe(channel) if channel not in self._subscribed:
                await self._connection.subscribe(channel)
                self._subscribed.add(channel)
            case Write(channel, payload, response):
                await self._connection.write(channel, payload, response)
            case Read(channel):
                value = await self._connection.read(channel)
                self._read(channel, value)
                return value
            case Await(channel, prefix, timeout_s):
                return await self._answer(channel, prefix, timeout_s)
            case Mtu():
                return self._connection.mtu().to_bytes(2, "little")
            case Pause(seconds):
                await asyncio.sleep(seconds)
        return b""

    async def _answer(self, channel: str, prefix: bytes, timeout_s: float) -> bytes:
        """The first notification since the script began, and not yet taken, that begins with `prefix`."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    while self._heard:
                        packet = self._heard.popleft()
                        if packet.channel == channel and packet.payload.startswith(prefix):
                            self.answer_ns = packet.received_ns
                            return packet.payload
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise RadioError(RadioReason.REFUSED, f"{self._who} did not answer within {timeout_s:g} s") from None


async def read_battery(connection: Connection, scripts: Scripts) -> int | None:
    """Per cent, by the standard service or else as the sensor's module asks; None where it can't be asked.

    Raises RadioError or PayloadError where it does not answer.
    """
    percent = await connection.read_battery()
    ask = getattr(device(connection.model), "battery", None)
    if percent is None and ask is not None:
        percent = (await scripts.run(ask()))[0]
    return percent
