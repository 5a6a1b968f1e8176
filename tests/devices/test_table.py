import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.devices import device, table
from sensorrep.devices.table import Decoder, pack_info, pack_rows
from sensorrep.errors import PayloadError
from sensorrep.model import FloatArray, Foot, Packet, Samples

quick = settings(deadline=None, max_examples=60, derandomize=True)
PERIOD_S = 0.01
INFO = pack_info(PERIOD_S, 1.75 * PERIOD_S)


def rows_at(time_s: npt.ArrayLike) -> FloatArray:
    times = np.asarray(time_s, np.float64)
    return np.column_stack([times, np.outer(np.cos(times), [1, 2, 3, 4, 5, 6])])


def packets_of(rows: FloatArray, sizes: list[int]) -> list[Packet]:
    """Rows as packets of these sizes, again and again, each received at the number of its last row."""
    packets: list[Packet] = []
    start = 0
    while start < len(rows):
        part = rows[start : start + sizes[len(packets) % len(sizes)]]
        packets.append(Packet(1000 + start + len(part), Foot.LEFT, "table", pack_rows(part)))
        start += len(part)
    return packets


def decoded(packets: list[Packet], per_push: int = 10**9) -> Samples:
    decoder = Decoder(INFO)
    blocks = [decoder.push(packets[i : i + per_push]) for i in range(0, len(packets), per_push)]
    return Samples(np.concatenate([decoder.push([]), *blocks]))


def counters(time_s: npt.ArrayLike) -> list[int]:
    counter: list[int] = decoded(packets_of(rows_at(time_s), [10**6]))["counter"].tolist()
    return counter


def test_a_table_is_listed_as_a_device_and_no_radio_device() -> None:
    module = device("table")
    assert module.MODEL == "table"
    assert not module.recognises("table", ["table"])
    with pytest.raises(ValueError, match="no radio device"):
        module.start(100.0)
    with pytest.raises(ValueError, match="no radio device"):
        module.stop()


def test_rows_become_samples() -> None:
    samples = decoded(packets_of(rows_at([0.0, 0.0100000004, 0.02]), [2]))
    assert samples["counter"].tolist() == [0, 1, 2]
    assert samples["epoch"].tolist() == [0, 0, 0]
    assert samples["device_ns"].tolist() == [0, 10_000_000, 20_000_000]
    assert samples["received_ns"].tolist() == [1002, 1002, 1003]
    assert samples["acc_m_s2"][0].tolist() == [1.0, 2.0, 3.0]
    assert samples["gyr_rad_s"][2].tolist() == [4 * np.cos(0.02), 5 * np.cos(0.02), 6 * np.cos(0.02)]
    assert not samples["saturated"].any()


@quick
@given(
    jitter=st.lists(st.floats(-0.35, 0.35), min_size=2, max_size=60),
    begin_s=st.sampled_from([0.0, -3.0, 1.7e9]),
)
def test_jitter_is_no_loss(jitter: list[float], begin_s: float) -> None:
    time_s = begin_s + (np.arange(len(jitter)) + np.array(jitter)) * PERIOD_S
    assert counters(time_s) == list(range(len(jitter)))


@quick
@given(gaps=st.lists(st.integers(1, 5000), min_size=1, max_size=30), noise=st.integers(0, 2**32 - 1))
def test_lost_rows_are_missing_in_the_counter(gaps: list[int], noise: int) -> None:
    true = np.cumsum([0, *gaps])
    jitter = np.random.default_rng(noise).uniform(-0.1, 0.1, len(true))
    assert counters((true + jitter) * PERIOD_S) == true.tolist()


def test_a_wrong_idea_of_the_interval_adds_up_to_no_loss() -> None:
    assert counters(np.arange(200_000) * PERIOD_S * 1.02) == list(range(200_000))


def test_rows_with_the_same_coarse_time_are_all_kept() -> None:
    assert counters([0.0, 0.0, 0.01, 0.02, 0.02, 0.03]) == list(range(6))


def test_a_row_from_the_past_does_not_count_up() -> None:
    assert counters([0.0, 0.01, 0.02, 0.01, 0.03]) == [0, 1, 2, 1, 3]


@quick
@given(
    steps=st.lists(st.floats(-0.05, 0.5), min_size=1, max_size=40),
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    per_push=st.integers(1, 5),
)
def test_the_samples_are_the_same_however_rows_and_packets_are_cut(
    steps: list[float], sizes: list[int], per_push: int
) -> None:
    rows = rows_at(np.cumsum(steps))
    whole = decoded(packets_of(rows, [10**6]))
    cut = decoded(packets_of(rows, sizes), per_push)
    for name in ("epoch", "counter", "device_ns", "acc_m_s2", "gyr_rad_s"):
        assert np.array_equal(whole[name], cut[name])


@quick
@given(payloads=st.lists(st.binary(max_size=120) | st.binary(min_size=56, max_size=56), max_size=5))
def test_any_bytes_give_samples_or_count_as_malformed(payloads: list[bytes]) -> None:
    decoder = Decoder(INFO)
    samples = decoder.push([Packet(n, Foot.LEFT, "table", payload) for n, payload in enumerate(payloads)])
    whole = [payload for payload in payloads if payload and len(payload) % 56 == 0]
    assert len(payloads) - len(whole) <= decoder.malformed <= len(payloads)
    assert len(samples) <= sum(len(payload) // 56 for payload in whole)
    assert np.isfinite(samples["acc_m_s2"]).all()
    assert np.isfinite(samples["gyr_rad_s"]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("column", range(7))
def test_an_impossible_number_makes_its_packet_malformed_and_the_next_goes_on(bad: float, column: int) -> None:
    rows = rows_at([0.0, 0.01, 0.02])
    rows[1, column] = bad
    decoder = Decoder(INFO)
    samples = decoder.push(packets_of(rows, [1]))
    assert decoder.malformed == 1
    assert samples["counter"].tolist() == [0, 2]


def test_another_channel_is_malformed() -> None:
    decoder = Decoder(INFO)
    assert len(decoder.push([Packet(0, Foot.LEFT, "data", pack_rows(rows_at([0.0])))])) == 0
    assert decoder.malformed == 1


@pytest.mark.parametrize(
    "info",
    [
        b"",
        b"\0" * 16,
        b"\0" * 17,
        INFO[:8],
        pack_info(np.nan, 1),
        pack_info(-0.01, 1),
        pack_info(10, 20),
        pack_info(0.01, 0),
    ],
)
def test_info_that_is_no_sample_interval_is_refused(info: bytes) -> None:
    with pytest.raises(PayloadError, match=r"info|no sensor"):
        Decoder(info)


def test_the_limits_leave_room_for_nanoseconds() -> None:
    samples = decoded(packets_of(rows_at([-table.MAX_TIME_S, table.MAX_TIME_S]), [2]))
    assert samples["device_ns"].tolist() == [-9 * 10**18, 9 * 10**18]
    assert (np.diff(samples["counter"]) > 0).all()
