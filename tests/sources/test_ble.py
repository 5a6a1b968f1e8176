"""The radio over bleak's facade and a simulated world: who is found, what is said, and that links end cleanly."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import pytest
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)

from sensorrep.devices import device, diy, witmotion
from sensorrep.errors import RadioError, RadioReason
from sensorrep.model import Foot, Message, Note, Packet, SensorInfo
from sensorrep.sources import virtual_time
from sensorrep.sources.ble import Radio, Wanted, scan, with_battery
from sensorrep.sources.ble.connection import Connection, recognised, told
from sensorrep.sources.simulated.backend import backends
from sensorrep.sources.simulated.faults import parse_script
from sensorrep.sources.simulated.world import World
from sensorrep.sources.synthetic import Rest, Scenario

T = TypeVar("T")
LYING = Scenario("prone", (Rest(60.0, "still"),), lies_ready=True)


def world(script: Sequence[list[Any]] = (), model: str = "diy", seed: int = 1) -> World:
    return World(LYING, seed, parse_script(list(script)), model)


def radio(of: World, wanted: dict[Foot, Wanted] | None = None) -> Radio:
    return Radio(wanted or of.wanted(), rate_hz=100.0, backends=backends(of), now_ns=virtual_time.now_ns, batch_s=0.1)


async def gathered(one: Radio, seconds: float, connect_s: float = 10.0) -> tuple[dict[Foot, SensorInfo], list[Message]]:
    """The header's feet and all messages of a session of so many seconds."""
    feet = await one.connect(connect_s)
    messages: list[Message] = []
    stopping: list[asyncio.Task[None]] = []
    asyncio.get_running_loop().call_later(seconds, lambda: stopping.append(asyncio.ensure_future(one.stop())))
    async for batch in one.messages():
        messages += batch
    return feet, messages


def session(
    of: World, seconds: float = 20.0, wanted: dict[Foot, Wanted] | None = None
) -> tuple[dict[Foot, SensorInfo], list[Message]]:
    async def main() -> tuple[dict[Foot, SensorInfo], list[Message]]:
        return await gathered(radio(of, wanted), seconds)

    return virtual_time.run(main())


def links(messages: Sequence[Message], foot: Foot) -> list[tuple[str, str | None]]:
    """What is said of a foot's link: state and reason."""
    return [
        (message.fields["state"], message.fields.get("reason"))
        for message in messages
        if isinstance(message, Note) and message.kind == "link" and message.fields["foot"] == foot.word
    ]


def packets(messages: Sequence[Message], foot: Foot, channel: str = "data") -> list[Packet]:
    return [one for one in messages if isinstance(one, Packet) and one.foot is foot and one.channel == channel]


