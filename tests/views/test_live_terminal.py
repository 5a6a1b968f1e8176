"""The big view: what is drawn at every size, without colour, without Unicode, and how often."""

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from sensorrep.model import Foot
from sensorrep.targets import Targets
from sensorrep.views import announcements, big_digits
from sensorrep.views.live_terminal import REDRAWS_HZ, Board, LiveTerminal, lines
from sensorrep.views.scoreboard import Latest, Scoreboard, Screen
from tests.views.live_events import at_ns, battery, both, counted, ended, link

TARGETS = Targets(3, 8, 45.0, (2.0, 1.0, 2.0, 1.0))


def board(simulated: bool = True) -> Scoreboard:
    """In the middle of set 2, the right link weak and its battery low."""
    made = Scoreboard(TARGETS, simulated=simulated)
    made.take([*both(0, 60), battery(Foot.LEFT, 93)], [ended(1), counted(2, 1), counted(2, 5)], Latest((0.16, 0.14)))
    return made


def screen() -> Screen:
    return board().screen(at_ns(60))


def text(shown: Screen, width: int = 80, height: int = 24, *, ascii_only: bool = False) -> str:
    return "\n".join(line.plain for line in lines(shown, width, height, ascii_only=ascii_only))


def big(digits: str, width: int, height: int, ink: str = "█") -> list[str]:
    return [row.rstrip() for row in big_digits.rows(digits, width, height, ink)]


def holds(drawn: str, digits: str) -> bool:
    """Whether the digits are drawn at some size, somewhere."""
    rows = drawn.split("\n")
    for size in range(8, 0, -1):
        wanted = [row.rstrip() for row in big_digits.rows(digits, 10**4, size * big_digits.ROWS, "█")]
        for top in range(len(rows) - len(wanted) + 1):
            at = rows[top].find(wanted[0].strip())
            indent = at - (len(wanted[0]) - len(wanted[0].lstrip()))
            if at >= 0 and all(rows[top + i][max(indent, 0) :].startswith(row) for i, row in enumerate(wanted)):
                return True
    return False


def test_at_80_columns_all_is_there() -> None:
    drawn = text(screen())
    assert holds(drawn, "5")
    for part in ("SIMULATED", "Set 2 of 3", "of 8", "left   9°", "8°   right", "last rep", "target    2.0-1.0-2.0-1.0"):
        assert part in drawn
    assert re.search(r"left  ●●●● good, battery 93 %\s+right ●●●● good", drawn)
    assert "set 1     8 reps" in drawn
    assert "Not a medical device" in drawn


def test_the_count_is_at_least_ten_rows_high_at_80_by_24() -> None:
    rows = [line.plain for line in lines(screen(), 80, 24) if re.search(r"█{4}", line.plain) and "°" not in line.plain]
    assert len(rows) >= 10 - 1  # one more row belongs to the bars


def test_openings_grow_from_the_middle_outward() -> None:
    shown = replace(screen(), opening_deg=(15.0, 7.5), scale_deg=15.0)
    (bar,) = [line.plain for line in lines(shown, 80, 24) if "left  15°" in line.plain]
    left, right = bar.split("│")
    assert left.rstrip().endswith("█")
    assert abs(left.count("█") - 2 * right.count("█")) <= 1
    assert right.lstrip().startswith("█")
    assert "░" not in left


def test_the_filled_part_stands_out_from_the_ground_without_colour() -> None:
    made = board()
    console = Console(file=io.StringIO(), force_terminal=True, no_color=True, width=80, height=24)
    console.print(Board(made, lambda: at_ns(60)))
    (bar, *_) = [line for line in console.file.getvalue().split("\n") if "°" in line]  # type: ignore[attr-defined]
    assert re.search(r"\x1b\[2m░+\x1b\[0m\x1b\[1m█+\x1b\[0m│\x1b\[1m█+\x1b\[0m\x1b\[2m░+", bar)


def test_an_unknown_opening_is_a_dash_and_an_empty_bar() -> None:
    (bar,) = [
        line.plain for line in lines(replace(screen(), opening_deg=(None, 3.0)), 80, 24) if "left    –" in line.plain
    ]
    assert "█" not in bar.split("│")[0]


