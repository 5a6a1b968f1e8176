"""Simulated sensors: they obey their models' scripts, and say what the wearer's motion is."""

import struct
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from sensorrep.devices import Await, Decoder, Mtu, Read, Script, Subscribe, Write, diy, witmotion
from sensorrep.model import GRAVITY_M_S2, Foot, Packet, Samples
from sensorrep.sources.simulated.boards import BATTERY, Board, DiyBoard, Sent, WitMotionBoard
from sensorrep.sources.synthetic import Rest, Scenario, Sensor
from sensorrep.sources.synthetic.body import Motion
from sensorrep.sources.synthetic.session import act

PLAIN = Sensor(rate_error=0.01, clock_ppm=30.0, boot_s=100.0, acc_bias_m_s2=0.0, gyr_bias_dps=0.0, scale_error=0.0)


@cache
def motion() -> Motion:
    scenario = Scenario("prone", (Rest(30.0, "still"),), lies_ready=True)
    return act(scenario, np.random.default_rng(1), np.random.default_rng(2))[1]


def diy_board(sensor: Sensor = PLAIN) -> DiyBoard:
    return DiyBoard("REP-L-0001", motion(), Foot.LEFT, sensor, seed=1)


def drive(board: Board, script: Script, channels: dict[str, str], now_s: float) -> bytes:
    """Run a script against a board; returns the sensor's info."""
    answers: list[Sent] = []
    answer = b""
    try:
        action = next(script)
        while True:
            match action:
                case Read(channel):
                    answer = board.read(channels[channel])
                case Write(channel, payload, _):
                    answers += board.write(channels[channel], payload, now_s)
                case Await(channel, prefix, _):
                    answer = next(
                        one.payload
                        for one in answers
                        if one.characteristic == channels[channel] and one.payload.startswith(prefix)
                    )
                case Mtu():
                    answer = (247).to_bytes(2, "little")
                case Subscribe(channel):
                    assert channel in channels
            action = script.send(answer)
    except StopIteration as end:
        returned: bytes = end.value
        return returned


def decoded(decoder: Decoder, sent: Sequence[Sent], channel: str = "data") -> Samples:
    return decoder.push([Packet(round(one.ready_s * 1e9), Foot.LEFT, channel, one.payload) for one in sent])


class TestDiy:
    def started(self, now_s: float = 2.0) -> tuple[DiyBoard, diy.Decoder]:
        board = diy_board()
        return board, diy.Decoder(drive(board, diy.start(100.0), diy.CHANNELS, now_s))

    def test_it_starts_as_its_module_asks_and_says_so(self) -> None:
        board = diy_board()
        info = diy.parse_info(drive(board, diy.start(100.0), diy.CHANNELS, 2.0))
        assert (info.acc_range_g, info.gyr_range_deg_s, info.samples_per_packet) == (8, 1000, 4)
        assert (info.generation, info.period_ns, info.side) == (1, 9_615_385, 1)

    def test_its_packets_hold_the_motion(self) -> None:
        board, decoder = self.started()
        samples = decoded(decoder, board.produce(12.0))
        assert decoder.malformed == 0
        assert len(samples) == pytest.approx(1050, abs=4)
        assert samples["counter"].tolist() == list(range(len(samples)))
        assert np.median(np.diff(samples["device_ns"])) == pytest.approx(1e9 / 104 / 1.01, rel=1e-3)
        assert np.linalg.norm(samples["acc_m_s2"], axis=1).mean() == pytest.approx(GRAVITY_M_S2, rel=0.01)

    def test_packets_are_ready_after_their_last_sample_and_come_once(self) -> None:
        board, _ = self.started()
        sent = [one for until_s in np.arange(2.0, 6.0, 0.07) for one in board.produce(until_s)]
        assert len({one.payload for one in sent}) == len(sent)
        assert all(one.ready_s >= one.first_s + 0.029 for one in sent)
        assert sent == self.started()[0].produce(float(np.arange(2.0, 6.0, 0.07)[-1]))

    def test_its_clock_is_the_one_that_a_ping_tells(self) -> None:
        board, decoder = self.started()
        (answer,) = board.write(diy.CHANNELS["control"], diy.ping(7), 5.0)
        ping = diy.parse_ping(answer.payload, 5_000_000_000, 5_000_040_000)
        samples = decoded(decoder, board.produce(6.0))
        device_s = (5.0 * 1e6 + ping.offset_us) * 1e-6 % 2**32
        first = board.produce(6.5)[0]
        sample_s = samples["device_ns"][-1] * 1e-9
        assert ping.token == 7
        assert device_s - sample_s == pytest.approx(5.0 - first.first_s, abs=0.02)

    def test_configuring_is_refused_while_it_streams_and_what_it_does_not_know_as_well(self) -> None:
        board, _ = self.started()
        control = diy.CHANNELS["control"]
        wanted = struct.pack("<BHBHB", 3, 50, 4, 500, 2)
        assert [one.payload for one in board.write(control, wanted, 3.0)] == [b"\x83\x01"]
        assert [one.payload for one in board.write(control, b"\x7f", 3.0)] == [b"\xff\x02"]
        assert [one.payload for one in board.write(control, b"\x02", 3.0)] == [b"\x82\x00"]
        assert [one.payload for one in board.write(control, wanted, 3.0)] == [b"\x83\x00"]
        info = diy.parse_info(board.read(diy.CHANNELS["info"]))
        assert (info.period_ns, info.acc_range_g, info.gyr_range_deg_s, info.generation) == (19_230_769, 4, 500, 2)

    def test_it_stops_when_the_host_is_gone_and_starts_again_with_a_first_packet(self) -> None:
        board, decoder = self.started()
        decoded(decoder, board.produce(4.0))
        board.disconnected()
        assert board.produce(8.0) == []
        again = drive(board, diy.start(100.0), diy.CHANNELS, 8.0)
        sent = board.produce(9.0)
        assert sent[0].payload[1] & 4
        assert sent[0].first_s >= 8.0
        decoder.push([Packet(8_000_000_000, Foot.LEFT, "info", again)])
        assert set(decoded(decoder, sent)["epoch"].tolist()) == {1}

    def test_a_reboot_sets_clock_counter_and_settings_anew(self) -> None:
        board, _ = self.started()
        board.produce(4.0)
        board.boot(10.0)
        board.disconnected()
        assert diy.parse_info(board.read(diy.CHANNELS["info"])).generation == 0
        drive(board, diy.start(100.0), diy.CHANNELS, 11.0)
        message = diy.parse_data(board.produce(12.0)[0].payload)
        assert message.counter == 0
        assert message.t_us == pytest.approx(1e6, abs=3e4)

    def test_the_battery_is_read_by_the_standard_service(self) -> None:
        board = diy_board()
        board.battery_pct = 12
        assert board.read(BATTERY) == b"\x0c"


