import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.errors import RecordingError
from sensorrep.model import Foot
from sensorrep.sources import rows
from sensorrep.sources.rows import COLUMNS, Rows, parse_header, parse_lines

quick = settings(deadline=None, max_examples=200, derandomize=True)
LAYOUT = parse_header("a.csv", ",".join(COLUMNS).encode(), None)

cells = st.floats(-1e7, 1e7).map(repr) | st.sampled_from(
    ["0", "-0.0", "1e-3", " 7 ", "", "nan", "x", "1_0", '"3"', "0x10"]
)
words = st.sampled_from(["left", "right", "left", "right", "Left", " right", "leftmost", "", "'left'"])
tails = st.sampled_from(["", "", "", "\r", ",", " "])
lines = st.builds(
    lambda time, word, numbers, tail: ",".join([time, word, *numbers]) + tail,
    st.floats(-1e10, 1e10).map(repr) | cells,
    words,
    st.lists(cells, min_size=6, max_size=6) | st.lists(cells, max_size=8),
    tails,
)
plain = st.builds(
    lambda word, numbers, tail: f"{numbers[0]!r},{word}," + ",".join(map(repr, numbers[1:])) + tail,
    st.sampled_from(["left", "right"]),
    st.lists(st.floats(-1e6, 1e6), min_size=7, max_size=7),
    st.sampled_from(["", "\r"]),
)


def same(one: Rows, other: Rows) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@quick
@given(piece=st.lists(plain, min_size=1, max_size=6))
def test_plain_rows_are_read_at_once_and_as_carefully(piece: list[str]) -> None:
    fast = rows._parse_plain(LAYOUT, piece, 2)
    assert fast is not None
    assert same(fast, rows._parse_carefully(LAYOUT, piece, 2))
    assert fast.line.tolist() == list(range(2, 2 + len(piece)))


@quick
@given(piece=st.lists(lines | plain, min_size=1, max_size=4))
def test_what_is_read_at_once_is_what_careful_reading_gives(piece: list[str]) -> None:
    fast = rows._parse_plain(LAYOUT, piece, 2)
    try:
        careful = rows._parse_carefully(LAYOUT, piece, 2)
    except RecordingError:
        assert fast is None
        return
    assert fast is None or same(fast, careful)
    assert same(parse_lines(LAYOUT, piece, 2), careful)


def test_without_a_sensor_column_every_row_is_of_the_foot_that_is_told() -> None:
    names = [name for name in COLUMNS if name != "sensor"]
    layout = parse_header("a.csv", ",".join(names).encode(), Foot.RIGHT)
    found = parse_lines(layout, ["0,1,2,3,4,5,6", "0.01,1,2,3,4,5,6"], 2)
    assert found.foot.tolist() == [1, 1]
    assert found.numbers[1].tolist() == [0.01, 1, 2, 3, 4, 5, 6]
