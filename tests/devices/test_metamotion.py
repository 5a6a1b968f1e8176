"""MetaMotion: the maker's own test bytes, the chain of processors on both chips, count, restart, and scales."""

import struct
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.devices import Action, Await, Pause, Subscribe, Write, metamotion
from sensorrep.devices.metamotion import CHANNELS, Decoder, parse_battery, parse_created, parse_fused, recognises
from sensorrep.errors import PayloadError, RadioError, RadioReason
from sensorrep.model import Packet
from tests.devices.driving import CUTS, decoded, drive, packets, plausible, refused, same_however_cut, streams

# mbientlab/MetaWear-SDK-Cpp@f67699e test/test_dataprocessor.py TestFuserAccounter, test/test_settings.py,
# test_accelerometer_bmi160.py, test_gyro_bmi160.py
FUSED = bytes.fromhex("0903031e020000 f40d3c399911 0180d691d367")
BATTERY = bytes.fromhex("118c633410")
ACC_4_G = bytes.fromhex("16c494a22ad0"), (-1.872, -2.919, -1.495)
ACC_8_G = bytes.fromhex("62b7530de9fd"), (-4.539, 0.833, -0.131)
GYR_500 = bytes.fromhex("3e43ff7f0080"), (262.409, 499.497, -499.512)
GYR_1000 = bytes.fromhex("0915ad2608de"), (164.177, 301.860, -265.122)
# The same: messages that are no six-axis samples of the chain
OTHERS = [
    bytes.fromhex(text)
    for text in (
        "030416c494a22ad0",
        "031c62b7530de9fd16d04d0e57028affa1050a01",
        "13053e43ff7f0080",
        "13070915ad2608de8a1a0d2665e48d20ac2773ec",
        "0b840433 0d0003",
        "118b01077b528fc9e8",
        "1904203e53c50cfe79460cfe79c600",
    )
]
ACCOUNTER_OF_ACC_ALONE = bytes.fromhex("090300a6330d00c100b12419cd")

INFO = struct.pack("<HBH", 100, 8, 1000)
new = partial(Decoder, INFO)


def fused(count: int, acc: bytes = ACC_8_G[0], gyr: bytes = GYR_1000[0]) -> bytes:
    return b"\x09\x03\x02" + (count % 2**32).to_bytes(4, "little") + acc + gyr


def stream(counts: list[int], period_ns: int = 10_000_000, late_ns: int = 30_000_000) -> list[Packet]:
    return [
        packets("notifications", [fused(count)], begin_ns=(count - counts[0]) * period_ns + late_ns)[0]
        for count in counts
    ]


def test_the_maker_s_fused_sample() -> None:
    sample = parse_fused(FUSED)
    assert sample.number == 542
    assert sample.acc.tolist() == [3572, 14652, 4505]
    assert sample.gyr.tolist() == [-32767, -28202, 26579]
    samples, _ = decoded(Decoder(struct.pack("<HBH", 100, 2, 2000)), packets("notifications", [FUSED], begin_ns=3))
    assert samples["acc_m_s2"][0] / 9.80665 == pytest.approx((0.218018, 0.894287, 0.274963), abs=1e-6)
    assert np.degrees(samples["gyr_rad_s"][0]) == pytest.approx((-1997.988, -1719.634, 1620.671), abs=1e-3)
    assert (samples["counter"][0], samples["device_ns"][0], samples["received_ns"][0]) == (542, 5_420_000_000, 3)
    assert samples["saturated"][0]


@pytest.mark.parametrize(
    ("ranges", "acc", "gyr"), [((4, 500), ACC_4_G, GYR_500), ((8, 1000), ACC_8_G, GYR_1000)], ids=str
)
def test_the_scales_are_the_maker_s(
    ranges: tuple[int, int], acc: tuple[bytes, tuple[float, ...]], gyr: tuple[bytes, tuple[float, ...]]
) -> None:
    decoder = Decoder(struct.pack("<HBH", 100, *ranges))
    samples, _ = decoded(decoder, packets("notifications", [fused(0, acc[0], gyr[0])]))
    assert samples["acc_m_s2"][0] / 9.80665 == pytest.approx(acc[1], abs=1e-3)
    assert np.degrees(samples["gyr_rad_s"][0]) == pytest.approx(gyr[1], abs=1e-3)


