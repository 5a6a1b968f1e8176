"""bleak's own BlueZ backend, unmodified, against a service as BlueZ is, on a private bus: what only it does."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from bleak import BleakScanner
from dbus_fast import Variant

if sys.platform != "linux":
    pytest.skip("BlueZ is Linux's Bluetooth", allow_module_level=True)

from sensorrep.devices import diy
from sensorrep.errors import RadioError, RadioReason
from sensorrep.model import Foot, Message, Note, Packet, SensorInfo
from sensorrep.sources.ble import Radio, link, scan
from sensorrep.sources.ble.connection import Connection
from sensorrep.sources.simulated.faults import Fault
from sensorrep.sources.simulated.world import World
from sensorrep.sources.synthetic import Rest, Scenario
from tests.bluez.conftest import Bus
from tests.bluez.fake_bluez import ADAPTER, FakeBlueZ
from tests.bluez.fake_device import ADAPTER_PATH

LYING = Scenario("prone", (Rest(30.0, "still"),), lies_ready=True)
PATIENCE_S = 10.0


@pytest.fixture(autouse=True)
def _soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't wait long between attempts."""
    monkeypatch.setattr(link, "FIRST_BACKOFF_S", 0.05)


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
    async def session(self, connect_s: float = PATIENCE_S) -> AsyncIterator[dict[Foot, SensorInfo]]:
        """Both sensors, whose messages are collected meanwhile."""
        radio = Radio(self.world.wanted(), rate_hz=100.0)
        reader: asyncio.Task[None] | None = None
        try:
            feet = await radio.connect(connect_s)
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

    async def until_links(self, foot: Foot, states: list[str]) -> None:
        """Wait until so much was said of a foot's link, and nothing else."""
        await self.until(lambda: len(self.links(foot)) >= len(states))
        assert self.links(foot) == states

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


class TestScanning:
    def reason(self, host: Host, main: Callable[[], Awaitable[None]]) -> RadioReason:
        with pytest.raises(RadioError) as caught:
            on(host, main)
        return caught.value.reason

    def test_an_adapter_that_is_off_is_told(self, bus: Bus) -> None:
        host = Host(bus)

        async def main() -> None:
            host.bluez.objects.change(ADAPTER_PATH, ADAPTER, {"Powered": Variant("b", False)})
            await scan(0.1)

        assert self.reason(host, main) is RadioReason.ADAPTER_OFF

    def test_a_service_that_does_not_run_is_told(self, bus: Bus) -> None:
        host = Host(bus)

        async def main() -> None:
            host.bluez.kill()
            await scan(0.1)

        assert self.reason(host, main) is RadioReason.NO_SERVICE

    def test_a_bus_that_does_not_run_is_told(self, bus: Bus) -> None:
        host = Host(bus)

        async def main() -> None:
            bus.daemon.kill()
            bus.daemon.wait()
            await scan(0.1)

        assert self.reason(host, main) is RadioReason.NO_SERVICE

    def test_a_second_scan_is_refused_and_told(self, bus: Bus) -> None:
        host = Host(bus)

        async def main() -> None:
            async with BleakScanner():
                await scan(0.1)

        assert self.reason(host, main) is RadioReason.LINK_FAILED
        assert host.bluez.refused == ["org.bluez.Error.InProgress"]

    def test_a_session_waits_until_another_scan_is_over(self, bus: Bus) -> None:
        host = Host(bus)

        async def main() -> None:
            async def end(other: BleakScanner) -> None:
                await host.bluez.refusal.wait()
                await other.stop()

            other = BleakScanner()
            await other.start()
            ending = asyncio.create_task(end(other))
            async with host.session():
                await host.until(lambda: all(host.links(foot)[-1:] == ["connected"] for foot in Foot))
            await ending
            assert set(host.bluez.refused) == {"org.bluez.Error.InProgress"}

        on(host, main)


