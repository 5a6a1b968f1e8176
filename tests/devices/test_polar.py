"""Polar frames: the maker's and captured bytes, compression both ways, times, the join of both streams, start-up."""

import struct
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.devices import Action, Await, Pause, Subscribe, Write, polar
from sensorrep.devices.polar import (
    ACC,
    CHANNELS,
    GYR,
    LIVE_CUES,
    Decoder,
    Reader,
    Stream,
    decompressed,
    parse_frame,
    parse_settings,
    parse_started,
    recognises,
)
from sensorrep.devices.wire import joined
from sensorrep.errors import PayloadError, RadioError, RadioReason
from sensorrep.model import Foot, IntArray, Packet, Samples, SensorInfo
from sensorrep.stages.decode import Decode
from tests.devices.driving import CUTS, decoded, drive, packets, pieces, plausible, refused, same_however_cut, streams

# polarofficial/polar-ble-sdk@8fb5311 .../pmd/model/AccDataTest.kt, GyrDataTest.kt, MagDataTest.kt, PmdSettingTest.kt
ACC_0 = bytes.fromhex(
    "02009435770000000080"
    "7107f06a9e8d0a38be5cbeba2f96b3ee4be5adfb42b9ebbe4cfeba2f92bfee4be4b1fb12b9ecbd3c3ebb2f8fd3de4be3b5f7d2b8edbd307e"
    "7b2f8be3ce8be2baf7a2b8eebc20be7b2f88f3cecbe1bdef52f8efbc18fe3b2f8403bfcbe0c2ef32b8f0bb044ebc2e8113af0be0c6eff2f7"
    "f1b9fc7dbc2e7d279f4bdfcaebc2f7f2b8eccd7c2e7b378f4bdecee392f7f3b8e00dfd2d774b7fcbddd2df6237f5b7d44dbd2d745b6fcbdc"
    "d7d73237f6b5c88d7d2d716b4f4bdcdcd3f236f7b4bcddfd2c6f7b3f4bdbe0cfd236f8b2b02dbe2c6c8f1fcbdae3c7a276f9"
)
ACC_0_CONTENT = ACC_0[10:]
ACC_1 = bytes.fromhex("02650000000000000081 f1ff1400f003 0601 7b0f08")
ACC_RAW = bytes.fromhex("02009435770000000001 f7ffffffe703 f8fffeffe503 f9ffffffe503 faffffffe603")  # 4 of 36 samples
GYR_0 = bytes.fromhex("05ffffffffffffff7f80 eaff08000d00 0301 df00")
GYR_1 = bytes.fromhex("05009435770000000081 0000803f000020410000a041 1c01 0000a001000008cdccec0d")
MAG_CONTENT = bytes.fromhex("e2e6fa15490a 0601 7f20fc")
SETTINGS = bytes.fromhex("00013400 01011000 0204f500f401e803d007 040103")
# The same repository, issue #443: head, reference and first block of a captured frame of a Verity Sense
REAL = bytes.fromhex(
    "0200416fc41245930a81 ee021ffe82ff 080a 10da20d6a30bd9cbe7d6f6c4e6f1e1f3e0151afe281bf8372c2520131911"
)

FACTORS = {ACC: 2.44e-4, GYR: 1.0}
parse = partial(parse_frame, factors=FACTORS)
INFO = struct.pack("<Hff", 104, 2.44e-4, 0.07)
new = partial(Decoder, INFO)
BEGIN_NS = 762_028_708_863_000_000
PERIOD_NS = 1e9 / 104


def compressed(samples: IntArray, bits: int = 16) -> bytes:
    """What the sensor sends for these raw samples: reference, then one block (written from the specification)."""
    values = np.diff(samples, axis=0).ravel() % (1 << bits)
    flags = (values[:, None] >> np.arange(bits)) & 1
    block = np.packbits(flags.astype(np.uint8).ravel(), bitorder="little")
    return bytes(samples[0].astype("<i2")) + bytes([bits, len(samples) - 1]) + bytes(block)


def frame(kind: int, stamp_ns: int, samples: IntArray) -> bytes:
    """A frame in mg or in units of 0.07 deg/s."""
    return bytes([kind]) + stamp_ns.to_bytes(8, "little") + (b"\x81" if kind == ACC else b"\x80") + compressed(samples)


def ramp(numbers: IntArray, slope: int, offset: int) -> IntArray:
    """Raw samples that say their own number."""
    return np.asarray((numbers[:, None] * slope + offset + np.array([0, 100, 200])) % 4000)


