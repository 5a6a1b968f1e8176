"""Unwrapping and restarts, on which the times of all the makers' sensors rest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.devices.thingy import Reader
from sensorrep.devices.wire import Clock, Renewed, nearest_rate, periods_ns, restarted
from sensorrep.errors import PayloadError
from sensorrep.model import Foot, IntArray, Packet
from tests.devices.driving import CUTS, decoded, packets, same_however_cut

S_NS = 1_000_000_000


def ints(*values: int) -> IntArray:
    return np.array(values, np.int64)


def test_a_wrap_by_hand() -> None:
    clock = Clock(bits=8, tick_ns=10_000_000)
    epochs, ticks = clock.push(np.array([250, 255, 3], np.uint8), ints(0, 50_000_000, 90_000_000))
    assert ticks.tolist() == [250, 255, 259]
    assert epochs.tolist() == [0, 0, 0]


def test_a_late_message_steps_back_and_is_no_wrap() -> None:
    _, ticks = Clock(bits=8, tick_ns=10_000_000).push(np.array([1, 0, 255, 2], np.uint8), ints(0, 1, 2, 3))
    assert ticks.tolist() == [1, 0, -1, 2]


def test_silence_longer_than_many_turns_is_resolved_by_the_arrivals() -> None:
    """A 32-bit microsecond clock turns in 71.6 minutes; here it is silent for ten hours."""
    silence_us = 36_000_000_000
    clock = Clock(bits=32, tick_ns=1000)
    _, ticks = clock.push(np.array([7, (7 + silence_us) % 2**32], np.uint32), ints(0, silence_us * 1000 + 20_000_000))
    assert ticks.tolist() == [7, 7 + silence_us]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.integers(1, 2**20), min_size=1, max_size=30), st.integers(1, 29))
def test_a_steady_clock_is_given_back_however_it_wraps_and_is_cut(steps: list[int], cut: int) -> None:
    truth = np.cumsum(np.array(steps, np.int64))
    raw = (truth % 2**16).astype(np.uint16)
    received = truth * 1000 + 5_000_000
    clock = Clock(bits=16, tick_ns=1000)
    parts = [clock.push(raw[:cut], received[:cut]), clock.push(raw[cut:], received[cut:])]
    ticks = np.concatenate([ticks for _, ticks in parts])
    assert np.array_equal(ticks - ticks[0], truth - truth[0])
    assert not np.concatenate([epochs for epochs, _ in parts]).any()


@pytest.mark.parametrize(
    ("device_step_ns", "received_step_ns", "anew"),
    [
        (10_000_000, 10_000_000, False),
        (10_000_000, 4 * S_NS, False),  # a stall, and the first message of its backlog
        (4 * S_NS, 1_000_000, False),  # the first message after what a full backlog lost
        (-30_000_000, 1_000_000, False),  # out of order
        (0, 0, False),  # twice
        (-50 * S_NS, 3 * S_NS, True),  # a counter that began again
        (-S_NS // 2, 2 * S_NS, True),  # the same, soon after it had begun
        (60 * S_NS, 3 * S_NS, True),  # another clock
        (S_NS, 60 * S_NS, True),  # began again and happens to be ahead
    ],
)
def test_a_restart_is_a_step_that_time_cannot_explain(device_step_ns: int, received_step_ns: int, anew: bool) -> None:
    assert bool(restarted(ints(device_step_ns), ints(received_step_ns))[0]) is anew


def test_the_period_follows_what_is_sensible_and_else_stays() -> None:
    """Nominal 10: taken are 10.5, then 9.5; not a repeat, an uncounted hole, nor what a restart brought."""
    steps_ns, steps = ints(84, 0, 160, 76, 80), ints(8, 0, 8, 8, 8)
    good = np.array([True, True, True, True, False])
    assert periods_ns(steps_ns, steps, good, 10.0, 9.9).tolist() == [10.5, 10.5, 10.5, 9.5, 9.5]
    assert periods_ns(steps_ns[1:3], steps[1:3], good[1:3], 10.0, 9.9).tolist() == [9.9, 9.9]


def test_the_rate_is_the_lowest_that_is_enough() -> None:
    assert [nearest_rate((50, 100, 200), rate_hz) for rate_hz in (10, 50, 51, 100, 104, 1000)] == [
        50, 50, 100, 100, 200, 200,
    ]  # fmt: skip


AT_50_HZ, AT_100_HZ = b"\x32\0", b"\x64\0"
RAW = np.array([1, 2, -1024, 3, 4, 5, 0, 0, 0], "<i2").tobytes()


def info(payload: bytes) -> list[Packet]:
    return packets("info", [payload])


def test_info_may_come_late_and_what_came_before_it_is_malformed() -> None:
    sent = packets("raw", [RAW] * 2) + info(AT_50_HZ) + packets("raw", [RAW] * 3)
    samples, malformed = decoded(Renewed(Reader, b""), sent)
    assert malformed == 2
    assert samples["device_ns"].tolist() == [0, 20_000_000, 40_000_000]
    assert samples["epoch"].tolist() == [0, 0, 0]


def test_another_info_starts_an_epoch_and_the_same_or_a_broken_one_changes_nothing() -> None:
    three = packets("raw", [RAW] * 3)
    sent = three + info(AT_100_HZ) + three + info(b"?") + three + info(AT_50_HZ) + three + packets("none", [RAW])
    samples, malformed = decoded(Renewed(Reader, AT_100_HZ), sent)
    assert samples["epoch"].tolist() == [0] * 9 + [1] * 3
    assert samples["device_ns"].tolist() == [10_000_000 * i for i in range(9)] + [0, 20_000_000, 40_000_000]
    assert malformed == 2


def test_a_broken_info_at_the_beginning_is_refused() -> None:
    with pytest.raises(PayloadError, match="rate"):
        Renewed(Reader, b"?")


ANY = st.one_of(
    st.sampled_from([("info", AT_50_HZ), ("info", AT_100_HZ), ("info", b"?"), ("none", RAW), ("raw", RAW[:5])]),
    st.just(("raw", RAW)),
)


@settings(deadline=None, derandomize=True, max_examples=80)
@given(st.sampled_from([b"", AT_50_HZ]), st.lists(st.tuples(ANY, st.integers(0, 600_000_000)), max_size=20), CUTS)
def test_renewal_is_the_same_however_the_packets_are_cut(
    first: bytes, sent: list[tuple[tuple[str, bytes], int]], sizes: list[int]
) -> None:
    times = np.cumsum([step for _, step in sent]).tolist()
    stream = [Packet(int(now), Foot.LEFT, *entry) for now, (entry, _) in zip(times, sent, strict=True)]
    samples, _ = decoded(Renewed(Reader, first), stream)
    assert (np.diff(samples["epoch"]) >= 0).all()
    assert same_however_cut(lambda: Renewed(Reader, first), stream, sizes)
