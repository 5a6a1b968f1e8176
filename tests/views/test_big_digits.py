"""Large letters: as large as fit, square, complete."""

import pytest

from sensorrep.views.big_digits import ROWS, rows
from sensorrep.views.live_terminal import BIG


@pytest.mark.parametrize("text", ["0123456789:.- ", *BIG.values()])
def test_every_text_that_is_drawn_large_has_its_letters(text: str) -> None:
    drawn = rows(text, 10**4, ROWS, "#")
    assert len(drawn) == ROWS
    assert len({len(row) for row in drawn}) == 1


def test_they_are_as_large_as_fit() -> None:
    for width, height in ((80, 24), (80, 10), (20, 24), (7, 6)):
        drawn = rows("8", width, height, "#")
        assert len(drawn) <= height
        assert len(drawn[0]) <= width
        assert len(drawn) % ROWS == 0
    assert len(rows("8", 80, 24, "#")) == 4 * ROWS


def test_a_dot_is_twice_as_wide_as_high() -> None:
    drawn = rows("1", 100, 15, "#")
    assert max(row.count("#") for row in drawn) == 3 * 6


def test_where_they_do_not_fit_the_text_stands_small() -> None:
    assert rows("123", 5, 24, "#") == ["123"]
    assert rows("123", 80, 3, "#") == ["123"]


def test_digits_differ() -> None:
    assert len({tuple(rows(digit, 80, ROWS, "#")) for digit in "0123456789"}) == 10
