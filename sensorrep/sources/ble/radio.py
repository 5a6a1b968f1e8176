"""Two sensors as one source of messages, and scanning for them."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from sensorrep.errors import PayloadError, RadioError, RadioReason
from sensorrep.model import Foot, Message, Note, Packet, SensorInfo
from sensorrep.sources.ble.connection import PLATFORM, Backends, Connection, Found, recognised, told
from sensorrep.sources.ble.link import NO_RADIO, Link, LinkState, Wanted
from sensorrep.sources.ble.scripts import Scripts, read_battery

SCAN_S: Final = 5.0
"""How long a sensor is looked for at a time: they advertise about once a second, and half of that is missed."""
LEAST_SCAN_S: Final = 0.1
ANSWER_S: Final = 5.0
"""How long the system may take to begin and to end a scan. A frozen service never answers, and whoever waits for it
keeps the other sensor waiting as well."""
BATTERY_S: Final = 8.0
"""How long a sensor may take to be connected to and to tell its battery."""
FRESH_S: Final = 10.0
"""A device seen longer ago may be gone from the system's memory (#676, #713): look again before connecting."""
BATCH_S: Final = 0.02
"""Messages are handed over 50 times a second at most. Larger: every count comes later by as much."""
HOPELESS: Final = (*NO_RADIO, RadioReason.NO_PERMISSION)
"""Reasons that a session should not begin with: waiting mends nothing."""


async def scan(seconds: float, backend: Backends = PLATFORM) -> list[Found]:
    """All sensors of known models in reach, the nearest first. Raises RadioError where there is no radio to ask."""
    with _answered():
        async with asyncio.timeout(seconds + ANSWER_S), BleakScanner(backend=backend.scanner) as scanner:
            await asyncio.sleep(seconds)
    seen = scanner.discovered_devices_and_advertisement_data.values()
    found = [one for pair in seen if (one := recognised(*pair)) is not None]
    return sorted(found, key=lambda one: (-(one.rssi_dbm or -999), one.address))


async def with_battery(found: Found, backend: Backends = PLATFORM) -> Found:
    """The same with what its battery has left: connects for a moment, since no sensor advertises it."""
    scripts: Scripts

    def heard(channel: str, payload: bytes) -> None:
        scripts.hear(Packet(0, Foot.LEFT, channel, payload))

    connection = Connection(found.name, found, backend.client, heard, lambda: None)
    scripts = Scripts(found.name, connection, lambda *_: None)
    with suppress(RadioError, PayloadError, TimeoutError):
        async with asyncio.timeout(BATTERY_S):
            try:
                await connection.open()
                return replace(found, battery_pct=await read_battery(connection, scripts))
            finally:
                await connection.close()
    return found


class Radio:
    """Two sensors as one source of messages, in the order in which they arrived: `connect`, `messages`, `stop`.

    A sensor that is lost is looked for until the session ends, while the other goes on; every packet that arrives
    comes out, and notes say what happens to the links. Nothing is dropped however slow the reader is.
    """

    def __init__(
        self,
        wanted: Mapping[Foot, Wanted],
        *,
        rate_hz: float,
        backends: Backends = PLATFORM,
        now_ns: Callable[[], int] = time.perf_counter_ns,
        batch_s: float = BATCH_S,
    ) -> None:
        """`batch_s`: messages are handed over that often at most; larger where nobody watches."""
        if not wanted:
            raise ValueError("a session needs at least one sensor")
        air = _Air(backends)
        self._links = {foot: Link(one, air, rate_hz, self._put, now_ns) for foot, one in sorted(wanted.items())}
        self._tasks: dict[Foot, asyncio.Task[None]] = {}
        self._queue: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._ended = False
        self._batch_s = batch_s
        self._tell: Callable[[Note], None] | None = None

    @property
    def state(self) -> Mapping[Foot, LinkState]:
        """How each link is now."""
        return {foot: link.state for foot, link in self._links.items()}

    async def connect(self, timeout_s: float, tell: Callable[[Note], None] = lambda _: None) -> dict[Foot, SensorInfo]:
        """Connect and start the sensors; returns what a recording's header says of them.

        Notes are told as they come, for people who wait; all of them come out of `messages` later.

        Returns as soon as all stream, or after `timeout_s`. A foot whose sensor did not come is in it with empty info:
        it is picked up when it comes, and its info with it. Raises RadioError where no sensor streams, at once where
        the radio itself is missing, off or forbidden.
        """
        self._tell = tell
        for foot, link in self._links.items():
            task = asyncio.create_task(link.run(), name=f"{foot.word} sensor")
            task.add_done_callback(lambda _: self._wake.set())
            self._tasks[foot] = task
        try:
            await self._first(timeout_s)
            errors = [link.error for link in self._links.values() if link.error is not None]
            if not any(link.streaming for link in self._links.values()):
                raise _worst(errors, timeout_s)
        except BaseException:
            await self.stop()
            raise
        finally:
            self._tell = None
        return {
            foot: link.info or SensorInfo(link.wanted.model, link.wanted.name) for foot, link in self._links.items()
        }

    async def _first(self, timeout_s: float) -> None:
        """Wait until all links stream, the radio turns out to be hopeless, or the time is over."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + timeout_s
        while loop.time() < until_s and not all(link.streaming for link in self._links.values()):
            self._raise_failure()
            if any(link.error is not None and link.error.reason in HOPELESS for link in self._links.values()):
                return
            await self._wait(min(until_s - loop.time(), 0.1))

    async def messages(self) -> AsyncIterator[Sequence[Message]]:
        """All that came since `connect` began, and comes until `stop`, in batches."""
        try:
            while True:
                if self._queue:
                    batch = list(self._queue)
                    self._queue.clear()
                    yield batch
                self._raise_failure()
                if self._ended and not self._queue:
                    return
                if not self._queue:
                    await self._wait(None)
                if not self._ended:
                    await asyncio.sleep(self._batch_s)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Stop the sensors and close the links; afterwards `messages` ends. May be called again, and at any time."""
        tasks, self._tasks = self._tasks, {}
        try:
            stopped = (self._links[foot].stop(task) for foot, task in tasks.items())
            for failure in await asyncio.gather(*stopped, return_exceptions=True):
                if failure is not None:
                    raise failure
        finally:
            for task in tasks.values():
                task.cancel()
            self._ended = True
            self._wake.set()

    def _put(self, message: Message) -> None:
        self._queue.append(message)
        if self._tell is not None and isinstance(message, Note):
            self._tell(message)
        self._wake.set()

    async def _wait(self, seconds: float | None) -> None:
        """Until a message comes or a link's task ends."""
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def _raise_failure(self) -> None:
        """A link's task ends by itself only through a mistake of ours: don't hide it."""
        for task in self._tasks.values():
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error


