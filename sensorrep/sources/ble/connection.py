"""Sensors as bleak sees them: what an advertisement is, one open connection, and its errors in our words."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from bleak import BleakClient
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
from sensorrep.errors import RadioError, RadioReason

CONNECT_S: Final = 15.0
"""The other sensor waits meanwhile. bleak's own limit of 30 s is long for a sensor that lies within reach."""
GATT_S: Final = 5.0
CLOSE_S: Final = 5.0
"""Windows may take minutes to disconnect (PR #974): don't wait for it."""
BATTERY_LEVEL: Final = "00002a19-0000-1000-8000-00805f9b34fb"

_UNAVAILABLE: Final = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: RadioReason.NO_ADAPTER,
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: RadioReason.NO_ADAPTER,
    BleakBluetoothNotAvailableReason.POWERED_OFF: RadioReason.ADAPTER_OFF,
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: RadioReason.NO_PERMISSION,
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: RadioReason.NO_PERMISSION,
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: RadioReason.NO_PERMISSION,
    BleakBluetoothNotAvailableReason.UNKNOWN: RadioReason.NO_ADAPTER,
}

OVERTAKEN: Final = (AssertionError, KeyError, ValueError)
"""Raised by bleak and the bus library where a lost link or bus has made untrue what they rely on: `assert self._bus`,
the properties of a device that is gone, notifications that are "already started" (macOS, #1969), a bus that refuses to
be spoken to. They must not end the other foot's session. The same raised by code of ours is a mistake of ours."""

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
    battery_pct: int | None = None
    """None until it was asked for, and where the sensor does not say."""


def recognised(device_: BLEDevice, advertised: AdvertisementData) -> Found | None:
    """What was seen, if it is a sensor of a known model."""
    name = advertised.local_name or device_.name
    for model in MODELS:
        if device(model).recognises(name, advertised.service_uuids):
            return Found(device_.address, name or device_.address, model, advertised.rssi, device_)
    return None


class Connection:
    """An open bleak client, as `scripts.Connection` asks for it; `who` is what errors call the sensor."""

    def __init__(
        self,
        who: str,
        found: Found,
        backend: type[BaseBleakClient] | None,
        heard: Callable[[str, bytes], None],
        lost: Callable[[], None],
    ) -> None:
        self.model, self.name, self.address, self.rssi_dbm = found.model, found.name, found.address, found.rssi_dbm
        self._who = who
        self._channels = device(found.model).CHANNELS
        self._heard, self._lost = heard, lost
        # The callback comes for our own disconnect as well (#314), and on BlueZ for a first attempt that broke off at
        # once, though connect() goes on and succeeds at the second (PR #1255).
        self._open = False
        self._client = BleakClient(found.device, self._disconnected, timeout=CONNECT_S, backend=backend)

    async def open(self) -> None:
        """Connect; a client that fails is closed as well."""
        try:
            await self._do("did not connect", self._client.connect(), CONNECT_S + GATT_S)
        except BaseException:
            await self.close()
            raise
        self._open = True

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
        with told(self._who):
            if self._client.services.get_characteristic(BATTERY_LEVEL) is None:
                return None
        level = await self._do("did not tell its battery", self._client.read_gatt_char(BATTERY_LEVEL))
        return min(level[0], 100) if level else None

    def mtu(self) -> int:
        """ATT MTU as far as the system tells: `mtu_size` is always 23 on BlueZ, the size of a write is not (#1586)."""
        with told(self._who):
            found = self._client.services.characteristics.values()
            return 3 + max((one.max_write_without_response_size for one in found), default=20)

    async def close(self) -> None:
        """Disconnect, also a dead client: else all its notifications come twice after the next connect (#2002)."""
        self._open = False
        with suppress(RadioError):
            await self._do("did not disconnect", self._client.disconnect(), CLOSE_S)

    async def _do(self, what: str, work: Awaitable[_T], seconds: float = GATT_S) -> _T:
        with told(f"{self._who} {what}"):
            async with asyncio.timeout(seconds):
                return await work

    def _disconnected(self, _: BleakClient) -> None:
        if self._open:
            self._lost()


@contextmanager
def told(who: str) -> Iterator[None]:
    """Turn what bleak and the system below raise into RadioError, but no mistake of ours."""
    try:
        yield
    except (BleakError, OSError, EOFError, *OVERTAKEN) as error:
        if isinstance(error, OVERTAKEN) and _is_ours(error):
            raise
        raise _radio_error(who, error) from error


def _is_ours(error: Exception) -> bool:
    """Whether it was raised in this package, and not in a library that it calls."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals["__name__"]).startswith("sensorrep.")


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
            return RadioError(RadioReason.NO_SERVICE, "Bluetooth cannot be used")
        case PermissionError():
            return RadioError(RadioReason.NO_PERMISSION, "Bluetooth cannot be used")
        case FileNotFoundError() | ConnectionRefusedError():  # there is no bus to ask for Bluetooth
            return RadioError(RadioReason.NO_SERVICE, "Bluetooth cannot be used")
        case TimeoutError():
            return RadioError(RadioReason.LINK_FAILED, f"{who} in time")
        case _:
            return RadioError(RadioReason.LINK_FAILED, f"{who} ({str(error) or type(error).__name__})")
