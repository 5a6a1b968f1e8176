"""A simulated radio behind bleak's `backend=`: a wearer's two sensors, their links, and what goes wrong with them.

All above bleak's backends runs as with real sensors (BLE.md section 3, way A). A scan or connection while another is
under way fails as it does on BlueZ; a client that died and was not disconnected doubles its successor's
notifications, as bleak #2002 has it. Nothing here runs by itself: callbacks of the running loop only, on any clock.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
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

from sensorrep.model import Foot
from sensorrep.sources.ble import Backends, Wanted
from sensorrep.sources.simulated.boards import BATTERY, Board, DiyBoard, Sent, WitMotionBoard
from sensorrep.sources.simulated.faults import Fault
from sensorrep.sources.simulated.link import SimulatedLink
from sensorrep.sources.synthetic import Scenario
from sensorrep.sources.synthetic.session import MARGIN_S, act

ADVERTISE_S: Final = 0.3
CONNECT_S: Final = 0.15
TICK_S: Final = 0.2
"""How far ahead packets are made and scheduled."""
MTU: Final = 247

_BOARDS: Final[dict[str, Callable[..., Board]]] = {"diy": DiyBoard, "witmotion": WitMotionBoard}


class World:
    """A wearer with two sensors, and the host's adapter. Its time begins when the radio is first used.

    A seed gives the same session, and the movements of `synthetic.simulate` with the same scenario and seed.
    `heard` is told of each notification just before the library's callback: the time, foot, characteristic, bytes.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        script: Sequence[Fault] = (),
        model: str = "diy",
        heard: Callable[[Foot, str, bytes, float], None] | None = None,
    ) -> None:
        body_rng, straps_rng, link_rng, *_ = np.random.default_rng(seed).spawn(5)
        wearer, motion = act(scenario, body_rng, straps_rng)
        self.seconds = wearer.now_s - MARGIN_S
        """How long the wearer's doings last."""
        self.peripherals: dict[Foot, Peripheral] = {}
        self.heard = heard
        self.begun_s: float | None = None
        """The loop's time at which the wearer began."""
        self.busy = False
        """Whether a scan or a connection is under way."""
        self._script = tuple(script)
        self._off_until_s = self._forbidden_until_s = 0.0
        for foot, rng in zip(Foot, link_rng.spawn(2), strict=True):
            sensor = scenario.sensor(foot)
            if sensor is not None:
                name = (
                    f"REP-{foot.name[0]}-{seed & 0xFFFF:04X}" if model == "diy" else f"WT901BLE{seed % 100:02}{foot:d}"
                )
                board = _BOARDS[model](name, motion, foot, sensor, seed)
                link = SimulatedLink(scenario.link, rng)
                self.peripherals[foot] = Peripheral(self, foot, f"51:4D:00:00:00:0{foot:d}", board, link)
        self._model = model

    def backends(self) -> Backends:
        """bleak's backend classes of this world."""
        world = self

        class Client(_Client):
            """A client of this world."""

            _world = world

        class Scanner(_Scanner):
            """A scanner of this world."""

            _world = world

        return Backends(Client, Scanner)

    def wanted(self) -> dict[Foot, Wanted]:
        """What a setup would have stored."""
        return {foot: Wanted(foot, self._model, one.address, one.board.name) for foot, one in self.peripherals.items()}

    def now_s(self) -> float:
        """Seconds since the radio was first used; it begins with the first call."""
        loop = asyncio.get_running_loop()
        if self.begun_s is None:
            self.begun_s = loop.time()
            for fault in self._script:
                loop.call_at(self.begun_s + fault.at_s, self._befall, fault)
        return loop.time() - self.begun_s

    def true_s(self, now_s: float) -> float:
        """The motion's time at a time of the world."""
        return now_s + MARGIN_S

    def require_adapter(self) -> None:
        """Raise what bleak raises where Bluetooth is off or forbidden."""
        now_s = self.now_s()
        if now_s < self._forbidden_until_s:
            reason = BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM
            raise BleakBluetoothNotAvailableError("Bluetooth is forbidden", reason)
        if now_s < self._off_until_s:
            reason = BleakBluetoothNotAvailableReason.POWERED_OFF
            raise BleakBluetoothNotAvailableError("Bluetooth is off", reason)

    def occupy(self) -> None:
        """Begin a scan or a connection; two at a time collide."""
        self.require_adapter()
        if self.busy:
            raise BleakDBusError("org.bluez.Error.InProgress", ["Operation already in progress"])
        self.busy = True

    def _befall(self, fault: Fault) -> None:
        now_s = self.now_s()
        if fault.action == "adapter":
            self._off_until_s = max(self._off_until_s, now_s + fault.number)
        elif fault.action == "forbidden":
            self._forbidden_until_s = max(self._forbidden_until_s, now_s + fault.number)
        feet = tuple(Foot) if fault.action in ("adapter", "forbidden") else fault.feet
        for foot in feet:
            if foot in self.peripherals:
                self.peripherals[foot].befall(fault)


