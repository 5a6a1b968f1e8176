"""Movella DOT: payloads of both modes, clock and count, the set-up with its read-back, and synchronisation messages."""

import struct
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.devices import Pause, Read, Subscribe, Write, dot
from sensorrep.devices.dot import (
    CHANNELS,
    CUSTOM_MODE_5,
    RATE_QUANTITIES,
    Decoder,
    ask_sync,
    message,
    parse_battery,
    parse_message,
    parse_rate,
    parse_sample,
    parse_sync_result,
    parse_synchronised,
    recognises,
    start_sync,
    stop_sync,
    with_rate,
)
from sensorrep.devices.wire import Renewed
from sensorrep.errors import PayloadError, RadioError, RadioReason
from sensorrep.model import Packet
from tests.devices.driving import CUTS, decoded, drive, packets, plausible, refused, same_however_cut, streams

# No public capture of either mode exists; these follow the layout of the maker's specification (XD0506P).
CUSTOM_5 = bytes.fromhex(
    "1b410000 0000803f000000000000000000000000 0000003f000080be00001d41 0000c842000048c300409643" + "00" * 19
)
RATES = bytes.fromhex("36820000 0000003f000080be00001d41 0000c842000048c300409643" + "00" * 12)
# Captured from a DOT: its free acceleration (mode 6), which has the same clock, two samples in a row
FREE_ACCELERATION = [
    bytes.fromhex("d8052244 af964040 6b2aa740 5add14c0 00000000"),
    bytes.fromhex("f3462244 0da53c40 9c13a640 f01009c0 00000000"),
]
# Captured: a read of the device control, tag "Xsens DOT", 60 Hz
CONTROL = bytes.fromhex("0101020a001e0009 5873656e7320444f54 00000000000000 3c00 000000000000")

MODE_26 = partial(Decoder, bytes([CUSTOM_MODE_5, 60]))
MODE_21 = partial(Decoder, bytes([RATE_QUANTITIES, 60]))


def custom_5(stamp_us: int, quat: tuple[float, ...] = (1, 0, 0, 0), acc: float = 9.81, gyr: float = 1.0) -> bytes:
    return struct.pack("<I4f6f19x", stamp_us % 2**32, *quat, 0, 0, acc, gyr, 0, 0)


def stream(stamps_us: list[int], late_us: int = 30_000) -> list[Packet]:
    return [
        packets("long", [custom_5(stamp)], begin_ns=(stamp - stamps_us[0] + late_us) * 1000)[0] for stamp in stamps_us
    ]


@pytest.mark.parametrize(
    ("payload", "mode", "stamp_us"), [(CUSTOM_5, CUSTOM_MODE_5, 16667), (RATES, RATE_QUANTITIES, 33334)]
)
def test_the_layouts_of_both_modes(payload: bytes, mode: int, stamp_us: int) -> None:
    sample = parse_sample(payload, mode)
    assert sample.stamp_us == stamp_us
    assert sample.acc_m_s2.tolist() == [0.5, -0.25, 9.8125]
    assert sample.gyr_dps.tolist() == [100, -200, 300.5]


@pytest.mark.parametrize(("payload", "new", "channel"), [(CUSTOM_5, MODE_26, "long"), (RATES, MODE_21, "medium")])
def test_samples_are_si(payload: bytes, new: Callable[[], Renewed], channel: str) -> None:
    samples, malformed = decoded(new(), packets(channel, [payload], begin_ns=9))
    assert (len(samples), malformed) == (1, 0)
    assert samples["acc_m_s2"][0].tolist() == [0.5, -0.25, 9.8125]
    assert np.degrees(samples["gyr_rad_s"][0]) == pytest.approx([100, -200, 300.5])
    assert samples["received_ns"][0] == 9
    assert samples["device_ns"][0] == int.from_bytes(payload[:4], "little") * 1000
    assert not samples["saturated"][0]


def test_the_clock_of_a_real_sensor_counts_one_sample() -> None:
    """The captured clocks, put on the layout of custom mode 5."""
    stamps = [int.from_bytes(payload[:4], "little") for payload in FREE_ACCELERATION]
    assert stamps == [1143080408, 1143097075]
    samples, _ = decoded(MODE_26(), stream(stamps))
    assert samples["counter"].tolist() == [0, 1]
    assert np.diff(samples["device_ns"]).tolist() == [16_667_000]


@pytest.mark.parametrize("payload", FREE_ACCELERATION)
def test_another_mode_s_payload_is_refused(payload: bytes) -> None:
    assert refused(partial(parse_sample, mode=CUSTOM_MODE_5), payload)
    assert refused(partial(parse_sample, mode=RATE_QUANTITIES), payload)
    _, malformed = decoded(MODE_26(), packets("long", [payload]))
    assert malformed == 1


