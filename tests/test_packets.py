"""Packets as columns are what they are as objects."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.model import Foot, Packet
from sensorrep.packets import Alike, arrivals_ns, feet, joined, lengths, picked

quick = settings(deadline=None, max_examples=100, derandomize=True)
times = st.lists(st.tuples(st.integers(0, 2**62), st.sampled_from(Foot)), max_size=9)


def alike(rows: list[tuple[int, Foot]], channel: str = "data", length: int = 3) -> Alike:
    received_ns, of = np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.uint8)
    payloads = (np.arange(len(rows))[:, None] + np.arange(length)).astype(np.uint8)
    return Alike(received_ns, of, channel, payloads)


@quick
@given(times)
def test_columns_are_a_sequence_of_packets(rows: list[tuple[int, Foot]]) -> None:
    columns, objects = alike(rows), list(alike(rows))
    assert objects == [Packet(ns, foot, "data", bytes([n, n + 1, n + 2])) for n, (ns, foot) in enumerate(rows)]
    assert [columns[n] for n in range(len(columns))] == objects
    assert list(columns[1:-1]) == objects[1:-1]
    assert all(type(packet.foot) is Foot for packet in objects)
    assert arrivals_ns(columns).tolist() == arrivals_ns(objects).tolist()
    assert feet(columns).tolist() == feet(objects).tolist()


@quick
@given(times, times)
def test_what_is_alike_stays_columns(one: list[tuple[int, Foot]], other: list[tuple[int, Foot]]) -> None:
    whole = joined([alike(one), [], alike(other)])
    assert list(whole) == [*alike(one), *alike(other)]
    assert isinstance(whole, Alike) or not len(whole)
    back = np.arange(len(whole))[::-1]
    assert list(picked(whole, back)) == list(picked(list(whole), back)) == list(whole)[::-1]


@pytest.mark.parametrize("other", [alike([(1, Foot.LEFT)], "info"), alike([(1, Foot.LEFT)], length=0)])
def test_what_differs_becomes_objects(other: Alike) -> None:
    first = alike([(0, Foot.LEFT), (2, Foot.RIGHT)])
    assert joined([first, other]) == [*first, *other]
    assert lengths(first) == {3}
    assert lengths(joined([first, other])) == {3, other.payloads.shape[1]}