def test_other_messages_are_passed_over() -> None:
    """Plain and packed streams, log time, battery, address, the board's own fusion."""
    samples, malformed = decoded(new(), packets("notifications", [*OTHERS, BATTERY, fused(7)]))
    assert samples["counter"].tolist() == [7]
    assert malformed == 0


def test_a_counter_over_acceleration_alone_is_malformed() -> None:
    _, malformed = decoded(new(), packets("notifications", [ACCOUNTER_OF_ACC_ALONE, b"", b"\x09"]))
    assert malformed == 3
    assert refused(parse_fused, ACCOUNTER_OF_ACC_ALONE)


def test_loss_repeats_and_order_are_seen_in_the_count() -> None:
    samples, _ = decoded(new(), stream([10, 11, 15, 14, 14, 16, 500]))
    assert samples["counter"].tolist() == [10, 11, 15, 14, 14, 16, 500]
    assert np.array_equal(samples["device_ns"], samples["counter"] * 10_000_000)
    assert not samples["epoch"].any()


def test_the_counter_wraps() -> None:
    counts = [2**32 - 2 + k for k in range(5)]
    samples, _ = decoded(new(), stream(counts))
    assert samples["counter"].tolist() == counts
    assert not samples["epoch"].any()


@pytest.mark.parametrize("before", [20, 200, 20_000])
def test_a_chain_that_was_built_anew_starts_an_epoch(before: int) -> None:
    """After a lost link the start script runs again and the count begins at 0, here 3 s after the last sample."""
    first = stream([before, before + 1])
    second = [packet._replace(received_ns=packet.received_ns + 3 * 10**9) for packet in stream([0, 1])]
    samples, _ = decoded(new(), first + second)
    assert samples["epoch"].tolist() == [0, 0, 1, 1]


def test_full_scale_is_flagged() -> None:
    low, high, below = (struct.pack("<3h", 0, value, 0) for value in (-32768, 32767, 32766))
    sent = [fused(0, low), fused(1, gyr=high), fused(2, below, below)]
    samples, _ = decoded(new(), packets("notifications", sent))
    assert samples["saturated"].tolist() == [True, True, False]
    assert samples["acc_m_s2"][0, 1] == pytest.approx(-8 * 9.80665)


@pytest.mark.parametrize(
    ("payload", "parse"), [(FUSED, parse_fused), (BATTERY, parse_battery), (b"\x09\x02\x05", parse_created)]
)
def test_every_truncation_is_refused(payload: bytes, parse: partial[object]) -> None:
    assert not refused(parse, payload)
    assert all(refused(parse, payload[:length]) for length in range(len(payload)))
    for length in range(2, 19):
        samples, malformed = decoded(new(), packets("notifications", [FUSED[:length]]))
        assert (len(samples), malformed) == (0, 1)


def writes(actions: list[Action]) -> list[str]:
    found = [action for action in actions if isinstance(action, Write)]
    assert all(action.channel == "command" and not action.response for action in found)
    return [action.payload.hex(" ") for action in found]


QUIET = ["03 01 00", "03 02 00 01", "13 01 00", "13 02 00 01", "09 08"]


