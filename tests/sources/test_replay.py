"""Replay at once and paced, with a sleep that only remembers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.model import Foot, Packet
from sensorrep.sources.replay import PACE_S, at_once, paced

EXAMPLES = settings(deadline=None, derandomize=True, max_examples=60)


def packets(gaps_ns: list[int]) -> list[Packet]:
    now_ns, out = 10**12, []
    for number, gap_ns in enumerate(gaps_ns):
        now_ns += gap_ns
        out.append(Packet(now_ns, Foot(number % 2), "data", number.to_bytes(2, "little")))
    return out


def blocks(all_packets: list[Packet], size: int) -> list[list[Packet]]:
    return [all_packets[start : start + size] for start in range(0, len(all_packets), size)]


async def gathered(source: AsyncIterator[list[Packet]]) -> list[list[Packet]]:
    return [block async for block in source]


def played(all_packets: list[Packet], speed: float, size: int = 7) -> tuple[list[list[Packet]], list[float]]:
    """(blocks handed over, sleeps asked for)"""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    return asyncio.run(gathered(paced(blocks(all_packets, size), speed, sleep))), slept


gaps = st.lists(st.integers(0, 300_000_000), max_size=60)


def test_at_once_hands_over_the_blocks_as_they_are_read() -> None:
    read = blocks(packets([10**7] * 20), 6)
    assert asyncio.run(gathered(at_once(read))) == read


@EXAMPLES
@given(gaps, st.floats(0.1, 50.0), st.integers(1, 20))
def test_paced_replay_hands_over_every_packet_once_and_in_order(gaps_ns: list[int], speed: float, size: int) -> None:
    all_packets = packets(gaps_ns)
    out, _ = played(all_packets, speed, size)
    assert [packet for block in out for packet in block] == all_packets
    assert all(out)


@EXAMPLES
@given(gaps, st.floats(0.1, 50.0))
def test_paced_replay_waits_as_long_as_the_recording_lasted(gaps_ns: list[int], speed: float) -> None:
    """Up to the last block, which is handed over as soon as its first packet is due."""
    all_packets = packets(gaps_ns)
    out, slept = played(all_packets, speed)
    if out:
        lasted_s = (out[-1][0].received_ns - all_packets[0].received_ns) * 1e-9 / speed
        assert sum(slept) == pytest.approx(lasted_s)
    assert len(slept) == max(len(out) - 1, 0)


@EXAMPLES
@given(gaps, st.floats(0.1, 50.0))
def test_paced_replay_hands_over_together_what_came_within_a_moment(gaps_ns: list[int], speed: float) -> None:
    for block in played(packets(gaps_ns), speed)[0]:
        assert (block[-1].received_ns - block[0].received_ns) * 1e-9 / speed < PACE_S


def test_twice_the_speed_takes_half_the_time() -> None:
    all_packets = packets([25_000_000] * 200)
    once, twice = (sum(played(all_packets, speed)[1]) for speed in (1.0, 2.0))
    assert once == pytest.approx(199 * 0.025)
    assert twice == pytest.approx(once / 2, abs=PACE_S)


def test_an_empty_recording_is_over_at_once() -> None:
    assert played([], 1.0) == ([], [])