def wearer(
    frames: int,
    size: int = 50,
    period_ns: float = PERIOD_NS,
    acc_ahead_ns: int = 0,
    lost: Sequence[tuple[int, int]] = (),
) -> list[Packet]:
    """Both streams of a sensor: frame k of either arrives 20 ms after its last sample; `lost` names (kind, k)."""
    sent = []
    for k in range(frames):
        numbers = np.arange(k * size, (k + 1) * size)
        for kind, ahead_ns in ((ACC, acc_ahead_ns), (GYR, 0)):
            stamp_ns = BEGIN_NS + round(numbers[-1] * period_ns) + ahead_ns
            if (kind, k) not in lost:
                payload = frame(kind, stamp_ns, ramp(numbers, 2, 0) if kind == ACC else ramp(numbers, 1, 7))
                sent.append(Packet(stamp_ns - BEGIN_NS + 20_000_000, Foot.LEFT, "data", payload))
    return sorted(sent, key=lambda packet: packet.received_ns)


def test_the_maker_s_compressed_acceleration() -> None:
    raw = decompressed(ACC_0_CONTENT, "<i2")
    assert raw.shape == (57, 3)
    assert raw[:3].tolist() == [[1905, 27376, -29282], [2095, 27271, -29367], [2285, 27165, -29451]]
    assert raw[-1].tolist() == [12274, 20173, -32449]
    kind, stamp_ns, values = parse(ACC_0)
    assert (kind, stamp_ns) == (ACC, 2_000_000_000)
    assert np.trunc(values[:2] * 1000).tolist() == [[464, 6679, -7144], [511, 6654, -7165]]


@pytest.mark.parametrize(
    ("payload", "kind", "stamp_ns", "first", "last"),
    [
        (ACC_1, ACC, 101, (-0.015, 0.020, 1.008), (-0.020, 0.017, 1.008)),
        (ACC_RAW, ACC, 2_000_000_000, (-0.009, -0.001, 0.999), (-0.006, -0.001, 0.998)),
        (GYR_0, GYR, 2**63 - 1, (-22, 8, 13), (-23, 11, 16)),
        (GYR_1, GYR, 2_000_000_000, (1, 10, 20), (10, 20, 1.1)),
        (REAL, ACC, 762028708863099136, (0.750, -0.481, -0.126), (0.720, -0.670, -0.034)),
    ],
)
def test_frames_of_every_form(
    payload: bytes, kind: int, stamp_ns: int, first: tuple[float, ...], last: tuple[float, ...]
) -> None:
    found = parse(payload)
    assert (found.kind, found.stamp_ns) == (kind, stamp_ns)
    assert found.values[0] == pytest.approx(first, abs=1e-6)
    assert found.values[-1] == pytest.approx(last, abs=1e-6)


def test_a_captured_block() -> None:
    assert np.rint(parse(REAL).values * 1000).tolist() == [
        [750, -481, -126], [766, -519, -94], [724, -612, -83], [685, -665, -108], [643, -675, -168], [617, -690, -199],
        [604, -722, -178], [630, -724, -138], [657, -732, -83], [701, -695, -51], [720, -670, -34],
    ]  # fmt: skip


def test_differences_of_six_bits_cross_the_bytes() -> None:
    assert decompressed(MAG_CONTENT, "<i2").tolist() == [[-6430, 5626, 2633], [-6431, 5627, 2635]]


@settings(deadline=None, derandomize=True, max_examples=80)
@given(st.integers(2, 16), st.data())
def test_compression_is_undone(bits: int, data: st.DataObject) -> None:
    limit = 2 ** (bits - 1)
    deltas = data.draw(st.lists(st.tuples(*[st.integers(-limit, limit - 1)] * 3), min_size=1, max_size=20))
    samples = np.cumsum(np.array([(5, -7, 1000), *deltas], np.int64), axis=0)
    assert np.array_equal(decompressed(compressed(samples, bits), "<i2"), samples)


@pytest.mark.parametrize("payload", [ACC_0, ACC_1, GYR_0, GYR_1, REAL])
def test_every_truncation_is_refused_but_for_the_reference_sample_alone(payload: bytes) -> None:
    """A frame that ends with its reference or with a block is whole by all that it says; REAL itself is such a cut."""
    reference = 22 if payload is GYR_1 else 16
    for length in range(len(payload)):
        if length == reference:
            assert np.array_equal(parse(payload[:length]).values, parse(payload).values[:1])
        else:
            assert refused(parse, payload[:length])
            assert decoded(new(), packets("data", [payload[:length]]))[1] == 1


