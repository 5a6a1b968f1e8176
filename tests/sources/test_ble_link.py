"""What one link does when, on a fake air: waits between attempts, and silence."""

import asyncio
from collections.abc import Callable

import pytest

from sensorrep.devices import witmotion
from sensorrep.errors import RadioError, RadioReason
from sensorrep.model import Foot, Message, Note
from sensorrep.sources import virtual_time
from sensorrep.sources.ble.link import SILENCE_S, Link, LinkState, Wanted, backoff_s
from sensorrep.sources.ble.scripts import Connection


def test_waits_double_up_to_a_limit() -> None:
    assert [backoff_s(failures) for failures in range(1, 8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert backoff_s(10**6) == 8.0


class Silent:
    """A connection to a WitMotion sensor that takes everything and sends only what it is told to."""

    def __init__(self) -> None:
        self.model, self.name, self.address = "witmotion", "WT901BLE68", "51:4D:00:00:00:00"
        self.rssi_dbm: int | None = -60
        self.says_mtu = 247
        self.closed_s: float | None = None

    async def subscribe(self, channel: str) -> None:
        assert channel in witmotion.CHANNELS

    async def write(self, channel: str, payload: bytes, response: bool) -> None:
        assert channel == "command"
        assert payload.startswith(b"\xff\xaa")
        assert not response

    async def read(self, channel: str) -> bytes:
        raise AssertionError(channel)

    async def read_battery(self) -> int | None:
        return None

    def mtu(self) -> int:
        return self.says_mtu

    async def close(self) -> None:
        self.closed_s = asyncio.get_running_loop().time()


class Slow(Silent):
    """One that takes so long to be closed."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def close(self) -> None:
        await asyncio.sleep(self.seconds)
        await super().close()


class Air:
    """Opens what it is given, one after the other; at the end nothing is found."""

    def __init__(self, *connections: Silent) -> None:
        self.opened_s: list[float] = []
        self._connections = iter(connections)

    async def open(self, wanted: Wanted, heard: Callable[[str, bytes], None], lost: Callable[[], None]) -> Connection:
        self.heard, self.lost = heard, lost
        self.opened_s.append(asyncio.get_running_loop().time() - virtual_time.BEGIN_S)
        connection = next(self._connections, None)
        if connection is None:
            raise RadioError(RadioReason.NOT_FOUND, f"{wanted} was not found")
        return connection


def linked(air: Air, seconds: float, meanwhile: Callable[[Link], None] = lambda _: None) -> list[Message]:
    """Messages of a link that runs for so long."""
    messages: list[Message] = []

    async def main() -> None:
        link = Link(
            Wanted(Foot.LEFT, "witmotion", "51:4D", "WT901BLE68"), air, 100.0, messages.append, virtual_time.now_ns
        )
        task = asyncio.create_task(link.run())
        meanwhile(link)
        await asyncio.sleep(seconds)
        await link.stop(task)
        assert task.done()

    virtual_time.run(main())
    return messages


def states(messages: list[Message]) -> list[str]:
    return [one.fields["state"] for one in messages if isinstance(one, Note) and one.kind == "link"]


def test_a_sensor_that_is_not_there_is_looked_for_again_and_again_and_told_once() -> None:
    air = Air()
    messages = linked(air, 40.0)
    assert air.opened_s == pytest.approx([0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 23.5, 31.5, 39.5])
    assert states(messages) == ["missing"]


def test_a_silent_link_is_closed_however_connected_it_says_it_is() -> None:
    connection = Silent()
    messages = linked(Air(connection), 20.0)
    assert states(messages)[:2] == ["connected", "lost"]
    lost = next(one for one in messages if isinstance(one, Note) and one.fields.get("state") == "lost")
    assert "silent" in lost.fields["text"]
    assert connection.closed_s is not None
    # 3 s of that it was asked for its battery, which it does not answer
    assert SILENCE_S <= connection.closed_s - virtual_time.BEGIN_S < SILENCE_S + 1.0


def test_a_lost_link_is_closed_before_the_next_attempt() -> None:
    first, second = Silent(), Silent()
    air = Air(first, second)

    def lose(_: Link) -> None:
        asyncio.get_running_loop().call_later(4.0, lambda: air.lost())

    messages = linked(air, 8.0, lose)
    assert states(messages) == ["connected", "lost", "back"]
    assert first.closed_s is not None
    assert first.closed_s - virtual_time.BEGIN_S < air.opened_s[1]
    assert second.closed_s is not None


def test_a_loss_is_told_before_the_dead_link_is_closed_however_long_that_takes() -> None:
    slow = Slow(5.0)
    air = Air(slow)
    seen: list[LinkState] = []

    def lose(link: Link) -> None:
        asyncio.get_running_loop().call_later(4.0, lambda: air.lost())
        asyncio.get_running_loop().call_later(5.0, lambda: seen.append(link.state))

    lost = [one for one in linked(air, 12.0, lose) if isinstance(one, Note) and one.fields.get("state") == "lost"]
    assert [one.at_ns * 1e-9 for one in lost] == [pytest.approx(virtual_time.BEGIN_S + 4.0)]
    assert not seen[0].connected
    assert seen[0].since_ns * 1e-9 == pytest.approx(virtual_time.BEGIN_S + 4.0)
    assert "was lost" in seen[0].reason
    assert slow.closed_s == pytest.approx(virtual_time.BEGIN_S + 9.0)


def test_a_dead_link_that_is_being_closed_at_the_end_of_the_session_is_closed() -> None:
    slow = Slow(2.0)
    air = Air(slow)

    def lose(_: Link) -> None:
        asyncio.get_running_loop().call_later(4.0, lambda: air.lost())

    linked(air, 4.5, lose)
    assert slow.closed_s == pytest.approx(virtual_time.BEGIN_S + 6.0)


@pytest.mark.parametrize(("length", "said"), [(20, ["failed"]), (40, ["connected"])])
def test_a_link_said_to_be_too_small_is_judged_by_what_comes(
    length: int, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some systems say 23 of any MTU; where packets are cut, they all just fill it."""
    monkeypatch.setattr(witmotion, "MIN_MTU", 43)
    connection = Silent()
    connection.says_mtu = 23
    air = Air(connection)

    def send(_: Link) -> None:
        frames = (bytes.fromhex("5561") + bytes(18)) * (length // 20)
        for at in range(100):
            asyncio.get_running_loop().call_later(0.04 * at + 0.01, lambda: air.heard("frames", frames))

    messages = linked(air, 3.0, send)
    assert states(messages)[:1] == said
    reasons = [one.fields.get("reason") for one in messages if isinstance(one, Note) and one.kind == "link"]
    assert reasons[0] == (None if said == ["connected"] else "mtu_too_small")


def test_a_sensor_too_late_for_live_cues_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witmotion, "LIVE_CUES", False, raising=False)
    notes = [one for one in linked(Air(Silent(), Silent()), 20.0) if isinstance(one, Note) and one.kind == "note"]
    (text,) = (one.fields["text"] for one in notes)
    assert text.startswith("The left sensor sends its samples seconds late")


def test_packets_that_come_while_a_script_runs_are_handed_on_as_well() -> None:
    air = Air(Silent())
    frame = bytes.fromhex("5561") + bytes(18)

    def send(_: Link) -> None:
        for at in range(20):
            asyncio.get_running_loop().call_later(0.1 * at + 0.01, lambda: air.heard("frames", frame))

    messages = linked(air, 3.0, send)
    assert sum(message[2] == "frames" for message in messages if not isinstance(message, Note)) == 20
