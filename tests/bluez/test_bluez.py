"""bleak's own BlueZ backend, unmodified, against a service as BlueZ is, on a private bus: what only it does."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

if sys.platform != "linux":
    pytest.skip("BlueZ is Linux's Bluetooth", allow_module_level=True)

from sensorrep.devices import diy
from sensorrep.model import Foot, Note, Packet, SensorInfo
from sensorrep.sources.ble import Message, Radio, scan
from sensorrep.sources.simulated.faults import Fault
from sensorrep.sources.simulated_radio import World
from sensorrep.sources.synthetic import Rest, Scenario
from tests.bluez.conftest import Bus
from tests.bluez.fake_bluez import FakeBlueZ

LYING = Scenario("prone", (Rest(30.0, "still"),), lies_ready=True)
PATIENCE_S = 10.0


class Host:
    """A computer with Bluetooth, the wearer near it, and a session."""

    def __init__(self, bus: Bus, hides_battery: bool = False) -> None:
        self.bus = bus
        self.world = World(LYING, 1)
        self.bluez = FakeBlueZ(self.world, bus.address, hides_battery)
        self.messages: list[Message] = []
        self._more = asyncio.Event()

    def befall(self, foot: Foot, action: str, number: float = 0.0) -> None:
        self.world.peripherals[foot].befall(Fault(0.0, (foot,), action, number))

    @asynccontextmanager
    async def session(self) -> AsyncIterator[dict[Foot, SensorInfo]]:
        """Both sensors, whose messages are collected meanwhile."""
        radio = Radio(self.world.wanted(), rate_hz=100.0)
        reader: asyncio.Task[None] | None = None
        try:
            feet = await radio.connect(PATIENCE_S)
            reader = asyncio.create_task(self._read(radio))
            yield feet
        finally:
            await radio.stop()
            if reader is not None:
                await reader

    async def _read(self, radio: Radio) -> None:
        async for batch in radio.messages():
            self.messages += batch
            self._more.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until what was heard fulfils a condition."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._more.clear()
                await self._more.wait()

    def links(self, foot: Foot) -> list[str]:
        return [one.fields["state"] for one in self.notes("link") if one.fields["foot"] == foot.word]

    def notes(self, kind: str) -> list[Note]:
        return [one for one in self.messages if isinstance(one, Note) and one.kind == kind]

    def payloads(self, foot: Foot) -> list[bytes]:
        return [
            one.payload
            for one in self.messages
            if isinstance(one, Packet) and one.foot is foot and one.channel == "data"
        ]


def on(host: Host, main: Callable[[], Awaitable[None]]) -> None:
    """Run a test's doings beside the service. The bus ends last: only so does bleak close its own connection to it."""

    async def outer() -> None:
        await host.bluez.start()
        try:
            await main()
        finally:
            host.bluez.kill()
            host.bus.daemon.kill()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others:
                _, left = await asyncio.wait(others, timeout=PATIENCE_S)
                assert not left

    asyncio.run(outer())


def test_a_scan_finds_both_sensors(bus: Bus) -> None:
    host = Host(bus)

    async def main() -> None:
        found = await scan(0.2)
        assert [(one.model, one.name, one.rssi_dbm) for one in found] == [
            ("diy", "REP-L-0001", -52),
            ("diy", "REP-R-0001", -59),
        ]
        assert not host.bluez.discovering

    on(host, main)


def test_both_sensors_are_configured_and_stream_and_are_stopped(bus: Bus) -> None:
    host = Host(bus)

    async def main() -> None:
        async with host.session() as feet:
            await host.until(lambda: all(len(host.payloads(foot)) >= 10 for foot in Foot))
            await host.until(lambda: len(host.notes("battery")) == 2)
            await host.until(lambda: len(host.notes("clock")) == 2)
        for foot in Foot:
            decoder = diy.Decoder(feet[foot].info)
            packets = [one for one in host.messages if isinstance(one, Packet) and one.foot is foot]
            decoder.push(packets)
            assert decoder.malformed == 0
            assert host.links(foot) == ["connected"]
        assert {one.fields["percent"] for one in host.notes("battery")} == {87}
        assert not any(device.connected for device in host.bluez.devices)
        assert not host.bluez.refused

    on(host, main)
