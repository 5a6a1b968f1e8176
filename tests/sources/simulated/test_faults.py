"""Scripts of faults: what they may say, and that nonsense gets one line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.errors import RecordingError
from sensorrep.model import Foot
from sensorrep.sources.simulated.faults import LIMITS, Fault, draw_script, parse_script, read_script

ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.sampled_from(["left", "both", *LIMITS]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


def test_a_script_is_read_in_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('[[12.5, "both", "cut", 2], [3, "left", "mtu", 23], [4, "right", "reboot"]]', encoding="utf-8")
    assert read_script(path) == (
        Fault(3.0, (Foot.LEFT,), "mtu", 23.0),
        Fault(4.0, (Foot.RIGHT,), "reboot", 0.0),
        Fault(12.5, (Foot.LEFT, Foot.RIGHT), "cut", 2.0),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Expecting"),
        ('{"at": 1}', "list of entries"),
        ('[[1, "left"]]', "entry 1 is not of the form"),
        ('[[1, "left", "cut", 1, 2]]', "entry 1 is not of the form"),
        ('[[1, "left", "cut"], [1, "middle", "cut"]]', "entry 2 must name"),
        ('[[1, "left", "explode"]]', "entry 1 has no known action (cut, stall"),
        ('[["soon", "left", "cut"]]', "entry 1 does not begin with seconds"),
        ('[[-1, "left", "cut"]]', "entry 1 does not begin with seconds"),
        ('[[1, "left", "loss", 2]]', "entry 1 needs a number from 0 to 1 after 'loss'"),
        ('[[1, "left", "mtu"]]', "entry 1 needs a number from 23 to 517 after 'mtu'"),
        ('[[1, "left", "cut", true]]', "entry 1 needs a number"),
        ('[[1, "left", "cut", NaN]]', "entry 1 needs a number"),
    ],
)
def test_nonsense_is_refused_with_its_entry(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecordingError) as caught:
        read_script(path)
    assert said in str(caught.value)
    assert "script.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    for content in (b"\xff\xfe\x00", b"", b"\x00"):
        (tmp_path / "script.json").write_bytes(content)
        with pytest.raises(RecordingError):
            read_script(tmp_path / "script.json")
    with pytest.raises(RecordingError):
        read_script(tmp_path / "none.json")


@settings(deadline=None, derandomize=True, max_examples=200)
@given(ANYTHING)
def test_anything_is_a_script_or_a_value_error(found: Any) -> None:
    try:
        script = parse_script(found)
    except ValueError:
        return
    assert [fault.at_s for fault in script] == sorted(fault.at_s for fault in script)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.integers(0, 10**6), st.integers(0, 30))
def test_a_drawn_script_is_a_valid_one_and_a_seed_gives_the_same(seed: int, faults: int) -> None:
    drawn = draw_script(seed, 100.0, faults)
    assert drawn == draw_script(seed, 100.0, faults)
    words = {(Foot.LEFT,): "left", (Foot.RIGHT,): "right", tuple(Foot): "both"}
    written = [[fault.at_s, words[fault.feet], fault.action, fault.number] for fault in drawn]
    assert parse_script(json.loads(json.dumps(written))) == drawn
