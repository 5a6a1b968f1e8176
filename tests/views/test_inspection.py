import io
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from sensorrep.devices import MODELS
from sensorrep.model import SAMPLE, FloatArray, Foot, IntArray, Packet, RecordingHeader, Samples, SensorInfo
from sensorrep.sources.recording import RecordingWriter, open_recording
from sensorrep.sources.rows import COLUMNS
from sensorrep.sources.tables import open_table
from sensorrep.views.arrivals import arrivals, last_samples
from sensorrep.views.inspection import Inspection, concerns, inspect, show
from sensorrep.views.soundness import nominal_hz

quick = settings(
    deadline=None, max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

INFO = bytes.fromhex("01010101809698000ae81c3b0000fa3c0800e80302f400000001000001000000")
"""A DIY board at 100 Hz, two samples a packet."""
HEADER = RecordingHeader(
    feet={foot: SensorInfo("diy", f"REP-{foot.name[0]}", INFO) for foot in Foot},
    started_at="2025-03-01T10:00:00+01:00",
    software={"sensorrep": "0.1.0"},
)
BEGIN_NS = 5_000_000_000


def packet(foot: Foot, number: int, delay_ms: float = 10.0, ppm: float = 0.0, acc: int = 4080) -> Packet:
    """Two samples, the `number`th packet of a sensor whose clock is `ppm` slow against the host's."""
    sent_s = number * 0.02
    head = struct.pack("<BBHI", 0x11, 0x10, number * 2 % 65536, round(sent_s * 1e6))
    received_ns = BEGIN_NS + round((sent_s * (1 + ppm * 1e-6) + 0.01) * 1e9 + delay_ms * 1e6)
    return Packet(received_ns, foot, "data", head + struct.pack("<6h", 0, 0, acc, 1, 2, 3) * 2)


def stream(seconds: float = 10.0, ppm: tuple[float, float] = (0.0, 0.0)) -> list[Packet]:
    """Both feet, nothing lost; every fifth packet is 20 ms late."""
    return [
        packet(foot, number, 30.0 if number % 5 == 0 else 10.0, ppm[foot])
        for number in range(round(seconds * 50))
        for foot in Foot
    ]


def inspected(path: Path, packets: list[Packet], header: RecordingHeader = HEADER) -> Inspection:
    path.unlink(missing_ok=True)
    with RecordingWriter(path, header) as writer:
        writer.event("battery", foot="left", percent=93)
        writer.write(packets)
        writer.event("battery", foot="left", percent=90.4)
        writer.event("note", text="left hip \x1b[31mtight")
    with open_recording(path) as recording:
        return inspect(recording)


def shown(inspection: Inspection) -> str:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    show(inspection, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def arrived(device_s: FloatArray, received_s: FloatArray, epoch: int = 0) -> IntArray:
    samples = np.zeros(len(device_s), SAMPLE)
    samples["counter"] = np.arange(len(device_s))
    samples["device_ns"] = np.rint(device_s * 1e9)
    samples["received_ns"] = np.rint(received_s * 1e9)
    samples["epoch"] = epoch
    return last_samples(Samples(samples))


@quick
@given(
    ppm=st.floats(-300, 300),
    mean_delay_s=st.floats(0.001, 0.1),
    base_s=st.floats(-1e5, 1e5),
    seed=st.integers(0, 2**32 - 1),
)
def test_clock_and_delays_are_found_under_random_delays(
    ppm: float, mean_delay_s: float, base_s: float, seed: int
) -> None:
    device_s = np.arange(0, 600, 0.04)
    delay_s = np.random.default_rng(seed).exponential(mean_delay_s, len(device_s))
    found = arrivals([arrived(device_s, base_s + 1e5 + device_s * (1 + ppm * 1e-6) + delay_s)])
    assert found.slow_ppm == pytest.approx(ppm, abs=1 + mean_delay_s * 100)
    assert found.sensor_rate_hz == pytest.approx(25.0)
    assert found.delay_p95_s == pytest.approx(np.percentile(delay_s, 95), abs=0.02 * mean_delay_s + 0.001)
    assert found.delay_max_s == pytest.approx(delay_s.max(), abs=0.02 * mean_delay_s + 0.001)
    assert found.restarts == 0


def test_each_run_of_a_clock_is_laid_against_the_host_s_by_itself() -> None:
    device_s = np.arange(0, 60, 0.02)
    runs = [
        arrived(device_s, device_s * 1.0001 + 7),
        arrived(device_s[:100], device_s[:100] + 90, 1),
        arrived(device_s[:100], device_s[:100] + 93, 2),
    ]
    found = arrivals(runs)
    assert found.restarts == 2
    assert found.slow_ppm == pytest.approx(100, abs=1)
    assert found.delay_max_s == pytest.approx(0, abs=1e-6)


def test_a_short_run_tells_no_drift_and_none_tells_nothing() -> None:
    device_s = np.arange(0, 20, 0.02)
    assert arrivals([arrived(device_s, device_s)]).slow_ppm is None
    assert arrivals([]) == arrivals([arrived(device_s[:0], device_s[:0])]) == (0, None, None, None, None)


def test_the_last_sample_of_a_packet_is_the_one_before_another_arrival() -> None:
    assert arrived(np.arange(6.0), np.array([1, 1, 1, 2, 3, 3.0]))[:, 1].tolist() == [2, 3, 5]


def test_a_sound_recording_is_called_sound(tmp_path: Path) -> None:
    found = inspected(tmp_path / "a.jsonl", stream(40.0, (20.0, -30.0)))
    assert concerns(found) == []
    assert found.duration_s == pytest.approx(40.0, abs=0.05)
    left, right = found.feet[Foot.LEFT], found.feet[Foot.RIGHT]
    assert left.packets == right.packets == {"data": 2000}
    assert left.samples == right.samples == 4000
    assert left.rate_hz == pytest.approx(100.0, abs=0.1)
    assert left.nominal_hz == pytest.approx(100.0)
    assert left.battery == ("93 %", "90 %")
    assert right.battery == ()
    assert left.arrivals is not None
    assert left.arrivals.slow_ppm == pytest.approx(20, abs=1)
    assert left.arrivals.delay_p95_s == pytest.approx(0.020, abs=0.001)
    assert found.right_slower_ppm == pytest.approx(-50, abs=1)
    text = shown(found)
    for words in (
        "a.jsonl: sound\n",
        "40 s, 2025-03-01 10:00, heels-apart, sensorrep 0.1.0, closed cleanly\n",
        "20 ppm slow",
        "30 ppm fast",
        "93 % to 90 %",
        "the right clock is 50 ppm faster (180 ms in an hour)",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("model", "info", "rate_hz"),
    [
        ("diy", INFO, 100.0),
        ("table", struct.pack("<dd", 0.04, 0.1), 25.0),
        ("witmotion", b"\xc8\0", 200.0),
        ("movesense", b"\x34\0", 52.0),
        ("dot", bytes([26, 60]), 60.0),
        ("metamotion", struct.pack("<HBH", 100, 8, 1000), 100.0),
        ("polar", struct.pack("<Hff", 104, 2.44e-4, 0.07), 104.0),
        ("thingy", b"\x64\0", 100.0),
    ],
)
def test_every_sensor_says_what_it_was_set_to(model: str, info: bytes, rate_hz: float) -> None:
    assert model in MODELS
    assert nominal_hz(model, info) == pytest.approx(rate_hz)
    assert nominal_hz(model, b"") is None


def test_a_sensor_that_is_not_as_fast_as_it_was_set_to_is_a_concern(tmp_path: Path) -> None:
    twice = INFO[:4] + struct.pack("<I", 5_000_000) + INFO[8:]
    header = replace(HEADER, feet={foot: SensorInfo("diy", "", (twice, INFO)[foot]) for foot in Foot})
    (found,) = (one for one in concerns(inspected(tmp_path / "x.jsonl", stream(), header)) if "set to" in one)
    assert found.startswith("left")
    assert "of the 200.0 that it was set to" in found


def test_times_are_from_the_first_packet(tmp_path: Path) -> None:
    found = inspected(tmp_path / "a.jsonl", stream(4.0))
    assert [kind for _, kind, _ in found.events] == ["battery", "battery", "note"]
    assert found.events[0][0] is None
    assert found.events[2][0] == pytest.approx(3.98, abs=0.05)


def test_answers_about_clocks_are_summed_up_and_hide_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with RecordingWriter(path, HEADER) as writer:
        writer.write(stream(4.0))
        for took_us in (42_000.0, 44_000, 91_000.0):
            writer.event("clock", foot="right", offset_us=1, round_trip_us=took_us)
        writer.event("clock", foot="right", odd=True)
        writer.event("link", foot="left", state="lost", text="it was lost")
    with open_recording(path) as recording:
        found = inspect(recording)
    text = shown(found)
    assert re.search(r"clock answers +– +3, after 44 ms \(at most 91\)", text)
    assert [(kind, rest) for _, kind, rest in found.events] == [
        ("clock", "right, odd true"),
        ("link", "left, lost, it was lost"),
    ]


def without(packets: list[Packet], foot: Foot, from_s: float, to_s: float) -> list[Packet]:
    begin_ns, end_ns = BEGIN_NS + round(from_s * 1e9), BEGIN_NS + round(to_s * 1e9)
    return [one for one in packets if one.foot is not foot or not begin_ns <= one.received_ns < end_ns]


def stalled(packets: list[Packet], from_s: float, to_s: float) -> list[Packet]:
    """Nothing arrives for a while, then all at once."""
    begin_ns, end_ns = BEGIN_NS + round(from_s * 1e9), BEGIN_NS + round(to_s * 1e9)
    held = [begin_ns <= one.received_ns < end_ns for one in packets]
    return [
        one._replace(received_ns=end_ns + n * 1000) if late else one
        for n, (one, late) in enumerate(zip(packets, held, strict=True))
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda packets: without(packets, Foot.LEFT, 4.0, 6.0), ["left: 20.0 % of the samples", "left: 1 gap"]),
        (lambda packets: without(packets, Foot.RIGHT, 0.0, 99.0), ["right: no samples came"]),
        (lambda _: [], ["it holds no samples"]),
        (
            lambda packets: [*packets[:300], packet(Foot.LEFT, 150, acc=32767), *packets[301:]],
            ["left: 2 samples beyond the sensor's limit"],
        ),
        (
            lambda packets: [
                one._replace(payload=one.payload[:9]) if n % 100 == 7 else one for n, one in enumerate(packets)
            ],
            ["right: 10 packets could not be read"],
        ),
        (lambda packets: stalled(packets, 5.0, 6.5), ["left: a packet came 1.5 s late", "right: a packet came 1.5 s"]),
        (
            lambda packets: [
                *packets,
                *(one._replace(received_ns=one.received_ns + 15 * 10**9) for one in packets if one.foot is Foot.RIGHT),
            ],
            ["right: the sensor started anew 1 time"],
        ),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, change: Callable[[list[Packet]], list[Packet]], words: list[str]
) -> None:
    found = inspected(tmp_path / "a.jsonl", change(stream()))
    for one in words:
        assert any(concern.startswith(one) for concern in concerns(found)), concerns(found)
    assert ": sound" not in shown(found)


def test_loss_duplicates_and_gaps_are_counted(tmp_path: Path) -> None:
    packets = without(stream(), Foot.LEFT, 4.0, 5.5)
    packets[100:100] = packets[90:96]
    found = inspected(tmp_path / "a.jsonl", packets)
    left, right = found.feet[Foot.LEFT], found.feet[Foot.RIGHT]
    assert (left.samples, left.lost, left.duplicates) == (850, 150, 6)
    assert (right.samples, right.lost, right.duplicates) == (1000, 0, 6)
    assert left.lost_share == pytest.approx(0.15)
    ((start_s, end_s),) = left.gaps
    assert start_s == pytest.approx(4.0, abs=0.05)
    assert end_s == pytest.approx(5.5, abs=0.05)
    assert left.longest_gap_s == end_s - start_s
    assert "left for 1.5 s" in shown(found)


def test_damage_and_a_missing_end_are_said(tmp_path: Path) -> None:
    inspected(tmp_path / "a.jsonl", stream())
    content = (tmp_path / "a.jsonl").read_bytes()
    (tmp_path / "a.jsonl").write_bytes(content[:1000] + b"\0" + content[1001:20_000])
    with open_recording(tmp_path / "a.jsonl") as recording:
        found = inspect(recording)
    text = shown(found)
    assert not found.closed_cleanly
    assert "it was not closed cleanly" in text
    assert "torn" in text
    assert "1 line was" in text


def test_a_slow_sensor_and_a_table_are_understood(tmp_path: Path) -> None:
    rows = [f"{n / 20:.2f},right,0,0,9.81,0,0,0" for n in range(100)]
    (tmp_path / "knee.csv").write_text("\n".join([",".join(COLUMNS), *rows]))
    found = inspect(open_table([tmp_path / "knee.csv"]))
    assert concerns(found) == ["right: 20.0 Hz is too slow to see tremor: set the sensor to 50 Hz or more"]
    assert found.right_slower_ppm is None
    text = shown(found)
    assert "CSV table" in text
    assert "delay" not in text
    assert "clock" not in text


def test_it_reads_well_in_80_columns_without_colour(tmp_path: Path) -> None:
    feet = {foot: SensorInfo("diy", "a name \x1b[2Jthat never ends " * 9, INFO) for foot in Foot}
    packets = without(stream(60.0), Foot.LEFT, 1.0, 1.5)
    for second in range(2, 40):
        packets = without(packets, Foot.RIGHT, second, second + 0.5)
    text = shown(inspected(tmp_path / "a.jsonl", packets, replace(HEADER, feet=feet, software={"x" * 100: "1"})))
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text
    assert "and 19 more" in text


def test_blocks_may_be_watched_and_their_size_does_not_matter(tmp_path: Path) -> None:
    whole = inspected(tmp_path / "a.jsonl", without(stream(5.0), Foot.LEFT, 2.0, 2.7))
    with open_recording(tmp_path / "a.jsonl") as recording:
        assert inspect(recording, recording.blocks(7)) == whole


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "a.jsonl"
    inspected(path, stream(2.0))
    return path.read_bytes()


@quick
@given(
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=6),
    cut=st.floats(0, 1),
)
def test_any_damage_after_the_header_can_be_inspected(
    sound: bytes, tmp_path: Path, flips: list[tuple[float, int]], cut: float
) -> None:
    begin = sound.index(b"\n") + 1
    damaged = bytearray(sound)
    for where, bit in flips:
        damaged[begin + int(where * (len(sound) - begin))] ^= 1 << bit
    (tmp_path / "a.jsonl").write_bytes(damaged[: begin + int(cut * (len(sound) - begin))])
    with open_recording(tmp_path / "a.jsonl") as recording:
        text = shown(inspect(recording))
    assert text.startswith("a.jsonl: ")
    assert max(len(line) for line in text.splitlines()) <= 80
