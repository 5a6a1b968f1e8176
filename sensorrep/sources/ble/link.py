"""One sensor's link: find, connect, start, watch, lost, close, wait, again. Knows no Bluetooth library: see `Air`.

A link is one task that lasts as long as the session. What the sensor sends is stamped and handed on at once, notes on
what happens to the link come in between.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sensorrep.devices import Device, device
from sensorrep.errors import PayloadError, RadioError, RadioReason
from sensorrep.model import LOW_BATTERY_PCT, Foot, Message, Note, Packet, SensorInfo
from sensorrep.sources.ble.scripts import Connection, Scripts, read_battery

SILENCE_S: Final = 5.0
"""A link that brings nothing for so long is closed, whatever the system says of it: `is_connected` stayed true for as
long as anybody waited when the system's Bluetooth service had been killed. Smaller: a stall of the radio (1.5 s
measured) would cost its backlog. Larger: a dead sensor goes unnoticed for longer."""
FIRST_BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 8.0
"""Larger: a sensor that returns is picked up later. Smaller: looking for it disturbs the other sensor's link more."""
NO_RADIO: Final = (RadioReason.NO_ADAPTER, RadioReason.NO_SERVICE, RadioReason.ADAPTER_OFF)
"""Without a radio looking for a sensor disturbs no other: it is tried again after the first wait each time."""
STEADY_S: Final = 10.0
"""A link that held for so long was a good one: after it the first wait is short again."""
STOP_S: Final = 3.0
"""How long a sensor may take to stop when the session ends."""
PING_EVERY_S: Final = 10.0
BATTERY_EVERY_S: Final = 60.0
CUT_PACKETS: Final = 3
"""So many packets that just fill a small MTU, and none that is longer, were cut to fit it."""
WHOLE_S: Final = 1.5
"""How long a whole packet is waited for where the system says that the link is too small for it. A sensor that sends
nothing for so long is believed."""
TOO_LATE: Final = (
    "sends its samples seconds late: it records well, but count and bars come too late to follow (the report does not)"
)
LATEST: Final = 64
"""Packets over which the rate is measured for people to see."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sensor belongs on a foot: the one of this address; what it calls itself is for people."""

    foot: Foot
    model: str
    address: str
    name: str

    def __str__(self) -> str:
        return f"the {self.foot.word} sensor ({self.name or self.address})"


@dataclass(frozen=True, slots=True)
class LinkState:
    """How a link is just now, for people to see."""

    connected: bool
    since_ns: int
    """Since when it is, or is not."""
    reason: str = ""
    """Why it is not: a line with a hint."""
    packets_per_s: float = 0.0
    last_packet_age_s: float | None = None
    battery_pct: int | None = None
    rssi_dbm: int | None = None
    """As of the last scan."""
    name: str = ""


class Air(Protocol):
    """Where sensors are found. `open` raises RadioError."""

    async def open(  # noqa: D102
        self, wanted: Wanted, heard: Callable[[str, bytes], None], lost: Callable[[], None]
    ) -> Connection: ...


def backoff_s(failures: int) -> float:
    """Wait after so many failures in a row: doubling up to a limit, the same each time."""
    return float(min(FIRST_BACKOFF_S * 2.0 ** min(failures - 1, 16), MAX_BACKOFF_S))