@pytest.mark.parametrize(
    "payload",
    [
        custom_5(0, quat=(0.5, 0, 0, 0)),
        custom_5(0, quat=(3e30, 0, 0, 0)),
        custom_5(0, quat=(float("nan"), 0, 0, 0)),
        custom_5(0, acc=float("nan")),
        custom_5(0, acc=200.0),
        custom_5(0, gyr=float("inf")),
        custom_5(0, gyr=-2500.0),
    ],
)
def test_numbers_that_are_no_measurement_are_malformed(payload: bytes) -> None:
    assert refused(partial(parse_sample, mode=CUSTOM_MODE_5), payload)
    samples, malformed = decoded(MODE_26(), packets("long", [payload, custom_5(16667)]))
    assert (len(samples), malformed) == (1, 1)


def test_a_gap_a_repeat_and_a_step_back_are_seen_in_the_count() -> None:
    samples, _ = decoded(MODE_26(), stream([round(k * 16666.67) for k in (0, 1, 2, 5, 4, 4, 6, 126)]))
    assert samples["counter"].tolist() == [0, 1, 2, 5, 4, 4, 6, 126]
    assert not samples["epoch"].any()


def test_the_clock_wraps_after_72_minutes() -> None:
    stamps = [2**32 - 20_000 + round(k * 16666.67) for k in range(5)]
    samples, _ = decoded(MODE_26(), stream(stamps))
    assert samples["device_ns"].tolist() == [stamp * 1000 for stamp in stamps]
    assert samples["counter"].tolist() == list(range(5))


def test_a_clock_that_was_set_anew_starts_a_new_epoch() -> None:
    """As after synchronisation or a restart."""
    late = [packet._replace(received_ns=packet.received_ns + 20 * 10**9) for packet in stream([500, 17167])]
    samples, _ = decoded(MODE_26(), stream([900_000_000, 900_016_667]) + late)
    assert samples["epoch"].tolist() == [0, 0, 1, 1]
    assert samples["counter"].tolist() == [0, 1, 2, 3]


def test_samples_near_full_scale_are_flagged() -> None:
    stream = [custom_5(0, acc=156.0), custom_5(16667, gyr=-1990.0), custom_5(33333, acc=150.0, gyr=1900.0)]
    samples, _ = decoded(MODE_26(), packets("long", stream))
    assert samples["saturated"].tolist() == [True, True, False]


@pytest.mark.parametrize(("payload", "mode", "used"), [(CUSTOM_5, CUSTOM_MODE_5, 44), (RATES, RATE_QUANTITIES, 28)])
def test_every_truncation_is_refused_but_for_the_padding_as_a_whole(payload: bytes, mode: int, used: int) -> None:
    for length in range(len(payload)):
        if length == used:
            assert parse_sample(payload[:length], mode).acc_m_s2.tolist() == [0.5, -0.25, 9.8125]
        else:
            assert refused(partial(parse_sample, mode=mode), payload[:length])


def test_start_subscribes_sets_the_rate_reads_it_back_and_starts() -> None:
    at_20 = CONTROL[:24] + b"\x14\0" + CONTROL[26:]
    written = b"\x10" + CONTROL[1:]
    actions, info = drive(dot.start(100), at_20, CONTROL)
    assert actions == [
        Subscribe("long"),
        Write("measurement", bytes.fromhex("01001a"), True),
        Pause(0.5),
        Read("control"),
        Write("control", written, True),
        Read("control"),
        Write("measurement", bytes.fromhex("01011a"), True),
    ]
    assert info == bytes([26, 60])
    Decoder(info)


def test_a_sensor_that_keeps_its_rate_is_not_started() -> None:
    with pytest.raises(RadioError, match="stays at 20 Hz") as refusal:
        drive(dot.start(100), CONTROL, CONTROL[:24] + b"\x14\0" + CONTROL[26:])
    assert refusal.value.reason is RadioReason.WRONG_FIRMWARE
    for length in range(32):
        with pytest.raises(PayloadError):
            drive(dot.start(100), CONTROL[:length])


def test_stop_and_battery() -> None:
    assert drive(dot.stop())[0] == [Write("measurement", bytes.fromhex("01001a"), True)]
    assert drive(dot.battery(), b"\x57\x01") == ([Read("battery")], b"\x57")
    assert all(refused(parse_battery, payload) for payload in (b"", b"\x57", b"\x65\0", b"\x57\0\0"))


def test_the_captured_control_says_60_hz_and_nothing_but_the_rate_changes() -> None:
    assert parse_rate(CONTROL) == 60
    changed = with_rate(CONTROL, 30)
    assert parse_rate(changed) == 30
    assert [i for i in range(32) if changed[i] != CONTROL[i]] == [0, 24]


