"""A Bluetooth service as BlueZ is on D-Bus, in front of the simulated world's sensors: as much of it as bleak uses.

It follows what bluetoothd 5.66 was seen to do: a client that asked for notifications has them until its
D-Bus connection ends, and again when the sensor is connected again; each such client makes every notification come
once more for all (hbldh/bleak#2002). A second discovery by the same client is refused with `InProgress`.
"""

import asyncio
from typing import Any, Final

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusError

from sensorrep.sources.simulated.boards import BATTERY
from sensorrep.sources.simulated_radio import Peripheral, World

ADAPTER_PATH: Final = "/org/bluez/hci0"
ADAPTER: Final = "org.bluez.Adapter1"
DEVICE: Final = "org.bluez.Device1"
SERVICE: Final = "org.bluez.GattService1"
CHARACTERISTIC: Final = "org.bluez.GattCharacteristic1"
_BATTERY_SERVICE: Final = "0000180f-0000-1000-8000-00805f9b34fb"
_FLAGS: Final = ["read", "write", "write-without-response", "notify"]
_OBJECTS: Final = "org.freedesktop.DBus.ObjectManager"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_BUS: Final = "org.freedesktop.DBus"

ADVERTISE_S: Final = 0.05
CONNECT_S: Final = 0.02

Properties = dict[str, Variant]


def _error(name: str, text: str) -> DBusError:
    return DBusError(f"org.bluez.Error.{name}", text)