class TestScan:
    def seen(self, of: World) -> list[tuple[str, str, int | None]]:
        found = virtual_time.run(scan(3.0, backends(of)))
        return [(one.model, one.name, one.rssi_dbm) for one in found]

    def test_sensors_are_listed_with_model_and_signal_the_nearest_first(self) -> None:
        assert self.seen(world()) == [("diy", "REP-L-0001", -52), ("diy", "REP-R-0001", -59)]
        assert [model for model, *_ in self.seen(world(model="witmotion"))] == ["witmotion"] * 2

    def test_a_dead_sensor_is_not_listed(self) -> None:
        assert [name for _, name, _ in self.seen(world([[0, "left", "dead", 100]]))] == ["REP-R-0001"]

    @pytest.mark.parametrize(
        ("action", "reason"), [("adapter", RadioReason.ADAPTER_OFF), ("forbidden", RadioReason.NO_PERMISSION)]
    )
    def test_a_radio_that_cannot_be_used_is_said(self, action: str, reason: RadioReason) -> None:
        async def main(of: World) -> None:
            of.now_s()
            await asyncio.sleep(0.1)
            await scan(3.0, backends(of))

        with pytest.raises(RadioError) as caught:
            virtual_time.run(main(world([[0, "both", action, 100]])))
        assert caught.value.reason is reason

    @pytest.mark.parametrize(("model", "percent"), [("diy", 87), ("witmotion", 90)])
    def test_batteries_are_asked_for_and_no_link_is_left(self, model: str, percent: int) -> None:
        """By the standard service, and by a command of the maker's where that is not offered."""
        of = world(model=model)

        async def main() -> list[int | None]:
            found = await scan(1.0, backends(of))
            return [(await with_battery(one, backends(of))).battery_pct for one in found]

        assert virtual_time.run(main()) == [percent, percent]
        assert not any(one.client or one.not_disconnected for one in of.peripherals.values())

    def test_a_sensor_that_cannot_be_connected_has_no_battery(self) -> None:
        of = world([[2, "left", "dead", 100]])

        async def main() -> list[int | None]:
            found = await scan(3.0, backends(of))
            return [(await with_battery(one, backends(of))).battery_pct for one in found]

        assert virtual_time.run(main()) == [None, 87]

    def test_what_is_no_sensor_is_left_out(self) -> None:
        def advertised(name: str | None, services: list[str]) -> AdvertisementData:
            return AdvertisementData(name, {}, {}, services, None, -60, ())

        kettle = BLEDevice("51:4D:00:00:00:09", "Kettle", None)
        assert recognised(kettle, advertised(None, [])) is None
        found = recognised(kettle, advertised(None, [witmotion.SERVICE.upper()]))
        assert found is not None
        assert (found.model, found.name) == ("witmotion", "Kettle")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        *(
            (BleakBluetoothNotAvailableError("", getattr(BleakBluetoothNotAvailableReason, name)), reason)
            for name, reason in {
                "NO_BLUETOOTH": RadioReason.NO_ADAPTER,
                "NO_BLE_CENTRAL_ROLE": RadioReason.NO_ADAPTER,
                "POWERED_OFF": RadioReason.ADAPTER_OFF,
                "DENIED_BY_USER": RadioReason.NO_PERMISSION,
                "DENIED_BY_SYSTEM": RadioReason.NO_PERMISSION,
                "DENIED_BY_UNKNOWN": RadioReason.NO_PERMISSION,
            }.items()
        ),
        (BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["Rejected"]), RadioReason.NO_PERMISSION),
        (BleakDBusError("org.bluez.Error.NotReady", ["Resource Not Ready"]), RadioReason.ADAPTER_OFF),
        (BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", []), RadioReason.NO_SERVICE),
        (BleakDBusError("org.bluez.Error.InProgress", []), RadioReason.LINK_FAILED),
        (BleakDeviceNotFoundError("x", "gone"), RadioReason.LINK_FAILED),
        (BleakCharacteristicNotFoundError("x"), RadioReason.WRONG_FIRMWARE),
        (BleakGATTProtocolError(3), RadioReason.LINK_FAILED),
        (BleakError("Not connected"), RadioReason.LINK_FAILED),
        (TimeoutError(), RadioReason.LINK_FAILED),
        (EOFError(), RadioReason.LINK_FAILED),
        (AssertionError(), RadioReason.LINK_FAILED),
        (KeyError("org.bluez.Device1"), RadioReason.LINK_FAILED),
        (ValueError("Characteristic notifications already started"), RadioReason.LINK_FAILED),
        (FileNotFoundError(2, "no bus"), RadioReason.NO_SERVICE),
        (ConnectionRefusedError(111, "no bus"), RadioReason.NO_SERVICE),
        (PermissionError(13, "no"), RadioReason.NO_PERMISSION),
        (OSError(5, "io"), RadioReason.LINK_FAILED),
    ],
    ids=lambda one: one.name if isinstance(one, RadioReason) else type(one).__name__,
)
def test_what_the_library_raises_becomes_one_line_with_a_hint(error: Exception, reason: RadioReason) -> None:
    with pytest.raises(RadioError) as caught, told("the left sensor did not connect"):
        raise error
    assert caught.value.reason is reason
    assert "\n" not in str(caught.value)


def test_a_mistake_of_ours_is_no_failed_link() -> None:
    with pytest.raises(KeyError), told("the left sensor did not connect"):
        device("no such model")
    with pytest.raises(TypeError), told("the left sensor did not connect"):
        raise TypeError("bleak was called the wrong way")