def test_a_rest_shows_its_time_large_and_its_target() -> None:
    made = Scoreboard(TARGETS)
    event = ended(1)
    made.take(both(0, 60), [event])
    drawn = text(made.screen(at_ns(event.summary.end_s + 32.4)))
    assert holds(drawn, "0:32")
    assert "of 0:45" in drawn
    assert "Rest after set 1 of 3" in drawn


def test_the_start_says_in_large_letters_what_to_do() -> None:
    made = Scoreboard()
    assert holds(text(made.screen(at_ns(0))), "WAIT")
    made.take(both(0, 1), ())
    assert holds(text(made.screen(at_ns(1))), "LIE DOWN")
    assert not Scoreboard(TARGETS).screen(0).count


def test_a_foot_without_a_sensor_has_no_link() -> None:
    made = Scoreboard(feet=[Foot.RIGHT])
    made.take(both(0, 1), ())
    drawn = text(made.screen(at_ns(1)))
    assert "right ●●●● good" in drawn
    assert drawn.count("left") == 1  # at its empty bar


def test_a_low_battery_is_marked_as_long_as_it_is_low() -> None:
    made = board()
    made.take([*both(60, 80), battery(Foot.RIGHT, 9, 60)], ())
    assert "battery 9 % (low)" in text(made.screen(at_ns(80)))


def test_a_long_notice_is_whole() -> None:
    made = board()
    made.take(both(60, 61), (), Latest(swapped=True))
    assert " ".join(announcements.SWAPPED.split()) in " ".join(text(made.screen(at_ns(61))).split())


def test_a_notice_stands_out_without_colour() -> None:
    made = board()
    made.take([link(Foot.RIGHT, "lost", 60)], ())
    console = Console(file=io.StringIO(), force_terminal=True, no_color=True, width=80, height=24)
    console.print(Board(made, lambda: at_ns(62)))
    drawn = console.file.getvalue()  # type: ignore[attr-defined]
    assert re.search(r"\x1b\[7m The right sensor is lost", drawn)
    assert "lost for 2 s" in drawn
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", drawn)


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    st.integers(1, 200),
    st.integers(1, 70),
    st.sampled_from(["set", "rest", "position", "still", "begin", "going", "connect", "end", "ending"]),
    st.integers(0, 120),
    st.booleans(),
)
def test_any_size_is_filled_and_never_overflown(
    width: int, height: int, phase: str, count: int, ascii_only: bool
) -> None:
    shown = replace(screen(), phase=phase, count=count, rest_s=32.0, prompt="Hold still. " * 5, notice="Lost " * 30)  # type: ignore[arg-type]
    drawn = lines(shown, width, height, ascii_only=ascii_only)
    assert len(drawn) <= height
    assert max((line.cell_len for line in drawn), default=0) <= width
    if height >= 12 and width >= 40:
        assert len(drawn) == height
    if ascii_only:
        assert all(line.plain.replace("°", "").replace("–", "").replace("…", "").isascii() for line in drawn)


@pytest.mark.parametrize("size", [(40, 12), (60, 16), (80, 24), (120, 40)])
def test_the_count_is_large_at_every_usual_size(size: tuple[int, int]) -> None:
    assert holds(text(screen(), *size), "5")


def test_two_digits_fit_too() -> None:
    assert holds(text(replace(screen(), count=12), 40, 12), "12")


def test_the_screen_comes_back_and_redraws_are_few() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=24)
    with LiveTerminal(board(), console, lambda: at_ns(60)) as view:
        for _ in range(2000):
            view.following(Latest).show((), ())
    drawn = out.getvalue()
    assert drawn.count("\x1b[?1049h") == drawn.count("\x1b[?1049l") == 1
    assert drawn.rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in drawn[-40:]
    assert drawn.count("SIMULATED") < 60
    assert REDRAWS_HZ <= 20.0


def test_a_terminal_that_takes_nothing_does_not_hold_up_the_session() -> None:
    """What `show` does never touches the terminal: else the radio would wait for it."""

    class Stuck(io.StringIO):
        def write(self, _: str) -> int:
            raise AssertionError("written to from the session's thread")

    view = LiveTerminal(board(), Console(file=Stuck(), force_terminal=True), lambda: at_ns(60))
    view.show(both(60, 61), [counted(2, 6)])
