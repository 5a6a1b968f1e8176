import gzip
import json
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensorrep.devices import MODELS
from sensorrep.errors import RecordingError
from sensorrep.model import Foot, Packet, RecordingHeader, SensorInfo
from sensorrep.sources import recording as module
from sensorrep.sources.recording import Recording, RecordingWriter, open_recording
from sensorrep.stages.decode import Decode
from tests.sources.files import FEW, HEADER, INFO, read, written

fast = settings(
    deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

HEADER_LINE = '{"format": "sensorrep-recording/1", "feet": {"left": {"device": "diy"}, "right": {"device": "diy"}}}'


def complaint(path: Path) -> RecordingError | None:
    """What is wrong with a file as a whole; it is read to its end."""
    try:
        read(path)
    except RecordingError as error:
        return error
    return None


def read_lines(path: Path, *lines: str) -> tuple[list[Packet], Recording]:
    path.write_text("\n".join([HEADER_LINE, *lines]) + "\n")
    return read(path)


payloads = st.binary(max_size=512)
channels = st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True)


@st.composite
def packet_lists(draw: st.DrawFn) -> list[Packet]:
    """Any packets in the order of their arrival."""
    steps = st.tuples(st.integers(0, 10**12), st.sampled_from(Foot), channels, payloads)
    now_ns = draw(st.integers(0, 2**62))
    packets = []
    for step_ns, foot, channel, payload in draw(st.lists(steps, max_size=20)):
        now_ns += step_ns
        packets.append(Packet(now_ns, foot, channel, payload))
    return packets


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


# --- what is written is read ------------------------------------------------------------------------------------


@fast
@given(packets=packet_lists(), text=st.text(), suffix=st.sampled_from([".jsonl", ".jsonl.gz"]), size=st.integers(1, 9))
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, packets: list[Packet], text: str, suffix: str, size: int
) -> None:
    path = tmp_path_factory.mktemp("r") / f"session{suffix}"
    with RecordingWriter(path, HEADER) as writer:
        writer.write(packets)
        writer.event("label", at_ns=5, text=text)
    again, recording = read(path, size)
    assert again == packets
    assert recording.header == HEADER
    text_read = text.encode("utf-8", "replace").decode()
    assert recording.events == [{"label": {"at_ns": 5, "text": text_read}}]
    assert recording.closed_cleanly
    assert recording.damage == []
    assert recording.bytes_read == recording.size == path.stat().st_size


def test_the_file_is_what_the_readme_says(tmp_path: Path) -> None:
    header, first, *_, note, _ = (
        line for n, line in enumerate(written(tmp_path / "a.jsonl").decode().splitlines()) if n in (0, 1, 20, 21, 22)
    )
    assert json.loads(header) == {
        "format": "sensorrep-recording/1",
        "started_at": "2025-03-01T10:00:00+01:00",
        "simulated": True,
        "movement": "one-leg",
        "feet": {
            "left": {"device": "diy", "name": "Knöchel L", "info": INFO.hex()},
            "right": {"device": "diy", "name": "", "info": ""},
        },
        "software": {"sensorrep": "0.1.0"},
    }
    assert first == '[1000000000,"left","data",""]'
    assert json.loads(note) == {"note": {"at_ns": 10**9 + 7 * 19, "text": "left hip feels tight"}}
    assert json.loads((tmp_path / "a.jsonl").read_text().splitlines()[-1]) == {
        "end": {"at_ns": 10**9 + 7 * 39, "packets": 40}
    }


README = Path(__file__).parents[2] / "recordings" / "README.md"


def example(language: str) -> str:
    return README.read_text(encoding="utf-8").partition(f"```{language}\n")[2].partition("```")[0]