# Frames printed in the maker's specification XD0506P
MESSAGES = {
    "010102fc": (1, "02"),
    "0103010602f3": (1, "010602"),
    "020108f5": (2, "08"),
    "02025109a2": (2, "5109"),
    "02025104a7": (2, "5104"),
    "020701ccbbaacd22d402": (2, "01ccbbaacd22d4"),
    "02020300f9": (2, "0300"),
    "020102fb": (2, "02"),
    "02025000ac": (2, "5000"),
    "030104f8": (3, "04"),
    "010141bd": (1, "41"),
}


@pytest.mark.parametrize(("frame", "meaning"), MESSAGES.items())
def test_messages_of_the_specification(frame: str, meaning: tuple[int, str]) -> None:
    payload, (kind, content) = bytes.fromhex(frame), meaning
    assert parse_message(payload) == (kind, bytes.fromhex(content))
    assert message(kind, bytes.fromhex(content)) == payload
    assert parse_message(payload + bytes(9)) == (kind, bytes.fromhex(content))
    assert all(refused(parse_message, payload[:length]) for length in range(len(payload)))
    for i in range(len(payload)):
        broken = bytearray(payload)
        broken[i] ^= 1
        assert refused(parse_message, bytes(broken))


def test_synchronisation_messages() -> None:
    assert start_sync(bytes.fromhex("ccbbaacd22d4")) == bytes.fromhex("020701ccbbaacd22d402")
    assert stop_sync() == bytes.fromhex("020102fb")
    assert ask_sync() == bytes.fromhex("020108f5")
    assert parse_sync_result(bytes.fromhex("02020300f9")) == "synchronised"
    assert parse_sync_result(message(2, b"\x03\x07")) == "skew too large"
    assert parse_sync_result(message(2, b"\x03\x63")) == "result 99"
    assert parse_synchronised(bytes.fromhex("02025104a7"))
    assert not parse_synchronised(bytes.fromhex("02025109a2"))
    with pytest.raises(ValueError, match="6 bytes"):
        start_sync(b"D4:22:CD")


@pytest.mark.parametrize("frame", ["010102fc", "020108f5", "02020300f8", ""])
def test_other_messages_are_no_answer_about_synchronisation(frame: str) -> None:
    assert refused(parse_sync_result, bytes.fromhex(frame))
    assert refused(parse_synchronised, bytes.fromhex(frame))


@pytest.mark.parametrize("info", [b"\x1a", b"\x06\x3c", b"\x1a\0", b"\x1a\xff", b"\x1a\x3c\0"])
def test_an_unknown_mode_or_rate_is_refused(info: bytes) -> None:
    with pytest.raises(PayloadError, match="mode"):
        Decoder(info)


def test_recognises_its_own_names_and_no_others() -> None:
    assert recognises("Xsens DOT", ())
    assert recognises("Movella DOT", ())
    others = ["WT901BLE67", "Movesense 174630000192", "MetaWear", "Polar Sense 12345678", "Thingy", "REP-L-0001", None]
    assert not any(recognises(name, ()) for name in others)


PAYLOADS = st.one_of(
    st.one_of(st.integers(0, 10**6), st.integers(0, 2**32 - 1)).map(custom_5),
    st.sampled_from([CUSTOM_5, RATES, *FREE_ACCELERATION]),
    st.binary(min_size=44, max_size=44),
    st.binary(min_size=63, max_size=63),
    st.binary(max_size=70),
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.sampled_from([MODE_26, MODE_21]), streams(list(CHANNELS)[3:5], PAYLOADS), CUTS)
def test_any_bytes_give_samples_however_cut(new: Callable[[], Renewed], stream: list[Packet], sizes: list[int]) -> None:
    samples, _ = decoded(new(), stream)
    assert plausible(samples)
    assert (np.diff(samples["epoch"]) >= 0).all()
    assert same_however_cut(new, stream, sizes)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.sets(st.integers(0, 400), min_size=1), st.integers(0, 2**32 - 1), CUTS)
def test_losses_are_counted_across_the_wrap_however_cut(kept: set[int], begin_us: int, sizes: list[int]) -> None:
    order = sorted(kept)
    sent = stream([begin_us + round(k * 16666.67) for k in order])
    samples, malformed = decoded(MODE_26(), sent)
    assert malformed == 0
    assert samples["counter"].tolist() == [k - order[0] for k in order]
    assert same_however_cut(MODE_26, sent, sizes)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.binary(max_size=64))
def test_any_bytes_are_parsed_or_refused(payload: bytes) -> None:
    for mode in (CUSTOM_MODE_5, RATE_QUANTITIES):
        refused(partial(parse_sample, mode=mode), payload)
    for parse in (parse_rate, parse_battery, parse_message, parse_sync_result, parse_synchronised):
        refused(parse, payload)
