from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.model import Foot, Packet
from sensorrep.sources.order import Order

quick = settings(deadline=None, max_examples=100, derandomize=True)

S = 10**9


def packets(times_ns: Sequence[int]) -> list[Packet]:
    return [Packet(time_ns, Foot(n % 2), "data", bytes([n % 256])) for n, time_ns in enumerate(times_ns)]


def passed(stream: Sequence[Packet], sizes: Sequence[int] = (10**9,)) -> tuple[list[Packet], int]:
    order = Order()
    out: list[Packet] = []
    start = number = 0
    while start < len(stream):
        size = sizes[number % len(sizes)]
        out += order.push(stream[start : start + size])
        start, number = start + size, number + 1
    return [*out, *order.finish()], order.left_out


steady = st.lists(st.integers(0, 100_000_000), min_size=6, max_size=40)
"""Steps between arrivals."""
cuts = st.lists(st.integers(1, 9), min_size=1, max_size=4)


def summed(begin: int, steps: Sequence[int]) -> list[int]:
    times = [begin]
    for step in steps:
        times.append(times[-1] + step)
    return times


@quick
@given(begin=st.integers(0, 2**62), steps=st.lists(st.integers(0, 1000 * S), max_size=40), sizes=cuts)
def test_packets_in_order_all_pass_whatever_the_silences(begin: int, steps: list[int], sizes: list[int]) -> None:
    stream = packets(summed(begin, steps))
    assert passed(stream, sizes) == (stream, 0)


@quick
@given(steps=steady, shifts=st.lists(st.integers(0, S // 2), min_size=41, max_size=41), sizes=cuts)
def test_small_disorder_passes_unchanged(steps: list[int], shifts: list[int], sizes: list[int]) -> None:
    stream = packets([time + shift for time, shift in zip(summed(10 * S, steps), shifts, strict=False)])
    assert passed(stream, sizes) == (stream, 0)


@quick
@given(steps=steady, where=st.floats(0, 1, exclude_max=True), off=st.sampled_from([-4, 4, 10**5]), sizes=cuts)
def test_a_time_that_stands_out_is_left_out_alone(steps: list[int], where: float, off: int, sizes: list[int]) -> None:
    times = summed(10 * S, [min(step, 10**7) for step in steps])
    bad = 2 + int(where * (len(times) - 4))
    stream = packets([time + (n == bad) * off * S for n, time in enumerate(times)])
    assert passed(stream, sizes) == ([packet for n, packet in enumerate(stream) if n != bad], 1)


@quick
@given(steps=steady, bad=st.sampled_from([0, 1, -2, -1]), off=st.sampled_from([-4000, 4000, 10**8]), sizes=cuts)
def test_a_lone_time_at_either_end_is_left_out(steps: list[int], bad: int, off: int, sizes: list[int]) -> None:
    times = summed(5000 * S, [min(step, 10**7) for step in steps])
    times[bad] += off * S
    stream = packets(times)
    assert passed(stream, sizes) == ([packet for packet in stream if packet is not stream[bad]], 1)


def test_what_comes_more_than_a_day_later_is_left_out() -> None:
    times = [*range(0, 10 * S, S), *range(90_000 * S, 90_010 * S, S)]
    assert passed(packets(times)) == (packets(times)[:10], 10)


@quick
@given(times=st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 20 * S), max_size=30), sizes=cuts)
def test_any_times_in_any_pieces_give_the_same(times: list[int], sizes: list[int]) -> None:
    stream = packets(times)
    out, left_out = passed(stream)
    assert passed(stream, sizes) == (out, left_out)
    assert len(out) + left_out == len(stream)
    assert not out or max(packet.received_ns for packet in out) - out[0].received_ns <= 86_400 * S