def test_a_raw_frame_cut_inside_a_sample_is_refused() -> None:
    for length in range(10, len(ACC_RAW)):
        samples, rest = divmod(length - 10, 6)
        assert (
            refused(parse, ACC_RAW[:length]) if rest or not samples else len(parse(ACC_RAW[:length]).values) == samples
        )


@pytest.mark.parametrize(
    "payload",
    [
        b"\x01" + ACC_1[1:],  # another measurement
        ACC_1[:9] + b"\x83" + ACC_1[10:],  # another form
        ACC_1[:8] + b"\x80" + ACC_1[9:],  # a time that no 64-bit signed number holds
        ACC_1[:10] + struct.pack("<3h", 0, 0, 9000),  # 9 g
        ACC_1[:16] + b"\x21\x01" + bytes(13),  # 33 bits
        ACC_1[:16] + b"\x06\x00",  # no samples
        GYR_1[:10] + struct.pack("<3f", float("nan"), 0, 0),
        GYR_1[:10] + struct.pack("<3f", 0, float("inf"), 0),
        GYR_1[:10] + struct.pack("<3f", 0, 0, 2200),
        b"",
    ],
)
def test_frames_that_say_what_cannot_be_are_malformed(payload: bytes) -> None:
    assert refused(parse, payload)
    samples, malformed = decoded(new(), packets("data", [payload]))
    assert (len(samples), malformed) == (0, 1)


def test_times_of_a_frame_end_at_its_stamp_and_begin_behind_the_frame_before() -> None:
    """As the maker's PmdTimeStampUtils: the first frame goes back at the nominal rate."""
    stream = Stream(period_ns=20_000_000.0)
    assert stream.place(1_000_000_000, 3)[1].tolist() == [960_000_000, 980_000_000, 1_000_000_000]
    numbers, times = stream.place(1_084_000_000, 4)
    assert times.tolist() == [1_021_000_000, 1_042_000_000, 1_063_000_000, 1_084_000_000]
    assert numbers.tolist() == [3, 4, 5, 6]
    numbers, times = stream.place(1_336_000_000, 4)  # 12 periods later: 8 samples are missing
    assert numbers.tolist() == [15, 16, 17, 18]
    assert np.diff(times).tolist() == [21_000_000] * 3
    assert stream.place(1_336_000_000, 4)[0].tolist() == [15, 16, 17, 18]  # twice


def test_rates_get_the_acceleration_at_their_own_times() -> None:
    """Both streams say their sample's number; the acceleration is sampled 3 ms later, so half of its step is known."""
    samples, malformed = decoded(new(), wearer(4, acc_ahead_ns=3_000_000))
    assert malformed == 0
    numbers = samples["counter"]
    assert numbers.tolist() == list(range(1, 200))  # the first rate came before any acceleration
    gyr = np.degrees(samples["gyr_rad_s"][:, 0]) / 0.07
    assert gyr == pytest.approx(numbers + 7)
    acc_mg = samples["acc_m_s2"][:, 0] / 9.80665 * 1000
    assert acc_mg == pytest.approx(2 * (numbers - 3e6 / PERIOD_NS), abs=1e-3)
    times = BEGIN_NS + numbers * PERIOD_NS
    assert np.abs(samples["device_ns"] - times).max() < 2000
    assert (samples["received_ns"] >= samples["device_ns"] - BEGIN_NS).all()
    assert set(samples["received_ns"].tolist()) <= {p.received_ns for p in wearer(4)}


def test_sample_times_follow_the_true_rate() -> None:
    period_ns = 1.02 * PERIOD_NS
    samples, _ = decoded(new(), wearer(6, period_ns=period_ns))
    later = samples[samples["counter"] >= 50]
    assert len(later) == 250
    assert np.abs(later["device_ns"] - BEGIN_NS - later["counter"] * period_ns).max() < 2000


def test_a_lost_frame_of_rates_is_a_jump_of_the_counter() -> None:
    samples, _ = decoded(new(), wearer(6, lost=[(GYR, 3)]))
    assert samples["counter"].tolist() == [*range(150), *range(200, 300)]
    assert np.degrees(samples["gyr_rad_s"][:, 0]) / 0.07 == pytest.approx(samples["counter"] + 7)


def test_rates_beside_a_hole_of_the_acceleration_are_lost_and_not_invented() -> None:
    samples, _ = decoded(new(), wearer(6, lost=[(ACC, 3)]))
    assert samples["counter"].tolist() == [*range(150), *range(200, 300)]