class TestConnecting:
    @pytest.mark.parametrize(("model", "count"), [("diy", 2080), ("witmotion", 2000)])
    def test_both_sensors_stream_with_the_info_that_their_decoders_need(self, model: str, count: int) -> None:
        feet, messages = session(world(model=model))
        module: Any = {"diy": diy, "witmotion": witmotion}[model]
        for foot in Foot:
            assert feet[foot].device == model
            stream = packets(messages, foot, "data" if model == "diy" else "frames")
            decoder = module.Decoder(feet[foot].info)
            info = packets(messages, foot, "info")
            assert len(decoder.push([*info, *stream])) == pytest.approx(count, rel=0.03)
            assert decoder.malformed == 0

    def test_messages_come_in_the_order_in_which_they_arrived(self) -> None:
        _, messages = session(world([[5, "left", "cut", 0], [8, "right", "stall", 1.5]]))
        times = [message[0] for message in messages]
        assert times == sorted(times)

    @pytest.mark.parametrize("model", ["diy", "witmotion"])
    def test_a_sensor_that_was_away_for_long_is_picked_up_again(self, model: str) -> None:
        of = world([[5, "left", "cut", 20]], model)
        _, messages = session(of, 60.0)
        assert [state for state, _ in links(messages, Foot.LEFT)] == ["connected", "lost", "missing", "back"]
        assert links(messages, Foot.RIGHT) == [("connected", None)]

    @pytest.mark.parametrize("seconds", [4, 10])
    def test_both_are_back_soon_after_bluetooth_is(self, seconds: int) -> None:
        """While it is off there is no link that looking for sensors could disturb: no wait grows."""
        _, messages = session(world([[5, "both", "adapter", seconds]]), seconds=20.0)
        for foot in Foot:
            (back,) = (one for one in messages if isinstance(one, Note) and one.fields == {
                "foot": foot.word, "state": "back", "name": world().peripherals[foot].board.name,
            })  # fmt: skip
            assert back.at_ns * 1e-9 - virtual_time.BEGIN_S < 5 + seconds + 2.0

    def test_the_state_says_how_each_link_is(self) -> None:
        async def main() -> None:
            of = world([[4, "left", "dead", 100]])
            one = radio(of)
            await one.connect(10.0)
            await asyncio.sleep(2.0)
            state = one.state[Foot.RIGHT]
            assert state.connected
            assert state.packets_per_s == pytest.approx(26, rel=0.1)
            assert (state.battery_pct, state.rssi_dbm, state.name) == (87, -59, "REP-R-0001")
            await asyncio.sleep(8.0)
            lost = one.state[Foot.LEFT]
            assert not lost.connected
            assert lost.packets_per_s == 0.0
            assert "not found" in lost.reason
            assert lost.last_packet_age_s is not None
            assert lost.last_packet_age_s > 5.0
            await one.stop()

        virtual_time.run(main())

    def test_a_sensor_is_told_by_its_address_and_not_by_its_name(self) -> None:
        of = world()
        addresses = {foot: one.address for foot, one in of.peripherals.items()}
        swapped = {foot: Wanted(foot, "diy", addresses[Foot(1 - foot)], f"REP-{foot.name[0]}-0001") for foot in Foot}
        feet, _ = session(of, wanted=swapped)
        assert (feet[Foot.LEFT].name, feet[Foot.RIGHT].name) == ("REP-R-0001", "REP-L-0001")

    def test_one_sensor_is_enough(self) -> None:
        of = world([[0, "right", "dead", 1000]])
        feet, messages = session(of)
        assert feet[Foot.RIGHT] == SensorInfo("diy", "REP-R-0001")  # to be picked up when it comes
        assert links(messages, Foot.RIGHT) == [("missing", "not_found")]
        assert len(packets(messages, Foot.LEFT)) > 400

    def test_a_sensor_that_both_feet_are_said_to_have_is_on_one_of_them(self) -> None:
        of = world()
        address = of.peripherals[Foot.LEFT].address
        _, messages = session(of, wanted={foot: Wanted(foot, "diy", address, "REP-L-0001") for foot in Foot})
        assert sum(bool(packets(messages, foot)) for foot in Foot) == 1

    @pytest.mark.parametrize(
        ("script", "reason"),
        [
            ([[0, "both", "dead", 1000]], RadioReason.NOT_FOUND),
            ([[0, "both", "firmware"]], RadioReason.WRONG_FIRMWARE),
            ([[0, "both", "refuse", 1000]], RadioReason.LINK_FAILED),
            ([[0, "both", "adapter", 1000]], RadioReason.ADAPTER_OFF),
            ([[0, "both", "forbidden", 1000]], RadioReason.NO_PERMISSION),
            ([[0, "left", "dead", 1000], [0, "right", "firmware"]], RadioReason.WRONG_FIRMWARE),
        ],
    )
    def test_without_any_sensor_the_reason_is_raised(self, script: list[list[Any]], reason: RadioReason) -> None:
        of = world(script)
        with pytest.raises(RadioError) as caught:
            session(of)
        assert caught.value.reason is reason
        assert all(one.client is None for one in of.peripherals.values())

    def test_a_radio_that_is_off_is_said_at_once(self) -> None:
        async def main() -> float:
            one = radio(world([[0, "both", "adapter", 1000]]))
            begun_s = asyncio.get_running_loop().time()
            with pytest.raises(RadioError):
                await one.connect(60.0)
            return asyncio.get_running_loop().time() - begun_s

        assert virtual_time.run(main()) < 2.0

    def test_a_sensor_that_is_no_good_leaves_the_session_to_the_other(self) -> None:
        _, messages = session(world([[0, "right", "firmware"]]))
        assert links(messages, Foot.RIGHT) == [("failed", "wrong_firmware")]
        assert links(messages, Foot.LEFT) == [("connected", None)]

    @pytest.mark.parametrize(("model", "length"), [("diy", 20), ("witmotion", 20)])
    def test_the_smallest_link_carries_one_sample_a_packet(self, model: str, length: int) -> None:
        _, messages = session(world([[0, "both", "mtu", 23]], model))
        channel = "data" if model == "diy" else "frames"
        came = packets(messages, Foot.LEFT, channel)
        assert {len(one.payload) for one in came} == {length}
        assert len(came) > 1900


