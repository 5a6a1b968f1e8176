"""Replay at once and paced, on virtual time."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.model import Foot, Packet
from sensorrep.sources import virtual_time
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


def played(
    all_packets: list[Packet], speed: float, size: int = 7, busy_s: float = 0.0
) -> list[tuple[float, list[Packet]]]:
    """(when, from the first on; block) of what is handed over to somebody who is busy with each for a while."""

    async def main() -> list[tuple[float, list[Packet]]]:
        out = []
        async for block in paced(blocks(all_packets, size), speed):
            out.append((asyncio.get_running_loop().time() - virtual_time.BEGIN_S, block))
            await asyncio.sleep(busy_s)
        return out

    return virtual_time.run(main())


gaps = st.lists(st.integers(0, 300_000_000), max_size=60)


def test_at_once_hands_over_the_blocks_as_they_are_read() -> None:
    async def gathered() -> list[Sequence[Packet]]:
        return [block async for block in at_once(read)]

    read = blocks(packets([10**7] * 20), 6)
    assert asyncio.run(gathered()) == read


@EXAMPLES
@given(gaps, st.floats(0.1, 50.0), st.integers(1, 20))
def test_paced_replay_hands_over_every_packet_once_and_in_order(gaps_ns: list[int], speed: float, size: int) -> None:
    all_packets = packets(gaps_ns)
    out = [block for _, block in played(all_packets, speed, size)]
    assert [packet for block in out for packet in block] == all_packets
    assert all(out)


@EXAMPLES
@given(gaps, st.floats(0.1, 50.0), st.sampled_from([0.0, 0.019]))
def test_paced_replay_hands_over_each_block_when_its_first_packet_is_due(
    gaps_ns: list[int], speed: float, busy_s: float
) -> None:
    """Also to somebody who takes nearly all of the time between two blocks: that adds nothing."""
    all_packets = packets(gaps_ns)
    for at_s, block in played(all_packets, speed, busy_s=busy_s):
        due_s = (block[0].received_ns - all_packets[0].received_ns) * 1e-9 / speed
        assert at_s == pytest.approx(due_s, abs=1e-6)


@EXAMPLES
@given(gaps, st.floats(0.1, 50.0))
def test_paced_replay_hands_over_together_what_came_within_a_moment(gaps_ns: list[int], speed: float) -> None:
    for _, block in played(packets(gaps_ns), speed):
        assert (block[-1].received_ns - block[0].received_ns) * 1e-9 / speed < PACE_S


def test_who_fell_behind_gets_what_is_due_at_once() -> None:
    out = played(packets([25_000_000] * 40), 1.0, busy_s=0.05)
    assert out[-1][0] == pytest.approx(39 * 0.05)


def test_an_empty_recording_is_over_at_once() -> None:
    assert played([], 1.0) == []