def test_without_acceleration_nothing_comes_and_memory_stays_bounded() -> None:
    reader = Reader(INFO)
    samples, malformed = decoded(reader, wearer(60, lost=[(ACC, k) for k in range(60)]))
    assert (len(samples), malformed) == (0, 0)
    assert len(reader._waiting) <= 1041


def test_a_clock_that_was_set_starts_a_new_epoch() -> None:
    early = [
        packet._replace(payload=packet.payload[:1] + (5 * 10**9 + i * 10**9).to_bytes(8, "little") + packet.payload[9:])
        for i, packet in enumerate(wearer(1))
    ]
    late = [packet._replace(received_ns=packet.received_ns + 10**10) for packet in wearer(2)]
    samples, _ = decoded(new(), [*early[:1], *early[:1], *late])
    assert samples["epoch"].tolist() == [1] * 100
    assert samples["counter"].tolist() == list(range(100))


def test_near_full_scale_is_flagged_for_the_rate_and_for_both_accelerations_beside_it() -> None:
    acc = np.full((5, 3), 100)
    acc[2] = 7990
    gyr = np.zeros((5, 3), np.int64)
    gyr[4] = 28_400
    sent = [frame(ACC, BEGIN_NS, acc), frame(GYR, BEGIN_NS - 5_000_000, gyr)]
    samples, _ = decoded(new(), packets("data", sent))
    assert samples["saturated"].tolist() == [False, True, True, True]
    assert samples["counter"].tolist() == [1, 2, 3, 4]


def test_settings_and_the_factor_of_a_start() -> None:
    found = parse_settings(SETTINGS)
    values = {what: [int.from_bytes(value, "little") for value in each] for what, each in found.items()}
    assert values == {0: [52], 1: [16], 2: [245, 500, 1000, 2000], 4: [3]}
    answer = b"\xf0\x02\x02\x00\x00"
    assert parse_started(answer + b"\x05\x01" + struct.pack("<f", 2.44e-4)) == pytest.approx(2.44e-4)
    assert parse_started(answer) == 1.0
    assert refused(parse_started, b"\xf0\x03\x02\x00\x00")
    assert all(refused(parse_settings, SETTINGS[:length]) for length in range(21) if length not in (0, 4, 8, 18))


ACC_OK = b"\xf0\x02\x02\x00\x00\x05\x01" + struct.pack("<f", 2.44e-4)
GYR_OK = b"\xf0\x02\x05\x00\x00\x05\x01" + struct.pack("<f", 0.07)


def writes(actions: list[Action]) -> list[str]:
    found = [action for action in actions if isinstance(action, Write)]
    assert all(action.channel == "control" and action.response for action in found)
    return [action.payload.hex(" ") for action in found]


ENDED = ["03 02", "03 05", "03 09"]


def test_start_at_52_hz_writes_the_documented_bytes() -> None:
    actions, info = drive(polar.start(52), ACC_OK, GYR_OK)
    assert actions[:2] == [Subscribe("control"), Subscribe("data")]
    assert writes(actions) == [
        *ENDED,
        "02 02 00 01 34 00 01 01 10 00 02 01 08 00 04 01 03",
        "02 05 00 01 34 00 01 01 10 00 02 01 d0 07 04 01 03",
    ]
    assert info == struct.pack("<Hff", 52, 2.44e-4, 0.07)
    Decoder(info)


@pytest.mark.parametrize(("status", "rate"), [(0, 104), (6, 52), (5, 52)])
def test_start_at_104_hz_asks_for_the_sdk_mode_and_does_without(status: int, rate: int) -> None:
    actions, info = drive(polar.start(100), bytes([0xF0, 2, 9, status, 0]), ACC_OK, GYR_OK)
    code = f"{rate:02x}"
    assert writes(actions) == [
        *ENDED,
        "02 09",
        f"02 02 00 01 {code} 00 01 01 10 00 02 01 08 00 04 01 03",
        f"02 05 00 01 {code} 00 01 01 10 00 02 01 d0 07 04 01 03",
    ]
    awaited = [action.prefix.hex() for action in actions if isinstance(action, Await)]
    assert awaited == ["f00209", "f00202", "f00205"]
    assert info[:2] == bytes([rate, 0])


@pytest.mark.parametrize(("status", "word"), [(13, "in its charger"), (12, "status 12")])
def test_a_refused_start_says_why(status: int, word: str) -> None:
    with pytest.raises(RadioError, match=word) as refusal:
        drive(polar.start(52), bytes([0xF0, 2, 2, status, 0]))
    assert refusal.value.reason is RadioReason.REFUSED


def test_stop_ends_streams_and_mode() -> None:
    actions, _ = drive(polar.stop())
    assert writes(actions) == ENDED
    assert actions[1::2] == [Pause(0.2)] * 3