class Link:
    """Keeps one sensor connected and streaming. `info` is what its start said, once it has been started."""

    def __init__(
        self, wanted: Wanted, air: Air, rate_hz: float, emit: Callable[[Message], None], now_ns: Callable[[], int]
    ) -> None:
        self.wanted = wanted
        self.info: SensorInfo | None = None
        self.error: RadioError | None = None
        """What went wrong last, while it is not streaming."""
        self.streaming = False
        self._air, self._rate_hz, self._emit, self._now_ns = air, rate_hz, emit, now_ns
        self._scripts: Scripts | None = None
        self._wake = asyncio.Event()
        self._lost = self._stopping = self._closing = False
        self._held = False
        """Whether the last connection was a good one."""
        self._cut_length: int | None = None
        self._cut = 0
        self._latest_ns: deque[int] = deque(maxlen=LATEST)
        self._since_ns = now_ns()
        self._heard_ns: int | None = None
        self._alive_ns = 0
        """When it was heard last, or connected since."""
        self._battery_pct: int | None = None
        self._rssi_dbm: int | None = None

    @property
    def state(self) -> LinkState:
        """How the link is now."""
        now_ns = self._now_ns()
        latest = [at_ns for at_ns in self._latest_ns if now_ns - at_ns < 2_000_000_000]
        span_ns = now_ns - latest[0] if latest else 0
        return LinkState(
            connected=self.streaming,
            since_ns=self._since_ns,
            reason=str(self.error) if self.error and not self.streaming else "",
            packets_per_s=len(latest) / (span_ns * 1e-9) if span_ns > 500_000_000 else 0.0,
            last_packet_age_s=None if self._heard_ns is None else (now_ns - self._heard_ns) * 1e-9,
            battery_pct=self._battery_pct,
            rssi_dbm=self._rssi_dbm,
            name=self.info.name if self.info else self.wanted.name,
        )

    async def run(self) -> None:
        """Keep the sensor connected until `stop`, or until cancelled."""
        failures = 0
        while not self._stopping:
            try:
                await self._connect_and_stream()
            except RadioError as error:
                self._failed(error)
            no_radio = self.error is not None and self.error.reason in NO_RADIO
            failures = 1 if self._held or no_radio else failures + 1
            if not self._stopping:
                await asyncio.sleep(backoff_s(failures))
        self.streaming = False

    async def stop(self, task: asyncio.Task[None]) -> None:
        """End `run`, which is `task`: stop the sensor where it streams, and close the link."""
        self._stopping = True
        self._wake.set()
        if not self.streaming and not self._closing:
            task.cancel()
        await asyncio.wait([task], timeout=3 * STOP_S)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _connect_and_stream(self) -> None:
        """One connection from beginning to end."""
        self._lost, self._held, self._cut, self._cut_length = False, False, 0, None
        connection = await self._air.open(self.wanted, self._hear, self._lose)
        self._rssi_dbm, self._alive_ns = connection.rssi_dbm, self._now_ns()
        self._scripts = scripts = Scripts(str(self.wanted), connection, self._read)
        try:
            sensor = device(connection.model)
            await self._start(connection, sensor, scripts)
            await self._watch(connection, sensor, scripts)
            with suppress(RadioError, PayloadError, TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await scripts.run(sensor.stop())
        except PayloadError as error:
            self._failed(RadioError(RadioReason.WRONG_FIRMWARE, f"{self.wanted}: {error}"))
        except RadioError as error:
            self._failed(error)  # said first: closing a dead link can take seconds
        finally:
            self._scripts, self._closing = None, True
            await connection.close()
            self._closing = False

    async def _start(self, connection: Connection, sensor: Device, scripts: Scripts) -> None:
        if connection.mtu() < sensor.MIN_MTU:
            self._cut_length = connection.mtu() - 3
        info = await scripts.run(sensor.start(self._rate_hz))
        before, self.info = self.info, SensorInfo(connection.model, connection.name, info)
        if "info" not in sensor.CHANNELS and (before is None or before.info != info):
            self._emit(Packet(self._now_ns(), self.wanted.foot, "info", info))
        await self._see_whole_packets()
        self.streaming, self.error = True, None
        self._since_ns = self._alive_ns = self._now_ns()
        self._latest_ns.clear()
        self._note("link", state="connected" if before is None else "back", name=connection.name)
        if before is None and not getattr(sensor, "LIVE_CUES", True):
            self._note("note", text=f"The {self.wanted.foot.word} sensor {TOO_LATE}")

    async def _watch(self, connection: Connection, sensor: Device, scripts: Scripts) -> None:
        """Stay until `stop`. Raises RadioError once the link is no good, however long a question goes unanswered."""
        asking = asyncio.create_task(self._ask(connection, sensor, scripts))
        asking.add_done_callback(lambda _: self._wake.set())
        try:
            while not self._stopping and not asking.done():
                self._judge()
                until_ns = self._alive_ns + int(SILENCE_S * 1e9)
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(until_ns - self._now_ns(), 0) * 1e-9):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            asking.cancel()
            await asyncio.wait([asking])
        if not asking.cancelled():
            asking.result()  # it ends by itself only through a mistake of ours

    async def _ask(self, connection: Connection, sensor: Device, scripts: Scripts) -> None:
        """Ask for clock and battery now and then."""
        battery_ns = self._now_ns()
        while True:
            if self._now_ns() >= battery_ns:
                battery_ns += int(BATTERY_EVERY_S * 1e9)
                await self._look_at_battery(connection, scripts)
            await self._ping(sensor, scripts)
            await asyncio.sleep(PING_EVERY_S)

    async def _see_whole_packets(self) -> None:
        """Where packets may be too long for the link, wait until one came whole. Raises RadioError where none does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(WHOLE_S):
                while self._cut_length is not None and self._cut < CUT_PACKETS and not self._lost:
                    await self._wake.wait()
                    self._wake.clear()
        self._judge()

    def _judge(self) -> None:
        """Raises RadioError where the link is lost, cuts packets off, or is silent."""
        if self._lost:
            raise RadioError(RadioReason.LINK_FAILED, f"{self.wanted} was lost")
        if self._cut >= CUT_PACKETS:
            raise RadioError(RadioReason.MTU_TOO_SMALL, f"{self.wanted} sends packets that arrive cut off")
        if self._now_ns() - self._alive_ns >= SILENCE_S * 1e9:
            raise RadioError(RadioReason.LINK_FAILED, f"{self.wanted} is connected but silent")

    async def _look_at_battery(self, connection: Connection, scripts: Scripts) -> None:
        """Note the battery's charge when it changed; sensors need not say it."""
        with suppress(RadioError, PayloadError):
            percent = await read_battery(connection, scripts)
            if percent is not None and percent != self._battery_pct:
                self._battery_pct = percent
                self._note("battery", percent=percent, low=percent <= LOW_BATTERY_PCT)

    async def _ping(self, sensor: Any, scripts: Scripts) -> None:
        """Note a sensor's clock against ours, where it can be asked (as NTP does: half the round trip is unknown)."""
        if not hasattr(sensor, "clock"):
            return
        sent_ns = self._now_ns()
        with suppress(RadioError, PayloadError):
            answer = await scripts.run(sensor.clock(sent_ns & 0xFFFFFFFF))
            found = sensor.parse_ping(answer, sent_ns, scripts.answer_ns)
            self._note(
                "clock", sent_ns=sent_ns, received_ns=scripts.answer_ns, offset_us=found.offset_us,
                round_trip_us=round(found.round_trip_us, 1),
            )  # fmt: skip

    def _hear(self, channel: str, payload: bytes) -> None:
        """Take in what the sensor sends. Called by the Bluetooth library: the stamp comes first."""
        packet = Packet(self._now_ns(), self.wanted.foot, channel, payload)
        self._emit(packet)
        self._heard_ns = self._alive_ns = packet.received_ns
        self._latest_ns.append(packet.received_ns)
        if self._scripts is not None:
            self._scripts.hear(packet)
        if self._cut_length is not None:
            self._suspect(len(payload), self._cut_length)

    def _read(self, channel: str, payload: bytes) -> None:
        """What was read belongs to the recording as well: it may say what the numbers mean."""
        self._emit(Packet(self._now_ns(), self.wanted.foot, channel, payload))

    def _suspect(self, length: int, cut_length: int) -> None:
        """Whether packets arrive whole is seen by their lengths: some systems say 23 of any MTU (BlueZ before 5.62)."""
        if length > cut_length:
            self._cut_length, self._cut = None, 0
            self._wake.set()
        elif length == cut_length:
            self._cut += 1
            self._wake.set()

    def _lose(self) -> None:
        """The library says that the link is gone."""
        self._lost = True
        self._wake.set()

    def _failed(self, error: RadioError) -> None:
        """Say what went wrong, once."""
        reason = error.reason.name.lower()
        if self.streaming:
            now_ns = self._now_ns()
            self._held = now_ns - self._since_ns >= STEADY_S * 1e9
            self.streaming, self._since_ns = False, now_ns
            self._note("link", state="lost", reason=reason, text=str(error))
        elif self.error is None or str(error) != str(self.error):
            state = "missing" if error.reason is RadioReason.NOT_FOUND else "failed"
            self._note("link", state=state, reason=reason, text=str(error))
        self.error = error

    def _note(self, kind: str, **fields: object) -> None:
        self._emit(Note(self._now_ns(), kind, {"foot": self.wanted.foot.word, **fields}))