class TestLostLinks:
    async def lose_twice(self, host: Host) -> int:
        """The left link breaks twice and comes back, then some packets more; how many listen on the bus at the end."""
        async with host.session():
            await host.until(lambda: len(host.payloads(Foot.LEFT)) >= 5)
            for _ in range(2):
                states = [*host.links(Foot.LEFT), "lost", "back"]
                host.befall(Foot.LEFT, "cut")
                await host.until_links(Foot.LEFT, states)
            after = len(host.payloads(Foot.LEFT))
            await host.until(lambda: len(host.payloads(Foot.LEFT)) >= after + 12)
            return len(host.bluez.devices[Foot.LEFT].clients)

    def test_a_lost_sensor_comes_back_and_nothing_comes_twice(self, bus: Bus) -> None:
        host = Host(bus)

        async def main() -> None:
            assert await self.lose_twice(host) == 1
            assert host.links(Foot.RIGHT) == ["connected"]
            payloads = host.payloads(Foot.LEFT)
            assert len(set(payloads)) == len(payloads)

        on(host, main)

    def test_or_else_all_would_come_twice(self, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
        """The service can tell: with connections that are not closed, packets come twice, then three times (#2002)."""

        async def forgets(self: Connection) -> None:
            pass

        monkeypatch.setattr(Connection, "close", forgets)
        host = Host(bus)

        async def main() -> None:
            assert await self.lose_twice(host) == 3
            payloads = host.payloads(Foot.LEFT)
            assert [payloads.count(one) for one in payloads[-6:-3]] == [3, 3, 3]

        on(host, main)

    def test_a_sensor_that_the_service_has_forgotten_is_looked_for_again(self, bus: Bus) -> None:
        host = Host(bus)

        async def main() -> None:
            async with host.session():
                await host.until(lambda: bool(host.payloads(Foot.LEFT)))
                host.befall(Foot.LEFT, "cut")
                host.bluez.objects.remove(host.bluez.devices[Foot.LEFT].path)
                await host.until_links(Foot.LEFT, ["connected", "lost", "back"])

        on(host, main)

    def test_a_connection_that_breaks_off_at_once_is_tried_again_by_the_library_alone(self, bus: Bus) -> None:
        host = Host(bus)

        async def main() -> None:
            host.befall(Foot.LEFT, "refuse", 1)
            async with host.session():
                await host.until(lambda: len(host.payloads(Foot.LEFT)) >= 20)
            assert host.links(Foot.LEFT) == ["connected"]
            assert host.bluez.devices[Foot.LEFT].connects == 2

        on(host, main)


class TestEndOfTheService:
    def lost_texts(self, host: Host) -> list[str]:
        return [one.fields["text"] for one in host.notes("link") if one.fields["state"] == "lost"]

    async def come_up_again(self, host: Host) -> None:
        await host.until(lambda: len(self.lost_texts(host)) == 2)
        host.bluez = FakeBlueZ(host.world, host.bus.address)
        await host.bluez.start()
        await host.until(lambda: all(host.links(foot)[-1] == "back" for foot in Foot))

    def test_one_that_is_killed_is_noticed_by_its_silence(self, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(link, "SILENCE_S", 1.0)
        host = Host(bus)

        async def main() -> None:
            async with host.session():
                await host.until(lambda: all(host.payloads(foot) for foot in Foot))
                host.bluez.kill()
                await self.come_up_again(host)
            assert all("silent" in text for text in self.lost_texts(host))

        on(host, main)

    def test_one_that_is_stopped_says_so(self, bus: Bus) -> None:
        host = Host(bus)

        async def main() -> None:
            async with host.session():
                await host.until(lambda: all(host.payloads(foot) for foot in Foot))
                host.bluez.stop()
                await self.come_up_again(host)
            assert all("was lost" in text for text in self.lost_texts(host))

        on(host, main)

    def test_the_end_of_the_bus_is_noticed_at_once_and_the_session_ends_cleanly(self, bus: Bus) -> None:
        host = Host(bus)

        async def main() -> None:
            async with host.session():
                await host.until(lambda: all(host.payloads(foot) for foot in Foot))
                bus.daemon.kill()
                await host.until(lambda: len(self.lost_texts(host)) == 2)
            assert all("was lost" in text for text in self.lost_texts(host))

        on(host, main)


def test_a_battery_that_the_service_keeps_to_itself_is_done_without(bus: Bus) -> None:
    host = Host(bus, hides_battery=True)

    async def main() -> None:
        async with host.session():
            await host.until(lambda: len(host.notes("clock")) == 2)
        assert not host.notes("battery")

    on(host, main)


def test_packets_are_as_long_as_the_link_carries(bus: Bus) -> None:
    host = Host(bus)

    async def main() -> None:
        host.befall(Foot.RIGHT, "mtu", 23)
        async with host.session(connect_s=1.0):
            await host.until(lambda: min(len(host.payloads(foot)) for foot in Foot) >= 10)
        assert [{len(payload) for payload in host.payloads(foot)} for foot in Foot] == [{56}, {20}]

    on(host, main)
