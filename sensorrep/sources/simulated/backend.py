"""bleak's scanner and client in a simulated world: what its facade calls.

A scan or connection while another is under way fails as it does on BlueZ; a client that died and was not disconnected
doubles its successor's notifications, as in bleak #2002; its callback comes for one's own disconnect as well (#314).
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from sensorrep.sources.ble import Backends
from sensorrep.sources.simulated.boards import BATTERY
from sensorrep.sources.simulated.world import World

ADVERTISE_S: Final = 0.3
CONNECT_S: Final = 0.15


def backends(world: World) -> Backends:
    """Backend classes that see this world."""

    class Client(_Client):
        _world = world

    class Scanner(_Scanner):
        _world = world

    return Backends(Client, Scanner)


def _require_adapter(world: World) -> None:
    """Raise what bleak raises where Bluetooth is off or forbidden."""
    if world.forbidden:
        reason = BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM
        raise BleakBluetoothNotAvailableError("Bluetooth is forbidden", reason)
    if world.off:
        reason = BleakBluetoothNotAvailableReason.POWERED_OFF
        raise BleakBluetoothNotAvailableError("Bluetooth is off", reason)


def _occupy(world: World) -> None:
    """Begin a scan or a connection; two at a time collide."""
    _require_adapter(world)
    if world.busy:
        raise BleakDBusError("org.bluez.Error.InProgress", ["Operation already in progress"])
    world.busy = True


class _Scanner(BaseBleakScanner):
    """bleak's scanner in a world."""

    _world: World

    def __init__(
        self, detection_callback: Any, service_uuids: list[str] | None, scanning_mode: str, **kwargs: Any
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        del scanning_mode, kwargs
        self._next: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin to see what advertises."""
        _occupy(self._world)
        self.seen_devices = {}
        self._next = asyncio.get_running_loop().call_later(ADVERTISE_S, self._see)

    async def stop(self) -> None:
        """See nothing more."""
        self._world.busy = False
        if self._next is not None:
            self._next.cancel()

    def _see(self) -> None:
        for one in self._world.peripherals.values():
            if one.reachable and one.client is None:
                advertised = AdvertisementData(
                    local_name=one.board.name,
                    manufacturer_data={},
                    service_data={},
                    service_uuids=[one.board.service],
                    tx_power=None,
                    rssi=-52 - 7 * one.foot,
                    platform_data=(),
                )
                device = self.create_or_update_device(one.address, one.address, one.board.name, None, advertised)
                self.call_detection_callbacks(device, advertised)
        self._next = asyncio.get_running_loop().call_later(ADVERTISE_S, self._see)


class _Client(BaseBleakClient):
    """bleak's client in a world."""

    _world: World

    def __init__(self, address_or_ble_device: BLEDevice | str, **kwargs: Any) -> None:
        super().__init__(
            address_or_ble_device,
            disconnected_callback=kwargs["disconnected_callback"],
            timeout=kwargs["timeout"],
        )
        self._peripheral = next(one for one in self._world.peripherals.values() if one.address == self.address)
        self._callbacks: dict[str, Callable[[bytearray], None]] = {}
        self._mtu = 23

    @property
    def name(self) -> str:
        """The sensor's name."""
        return self._peripheral.board.name

    @property
    def mtu_size(self) -> int:
        """ATT MTU."""
        return self._mtu

    @property
    def is_connected(self) -> bool:
        """Whether the link stands, as far as the system knows."""
        return self._peripheral.client is self

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connect; who cannot be reached is waited for until the time is over."""
        del pair, kwargs
        world, peripheral = self._world, self._peripheral
        _occupy(world)
        try:
            async with asyncio.timeout(self._timeout):
                while not peripheral.reachable or peripheral.silent:
                    await asyncio.sleep(ADVERTISE_S)
            await asyncio.sleep(CONNECT_S)
            _require_adapter(world)
            if peripheral.refusals > 0 or not peripheral.reachable:
                peripheral.refusals -= 1
                raise BleakError("le-connection-abort-by-local")
            if peripheral.client is not None:
                raise BleakError("the sensor is connected to somebody else")
        finally:
            world.busy = False
        self._mtu = peripheral.mtu
        self.services = self._discovered()
        self._callbacks.clear()
        peripheral.join(self)

    async def disconnect(self) -> None:
        """Disconnect, which a dead client may as well."""
        was_connected = self.is_connected
        self._peripheral.leave(self)
        self.services = None
        if was_connected and self._disconnected_callback is not None:
            self._disconnected_callback()  # all systems call it for one's own disconnect as well (#314)

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        """There is nothing to pair."""
        raise NotImplementedError

    async def unpair(self) -> None:
        """There is nothing to unpair."""
        raise NotImplementedError

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """Read a value."""
        del use_cached, kwargs
        await self._exchange()
        try:
            return bytearray(self._peripheral.board.read(characteristic.uuid))
        except KeyError:
            raise BleakGATTProtocolError(BleakGATTProtocolErrorCode.READ_NOT_PERMITTED) from None

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """There are no descriptors."""
        raise NotImplementedError

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """Write a value."""
        await self._exchange(2 if response else 1)
        self._peripheral.write(characteristic.uuid, bytes(data))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """There are no descriptors."""
        raise NotImplementedError

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: Callable[[bytearray], None], **kwargs: Any
    ) -> None:
        """Hear what comes on a characteristic."""
        del kwargs
        await self._exchange(2)
        self._callbacks[characteristic.uuid] = callback

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Hear nothing more."""
        await self._exchange(2)
        self._callbacks.pop(characteristic.uuid, None)

    def notify(self, characteristic: str, payload: bytes, first_s: float) -> None:
        """A notification arrives; who did not subscribe does not hear it (#1836)."""
        callback = self._callbacks.get(characteristic)
        if callback is not None:
            if self._world.heard is not None:
                self._world.heard(self._peripheral.foot, characteristic, payload, first_s)
            callback(bytearray(payload))

    def lost(self) -> None:
        """The link is gone."""
        self.services = None
        if self._disconnected_callback is not None:
            asyncio.get_running_loop().call_soon(self._disconnected_callback)

    async def _exchange(self, events: int = 1) -> None:
        """The time that a request takes; one that is never answered, where the sensor is silent."""
        await asyncio.sleep(events * max(self._peripheral.link.link.interval_s, 0.0075))
        while self.is_connected and self._peripheral.silent:
            await asyncio.sleep(0.1)
        if not self.is_connected:
            raise BleakError("Not connected")

    def _discovered(self) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        board = self._peripheral.board
        service = BleakGATTService(None, 1, board.service)
        found.add_service(service)
        for handle, uuid in enumerate(board.characteristics, 2):
            other = self._peripheral.foreign and uuid != BATTERY
            said = uuid[:4] + "ffff" + uuid[8:] if other else uuid
            found.add_characteristic(
                BleakGATTCharacteristic(None, handle, said, ["read", "write", "notify"], lambda: self._mtu - 3, service)
            )
        return found
