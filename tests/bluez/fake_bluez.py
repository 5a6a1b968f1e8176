"""A Bluetooth service as BlueZ is on D-Bus, in front of the simulated world's sensors: as much of it as bleak uses.

It follows what bluetoothd 5.66 was seen to do: a client that asked for notifications has them until its
D-Bus connection ends, and again when the sensor is connected again; each such client makes every notification come
once more for all (hbldh/bleak#2002). A second discovery by the same client is refused with `InProgress`.
"""

import asyncio
from typing import Final

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusError

from sensorrep.sources.simulated.world import World
from tests.bluez.fake_device import ADAPTER_PATH, ADVERTISE_S, CHARACTERISTIC, DEVICE, OBJECTS, Device, Objects, error

ADAPTER: Final = "org.bluez.Adapter1"
_BUS: Final = "org.freedesktop.DBus"


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
        self.objects = Objects(self._send)
        self.devices = [Device(self.objects, one, hides_battery) for one in world.peripherals.values()]
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
        self.objects.add(ADAPTER_PATH, {ADAPTER: {"Powered": Variant("b", True), "Roles": roles}})

    def stop(self) -> None:
        """End as it does when it is told to: it says that all is gone."""
        for device in self.devices:
            device.disconnect()
        self.objects.remove("/")
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

    def _send(self, message: Message) -> None:
        if self._bus.connected:
            self._bus.send(message)

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
        except DBusError as refused:
            self._note(refused)
            raise

    def _note(self, refused: DBusError) -> None:
        self.refused.append(refused.type)
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
        if (message.interface, message.member) == (OBJECTS, "GetManagedObjects"):
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self.objects.tree])
        if message.interface not in self.objects.tree.get(message.path, {}):
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
                raise error("InProgress", "Operation already in progress")
            self.discovering.add(client)
            if self._next is None:
                self._advertise()
        elif member == "StopDiscovery":
            if client not in self.discovering:
                raise error("Failed", "No discovery started")
            self._end_discovery(client)

    def _end_discovery(self, client: str) -> None:
        self.discovering.discard(client)
        if not self.discovering and self._next is not None:
            self._next.cancel()
            self._next = None
            for device in self.devices:
                self.objects.change(device.path, DEVICE, {}, ("RSSI",))

    def _advertise(self) -> None:
        for device in self.devices:
            if device.peripheral.reachable and device.peripheral.client is None:
                device.advertise()
        self._next = asyncio.get_running_loop().call_later(ADVERTISE_S, self._advertise)

    async def _connect(self, device: Device, message: Message) -> None:
        try:
            await device.connect()
        except DBusError as refused:
            self._note(refused)
            self._send(Message.new_error(message, refused.type, refused.text))
        else:
            self._send(Message.new_method_return(message))
            device.resolve()