class TestNotes:
    def notes(self, messages: Sequence[Message], kind: str) -> list[dict[str, Any]]:
        return [dict(one.fields) for one in messages if isinstance(one, Note) and one.kind == kind]

    @pytest.mark.parametrize("model", ["diy", "witmotion"])
    def test_the_battery_is_told_when_it_changes(self, model: str) -> None:
        _, messages = session(world([[20, "left", "battery", 10]], model), 130.0)
        left = [one for one in self.notes(messages, "battery") if one["foot"] == "left"]
        assert [(one["percent"], one["low"]) for one in left] == [(87 if model == "diy" else 90, False), (10, True)]

    def test_the_clock_is_told_within_half_the_round_trip(self) -> None:
        of = world()
        _, messages = session(of, 60.0)
        told = self.notes(messages, "clock")
        assert len(told) >= 10
        for one in told:
            board: Any = of.peripherals[Foot[one["foot"].upper()]].board
            middle_s = (one["sent_ns"] + one["received_ns"]) / 2e9
            assert of.begun_s is not None
            clock_us = (of.true_s(middle_s - of.begun_s) - board._boot_s) * board._gain * 1e6
            error_us = (one["offset_us"] + middle_s * 1e6 - clock_us + 2**31) % 2**32 - 2**31
            assert abs(error_us) <= one["round_trip_us"] / 2 + 50
            assert one["round_trip_us"] < 150_000