def test_it_says_that_it_is_too_late_for_cues() -> None:
    """Of 200 samples the first of each frame is 50 samples old when it comes."""
    samples, _ = decoded(new(), wearer(4))
    age_ns = samples["received_ns"] - (samples["device_ns"] - BEGIN_NS)
    assert age_ns.max() > 0.45e9
    assert not LIVE_CUES


@pytest.mark.parametrize(
    "info", [INFO[:9], struct.pack("<Hff", 50, 1, 1), struct.pack("<Hff", 52, float("nan"), 1), bytes(10)]
)
def test_unknown_rates_or_factors_are_refused(info: bytes) -> None:
    with pytest.raises(PayloadError, match="rate"):
        Decoder(info)


def test_recognises_its_own_name_and_no_others() -> None:
    assert recognises("Polar Sense 1A2B3C4D", ())
    others = [
        "Polar OH1 12345678", "Polar 360 12345678", "Polar H10 12345678", "WT901BLE67", "Movesense 174630000192",
        "Movella DOT", "MetaWear", "Thingy", "REP-L-0001", None,
    ]  # fmt: skip
    assert not any(recognises(name, ["fb005c80-02e7-f387-1cad-8acd2d8df0c8"]) for name in others)


STAMPS = st.one_of(st.integers(0, 3 * 10**9), st.integers(0, 2**64 - 1))
FRAMES = st.builds(
    lambda kind, stamp_ns, size: frame(kind, stamp_ns, ramp(np.arange(size), 3, 0)),
    st.sampled_from([ACC, GYR]),
    STAMPS,
    st.integers(2, 60),
)
PAYLOADS = st.one_of(
    FRAMES,
    FRAMES.map(lambda payload: payload[:-3]),
    st.binary(max_size=40),
    st.tuples(st.sampled_from([ACC_1[:10], GYR_0[:10], GYR_1[:10]]), st.binary(max_size=60)).map(b"".join),
)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(streams(list(CHANNELS), PAYLOADS), CUTS)
def test_any_bytes_give_samples_however_cut(stream: list[Packet], sizes: list[int]) -> None:
    samples, _ = decoded(new(), stream)
    assert plausible(samples)
    assert (np.diff(samples["epoch"]) >= 0).all()
    assert same_however_cut(new, stream, sizes)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.sets(st.tuples(st.sampled_from([ACC, GYR]), st.integers(0, 9))), st.integers(-4_000_000, 9_000_000), CUTS)
def test_what_is_left_after_losses_is_true_however_cut(
    lost: set[tuple[int, int]], ahead_ns: int, sizes: list[int]
) -> None:
    sent = wearer(10, acc_ahead_ns=ahead_ns, lost=sorted(lost))
    samples, _ = decoded(new(), sent)
    number = samples["counter"] + min([k for k in range(11) if (GYR, k) not in lost]) * 50
    assert np.degrees(samples["gyr_rad_s"][:, 0]) / 0.07 == pytest.approx(number + 7)
    acc_mg = samples["acc_m_s2"][:, 0] / 9.80665 * 1000
    assert acc_mg == pytest.approx(2 * (number - ahead_ns / PERIOD_NS), abs=1e-2)
    assert same_however_cut(new, sent, sizes)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(st.integers(0, 700_000_000), CUTS)
def test_both_feet_leave_the_decode_stage_in_one_order_however_cut(right_later_ns: int, sizes: list[int]) -> None:
    """A rate is released by the acceleration's packet and bears the arrival of its own."""
    right = wearer(6, acc_ahead_ns=-3_000_000)
    sent = wearer(6, acc_ahead_ns=2_000_000) + [
        packet._replace(foot=Foot.RIGHT, received_ns=packet.received_ns + right_later_ns) for packet in right
    ]
    sent.sort(key=lambda packet: packet.received_ns)
    sensor = SensorInfo("polar", info=INFO)

    def through(pieces: Iterable[Sequence[Packet]]) -> Samples:
        stage = Decode({Foot.LEFT: sensor, Foot.RIGHT: sensor})
        return joined([block for piece in pieces for block in stage.push(piece)] + stage.finish())

    assert np.array_equal(through([sent]), through(pieces(sent, sizes)))


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.binary(max_size=60), st.sampled_from([parse, parse_settings, parse_started]))
def test_any_bytes_are_parsed_or_refused(payload: bytes, parse: Callable[[bytes], object]) -> None:
    try:
        refused(parse, payload)
    except RadioError:
        assert parse is parse_started
        assert payload[3]
