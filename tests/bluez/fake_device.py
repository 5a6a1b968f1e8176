"""A simulated sensor as BlueZ shows it on D-Bus: a tree of objects with properties."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from dbus_fast import Message, Variant
from dbus_fast.errors import DBusError

from sensorrep.sources.simulated.boards import BATTERY
from sensorrep.sources.simulated.world import Peripheral

ADAPTER_PATH: Final = "/org/bluez/hci0"
DEVICE: Final = "org.bluez.Device1"
SERVICE: Final = "org.bluez.GattService1"
CHARACTERISTIC: Final = "org.bluez.GattCharacteristic1"
_BATTERY_SERVICE: Final = "0000180f-0000-1000-8000-00805f9b34fb"
_FLAGS: Final = ["read", "write", "write-without-response", "notify"]
OBJECTS: Final = "org.freedesktop.DBus.ObjectManager"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"

ADVERTISE_S: Final = 0.05
CONNECT_S: Final = 0.02

Properties = dict[str, Variant]


def error(name: str, text: str) -> DBusError:
    """One of the service's own errors."""
    return DBusError(f"org.bluez.Error.{name}", text)


class Objects:
    """The service's objects: path, interface, property. Whatever changes is said on the bus."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self.tree: dict[str, dict[str, Properties]] = {}
        self._send = send

    def add(self, path: str, interfaces: dict[str, Properties]) -> None:
        """Make an object, unless there is one."""
        if path not in self.tree:
            self.tree[path] = interfaces
            self._signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, interfaces])

    def remove(self, path: str) -> None:
        """Remove an object and all below it, the deepest first."""
        for one in sorted(self.tree, reverse=True):
            if one.startswith(path):
                self._signal("/", OBJECTS, "InterfacesRemoved", "oas", [one, list(self.tree.pop(one))])

    def change(self, path: str, interface: str, changed: Properties, gone: tuple[str, ...] = ()) -> None:
        """Change properties of an object, if there is one."""
        if path in self.tree:
            properties = self.tree[path][interface]
            properties |= changed
            for name in gone:
                properties.pop(name, None)
            self._signal(path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, changed, list(gone)])

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        self._send(Message.new_signal(path, interface, member, signature, body))


class Device:
    """A sensor as the service knows it, and its host as the sensor knows it (`simulated.world.Client`)."""

    def __init__(self, objects: Objects, peripheral: Peripheral, hides_battery: bool) -> None:
        self.peripheral = peripheral
        self.path = f"{ADAPTER_PATH}/dev_{peripheral.address.replace(':', '_')}"
        self.notified: dict[str, set[str]] = {}
        """The D-Bus clients that asked for a characteristic's notifications, by its path."""
        self.connects = 0
        """How often it was asked to connect."""
        self._objects = objects
        self._connecting = False
        self._hides_battery = hides_battery
        self._paths: dict[str, str] = {}

    @property
    def mtu_size(self) -> int:
        """ATT MTU."""
        return self.peripheral.mtu

    @property
    def clients(self) -> set[str]:
        """The D-Bus clients that asked for any notifications."""
        return set().union(*self.notified.values())

    @property
    def connected(self) -> bool:
        """Whether the link stands."""
        return self.peripheral.client is self

    def advertise(self) -> None:
        """Its advertisement was received."""
        rssi = Variant("n", -52 - 7 * self.peripheral.foot)
        if self.path in self._objects.tree:
            self._objects.change(self.path, DEVICE, {"RSSI": rssi})
            return
        board = self.peripheral.board
        properties = {
            "Adapter": Variant("o", ADAPTER_PATH),
            "Address": Variant("s", self.peripheral.address),
            "Name": Variant("s", board.name),
            "Alias": Variant("s", board.name),
            "UUIDs": Variant("as", [board.service]),
            "RSSI": rssi,
            "Paired": Variant("b", False),
            "Connected": Variant("b", False),
            "ServicesResolved": Variant("b", False),
        }
        self._objects.add(self.path, {DEVICE: properties})

    async def connect(self) -> None:
        """Make the link."""
        self.connects += 1
        if self._connecting:
            raise error("InProgress", "Operation already in progress")
        self._connecting = True
        try:
            while not self.peripheral.reachable:
                await asyncio.sleep(ADVERTISE_S)
            await asyncio.sleep(CONNECT_S)
        finally:
            self._connecting = False
        self._say_connected(True)
        if self.peripheral.refusals > 0:  # it was connected for a moment
            self.peripheral.refusals -= 1
            self._say_connected(False)
            raise error("Failed", "le-connection-abort-by-local")
        self.peripheral.join(self)

    def disconnect(self) -> None:
        """End the link, if it stands."""
        if self.connected:
            self.peripheral.leave(self)
            self._say_connected(False)

    def resolve(self) -> None:
        """Say what the sensor has."""
        if not self.connected:
            return
        board = self.peripheral.board
        self._add_service(1, board.service, [uuid for uuid in board.characteristics if uuid != BATTERY])
        if BATTERY in board.characteristics and not self._hides_battery:
            self._add_service(0x20, _BATTERY_SERVICE, [BATTERY])
        self._objects.change(self.path, DEVICE, {"ServicesResolved": Variant("b", True)})

    def call_characteristic(self, message: Message) -> Message:
        """Read, write, or turn notifications on or off."""
        assert message.path is not None
        assert message.sender is not None
        if not self.connected:
            raise error("Failed", "Not connected")
        uuid = next(one for one, path in self._paths.items() if path == message.path)
        match message.member:
            case "ReadValue":
                return Message.new_method_return(message, "ay", [self._read(uuid)])
            case "WriteValue":
                self._write(uuid, *message.body)
            case "StartNotify":
                self.notified.setdefault(message.path, set()).add(message.sender)
            case "StopNotify":
                self.notified.setdefault(message.path, set()).discard(message.sender)
        return Message.new_method_return(message)

    def notify(self, characteristic: str, payload: bytes, first_s: float) -> None:
        """A notification came: it is said once for each client that asked, to all of them."""
        del first_s
        path = self._paths.get(characteristic, "")
        for _ in self.notified.get(path, ()):
            self._objects.change(path, CHARACTERISTIC, {"Value": Variant("ay", payload)})

    def lost(self) -> None:
        """The link broke. Who had asked for notifications is remembered."""
        self.peripheral.leave(self)  # here it is D-Bus clients that may be dead, not the service
        self._say_connected(False)

    def _say_connected(self, connected: bool) -> None:
        said = {"Connected": Variant("b", connected)}
        if not connected:
            said["ServicesResolved"] = Variant("b", False)
        self._objects.change(self.path, DEVICE, said)

    def _add_service(self, handle: int, uuid: str, characteristics: list[str]) -> None:
        path = f"{self.path}/service{handle:04x}"
        self._objects.add(
            path,
            {SERVICE: {"UUID": Variant("s", uuid), "Device": Variant("o", self.path), "Primary": Variant("b", True)}},
        )
        for number, one in enumerate(characteristics, handle + 1):
            self._paths[one] = f"{path}/char{number:04x}"
            properties = {
                "UUID": Variant("s", one),
                "Service": Variant("o", path),
                "Flags": Variant("as", _FLAGS),
                "MTU": Variant("q", self.mtu_size),
            }
            self._objects.add(self._paths[one], {CHARACTERISTIC: properties})

    def _read(self, uuid: str) -> bytes:
        try:
            return self.peripheral.board.read(uuid)
        except KeyError:
            raise error("NotPermitted", "Read not permitted") from None

    def _write(self, uuid: str, payload: bytes, options: Properties) -> None:
        if options["type"].value == "command" and len(payload) > self.mtu_size - 3:
            raise error("Failed", "Failed to initiate write")
        self.peripheral.write(uuid, bytes(payload))
