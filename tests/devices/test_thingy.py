"""Thingy:52: a captured sample, the sign of its accelerometer, counting, pauses, clipping, and the configuration."""

import struct
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.devices import Pause, Read, Subscribe, Write, thingy
from sensorrep.devices.thingy import CHANNELS, Decoder, parse_rate, parse_raw, recognises
from sensorrep.errors import PayloadError
from sensorrep.model import Packet
from tests.devices.driving import CUTS, decoded, drive, packets, plausible, refused, same_however_cut, streams

# IanHarvey/bluepy issue #377: a Thingy:52 at rest
AT_REST = bytes.fromhex("f3ffbdff02fc eaff0500f6ff 000000000000")
# NordicSemiconductor/Nordic-Thingy52-FW defaults: 10 Hz; and the same with 100 Hz
DEFAULT = bytes.fromhex("e803f401f4010a0001")
AT_100_HZ = bytes.fromhex("e803f401f401640001")
new = partial(Decoder, b"\x64\0")


def raw(acc: tuple[int, int, int] = (1, 2, -1024), gyr: tuple[int, int, int] = (0, 0, 0)) -> bytes:
    return struct.pack("<9h", *acc, *gyr, 0, 0, 0)


def test_the_captured_sample() -> None:
    sample = parse_raw(AT_REST)
    assert sample.acc.tolist() == [-13, -67, -1022]
    assert sample.gyr.tolist() == [-22, 5, -10]
    samples, malformed = decoded(new(), packets("raw", [AT_REST], begin_ns=4))
    assert (len(samples), malformed) == (1, 0)
    assert np.degrees(samples["gyr_rad_s"][0]) == pytest.approx((-0.6875, 0.15625, -0.3125))
    assert samples["received_ns"][0] == 4
    assert not samples["saturated"][0]


def test_acceleration_is_turned_into_specific_force() -> None:
    """The capture says (-0.0127, -0.0654, -0.998) g: gravity, which points down; specific force points up."""
    samples, _ = decoded(new(), packets("raw", [AT_REST]))
    assert samples["acc_m_s2"][0] / 9.80665 == pytest.approx((0.012695, 0.065430, 0.998047), abs=1e-6)


def test_samples_are_counted_and_a_pause_starts_anew() -> None:
    before = packets("raw", [raw()] * 3, 10_000_000)
    after = packets("raw", [raw()] * 2, 10_000_000, begin_ns=20_000_000 + 500_000_001)
    samples, _ = decoded(new(), before + after)
    assert samples["counter"].tolist() == [0, 1, 2, 0, 1]
    assert samples["epoch"].tolist() == [0, 0, 0, 1, 1]
    assert samples["device_ns"].tolist() == [0, 10_000_000, 20_000_000, 0, 10_000_000]
    at_50, _ = decoded(Decoder(b"\x32\0"), packets("raw", [raw()] * 3, 500_000_000))
    assert at_50["device_ns"].tolist() == [0, 20_000_000, 40_000_000]
    assert not at_50["epoch"].any()


def test_a_notification_of_the_magnetometer_alone_is_no_sample() -> None:
    only_mag = struct.pack("<9h", 0, 0, 0, 0, 0, 0, 100, -200, 300)
    samples, malformed = decoded(new(), packets("raw", [raw(), only_mag, raw()]))
    assert (len(samples), malformed) == (2, 0)
    assert samples["counter"].tolist() == [0, 1]


def test_clipping_at_2_g_and_at_1023_degrees_per_second_is_flagged() -> None:
    sent = [raw((0, 2047, 0)), raw((-2048, 0, 0)), raw((2000, 0, 0)), raw(gyr=(0, 0, 32736)), raw(gyr=(-32768, 0, 0))]
    samples, _ = decoded(new(), packets("raw", sent))
    assert samples["saturated"].tolist() == [True, True, False, True, True]
    assert np.degrees(samples["gyr_rad_s"][3, 2]) == pytest.approx(1023)


def test_every_truncation_is_refused() -> None:
    for length in range(18):
        assert refused(parse_raw, AT_REST[:length])
        samples, malformed = decoded(new(), packets("raw", [AT_REST[:length], AT_REST]))
        assert (len(samples), malformed) == (1, 1)
    assert all(refused(parse_rate, DEFAULT[:length]) for length in range(9))
    assert refused(parse_raw, AT_REST + b"\0")


@pytest.mark.parametrize(("rate_hz", "rate"), [(100, 100), (104, 100), (50, 50)])
def test_start_changes_the_rate_alone_and_subscribes_last(rate_hz: float, rate: int) -> None:
    actions, info = drive(thingy.start(rate_hz), DEFAULT)
    wanted = DEFAULT[:6] + bytes([rate, 0]) + DEFAULT[8:]
    assert actions == [Read("config"), Write("config", wanted, True), Pause(0.5), Subscribe("raw")]
    assert (rate != 100) or wanted == AT_100_HZ
    assert int.from_bytes(info, "little") == rate
    Decoder(info)


def test_a_rate_that_is_set_already_is_not_written_again() -> None:
    actions, _ = drive(thingy.start(100), AT_100_HZ)
    assert actions == [Read("config"), Subscribe("raw")]


def test_a_short_configuration_is_refused_and_stop_does_nothing() -> None:
    with pytest.raises(PayloadError, match="9"):
        drive(thingy.start(100), DEFAULT[:8])
    assert drive(thingy.stop()) == ([], b"")


@pytest.mark.parametrize("info", [b"\x64", b"\0\0", b"\x0a\0", b"\x64\0\0"])
def test_an_unknown_rate_is_refused(info: bytes) -> None:
    with pytest.raises(PayloadError, match="rate"):
        Decoder(info)


def test_recognises_its_own_service_and_name_and_no_others() -> None:
    assert recognises("Thingy", ())
    assert recognises(None, ["EF680100-9B35-4933-9B10-52FFA9740042"])
    others = ["Thingy:53", "WT901BLE67", "Movesense 174630000192", "Movella DOT", "MetaWear", "Polar Sense 12345678"]
    assert not any(recognises(name, ["326a9000-85cb-9195-d9dd-464cfbbae75a"]) for name in [*others, None])


PAYLOADS = st.one_of(st.binary(min_size=18, max_size=18), st.sampled_from([AT_REST, bytes(18)]), st.binary(max_size=24))


@settings(deadline=None, derandomize=True, max_examples=150)
@given(streams(list(CHANNELS), PAYLOADS), CUTS)
def test_any_bytes_give_counted_samples_however_cut(stream: list[Packet], sizes: list[int]) -> None:
    samples, _ = decoded(new(), stream)
    assert plausible(samples)
    same_epoch = np.diff(samples["epoch"]) == 0
    assert (np.diff(samples["epoch"]) >= 0).all()
    assert (np.diff(samples["counter"])[same_epoch] == 1).all()
    assert (samples["counter"][1:][~same_epoch] == 0).all()
    assert same_however_cut(new, stream, sizes)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.binary(max_size=20))
def test_any_bytes_are_parsed_or_refused(payload: bytes) -> None:
    refused(parse_raw, payload)
    refused(parse_rate, payload)
