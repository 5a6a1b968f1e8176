"""The simulated world: its physics, its clocks, and that the radio's own trouble is told apart from ours."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakDBusError, BleakError

from sensorrep.devices import diy
from sensorrep.model import FloatArray, Foot, Packet
from sensorrep.sources import virtual_time
from sensorrep.sources.ble import Radio
from sensorrep.sources.simulated.backend import backends
from sensorrep.sources.simulated.faults import parse_script
from sensorrep.sources.simulated.world import World
from sensorrep.sources.synthetic import Link, Rest, Scenario, Sensor
from sensorrep.sources.synthetic.session import MARGIN_S
from sensorrep.stages.clock import COUNT_HOLD_NS, HOLD_NS, Clock
from sensorrep.stages.decode import Decode

LYING = Scenario("prone", (Rest(60.0, "still"),), lies_ready=True)
STALLED_PER_MIN = 0.4
"""1.5 s each: 1 % of the time."""


def timed(world: World, seconds: float, counted: bool) -> list[list[tuple[FloatArray, FloatArray]]]:
    """For each foot and epoch: the true time of each sample and the error of its mapped time, in seconds."""
    first_s: dict[Foot, list[float]] = {foot: [] for foot in Foot}

    def heard(foot: Foot, _: str, payload: bytes, at_s: float) -> None:
        if len(payload) > 20:  # no answer to a command
            first_s[foot].append(at_s)

    world.heard = heard

    async def main() -> tuple[Any, list[Packet]]:
        radio = Radio(world.wanted(), rate_hz=100.0, backends=backends(world), now_ns=virtual_time.now_ns, batch_s=0.5)
        feet = await radio.connect(10.0)
        stopping: list[asyncio.Task[None]] = []
        asyncio.get_running_loop().call_later(seconds, lambda: stopping.append(asyncio.ensure_future(radio.stop())))
        packets = [one async for batch in radio.messages() for one in batch if isinstance(one, Packet)]
        return feet, packets

    feet, packets = virtual_time.run(main())
    (samples,) = Decode(feet).push(packets)
    found = []
    assert world.begun_s is not None
    for foot in Foot:
        leads = samples[samples["foot"] == foot][::4]  # a packet's first sample
        true_s = np.array(first_s[foot][: len(leads)]) - MARGIN_S + world.begun_s
        epochs = []
        for epoch in np.unique(leads["epoch"]):
            of = leads["epoch"] == epoch
            device_ns, received_ns = leads["device_ns"][of], leads["received_ns"][of]
            clock = Clock(int(device_ns[0]), int(received_ns[0]), counted)
            held = np.searchsorted(device_ns, device_ns[0] + (COUNT_HOLD_NS if counted else HOLD_NS))
            parts = [slice(None, held), slice(held, None)] if held < len(device_ns) else [slice(None)]
            mapped_ns = np.concatenate([clock.push(device_ns[part], received_ns[part]) for part in parts])
            epochs.append((true_s[of], mapped_ns * 1e-9 - true_s[of]))
        found.append(epochs)
    return found


def skews_s(found: list[list[tuple[FloatArray, FloatArray]]], after_s: float) -> FloatArray:
    """Left against right, each 0.1 s, from `after_s` after the later of both epochs' beginnings on."""
    skews = []
    for left_s, left_error_s in found[Foot.LEFT]:
        for right_s, right_error_s in found[Foot.RIGHT]:
            at_s = np.arange(max(left_s[0], right_s[0]) + after_s, min(left_s[-1], right_s[-1]), 0.1)
            skews.append(np.interp(at_s, left_s, left_error_s) - np.interp(at_s, right_s, right_error_s))
    return np.asarray(np.abs(np.concatenate(skews)))


def bad(
    seed: int,
    model: str,
    script: list[list[Any]],
    interval_s: float = 0.04875,
    rate_errors: tuple[float, float] = (0.011, -0.007),
) -> World:
    """A radio that is silent for 1 % of the time, in stalls of 1.5 s, and clocks that are 100 ppm off each way."""
    left, right = rate_errors
    scenario = replace(
        LYING,
        link=Link(interval_s=interval_s),
        left=Sensor(clock_ppm=100.0, rate_error=left),
        right=Sensor(clock_ppm=-100.0, rate_error=right),
    )
    rng = np.random.default_rng(seed)
    stalls = [
        [at_s, foot, "stall", 1.5]
        for foot in ("left", "right")
        for at_s in rng.uniform(3.0, 120.0, rng.poisson(2 * STALLED_PER_MIN)).tolist()
    ]
    return World(scenario, seed, parse_script([*stalls, *script]), model)


@pytest.mark.parametrize("seed", range(4))
def test_left_and_right_agree_within_5_ms_over_a_bad_radio(seed: int) -> None:
    found = timed(bad(seed, "diy", []), 120.0, counted=False)
    assert skews_s(found, 0.0).max() < 0.005


