"""The real radio, through bleak: scan, and two sensors' packets as a source of messages (DESIGN 9).

What fails is RadioError, with a reason and a hint. The facts behind the rules are measured or from bleak's issues,
whose numbers are given; tests and `--simulate` put other backends in (`World`) and change nothing else.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakError,
)

from sensorrep.devices import MODELS, device
from sensorrep.errors import PayloadError, RadioError, RadioReason
from sensorrep.model import Foot, SensorInfo
from sensorrep.sources.link import Link, LinkState, Message, Wanted

__all__ = ["PLATFORM", "Backends", "Found", "LinkState", "Message", "Radio", "Wanted", "scan"]

SCAN_S: Final = 5.0
"""How long a sensor is looked for at a time: they advertise about once a second, and half of that is missed."""
FRESH_S: Final = 10.0
"""A device seen longer ago may be gone from the system's memory (#676, #713): look again before connecting."""
CONNECT_S: Final = 15.0
"""The other sensor waits meanwhile. bleak's own limit of 30 s is long for a sensor that lies within reach."""
GATT_S: Final = 5.0
CLOSE_S: Final = 5.0
"""Windows may take minutes to disconnect (PR #974): don't wait for it."""
BATCH_S: Final = 0.02
"""Messages are handed over 50 times a second at most. Larger: every count comes later by as much."""
BATTERY_LEVEL: Final = "00002a19-0000-1000-8000-00805f9b34fb"
HOPELESS: Final = (RadioReason.NO_ADAPTER, RadioReason.ADAPTER_OFF, RadioReason.NO_PERMISSION)
"""Reasons that a session should not begin with: waiting mends nothing."""

_UNAVAILABLE: Final = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: RadioReason.NO_ADAPTER,
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: RadioReason.NO_ADAPTER,
    BleakBluetoothNotAvailableReason.POWERED_OFF: RadioReason.ADAPTER_OFF,
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: RadioReason.NO_PERMISSION,
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: RadioReason.NO_PERMISSION,
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: RadioReason.NO_PERMISSION,
    BleakBluetoothNotAvailableReason.UNKNOWN: RadioReason.NO_ADAPTER,
}

_T = TypeVar("_T")


class Backends(NamedTuple):
    """Which radio: bleak's backend classes, the system's own where None."""

    client: type[BaseBleakClient] | None = None
    scanner: type[BaseBleakScanner] | None = None


PLATFORM: Final = Backends()


@dataclass(frozen=True, slots=True)
class Found:
    """A sensor that a scan saw. Connect with `device`, never with the address: on macOS that is no address, and
    connecting two by address string collides (#1036)."""

    address: str
    name: str
    model: str
    rssi_dbm: int | None
    device: BLEDevice