class Peripheral:
    """A sensor in the world: its board, its link, and who is connected."""

    def __init__(self, world: World, foot: Foot, address: str, board: Board, link: SimulatedLink) -> None:
        self.world, self.foot, self.address, self.board, self.link = world, foot, address, board, link
        self.mtu = MTU
        self.refusals = 0
        self.foreign = False
        """Whether its firmware has other characteristics."""
        self.client: _Client | None = None
        self.not_disconnected: set[_Client] = set()
        """Clients that died and were not disconnected since."""
        self._away_until_s = self._silent_until_s = self._stalled_until_s = 0.0
        self._scheduled: set[asyncio.TimerHandle] = set()
        self._held: list[Sent] = []

    @property
    def reachable(self) -> bool:
        """Whether it advertises and can be connected to."""
        return self.world.now_s() >= self._away_until_s

    @property
    def silent(self) -> bool:
        """Whether nothing gets through although the link seems to stand."""
        return self.world.now_s() < self._silent_until_s

    def befall(self, fault: Fault) -> None:
        """Let something go wrong."""
        now_s, number = self.world.now_s(), fault.number
        match fault.action:
            case "cut" | "dead" | "reboot":
                self._away_until_s = max(self._away_until_s, now_s + number)
                if fault.action == "reboot":
                    self.board.boot(self.world.true_s(now_s + number))
                self.drop()
            case "adapter" | "forbidden":
                self.drop()
            case "stall":
                self._stalled_until_s = max(self._stalled_until_s, now_s + number)
                asyncio.get_running_loop().call_later(number, self._release)
            case "silent":
                self._silent_until_s = max(self._silent_until_s, now_s + number)
            case "loss" | "duplicate" | "reorder":
                self.link.link = replace(self.link.link, **{fault.action: number})
            case "interval":
                self.link.link = replace(self.link.link, interval_s=number)
            case "mtu":
                self.mtu = int(number)
            case "battery":
                self.board.battery_pct = int(number)
            case "refuse":
                self.refusals += int(number)
            case "firmware":
                self.foreign = True

    def join(self, client: "_Client") -> None:
        """A client has connected."""
        self.client = client
        self.board.connected(client.mtu_size)
        self.board.produce(self.world.true_s(self.world.now_s()))  # what nobody was there to hear
        self._tick()

    def leave(self, client: "_Client") -> None:
        """A client disconnects."""
        self.not_disconnected.discard(client)
        if self.client is client:
            self._end()

    def drop(self) -> None:
        """The link is lost: the client is told, and stays in the system's books until it disconnects."""
        client = self.client
        if client is not None:
            self._end()
            self.not_disconnected.add(client)
            client.lost()

    def write(self, characteristic: str, payload: bytes) -> None:
        """Give the board a command."""
        for sent in self.board.write(characteristic, payload, self.world.true_s(self.world.now_s())):
            self._send(sent)

    def _end(self) -> None:
        self.client = None
        self.board.disconnected()
        for handle in self._scheduled:
            handle.cancel()
        self._scheduled.clear()
        self._held.clear()

    def _tick(self) -> None:
        """Send what becomes ready until the next tick."""
        for sent in self.board.produce(self.world.true_s(self.world.now_s() + TICK_S)):
            self._send(sent)
        self._at(self.world.now_s() + TICK_S, self._tick)

    def _send(self, sent: Sent) -> None:
        for at_s in self.link.arrivals(sent.ready_s - MARGIN_S, self.board.period_s):
            self._at(at_s, lambda: self._arrive(sent))

    def _at(self, at_s: float, do: Callable[[], None]) -> None:
        def done() -> None:
            self._scheduled.discard(handle)
            do()

        assert self.world.begun_s is not None
        handle = asyncio.get_running_loop().call_at(self.world.begun_s + at_s, done)
        self._scheduled.add(handle)

    def _arrive(self, sent: Sent) -> None:
        now_s = self.world.now_s()
        if self.silent or self.client is None:
            return
        if now_s < self._stalled_until_s:
            self._held.append(sent)
            return
        payload = sent.payload[: self.client.mtu_size - 3]
        for _ in range(1 + len(self.not_disconnected)):
            self.client.notify(sent.characteristic, payload, sent.first_s)

    def _release(self) -> None:
        """A stall is over: all at once."""
        if self.world.now_s() < self._stalled_until_s:
            return
        held, self._held = self._held, []
        for sent in held:
            self._arrive(sent)


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
        self._world.occupy()
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
        world.occupy()
        try:
            if not peripheral.reachable or peripheral.silent:
                await asyncio.sleep(self._timeout)
                raise TimeoutError
            await asyncio.sleep(CONNECT_S)
            world.require_adapter()
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
