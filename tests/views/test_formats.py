import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.views import formats


@given(st.floats() | st.none(), st.integers(0, 3))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_a_number_is_digits_or_a_dash_and_never_nan_or_minus_zero(value: float | None, decimals: int) -> None:
    text = formats.number(value, decimals)
    if value is None or not math.isfinite(value):
        assert text == formats.UNKNOWN
    else:
        assert abs(float(text) - value) <= 0.5 * 10.0**-decimals * (1 + 1e-9)
        assert not (text.startswith("-") and float(text) == 0)


@given(st.text(st.characters()))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_names_from_outside_cannot_steer_a_terminal_or_break_utf_8(name: str) -> None:
    shown = formats.printable(name)
    assert shown.isprintable()
    assert len(shown.encode()) >= len(name)


def test_a_file_name_that_is_no_utf_8_is_still_shown() -> None:
    assert formats.printable("caf\udce9.jsonl") == "caf\N{REPLACEMENT CHARACTER}.jsonl"


@pytest.mark.parametrize(
    ("given_at", "text"),
    [
        (None, "date not known"),
        ("2026-03-04T17:20:00+01:00", "2026-03-04 17:20"),
        ("yesterday\x1b[31m", "yesterday\N{REPLACEMENT CHARACTER}[31m"),
    ],
)
def test_the_start_is_said_as_its_own_local_time(given_at: str | None, text: str) -> None:
    assert formats.when(given_at) == text
