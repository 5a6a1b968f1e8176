import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sensorrep.model import Foot, Packet
from sensorrep.sources.lines import PACKET_OR_OTHER, event_line, packet_line, parse_line

quick = settings(deadline=None, max_examples=200, derandomize=True)
FEET = {foot.word: foot for foot in Foot}

packets = st.builds(
    Packet,
    st.integers(0, 2**63 - 1),
    st.sampled_from(Foot),
    st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True),
    st.binary(max_size=40),
)
nearly = st.from_regex(r'\[-?[0-9]{1,20},"(left|right|Left)","[a-z ."]{0,3}","[0-9a-fA-F ]{0,5}"\]?', fullmatch=True)


def fast(line: str) -> Packet | None:
    """As the reader takes plain lines."""
    ((received_ns, foot, channel, payload, _),) = PACKET_OR_OTHER.findall(line)
    if not received_ns:
        return None
    try:
        return Packet(int(received_ns), FEET[foot], channel, bytes.fromhex(payload))
    except ValueError:
        return None


@quick
@given(packet=packets)
@example(packet=Packet(0, Foot.LEFT, "a", b""))
@example(packet=Packet(10**18 - 1, Foot.RIGHT, "a" * 64, b"\xff"))
def test_a_packet_s_line_is_json_and_reads_back(packet: Packet) -> None:
    line = packet_line(packet)
    assert json.loads(line) == [packet.received_ns, packet.foot.word, packet.channel, packet.payload.hex()]
    assert parse_line(line, FEET) == packet
    assert fast(line) == (packet if packet.received_ns < 10**18 else None)


@quick
@given(line=nearly | packets.map(packet_line))
def test_both_ways_to_read_a_packet_agree(line: str) -> None:
    careful = parse_line(line, FEET)
    assert fast(line) in (None, careful)


@quick
@given(lines=st.lists(st.text(alphabet='[]{}",0a lefrt\r\u2028', max_size=12), min_size=1, max_size=9))
def test_many_lines_are_taken_apart_one_by_one(lines: list[str]) -> None:
    assert len(PACKET_OR_OTHER.findall("\n".join(lines))) == len(lines)


def test_a_note_in_a_broken_encoding_is_written_as_text() -> None:
    assert json.loads(event_line("note", {"text": "caf\udce9"})) == {"note": {"text": "caf?"}}


@pytest.mark.parametrize("kind", ["", "format", "Note", "a b", "ä"])
def test_kinds_are_words(kind: str) -> None:
    with pytest.raises(ValueError, match="no event"):
        event_line(kind, {})