@pytest.mark.parametrize(
    ("implementations", "rate_hz", "acc_config", "gyr_config", "gyr_register", "rate"),
    [
        ((b"\x03\x80\x01\x01", b"\x13\x80\x00\x01"), 100, "03 03 28 08", "13 03 28 01", "05", 100),
        ((b"\x03\x80\x01\x01", b"\x13\x80\x00\x01"), 50, "03 03 27 08", "13 03 27 01", "05", 50),
        ((b"\x03\x80\x04\x00", b"\x13\x80\x01\x00"), 100, "03 03 a8 02", "13 03 28 01", "04", 100),
        ((b"\x03\x80\x04\x00", b"\x13\x80\x01\x00"), 200, "03 03 a8 02", "13 03 28 01", "04", 100),
    ],
)
def test_start_builds_the_chain_from_the_ids_it_is_given(
    implementations: tuple[bytes, bytes], rate_hz: float, acc_config: str, gyr_config: str, gyr_register: str, rate: int
) -> None:
    """Bytes of the maker's TestFuserAccounter, without its time limiter, with other ids."""
    actions, info = drive(
        metamotion.start(rate_hz), *implementations, b"\x09\x02\x05", b"\x09\x02\x06", b"\x09\x02\x0b"
    )
    assert actions[0] == Subscribe("notifications")
    assert actions[2] == Pause(1.0)
    assert writes(actions) == [
        "11 09 06 00 0c 00 00 00 58 02",
        *QUIET,
        "03 80",
        "13 80",
        acc_config,
        gyr_config,
        f"09 02 13 {gyr_register} ff a0 0f 05",
        "09 02 03 04 ff a0 1b 01 05 00 00 00 00 00 00 00 00 00 00 00",
        "09 02 09 03 06 60 11 30 03",
        "09 07 0b 01",
        "09 03 01",
        "03 02 01 00",
        "13 02 01 00",
        "03 01 01",
        "13 01 01",
    ]
    awaited = [action.prefix.hex() for action in actions if isinstance(action, Await)]
    assert awaited == ["0380", "1380", "0902", "0902", "0902"]
    assert info == struct.pack("<HBH", rate, 8, 1000)
    Decoder(info)


@pytest.mark.parametrize("answers", [(b"\x03\x80", b"\x13\x80"), (b"\x03\x80\x03\x01", b"\x13\x80\x00\x01")])
def test_a_board_without_a_known_chip_is_refused(answers: tuple[bytes, bytes]) -> None:
    with pytest.raises(RadioError) as refusal:
        drive(metamotion.start(100), *answers)
    assert refusal.value.reason is RadioReason.WRONG_FIRMWARE


def test_a_processor_without_an_id_is_refused() -> None:
    with pytest.raises(PayloadError, match="processor"):
        drive(metamotion.start(100), b"\x03\x80\x01\x01", b"\x13\x80\x00\x01", b"\x09\x02")


def test_stop_leaves_the_board_as_it_was_found() -> None:
    assert writes(drive(metamotion.stop())[0]) == QUIET


def test_battery() -> None:
    actions, percent = drive(metamotion.battery(), BATTERY)
    assert writes(actions) == ["11 8c"]
    assert percent == bytes([99])
    assert refused(parse_battery, bytes.fromhex("118c653410"))


@pytest.mark.parametrize("info", [INFO[:4], INFO + b"\0", bytes(5), b"\xc8" + INFO[1:]])
def test_unknown_ranges_or_rates_are_refused(info: bytes) -> None:
    with pytest.raises(PayloadError, match="ranges"):
        Decoder(info)


def test_recognises_its_own_service_and_name_and_no_others() -> None:
    assert recognises("MetaWear", ())
    assert recognises("my left ankle", ["326A9000-85CB-9195-D9DD-464CFBBAE75A"])
    others = [
        "WT901BLE67",
        "Movesense 174630000192",
        "Movella DOT",
        "Polar Sense 12345678",
        "Thingy",
        "REP-L-0001",
        None,
    ]
    assert not any(recognises(name, ["ef680100-9b35-4933-9b10-52ffa9740042"]) for name in others)


PAYLOADS = st.one_of(
    st.builds(
        fused,
        st.one_of(st.integers(0, 500), st.integers(0, 2**32 - 1)),
        st.binary(min_size=6, max_size=6),
        st.binary(min_size=6, max_size=6),
    ),
    st.sampled_from([*OTHERS, FUSED[:12], BATTERY]),
    st.binary(max_size=24),
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(streams(list(CHANNELS), PAYLOADS), CUTS)
def test_any_bytes_give_samples_however_cut(stream: list[Packet], sizes: list[int]) -> None:
    samples, _ = decoded(new(), stream)
    assert plausible(samples)
    assert (np.diff(samples["epoch"]) >= 0).all()
    assert same_however_cut(new, stream, sizes)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.binary(max_size=24))
def test_any_bytes_are_parsed_or_refused(payload: bytes) -> None:
    for parse in (parse_fused, parse_battery, parse_created):
        refused(parse, payload)
