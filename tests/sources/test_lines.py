import json
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sensorrep.model import Foot, Packet
from sensorrep.sources.lines import event_line, packet_line, parse_line, parse_packets, runs

quick = settings(deadline=None, max_examples=200, derandomize=True)
FEET = {foot.word: foot for foot in Foot}


def parsed(lines: str) -> list[Packet] | None:
    found = parse_packets(lines.encode(), FEET)
    return None if found is None else list(found)


packets = st.builds(
    Packet,
    st.integers(0, 2**63 - 1),
    st.sampled_from(Foot),
    st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True),
    st.binary(max_size=40),
)
nearly = st.from_regex(r'\[-?[0-9]{1,20},"(left|right|Left)","[a-z ."]{0,3}","[0-9a-fA-F ]{0,5}"\]?', fullmatch=True)
PIECES = [
    '"',
    '"',
    '"',
    '","',
    '","',
    "[",
    "]",
    "\n",
    "]\n[",
    '"]\n[1,"',
    "7",
    ",",
    "left",
    "right",
    "data",
    "aa",
    "{",
    " ",
] * 3


@quick
@given(packet=packets)
@example(packet=Packet(0, Foot.LEFT, "a", b""))
@example(packet=Packet(10**18 - 1, Foot.RIGHT, "a" * 64, b"\xff"))
def test_a_packet_s_line_is_json_and_reads_back(packet: Packet) -> None:
    line = packet_line(packet)
    assert json.loads(line) == [packet.received_ns, packet.foot.word, packet.channel, packet.payload.hex()]
    assert parse_line(line, FEET) == packet
    assert parsed(line) == [packet]


@quick
@given(st.lists(packets.map(packet_line) | nearly, min_size=1, max_size=4), st.randoms())
def test_packets_are_read_together_as_one_by_one_or_not_at_all(lines: list[str], random: Random) -> None:
    assert parsed("\n".join(lines)) in (None, [parse_line(line, FEET) for line in lines])
    torn = "".join(random.sample(PIECES, k=random.randint(1, 30)))
    assert parsed(torn) in (None, [parse_line(line, FEET) for line in torn.split("\n")])


@quick
@given(lines=st.lists(packets.map(packet_line), min_size=1, max_size=5), data=st.data())
def test_one_character_changed_is_never_read_as_something_else(lines: list[str], data: st.DataObject) -> None:
    text = "\n".join(lines)
    at = data.draw(st.integers(0, len(text)))
    text = (
        text[:at]
        + data.draw(st.sampled_from(['"', ",", "]", "[", "\n", " ", "0", "a", "_", "\\", "", "\r", "1,2"]))
        + text[at + 1 :]
    )
    assert parsed(text) in (None, [parse_line(line, FEET) for line in text.split("\n")])


@pytest.mark.parametrize(
    "text",
    [
        '[1,"left","data","aa""left","data","bb"]\n[5,]\n[2,"left","data","cc"]',  # as many numbers as packets
        '[1,2,"left","data","aa"]\n["left","data","bb"]',
        '[5\n,"left","data","aa"]',
        '[5,"left","data","a\na"]',
        '[5,"left","data","a a "]',
        '[5,"left","data","aa",]',
        '[true,"left","data","aa"]',
        '[05,"left","data","aa"]',
        '[1_0,"left","data","aa"]',
        '[-1,"left","data","aa"]',
        '[9223372036854775808,"left","data","aa"]',
        '[1.0,"left","data","aa"]',
        '[[1],"left","data","aa"]',
        "[" * 10**5 + '1,"left","data","aa"]',
        '[1"left","data","aa"]',
        '[1,"left","","aa"]',
        '[1,"both","data","aa"]',
        '[1,"left","data","aa"]\n',
        "",
        "\n",
    ],
)
def test_lines_that_are_no_packets_are_left_to_be_read_one_by_one(text: str) -> None:
    assert parsed(text) is None


@quick
@given(lines=st.lists(st.text(alphabet='[]{}",0a lefrt\r\u2028', max_size=12), min_size=1, max_size=9))
def test_runs_are_all_lines_and_objects_come_alone(lines: list[str]) -> None:
    found = list(runs("\n".join(lines).encode()))
    assert [line for run in found for line in run.decode().split("\n")] == lines
    assert all(b"\n" not in run for run in found if run.startswith(b"{"))


def test_a_note_in_a_broken_encoding_is_written_as_text() -> None:
    assert json.loads(event_line("note", {"text": "caf\udce9"})) == {"note": {"text": "caf?"}}


@pytest.mark.parametrize("kind", ["", "format", "Note", "a b", "ä"])
def test_kinds_are_words(kind: str) -> None:
    with pytest.raises(ValueError, match="no event"):
        event_line(kind, {})