@contextmanager
def _answered() -> Iterator[None]:
    """`told` for a scan, which needs no sensor to come in time: only the system is slow."""
    with told("the scan"):
        try:
            yield
        except TimeoutError:
            raise RadioError(RadioReason.NO_SERVICE, "Bluetooth does not answer") from None


def _worst(errors: Sequence[RadioError], timeout_s: float) -> RadioError:
    """Of why no sensor streams, what the person can best do something about."""
    if not errors:
        return RadioError(RadioReason.NOT_FOUND, f"no sensor could be connected in {timeout_s:g} s")
    if len(errors) > 1 and all(error.reason is RadioReason.NOT_FOUND for error in errors):
        return RadioError(RadioReason.NOT_FOUND, "neither sensor was found")
    return min(errors, key=lambda error: error.reason is RadioReason.NOT_FOUND)


class _Air:
    """Finds and connects sensors, one thing at a time: scans and connections collide (#361, #694, #1689)."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._lock = asyncio.Lock()
        self._sought: dict[Foot, Wanted] = {}
        self._seen: dict[Foot, tuple[float, Found]] = {}
        self._taken: dict[Foot, str] = {}
        """Address of the sensor that a foot has, or is about to have."""

    async def open(self, wanted: Wanted, heard: Callable[[str, bytes], None], lost: Callable[[], None]) -> Connection:
        """Find and connect a sensor. Raises RadioError."""
        self._sought[wanted.foot] = wanted
        self._taken.pop(wanted.foot, None)
        try:
            found = await self._find(wanted)
            async with self._lock:
                connection = Connection(str(wanted), found, self._backends.client, heard, lost)
                await connection.open()
        except BaseException:
            self._taken.pop(wanted.foot, None)
            raise
        finally:
            self._sought.pop(wanted.foot, None)
        return connection

    async def _find(self, wanted: Wanted) -> Found:
        """The wanted sensor, seen just now. A scan ends once it saw any that is sought, so that its link may go on."""
        loop = asyncio.get_running_loop()
        left_s = SCAN_S
        while True:
            async with self._lock:
                at_s, found = self._seen.pop(wanted.foot, (-FRESH_S, None))
                if found is not None and loop.time() - at_s < FRESH_S and self._is_free(wanted.foot, found):
                    self._taken[wanted.foot] = found.address
                    return found
                if left_s < LEAST_SCAN_S:
                    raise RadioError(RadioReason.NOT_FOUND, f"{wanted} was not found")
                begun_s = loop.time()
                await self._scan(left_s)
                left_s -= loop.time() - begun_s

    async def _scan(self, seconds: float) -> None:
        any_seen = asyncio.Event()

        def detected(device: BLEDevice, advertised: AdvertisementData) -> None:
            found = recognised(device, advertised)
            if found is None:
                return
            for foot, wanted in self._sought.items():
                if _fits(wanted, found) and self._is_free(foot, found):
                    self._seen[foot] = (asyncio.get_running_loop().time(), found)
                    any_seen.set()

        with _answered():
            async with asyncio.timeout(seconds + ANSWER_S), BleakScanner(detected, backend=self._backends.scanner):
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await any_seen.wait()

    def _is_free(self, foot: Foot, found: Found) -> bool:
        """Whether no other foot has this sensor, as it would where both are said to have the same."""
        return all(address != found.address for other, address in self._taken.items() if other is not foot)


def _fits(wanted: Wanted, found: Found) -> bool:
    return wanted.model == found.model and wanted.address.lower() == found.address.lower()