async def scan(seconds: float, backend: Backends = PLATFORM) -> list[Found]:
    """All sensors of known models in reach, the nearest first. Raises RadioError where there is no radio to ask."""
    with _told("the scan"):
        async with BleakScanner(backend=backend.scanner) as scanner:
            await asyncio.sleep(seconds)
    seen = scanner.discovered_devices_and_advertisement_data.values()
    found = [one for pair in seen if (one := _found(*pair)) is not None]
    return sorted(found, key=lambda one: (-(one.rssi_dbm or -999), one.address))


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
        world: Backends = PLATFORM,
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        if not wanted:
            raise ValueError("a session needs at least one sensor")
        air = _Air(world)
        self._links = {foot: Link(one, air, rate_hz, self._put, now_ns) for foot, one in sorted(wanted.items())}
        self._tasks: dict[Foot, asyncio.Task[None]] = {}
        self._queue: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._ended = False

    @property
    def state(self) -> Mapping[Foot, LinkState]:
        """How each link is now."""
        return {foot: link.state for foot, link in self._links.items()}

    async def connect(self, timeout_s: float) -> dict[Foot, SensorInfo]:
        """Connect and start the sensors; returns what a recording's header says of them.

        Returns as soon as all stream, or after `timeout_s` with those that do. A foot whose sensor did not come, but
        whose model is known, is in it with empty info: it is picked up when it comes, and its info with it. Raises
        RadioError where no sensor streams, at once where the radio itself is missing, off or forbidden.
        """
        for foot, link in self._links.items():
            task = asyncio.create_task(link.run(), name=f"{foot.word} sensor")
            task.add_done_callback(lambda _: self._wake.set())
            self._tasks[foot] = task
        try:
            await self._first(timeout_s)
            errors = [link.error for link in self._links.values() if link.error is not None]
            if not any(link.streaming for link in self._links.values()):
                missing = RadioError(RadioReason.NOT_FOUND, f"no sensor could be connected in {timeout_s:g} s")
                raise min(errors, key=lambda error: error.reason is RadioReason.NOT_FOUND, default=missing)
        except BaseException:
            await self.stop()
            raise
        return {
            foot: link.info or SensorInfo(link.wanted.model or "", link.wanted.name or "")
            for foot, link in self._links.items()
            if link.info is not None or link.wanted.model is not None
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
                    await asyncio.sleep(BATCH_S)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Stop the sensors and close the links; afterwards `messages` ends. May be called again, and at any time."""
        tasks, self._tasks = self._tasks, {}
        try:
            await asyncio.gather(*(self._links[foot].stop(task) for foot, task in tasks.items()))
        finally:
            for task in tasks.values():
                task.cancel()
            self._ended = True
            self._wake.set()

    def _put(self, message: Message) -> None:
        self._queue.append(message)
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


class _Air:
    """Finds and connects sensors, one thing at a time: scans and connections collide (#361, #694, #1689)."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._lock = asyncio.Lock()
        self._sought: dict[Foot, Wanted] = {}
        self._seen: dict[Foot, tuple[float, Found]] = {}
        self._taken: dict[Foot, str] = {}

    async def open(
        self, wanted: Wanted, heard: Callable[[str, bytes], None], lost: Callable[[], None]
    ) -> "_Connection":
        """Find and connect a sensor. Raises RadioError."""
        self._sought[wanted.foot] = wanted
        try:
            found = await self._find(wanted)
            async with self._lock:
                connection = _Connection(wanted, found, self._backends.client, heard, lost)
                await connection.open()
        finally:
            self._sought.pop(wanted.foot, None)
        self._taken[wanted.foot] = found.address
        return connection

    async def _find(self, wanted: Wanted) -> Found:
        """The wanted sensor, seen just now. A scan ends once it saw any that is sought, so that its link may go on."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + SCAN_S
        while True:
            async with self._lock:
                at_s, found = self._seen.pop(wanted.foot, (-FRESH_S, None))
                if found is not None and loop.time() - at_s < FRESH_S:
                    return found
                if loop.time() >= until_s:
                    raise RadioError(RadioReason.NOT_FOUND, f"{wanted} was not found")
                await self._scan(until_s - loop.time())

    async def _scan(self, seconds: float) -> None:
        any_seen = asyncio.Event()

        def detected(device: BLEDevice, advertised: AdvertisementData) -> None:
            found = _found(device, advertised)
            if found is None:
                return
            for foot, wanted in self._sought.items():
                others = [address for other, address in self._taken.items() if other is not foot]
                if _fits(wanted, found) and found.address not in others:
                    self._seen[foot] = (asyncio.get_running_loop().time(), found)
                    any_seen.set()

        with _told("the scan"):
            async with BleakScanner(detected, backend=self._backends.scanner):
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await any_seen.wait()


class _Connection:
    """A bleak client in the words of `link.Connection`."""

    def __init__(
        self,
        wanted: Wanted,
        found: Found,
        backend: type[BaseBleakClient] | None,
        heard: Callable[[str, bytes], None],
        lost: Callable[[], None],
    ) -> None:
        self.model, self.name, self.rssi_dbm = found.model, found.name, found.rssi_dbm
        self._wanted = wanted
        self._channels = device(found.model).CHANNELS
        self._heard, self._lost = heard, lost
        self._closing = False  # the callback comes for our own disconnect as well (#314)
        self._client = BleakClient(found.device, self._disconnected, timeout=CONNECT_S, backend=backend)

    async def open(self) -> None:
        """Connect; a client that fails is closed as well."""
        try:
            await self._do("did not connect", self._client.connect(), CONNECT_S + GATT_S)
        except BaseException:
            await self.close()
            raise

    async def subscribe(self, channel: str) -> None:
        """Enable notifications: a plain callback, since each call of a coroutine would be a task of its own."""

        def notified(_: BleakGATTCharacteristic, payload: bytearray) -> None:
            self._heard(channel, bytes(payload))

        await self._do("refused notifications", self._client.start_notify(self._channels[channel], notified))

    async def write(self, channel: str, payload: bytes, response: bool) -> None:
        """Write to a channel."""
        await self._do("refused a command", self._client.write_gatt_char(self._channels[channel], payload, response))

    async def read(self, channel: str) -> bytes:
        """Read a channel."""
        return bytes(await self._do("could not be read", self._client.read_gatt_char(self._channels[channel])))

    async def read_battery(self) -> int | None:
        """Per cent by the standard service; None where it is not offered (older BlueZ keeps it to itself, #104)."""
        with _told(str(self._wanted)):
            if self._client.services.get_characteristic(BATTERY_LEVEL) is None:
                return None
        level = await self._do("did not tell its battery", self._client.read_gatt_char(BATTERY_LEVEL))
        return min(level[0], 100) if level else None

    def mtu(self) -> int:
        """ATT MTU as far as the system tells: `mtu_size` is always 23 on BlueZ, the size of a write is not (#1586)."""
        with _told(str(self._wanted)):
            found = self._client.services.characteristics.values()
            return 3 + max((one.max_write_without_response_size for one in found), default=20)

    async def close(self) -> None:
        """Disconnect, also a dead client: else all its notifications come twice after the next connect (#2002)."""
        self._closing = True
        with suppress(RadioError):
            await self._do("did not disconnect", self._client.disconnect(), CLOSE_S)

    async def _do(self, what: str, work: Awaitable[_T], seconds: float = GATT_S) -> _T:
        with _told(f"{self._wanted} {what}"):
            async with asyncio.timeout(seconds):
                return await work

    def _disconnected(self, _: BleakClient) -> None:
        if not self._closing:
            self._lost()


def _found(device_: BLEDevice, advertised: AdvertisementData) -> Found | None:
    """What was seen, if it is a sensor of a known model."""
    name = advertised.local_name or device_.name
    for model in MODELS:
        if device(model).recognises(name, advertised.service_uuids):
            return Found(device_.address, name or device_.address, model, advertised.rssi, device_)
    return None


def _fits(wanted: Wanted, found: Found) -> bool:
    """Whether it is the sensor: by address if that is known, else by name, else any of the model."""
    if wanted.model is not None and wanted.model != found.model:
        return False
    if wanted.address is not None:
        return wanted.address.lower() == found.address.lower()
    return wanted.name is None or wanted.name == found.name


@contextmanager
def _told(who: str) -> Iterator[None]:
    """Turn what bleak and the system below raise into RadioError."""
    try:
        yield
    except (BleakError, OSError, EOFError, PayloadError) as error:
        raise _radio_error(who, error) from error


def _radio_error(who: str, error: Exception) -> RadioError:
    match error:
        case BleakBluetoothNotAvailableError():
            return RadioError(_UNAVAILABLE[error.reason], "Bluetooth cannot be used")
        case BleakCharacteristicNotFoundError():
            return RadioError(RadioReason.WRONG_FIRMWARE, f"{who}: characteristic {error.char_specifier} is missing")
        case BleakDBusError() if error.dbus_error.endswith((".AccessDenied", ".NotPermitted", ".NotAuthorized")):
            return RadioError(RadioReason.NO_PERMISSION, "Bluetooth cannot be used")
        case BleakDBusError() if error.dbus_error.endswith((".NotReady", ".NotPowered")):
            return RadioError(RadioReason.ADAPTER_OFF, "Bluetooth cannot be used")
        case BleakDBusError() if error.dbus_error.endswith(".ServiceUnknown"):
            return RadioError(RadioReason.NO_ADAPTER, "the system's Bluetooth service is not running")
        case PermissionError():
            return RadioError(RadioReason.NO_PERMISSION, "Bluetooth cannot be used")
        case FileNotFoundError() | ConnectionRefusedError():  # there is no bus to ask for Bluetooth
            return RadioError(RadioReason.NO_ADAPTER, "the system's Bluetooth service is not running")
        case TimeoutError():
            return RadioError(RadioReason.LINK_FAILED, f"{who} in time")
        case _:
            return RadioError(RadioReason.LINK_FAILED, f"{who} ({error})")