def test_the_readme_s_example_is_a_sound_recording(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(example("jsonl"), encoding="utf-8")
    packets, recording = read(tmp_path / "a.jsonl")
    assert recording.closed_cleanly
    assert recording.damage == []
    assert {kind for event in recording.events for kind in event} == {
        *("link", "battery", "clock", "posture", "label", "note")
    }
    decode = Decode(recording.header.feet)
    samples = np.concatenate([*decode.push(packets), *decode.finish()])
    assert samples["foot"].tolist() == [0, 0, 1, 1, 0, 0]
    assert np.linalg.norm(samples["acc_m_s2"], axis=1) == pytest.approx(9.8, abs=0.1)


def test_the_writer_spells_packets_as_the_readme_does(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(example("jsonl"), encoding="utf-8")
    packets, recording = read(tmp_path / "a.jsonl")
    with RecordingWriter(tmp_path / "b.jsonl", recording.header) as writer:
        for event in recording.events:
            for kind, fields in event.items():
                writer.event(kind, **fields)
        writer.write(packets)
    lines = (tmp_path / "b.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(lines) == sorted(example("jsonl").splitlines())


@pytest.mark.parametrize("packets_per_block", [1, 7, 40, 41])
def test_blocks_have_the_size_asked_for(tmp_path: Path, packets_per_block: int) -> None:
    written(tmp_path / "a.jsonl")
    sizes = [len(block) for block in open_recording(tmp_path / "a.jsonl").blocks(packets_per_block)]
    assert sum(sizes) == 40
    assert set(sizes[:-1]) <= {packets_per_block}


def test_a_long_recording_is_not_held_in_memory(tmp_path: Path) -> None:
    line = '[1,"left","data","' + "ab" * 500 + '"]\n'
    (tmp_path / "a.jsonl").write_text(HEADER_LINE + "\n" + line * 5000)
    with open_recording(tmp_path / "a.jsonl") as recording:
        next(recording.blocks(10))
        assert recording.bytes_read < 300_000 < recording.size


@pytest.mark.parametrize(
    "line",
    [
        '[12, "left", "data", "0aff"]',
        ' [ 12,"left","data","0AFF" ]\t\r',
        '[12,"\\u006ceft","d\\u0061ta","0aff"]',
        '[12,"left","data","0aff"]\r',
    ],
)
def test_any_spelling_of_the_json_is_the_same_packet(tmp_path: Path, line: str) -> None:
    packets, recording = read_lines(tmp_path / "a.jsonl", line)
    assert packets == [Packet(12, Foot.LEFT, "data", b"\x0a\xff")]
    assert recording.damage == []


def test_a_byte_order_mark_and_a_missing_last_newline_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("\ufeff" + HEADER_LINE + '\r\n[1,"left","d",""]\r\n{"end": {}}', newline="")
    packets, recording = read(tmp_path / "a.jsonl")
    assert len(packets) == 1
    assert recording.closed_cleanly
    assert recording.damage == []


def test_a_header_alone_is_a_recording_without_packets(tmp_path: Path) -> None:
    for text in (HEADER_LINE, HEADER_LINE + "\n"):
        (tmp_path / "a.jsonl").write_text(text)
        packets, recording = read(tmp_path / "a.jsonl")
        assert packets == []
        assert recording.damage == []
        assert not recording.closed_cleanly


def test_unknown_keys_and_events_are_kept_or_ignored(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"format": "sensorrep-recording/1.7", "mood": 3,'
        ' "feet": {"left": {"device": "diy", "colour": 1}, "right": null}}\n'
        '{"weather": {"sun": true}}\n{"two": 1, "keys": [2]}\n'
    )
    _, recording = read(tmp_path / "a.jsonl")
    assert recording.header == RecordingHeader(feet={Foot.LEFT: SensorInfo("diy")})
    assert recording.events == [{"weather": {"sun": True}}, {"two": 1, "keys": [2]}]
    assert recording.damage == []


def test_a_recording_is_read_once(tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl")
    _, recording = read(tmp_path / "a.jsonl")
    with pytest.raises(ValueError, match="open it again"):
        next(recording.blocks())


# --- damage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        '[-1,"left","data","00"]',
        '[9223372036854775808,"left","data","00"]',
        '[1.0,"left","data","00"]',
        '[true,"left","data","00"]',
        '[01,"left","data","00"]',
        '[1,"middle","data","00"]',
        '[1,"left","","00"]',
        '[1,"left","da ta","00"]',
        '[1,"left","data","0"]',
        '[1,"left","data","0g"]',
        '[1,"left","data","00 11"]',
        '[1,"left","data",null]',
        '[1,"left",["data"],"00"]',
        '[1,"left","data"]',
        '[1,"left","data","00",1]',
        '[1,"left","data","00"',
        '[1,"left","data","00"]]',
        '{"note": NaN}',
        '{"note": "\\ud800"}',
        '"note"',
        "17",
        "[" * 100_000,
        "1" * 5000,
        "\0" * 50,
        "x" * 3_000_000,
    ],
)
def test_a_bad_line_is_skipped_and_named(tmp_path: Path, line: str) -> None:
    packets, recording = read_lines(tmp_path / "a.jsonl", '[1,"left","a","00"]', line, '[2,"right","a","01"]')
    assert packets == [Packet(1, Foot.LEFT, "a", b"\0"), Packet(2, Foot.RIGHT, "a", b"\1")]
    assert recording.events == []
    (damage,) = recording.damage
    assert damage.startswith("1 line ")
    assert damage.endswith("(line 3)")


def test_bytes_that_are_no_text_cost_only_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(
        HEADER_LINE.encode() + b'\n[1,"left","\xff","00"]\n{"note": "\xc3"}\n[2,"left","a","01"]\n'
    )
    packets, recording = read(tmp_path / "a.jsonl")
    assert packets == [Packet(2, Foot.LEFT, "a", b"\1")]
    assert recording.damage == ["2 lines were no packet of a known foot and no event, and left out (line 2, 3)"]


def test_a_packet_of_a_foot_without_sensor_is_damage(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        HEADER_LINE.replace(', "right": {"device": "diy"}', "") + '\n[1,"right","a","00"]\n[1, "right","a","00"]\n'
    )
    packets, recording = read(tmp_path / "a.jsonl")
    assert packets == []
    assert len(recording.damage) == 1


def test_a_damaged_digit_in_a_time_does_not_stretch_the_session(tmp_path: Path) -> None:
    lines = [f'[{10**15 + n},"left","a",""]' for n in range(9)]
    for bad in range(9):
        packets, recording = read_lines(tmp_path / "a.jsonl", *lines[:bad], f"[9{lines[bad][2:]}", *lines[bad + 1 :])
        assert [packet.received_ns for packet in packets] == [10**15 + n for n in range(9) if n != bad]
        assert recording.damage == ["1 packet with an impossible time of arrival left out"]


def test_many_bad_lines_are_counted_and_the_first_named(tmp_path: Path) -> None:
    _, recording = read_lines(tmp_path / "a.jsonl", *["oops"] * 9)
    assert recording.damage == [
        "9 lines were no packet of a known foot and no event, and left out (line 2, 3, 4, 5, 6 and others)"
    ]


def test_events_cannot_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_EVENT_BYTES", 50)
    _, recording = read_lines(tmp_path / "a.jsonl", *['{"note": {"n": 1}}'] * 5)
    assert len(recording.events) == 2
    assert recording.damage[0].startswith("3 lines")


@pytest.mark.parametrize(("more", "words"), [('[3,"left","a",""]', "ends"), (HEADER_LINE, "ends")])
def test_nothing_is_read_after_the_end(tmp_path: Path, more: str, words: str) -> None:
    packets, recording = read_lines(tmp_path / "a.jsonl", '[1,"left","a",""]', '{"end": {"packets": 1}}', more, more)
    assert len(packets) == 1
    assert not recording.closed_cleanly
    assert recording.damage == [f"line 3 {words} the recording, and what follows was not read"]


def test_a_second_recording_in_the_file_is_not_taken_for_the_first(tmp_path: Path) -> None:
    packets, recording = read_lines(tmp_path / "a.jsonl", '[1,"left","a",""]', HEADER_LINE, '[2,"left","a",""]')
    assert len(packets) == 1
    assert recording.damage == ["another recording begins at line 3 and was not read"]


def test_packets_taken_out_of_a_closed_recording_are_missed(tmp_path: Path) -> None:
    _, recording = read_lines(tmp_path / "a.jsonl", '[1,"left","a",""]', '{"end": {"packets": 3}}')
    assert recording.damage == ["3 packets were recorded, 1 were read"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(tmp_path_factory.mktemp("plain") / "a.jsonl", FEW)


@pytest.fixture(scope="module")
def header_size(plain: bytes) -> int:
    return plain.index(b"\n") + 1


def complete_packets(content: bytes) -> list[Packet]:
    """Oracle: packets of lines that another JSON reader finds whole."""
    packets = []
    for line in content.split(b"\n")[1:]:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, list):
            packets.append(Packet(found[0], Foot[found[1].upper()], found[2], bytes.fromhex(found[3])))
    return packets


def test_a_recording_cut_at_any_byte_gives_every_complete_line(plain: bytes, header_size: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    for cut in range(len(plain)):
        path.write_bytes(plain[:cut])
        if cut < header_size - 1:
            with pytest.raises(RecordingError):
                open_recording(path)
            continue
        packets, recording = read(path)
        assert packets == complete_packets(plain[:cut])
        last = plain[:cut].rpartition(b"\n")[2]
        whole = not last or _is_json(last)
        assert recording.damage == (
            [] if whole else [f"line {plain[:cut].count(10) + 1} is torn: the recording breaks off there"]
        )


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def test_a_compressed_recording_cut_at_any_byte_gives_what_zlib_can_give(
    plain: bytes, header_size: int, tmp_path: Path
) -> None:
    packed = gzip.compress(plain)
    path = tmp_path / "cut.jsonl.gz"
    counts = []
    for cut in range(2, len(packed)):
        path.write_bytes(packed[:cut])
        inflated = inflated_by_zlib(packed[:cut])
        if len(inflated) < header_size - 1:
            with pytest.raises(RecordingError):
                open_recording(path)
            continue
        packets, recording = read(path)
        assert packets == complete_packets(inflated)
        assert "breaks off" in recording.damage[0]
        counts.append(len(packets))
    assert counts == sorted(counts)
    assert counts[-1] == len(FEW)


def inflated_by_zlib(packed: bytes) -> bytes:
    return zlib.decompressobj(31).decompress(packed)


@fast
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1, max_size=4))
def test_flipped_bits_cost_only_the_lines_they_are_in(
    plain: bytes, header_size: int, tmp_path: Path, flips: list[tuple[float, int]]
) -> None:
    damaged = bytearray(plain)
    for where, bit in flips:
        damaged[header_size + int(where * (len(plain) - header_size))] ^= 1 << bit
    (tmp_path / "a.jsonl").write_bytes(damaged)
    packets, _ = read(tmp_path / "a.jsonl")
    untouched = set(bytes(damaged).split(b"\n")) & set(plain.split(b"\n")[1:])
    assert set(complete_packets(b"\n" + b"\n".join(untouched))) <= set(packets)


@fast
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_in_a_compressed_recording_is_noticed(
    plain: bytes, tmp_path: Path, where: float, bit: int
) -> None:
    damaged = bytearray(gzip.compress(plain))
    at = int(where * len(damaged))
    damaged[at] ^= 1 << bit
    (tmp_path / "a.jsonl.gz").write_bytes(damaged)
    try:
        packets, recording = read(tmp_path / "a.jsonl.gz")
    except RecordingError:
        return
    in_gzip_header = at < 10  # its flags, time and system are no content
    assert recording.damage or (in_gzip_header and packets == FEW)


@fast
@given(content=st.binary(max_size=300), after_header=st.booleans(), packed=st.booleans())
def test_any_bytes_give_a_recording_or_a_recording_error(
    tmp_path: Path, content: bytes, after_header: bool, packed: bool
) -> None:
    content = HEADER_LINE.encode() + b"\n" + content if after_header else content
    (tmp_path / "any").write_bytes(gzip.compress(content) + content if packed else content)
    error = complaint(tmp_path / "any")
    assert (error is None) == after_header
    assert "\n" not in str(error)


@fast
@given(key=st.sampled_from(["format", "feet", "started_at", "simulated", "movement", "software"]), value=json_values)
def test_any_header_gives_a_recording_or_a_recording_error(tmp_path: Path, key: str, value: Any) -> None:
    for header in (
        json.loads(HEADER_LINE) | {key: value},
        json.loads(HEADER_LINE) | {"feet": {"left": {"device": "diy"} | {key: value}}},
        json.loads(HEADER_LINE) | {"feet": {"left": {"device": "diy", "name": value}}},
        json.loads(HEADER_LINE) | {"feet": {"left": {"device": "diy", "info": value}}},
    ):
        (tmp_path / "a.jsonl").write_text(json.dumps(header))
        error = complaint(tmp_path / "a.jsonl")
        assert error is None or (error.line == 1 and "\n" not in str(error))


@fast
@given(model=st.sampled_from(MODELS), info=st.binary(max_size=40))
def test_any_sensor_info_can_be_decoded_with_or_is_refused(tmp_path: Path, model: str, info: bytes) -> None:
    header = {"format": "sensorrep-recording/1", "feet": {"left": {"device": model, "info": info.hex()}}}
    (tmp_path / "a.jsonl").write_text(json.dumps(header))
    try:
        with open_recording(tmp_path / "a.jsonl") as recording:
            Decode(recording.header.feet)
    except RecordingError as error:
        assert error.line == 1  # noqa: PT017


def test_a_small_file_that_inflates_to_much_costs_little_memory(tmp_path: Path) -> None:
    bomb = gzip.compress(HEADER_LINE.encode() + b"\n" + b" " * 60_000_000 + b'\n[1,"left","a","00"]\n')
    (tmp_path / "a.jsonl.gz").write_bytes(bomb)
    tracemalloc.start()
    packets, recording = read(tmp_path / "a.jsonl.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(packets) == 1
    assert recording.damage[0].endswith("(line 2)")
    assert peak < 8_000_000


def test_several_gzip_streams_in_one_file_are_one_recording(plain: bytes, tmp_path: Path) -> None:
    half = len(plain) // 2
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(plain[:half]) + gzip.compress(plain[half:]))
    packets, recording = read(tmp_path / "a.jsonl.gz")
    assert packets == FEW
    assert recording.damage == []


# --- files that are no recordings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"time_s,sensor\n", "no recording"),
        (b"\x1f\x8b", "no recording"),
        (b"\n" + HEADER_LINE.encode(), "no recording"),
        (b"[1]\n", "no recording"),
        (b"x" * 3_000_000, "no recording"),
        (b'{"format": "sensorrep-recording/2", "feet": 1}\n', "sensorrep-recording/2.*update sensorrep"),
        (b'{"format": "sensorrep-recording/1"}\n', '"feet"'),
        (HEADER_LINE.replace('"diy"}}', '"diy", "info": "00"}}').encode(), "right sensor is not valid"),
        (HEADER_LINE.replace('"diy"}}', '"diy", "info": "0"}}').encode(), "hexadecimal"),
        (HEADER_LINE.replace("diy", "new-model").encode(), "new-model.*update sensorrep"),
    ],
)
def test_what_is_no_recording_is_told_in_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=words) as caught:
        open_recording(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no such file"):
        open_recording(tmp_path / "missing.jsonl")
    with pytest.raises(RecordingError, match="folder"):
        open_recording(tmp_path)