@pytest.mark.parametrize("interval_s", [0.015, 0.03, 0.048, 0.05, 0.06])
def test_samples_at_exactly_104_hz_beat_slowly_with_no_usual_connection_interval(interval_s: float) -> None:
    """At exactly 100 Hz, in packets of four, left and right are up to 18 ms apart at 60 ms, and 9 ms at 50."""
    found = timed(bad(0, "diy", [], interval_s, rate_errors=(0.0, 0.0)), 60.0, counted=False)
    assert skews_s(found, 3.0).max() < 0.005


@pytest.mark.parametrize("seed", range(2))
def test_left_and_right_agree_again_at_once_after_a_reconnect_and_a_reboot(seed: int) -> None:
    found = timed(bad(seed, "diy", [[40, "left", "cut", 1], [70, "right", "reboot", 2]]), 120.0, counted=False)
    assert [len(epochs) for epochs in found] == [2, 2]
    assert skews_s(found, 0.0).max() < 0.005


@pytest.mark.parametrize("seed", range(2))
def test_sensors_that_only_count_agree_within_5_ms_once_the_count_is_fitted(seed: int) -> None:
    assert skews_s(timed(bad(seed, "witmotion", []), 120.0, counted=True), 16.0).max() < 0.005


class TestTheWorld:
    """What tests of the radio rely on."""

    def connected(self, world: World, seconds: float) -> Counter[bytes]:
        """How often each packet of the left sensor is heard by a plain bleak client."""
        heard: Counter[bytes] = Counter()

        async def main() -> None:
            seen = backends(world)
            async with BleakScanner(backend=seen.scanner) as scanner:
                await asyncio.sleep(1.0)
            device = next(one for one in scanner.discovered_devices if one.name == "REP-L-0001")
            async with BleakClient(device, backend=seen.client) as client:
                await client.start_notify(diy.CHANNELS["data"], lambda _, payload: heard.update([bytes(payload)]))
                await client.write_gatt_char(diy.CHANNELS["control"], b"\x01\x04", response=True)
                await asyncio.sleep(seconds)

        virtual_time.run(main())
        return heard

    def counters(self, heard: Counter[bytes]) -> list[int]:
        return [diy.parse_data(payload).counter for payload in heard]

    def test_a_good_link_delivers_each_packet_once_and_in_order(self) -> None:
        heard = self.connected(World(LYING, 1), 10.0)
        assert len(heard) == pytest.approx(250, rel=0.05)
        assert set(heard.values()) == {1}
        assert self.counters(heard) == list(range(0, 4 * len(heard), 4))

    def test_loss_takes_its_share(self) -> None:
        heard = self.connected(World(LYING, 1, parse_script([[0, "both", "loss", 0.2]])), 40.0)
        sent = self.counters(heard)[-1] / 4 + 1
        assert 1 - len(heard) / sent == pytest.approx(0.2, abs=0.04)

    def test_duplicates_and_disorder_happen(self) -> None:
        script = parse_script([[0, "both", "duplicate", 0.2], [0, "both", "reorder", 0.2]])
        heard = self.connected(World(LYING, 1, script), 40.0)
        assert np.mean([times > 1 for times in heard.values()]) == pytest.approx(0.2, abs=0.04)
        assert np.mean(np.diff(self.counters(heard)) < 0) > 0.1

    def test_a_small_mtu_cuts_packets_off(self) -> None:
        heard = self.connected(World(LYING, 1, parse_script([[0, "both", "mtu", 23]])), 5.0)
        assert {len(payload) for payload in heard} == {20}

    def test_a_stall_holds_all_back_and_then_delivers_all(self) -> None:
        stalled = self.connected(World(LYING, 1, parse_script([[4, "left", "stall", 1.5]])), 10.0)
        assert list(stalled) == list(self.connected(World(LYING, 1), 10.0))

    def test_a_second_scan_while_one_runs_collides(self) -> None:
        async def main() -> None:
            seen = backends(World(LYING, 1))
            async with BleakScanner(backend=seen.scanner):
                with pytest.raises(BleakDBusError, match="InProgress"):
                    await BleakScanner(backend=seen.scanner).start()

        virtual_time.run(main())

    def test_a_dead_client_is_told_and_can_do_nothing_more(self) -> None:
        async def main() -> None:
            world = World(LYING, 1, parse_script([[3, "left", "cut"]]))
            seen = backends(world)
            async with BleakScanner(backend=seen.scanner) as scanner:
                await asyncio.sleep(1.0)
            (device, *_) = scanner.discovered_devices
            lost = asyncio.Event()
            client = BleakClient(device, lambda _: lost.set(), backend=seen.client)
            await client.connect()
            await lost.wait()
            assert world.now_s() == pytest.approx(3.0, abs=0.01)
            with pytest.raises(BleakError):
                await client.read_gatt_char(diy.CHANNELS["info"])
            await client.disconnect()

        virtual_time.run(main())

    def test_after_the_wearer_has_done_all_the_sensors_go_on(self) -> None:
        heard = self.connected(World(Scenario("prone", (Rest(3.0, "still"),), lies_ready=True), 1), 20.0)
        assert len(heard) > 450
