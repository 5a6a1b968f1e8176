"""What the tests of the makers' modules share: packets, scripts driven without a radio, and cutting."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

import numpy as np
from hypothesis import strategies as st

from sensorrep.devices import Action, Await, Decoder, Read, Script
from sensorrep.errors import PayloadError
from sensorrep.model import SAMPLE, Foot, Packet, Samples


def drive(script: Script, *answers: bytes) -> tuple[list[Action], bytes]:
    """Run a script to its end with these answers to its Reads and Awaits; its actions and what it returned."""
    waiting = iter(answers)
    actions: list[Action] = []
    answer = b""
    while True:
        try:
            action = script.send(answer) if actions else next(script)
        except StopIteration as end:
            assert not list(waiting), "the script did not ask for every answer"
            returned: bytes = end.value
            return actions, returned
        actions.append(action)
        answer = next(waiting) if isinstance(action, Read | Await) else b""
        if isinstance(action, Await):
            assert answer.startswith(action.prefix)


def packets(channel: str, payloads: Sequence[bytes], step_ns: int = 0, begin_ns: int = 0) -> list[Packet]:
    """Payloads as packets that arrive `step_ns` apart."""
    return [Packet(begin_ns + i * step_ns, Foot.LEFT, channel, payload) for i, payload in enumerate(payloads)]


def pieces(stream: Sequence[Packet], sizes: Sequence[int]) -> Iterator[Sequence[Packet]]:
    """The stream in pieces of these sizes, again and again."""
    begin = i = 0
    while begin < len(stream):
        end = begin + sizes[i % len(sizes)]
        yield stream[begin:end]
        begin, i = end, i + 1


def decoded(decoder: Decoder, stream: Sequence[Packet], sizes: Sequence[int] = (10**9,)) -> tuple[Samples, int]:
    """All samples and the count of malformed payloads when the packets are pushed in pieces of these sizes."""
    blocks = [decoder.push(piece) for piece in pieces(stream, sizes)]
    return Samples(np.concatenate([np.zeros(0, SAMPLE), *blocks])), decoder.malformed


def same_however_cut(make: Callable[[], Decoder], stream: Sequence[Packet], sizes: Sequence[int]) -> bool:
    """Whether cutting the packets into pieces of these sizes gives what one push gives, bit for bit."""
    whole, malformed = decoded(make(), stream)
    cut, malformed_cut = decoded(make(), stream, sizes)
    return np.array_equal(whole, cut) and malformed == malformed_cut


def refused(parse: Callable[[bytes], object], payload: bytes) -> bool:
    """Whether PayloadError was raised; any other exception goes on."""
    try:
        parse(payload)
    except PayloadError:
        return True
    return False


CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=5)
"""Sizes of pieces."""


def streams(channels: Sequence[str], payloads: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[Packet]]:
    """Any packets on these channels, each arriving 0 to 2 s (rarely 20 s) after the one before."""
    steps = st.one_of(st.integers(0, 2_000_000_000), st.integers(0, 20_000_000_000))
    entries = st.lists(st.tuples(steps, st.sampled_from([*channels, "none"]), payloads), max_size=12)

    def build(chosen: list[tuple[int, str, bytes]]) -> list[Packet]:
        times = accumulate(step for step, _, _ in chosen)
        return [
            Packet(now, Foot.LEFT, channel, payload) for now, (_, channel, payload) in zip(times, chosen, strict=True)
        ]

    return entries.map(build)


def plausible(samples: Samples) -> bool:
    """Whether every number is one that a sensor may say: finite, within 40 g and 5000 deg/s."""
    acc, gyr = samples["acc_m_s2"], samples["gyr_rad_s"]
    return bool((np.abs(acc) < 400).all() and (np.abs(gyr) < 90).all())
