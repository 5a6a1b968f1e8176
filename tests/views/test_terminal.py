import io
from dataclasses import replace

import pytest
from rich.console import Console

from sensorrep.model import Check, Foot, Rejected
from sensorrep.views import terminal
from tests.views.sessions import CASES, Case, fatigued, half_reps, no_reps, typical, with_gap


def shown(case: Case, width: int = 80, **console: bool) -> str:
    out = io.StringIO()
    terminal.show(
        case.summary,
        Console(file=out, width=width, **console),  # type: ignore[arg-type]
        source=case.source,
        simulated=case.simulated,
    )
    return out.getvalue()


def explained(case: Case) -> str:
    out = io.StringIO()
    terminal.explain(case.summary, Console(file=out, width=80))
    return out.getvalue()


@pytest.mark.parametrize("name", CASES)
def test_every_session_fits_80_columns_and_ends_with_the_safe_sentences(name: str) -> None:
    lines = shown(CASES[name]()).splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(line.strip() for line in lines[-2:]).endswith("Stop if pain is sharp or new.")


def test_every_rep_has_a_line_with_both_sides_and_its_tempo() -> None:
    case = typical()
    text = shown(case)
    for one in case.summary.sets:
        for number in range(1, len(one.reps) + 1):
            assert f"\n  {number}  " in text
    assert "  1  12.3 ±1.0  13.9 ±1.2  0.9-1.1-1.1-1.4  12.7 / 14.3" in text
    assert text.count("±1.0 ") >= sum(len(one.reps) for one in case.summary.sets)


def test_sets_are_judged_in_plain_words() -> None:
    text = " ".join(shown(fatigued()).split())
    assert "3 sets: 8, 8 and 8 reps" in text
    assert "No difference we can measure" in text
    assert "Fatigue showed from rep 6" in text
    assert "opening speed is down by 20% or more from rep 6 on" in text
    assert "set 3 against set 1: range -23 %, opening speed -28 %, return time -8 %" in text


def test_a_lost_sensor_is_told_with_its_gap_and_leaves_holes_not_numbers() -> None:
    text = " ".join(shown(with_gap()).split())
    assert "1 gap (at 99.0 s for 9.5 s)" in text
    assert "3 12.6 ±1.0 – 0.9-1.1-1.0-1.4 12.7 / – signal gap" in text


def test_half_reps_and_a_simulation_are_named() -> None:
    text = shown(half_reps())
    assert text.splitlines()[0].strip() == "SIMULATED: no person did this session"
    assert "half rep, one side only" in text
    assert "SIMULATED" not in shown(typical())


def test_what_was_left_out_is_listed_up_to_a_few_and_then_counted() -> None:
    case = no_reps()
    many = replace(case.summary, rejected=case.summary.rejected * 9)
    text = shown(replace(case, summary=many))
    assert text.count("too small") == terminal.MOST_REJECTED
    assert f"and {9 - terminal.MOST_REJECTED} more" in text


def test_colour_carries_nothing() -> None:
    plain = shown(fatigued(), no_color=True, force_terminal=True)
    assert "\x1b[3" not in plain.replace("\x1b[3m", "")  # italic is no colour


def test_names_from_outside_are_no_markup_and_no_escape_codes() -> None:
    case = typical()
    feet = dict(case.summary.feet)
    feet[Foot.LEFT] = replace(feet[Foot.LEFT], device="[red]dot[/red]\x1b[2J")
    text = shown(replace(case, summary=replace(case.summary, feet=feet), source="[link=x]\x1b]0;hi\x07"))
    assert "[red]dot[/red]" in text
    assert "[link=x]" in text
    assert "\x1b" not in text


def test_explain_gives_every_rule_with_value_limit_and_outcome() -> None:
    case = typical()
    text = explained(case)
    assert text.count("counted: set") == 23
    assert text.count("not counted: ") == 2
    assert "FAILED  large enough (°)  2.10  at least 4.00" in text
    assert text.count("passed  large enough (°)") == 23


@pytest.mark.parametrize(
    ("value", "passed", "said"),
    [
        (5.0, True, "at least 4.00"),
        (3.0, False, "at least 4.00"),
        (3.0, True, "at most 4.00"),
        (5.0, False, "at most 4.00"),
    ],
)
def test_a_limit_says_on_which_side_of_it_a_movement_must_be(value: float, passed: bool, said: str) -> None:
    case = typical()
    movement = Rejected(1.0, 2.0, "not so", (Check("so", value, 4.0, passed),))
    assert said in explained(replace(case, summary=replace(case.summary, sets=(), rejected=(movement,))))


def test_explain_goes_in_order_of_time() -> None:
    starts = [float(line.split()[0]) for line in explained(typical()).splitlines() if " s  " in line]
    assert starts == sorted(starts)
    assert len(starts) == 25


def test_explain_of_nothing_says_so() -> None:
    case = no_reps()
    assert "No movement was large enough" in explained(replace(case, summary=replace(case.summary, rejected=())))