class TestWitMotion:
    def started(self, mtu: int) -> tuple[WitMotionBoard, Decoder]:
        board = WitMotionBoard("WT901BLE68", motion(), Foot.LEFT, PLAIN, seed=1)
        board.connected(mtu)
        return board, witmotion.Decoder(drive(board, witmotion.start(100.0), witmotion.CHANNELS, 2.0))

    @pytest.mark.parametrize(("mtu", "length"), [(23, 20), (63, 60), (247, 80)])
    def test_frames_hold_the_motion_as_many_in_a_packet_as_fit(self, mtu: int, length: int) -> None:
        board, decoder = self.started(mtu)
        sent = board.produce(12.0)
        assert {len(one.payload) for one in sent} == {length}
        samples = decoded(decoder, sent, "frames")
        assert len(samples) == pytest.approx(1010, abs=6)
        assert np.linalg.norm(samples["acc_m_s2"], axis=1).mean() == pytest.approx(GRAVITY_M_S2, rel=0.01)

    def test_both_models_tell_the_same_motion(self) -> None:
        one, decoder = self.started(247)
        other = diy_board()
        info = drive(other, diy.start(100.0), diy.CHANNELS, 2.0)
        mine, theirs = decoded(decoder, one.produce(8.0), "frames"), decoded(diy.Decoder(info), other.produce(8.0))
        for field in ("acc_m_s2", "gyr_rad_s"):
            np.testing.assert_allclose(mine[field].mean(axis=0), theirs[field].mean(axis=0), atol=0.02)

    def test_the_battery_is_a_register(self) -> None:
        board, _ = self.started(247)
        board.battery_pct = 40
        assert drive(board, witmotion.battery(), witmotion.CHANNELS, 3.0) == b"\x28"


def test_after_the_motion_its_last_second_goes_on() -> None:
    board = diy_board()
    decoder = diy.Decoder(drive(board, diy.start(100.0), diy.CHANNELS, float(motion().time_s[-1]) - 2.0))
    samples = decoded(decoder, board.produce(float(motion().time_s[-1]) + 20.0))
    assert len(samples) == pytest.approx(22 * 104 * 1.01, abs=10)
    np.testing.assert_array_equal(samples["acc_m_s2"][-104:], samples["acc_m_s2"][-208:-104])