class TestEnding:
    def run(self, main: Callable[[World, Radio], Awaitable[T]], of: World) -> T:
        async def inner() -> T:
            return await main(of, radio(of))

        result = virtual_time.run(inner())
        assert all(one.client is None for one in of.peripherals.values())
        return result

    def test_stop_stops_the_sensors_and_may_be_called_again(self) -> None:
        async def main(of: World, one: Radio) -> None:
            await one.connect(10.0)
            assert all(peripheral.client for peripheral in of.peripherals.values())
            await one.stop()
            await one.stop()
            assert [batch async for batch in one.messages()]  # what came until then
            assert not [batch async for batch in one.messages()]

        self.run(main, world())

    def test_a_stopped_sensor_was_told_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        written: list[bytes] = []
        write = Connection.write

        async def spied(self: Connection, channel: str, payload: bytes, response: bool) -> None:
            written.append(payload)
            await write(self, channel, payload, response)

        monkeypatch.setattr(Connection, "write", spied)
        session(world())
        assert written[-2:] == [b"\x02", b"\x02"]

    def test_a_cancelled_reader_leaves_nothing_connected(self) -> None:
        async def main(of: World, one: Radio) -> None:
            await one.connect(10.0)

            async def read() -> None:
                async for _ in one.messages():
                    pass

            reader = asyncio.create_task(read())
            await asyncio.sleep(3.0)
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
            assert all(peripheral.client is None for peripheral in of.peripherals.values())

        self.run(main, world())

    @pytest.mark.parametrize("after_s", [0.1, 0.4, 0.8, 1.5])
    def test_connecting_can_be_cancelled_at_any_moment(self, after_s: float) -> None:
        async def main(of: World, one: Radio) -> None:
            connecting = asyncio.create_task(one.connect(10.0))
            await asyncio.sleep(after_s)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            assert not of.busy

        self.run(main, world([[0, "right", "dead", 100]]))

    def test_a_mistake_of_ours_ends_the_session_and_is_not_hidden(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def mistaken(_: Connection) -> int:
            raise ZeroDivisionError

        monkeypatch.setattr(Connection, "mtu", mistaken)
        with pytest.raises(ZeroDivisionError):
            session(world())

    def test_a_scan_that_the_system_never_answers_keeps_no_sensor_waiting(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        of = world([[5, "left", "cut", 1], [20, "right", "cut", 1]])
        used = backends(of)
        assert used.scanner is not None
        start = used.scanner.start
        frozen = [True]

        async def starts(scanner: BaseBleakScanner) -> None:
            if of.now_s() > 5 and frozen:
                frozen.clear()
                await asyncio.sleep(1e6)
            await start(scanner)

        monkeypatch.setattr(used.scanner, "start", starts)
        monkeypatch.setattr("tests.sources.test_ble.backends", lambda _: used)
        _, messages = session(of, seconds=40.0)
        assert [state for state, _ in links(messages, Foot.LEFT)] == ["connected", "lost", "failed", "back"]
        assert [state for state, _ in links(messages, Foot.RIGHT)] == ["connected", "lost", "back"]

    def test_a_slow_reader_loses_nothing(self) -> None:
        async def main(of: World, one: Radio) -> None:
            heard: list[bytes] = []
            of.heard = lambda *notification: heard.append(notification[2])
            await one.connect(10.0)
            read: list[bytes] = []
            async for batch in one.messages():
                read += [
                    message.payload for message in batch if isinstance(message, Packet) and message.channel != "info"
                ]
                await asyncio.sleep(4.0)
                if of.now_s() > 40.0:
                    await one.stop()
            assert read == heard
            assert len(read) > 1800

        self.run(main, world())


class TestDeadClients:
    """bleak #2002: a dead client that was not disconnected doubles what its successor hears."""

    SCRIPT = ([5, "left", "cut", 0], [10, "left", "cut", 0], [15, "left", "reboot", 1])

    def payloads(self, of: World) -> list[bytes]:
        return [packet.payload for packet in packets(session(of, 30.0)[1], Foot.LEFT)]

    def test_none_is_left_and_nothing_comes_twice(self) -> None:
        of = world(self.SCRIPT)
        payloads = self.payloads(of)
        assert len(set(payloads)) == len(payloads)
        assert not of.peripherals[Foot.LEFT].not_disconnected

    def test_or_else_all_would_come_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The world can tell: with a radio that forgets, packets come twice, three times, four times."""

        async def forgets(self: Connection) -> None:
            pass

        monkeypatch.setattr(Connection, "close", forgets)
        of = world(self.SCRIPT)
        payloads = self.payloads(of)
        assert len(payloads) > 1.5 * len(set(payloads))
        assert len(of.peripherals[Foot.LEFT].not_disconnected) == 3