class FakeBlueZ:
    """bluetoothd with one adapter. `start`, then `stop` (as when it is told to end) or `kill`."""

    def __init__(self, world: World, address: str, hides_battery: bool = False) -> None:
        """`hides_battery`: keeps the battery's service to itself, as BlueZ did from 5.48 on for long."""
        self.world = world
        self.discovering: set[str] = set()
        """D-Bus clients that scan."""
        self.refused: list[str] = []
        """Names of the errors with which it answered."""
        self.refusal = asyncio.Event()
        """Set by the first of them."""
        self.objects: dict[str, dict[str, Properties]] = {}
        self.devices = [Device(self, one, hides_battery) for one in world.peripherals.values()]
        self._address = address
        self._next: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Come up on the bus."""
        self._bus = MessageBus(bus_address=self._address)
        await self._bus.connect()
        self._bus.add_message_handler(self._received)
        rule = f"type='signal',sender='{_BUS}',member='NameOwnerChanged'"
        await self._bus.call(Message(_BUS, "/org/freedesktop/DBus", _BUS, "AddMatch", signature="s", body=[rule]))
        await self._bus.request_name("org.bluez")
        roles = Variant("as", ["central", "peripheral"])
        self.add(ADAPTER_PATH, {ADAPTER: {"Powered": Variant("b", True), "Roles": roles}})

    def stop(self) -> None:
        """End as it does when it is told to: it says that all is gone."""
        for device in self.devices:
            device.disconnect()
        for path in sorted(self.objects, reverse=True):
            self._signal("/", _OBJECTS, "InterfacesRemoved", "oas", [path, list(self.objects.pop(path))])
        self.kill()

    def kill(self) -> None:
        """End at once, without a word. The sensors' links are gone, too."""
        if self._next is not None:
            self._next.cancel()
        for task in self._tasks:
            task.cancel()
        self._bus.disconnect()
        for device in self.devices:
            device.peripheral.leave(device)

    def add(self, path: str, interfaces: dict[str, Properties]) -> None:
        """Make an object, and say so."""
        if path not in self.objects:
            self.objects[path] = interfaces
            self._signal("/", _OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, interfaces])

    def change(self, path: str, interface: str, changed: Properties, gone: tuple[str, ...] = ()) -> None:
        """Change an object's properties, and say so."""
        if path in self.objects:
            properties = self.objects[path][interface]
            properties |= changed
            for name in gone:
                properties.pop(name, None)
            self._signal(path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, changed, list(gone)])

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        if self._bus.connected:
            self._bus.send(Message.new_signal(path, interface, member, signature, body))

    def _received(self, message: Message) -> Message | bool | None:
        if message.member == "NameOwnerChanged" and message.sender == _BUS:
            name, _, owner = message.body
            if not owner:
                self._forget(name)
            return None
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        try:
            return self._call(message)
        except DBusError as error:
            self._note(error)
            raise

    def _note(self, error: DBusError) -> None:
        self.refused.append(error.type)
        self.refusal.set()

    def _forget(self, client: str) -> None:
        """A D-Bus client is gone, and with it all that it asked for."""
        self._end_discovery(client)
        for device in self.devices:
            for clients in device.notified.values():
                clients.discard(client)

    def _call(self, message: Message) -> Message | bool | None:
        assert message.path is not None
        assert message.sender is not None
        if (message.interface, message.member) == (_OBJECTS, "GetManagedObjects"):
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self.objects])
        if message.interface not in self.objects.get(message.path, {}):
            return None  # answered with UnknownMethod or UnknownObject
        if message.interface == ADAPTER:
            self._call_adapter(str(message.member), message.sender)
            return Message.new_method_return(message)
        device = next(one for one in self.devices if message.path.startswith(one.path))
        if message.interface == CHARACTERISTIC:
            return device.call_characteristic(message)
        if message.member == "Disconnect":
            device.disconnect()
            return Message.new_method_return(message)
        if message.member == "Connect":
            task = asyncio.ensure_future(self._connect(device, message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return True
        return None

    def _call_adapter(self, member: str, client: str) -> None:
        if member == "StartDiscovery":
            if client in self.discovering:
                raise _error("InProgress", "Operation already in progress")
            self.discovering.add(client)
            if self._next is None:
                self._advertise()
        elif member == "StopDiscovery":
            if client not in self.discovering:
                raise _error("Failed", "No discovery started")
            self._end_discovery(client)

    def _end_discovery(self, client: str) -> None:
        self.discovering.discard(client)
        if not self.discovering and self._next is not None:
            self._next.cancel()
            self._next = None
            for device in self.devices:
                self.change(device.path, DEVICE, {}, ("RSSI",))

    def _advertise(self) -> None:
        for device in self.devices:
            if device.peripheral.reachable and device.peripheral.client is None:
                device.advertise()
        self._next = asyncio.get_running_loop().call_later(ADVERTISE_S, self._advertise)

    async def _connect(self, device: "Device", message: Message) -> None:
        try:
            await device.connect()
        except DBusError as error:
            self._note(error)
            self._bus.send(Message.new_error(message, error.type, error.text))
        else:
            self._bus.send(Message.new_method_return(message))
            device.resolve()


class Device:
    """A sensor as the service knows it, and its host as the sensor knows it (`simulated_radio.Client`)."""

    def __init__(self, bluez: FakeBlueZ, peripheral: Peripheral, hides_battery: bool) -> None:
        self.peripheral = peripheral
        self.path = f"{ADAPTER_PATH}/dev_{peripheral.address.replace(':', '_')}"
        self.notified: dict[str, set[str]] = {}
        """The D-Bus clients that asked for a characteristic's notifications, by its path."""
        self.connects = 0
        """How often it was asked to connect."""
        self._bluez = bluez
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
        if self.path in self._bluez.objects:
            self._bluez.change(self.path, DEVICE, {"RSSI": rssi})
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
        self._bluez.add(self.path, {DEVICE: properties})

    async def connect(self) -> None:
        """Make the link."""
        self.connects += 1
        if self._connecting:
            raise _error("InProgress", "Operation already in progress")
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
            raise _error("Failed", "le-connection-abort-by-local")
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
        self._bluez.change(self.path, DEVICE, {"ServicesResolved": Variant("b", True)})

    def call_characteristic(self, message: Message) -> Message:
        """Read, write, or turn notifications on or off."""
        assert message.path is not None
        assert message.sender is not None
        if not self.connected:
            raise _error("Failed", "Not connected")
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
            self._bluez.change(path, CHARACTERISTIC, {"Value": Variant("ay", payload)})

    def lost(self) -> None:
        """The link broke. Who had asked for notifications is remembered."""
        self.peripheral.leave(self)  # here it is D-Bus clients that may be dead, not the service
        self._say_connected(False)

    def _say_connected(self, connected: bool) -> None:
        said = {"Connected": Variant("b", connected)}
        if not connected:
            said["ServicesResolved"] = Variant("b", False)
        self._bluez.change(self.path, DEVICE, said)

    def _add_service(self, handle: int, uuid: str, characteristics: list[str]) -> None:
        path = f"{self.path}/service{handle:04x}"
        self._bluez.add(
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
            self._bluez.add(self._paths[one], {CHARACTERISTIC: properties})

    def _read(self, uuid: str) -> bytes:
        try:
            return self.peripheral.board.read(uuid)
        except KeyError:
            raise _error("NotPermitted", "Read not permitted") from None

    def _write(self, uuid: str, payload: bytes, options: Properties) -> None:
        if options["type"].value == "command" and len(payload) > self.mtu_size - 3:
            raise _error("Failed", "Failed to initiate write")
        self.peripheral.write(uuid, bytes(payload))
