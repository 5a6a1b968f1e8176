"""The world of a simulated radio: a wearer's two sensors, their links, and what goes wrong with them.

`backend` puts it behind bleak's `backend=`: all above runs as with real sensors (BLE.md section 3, way A). Nothing here
runs by itself: callbacks of the running loop only, on any clock.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from sensorrep.model import Foot
from sensorrep.sources.ble import Wanted
from sensorrep.sources.simulated.boards import Board, DiyBoard, Sent, WitMotionBoard
from sensorrep.sources.simulated.faults import Fault
from sensorrep.sources.simulated.link import SimulatedLink
from sensorrep.sources.synthetic import Scenario
from sensorrep.sources.synthetic.session import MARGIN_S, act

TICK_S: Final = 0.2
"""How far ahead packets are made and scheduled."""
MTU: Final = 247

_BOARDS: Final[dict[str, Callable[..., Board]]] = {"diy": DiyBoard, "witmotion": WitMotionBoard}


class Client(Protocol):
    """A connected host, as a sensor sees it."""

    @property
    def mtu_size(self) -> int:
        """ATT MTU of the connection."""
        ...

    def notify(self, characteristic: str, payload: bytes, first_s: float) -> None:
        """A notification arrives; its first sample was taken at `first_s` of the motion's time."""
        ...

    def lost(self) -> None:
        """The link is gone."""
        ...


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
        self.script = tuple(script)
        """What goes wrong; fixed once the time has begun."""
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

    def wanted(self) -> dict[Foot, Wanted]:
        """What a setup would have stored."""
        return {foot: Wanted(foot, self._model, one.address, one.board.name) for foot, one in self.peripherals.items()}

    def now_s(self) -> float:
        """Seconds since the radio was first used; it begins with the first call."""
        loop = asyncio.get_running_loop()
        if self.begun_s is None:
            self.begun_s = loop.time()
            for fault in self.script:
                loop.call_at(self.begun_s + fault.at_s, self._befall, fault)
        return loop.time() - self.begun_s

    def true_s(self, now_s: float) -> float:
        """The motion's time at a time of the world."""
        return now_s + MARGIN_S

    @property
    def off(self) -> bool:
        """Whether the host's Bluetooth is switched off."""
        return self.now_s() < self._off_until_s

    @property
    def forbidden(self) -> bool:
        """Whether the host's Bluetooth may not be used."""
        return self.now_s() < self._forbidden_until_s

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
        self.client: Client | None = None
        self.not_disconnected: set[Client] = set()
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

    def join(self, client: Client) -> None:
        """A client has connected."""
        self.client = client
        self.board.connected(client.mtu_size)
        self.board.produce(self.world.true_s(self.world.now_s()))  # what nobody was there to hear
        self._tick()

    def leave(self, client: Client) -> None:
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
        """Hand a notification to the link once it is ready."""
        ready_s = sent.ready_s - MARGIN_S

        def depart() -> None:
            for at_s in self.link.arrivals(ready_s, self.board.period_s):
                self._at(at_s, lambda: self._arrive(sent))

        self._at(ready_s, depart)

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
