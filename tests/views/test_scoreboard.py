"""What is on the screen: count, phases of the session, rest, tempo against target, links, notices."""

import math
from dataclasses import replace

import pytest

from sensorrep.kinematics.sets import LEAST_DOUBTFUL, LEAST_REPS
from sensorrep.model import Foot, FootBack, FootLost, Note, RepsCorrected, SessionEnded
from sensorrep.targets import Targets
from sensorrep.views import announcements
from sensorrep.views.scoreboard import HOLD_STILL_S, NOTICE_S, Latest, Phase, Scoreboard, pace
from tests.views.live_events import at_ns, battery, both, counted, ended, link, packets
from tests.views.sessions import CASES, Move, rep

ORDINALS = {2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "sixth"}
STILL = Latest(None, (0.01, 0.01))
BUSY = Latest(None, (0.3, 0.3))
WALKING = Latest(None, (2.0, 2.2))


def phase(board: Scoreboard, session_s: float) -> Phase:
    return board.screen(at_ns(session_s)).phase


def feed(board: Scoreboard, latest: Latest, from_s: float, to_s: float) -> None:
    """A second at a time."""
    for second in range(round(from_s), round(to_s)):
        board.take(both(second, second + 1), (), latest)


def test_before_the_first_packet_sensors_are_looked_for() -> None:
    screen = Scoreboard().screen(at_ns(0.0))
    assert screen.phase == "connect"
    assert screen.session_s == 0.0
    assert {link.word for link in screen.links} == {"looking"}


def test_the_start_is_lie_down_hold_still_begin() -> None:
    board = Scoreboard()
    seen = []
    for second in range(12):
        feed(board, BUSY if second < 4 else STILL, second, second + 1)
        seen.append(phase(board, second + 1))
    assert seen[:5] == ["position"] * 5
    assert list(dict.fromkeys(seen)) == ["position", "still", "begin"]
    assert seen.index("begin") - seen.index("still") >= HOLD_STILL_S - 1.5


def test_who_gets_up_is_asked_to_lie_down_again() -> None:
    board = Scoreboard()
    feed(board, STILL, 0, 6)
    assert phase(board, 6) == "begin"
    feed(board, WALKING, 6, 7)
    assert phase(board, 7) == "position"


def test_a_wobble_while_holding_still_only_takes_longer() -> None:
    board = Scoreboard()
    feed(board, STILL, 0, 3)
    feed(board, BUSY, 3, 4)
    assert phase(board, 4) == "still"
    feed(board, STILL, 4, 9)
    assert phase(board, 9) == "begin"


def test_who_begins_unasked_is_counted_all_the_same() -> None:
    board = Scoreboard()
    board.take(both(0, 1), [counted(1, 1)], BUSY)
    assert phase(board, 1) == "set"
    feed(board, WALKING, 1, 3)
    assert phase(board, 3) == "set"


def test_who_has_begun_sees_so_before_the_third_rep() -> None:
    board = Scoreboard()
    feed(board, STILL, 0, 5)
    assert phase(board, 5) == "begin"
    feed(board, STILL._replace(moves=True), 5, 9)
    assert phase(board, 9) == "going"
    assert f"{ORDINALS[LEAST_REPS]} rep" in board.screen(at_ns(9)).prompt
    feed(board, STILL, 9, 16)  # a hold
    assert phase(board, 16) == "going"
    feed(board, STILL, 16, 18)
    assert phase(board, 18) == "begin"
    board.take((), [counted(1, 1)])
    assert phase(board, 18) == "set"


def test_who_begins_before_being_told_to_sees_so_too() -> None:
    board = Scoreboard()
    feed(board, STILL, 0, 2)
    assert phase(board, 2) == "still"
    feed(board, Latest(None, (0.1, 0.1), moves=True), 2, 6)
    assert phase(board, 6) == "going"


def test_with_one_sensor_of_two_the_fifth_rep_is_told_first() -> None:
    board = Scoreboard()
    for second in range(10):
        board.take(packets(Foot.LEFT, second, second + 1), (), STILL._replace(moves=second > 6))
        if second == 0:
            assert announcements.LATE in board.screen(at_ns(1)).prompt
    assert f"{ORDINALS[LEAST_DOUBTFUL]} rep" in board.screen(at_ns(10)).prompt
    assert f"{ORDINALS[LEAST_DOUBTFUL]} rep" in announcements.LATE
    one = Scoreboard(feet=[Foot.LEFT])
    for second in range(10):
        one.take(packets(Foot.LEFT, second, second + 1), (), STILL._replace(moves=second > 6))
    assert f"{ORDINALS[LEAST_REPS]} rep" in one.screen(at_ns(10)).prompt


def test_the_count_is_that_of_the_running_set_and_stands_during_the_rest() -> None:
    board = Scoreboard()
    board.take(both(0, 1), [counted(1, number) for number in range(1, 9)])
    assert (board.screen(at_ns(1)).set_number, board.screen(at_ns(1)).count) == (1, 8)
    board.take((), [ended(1, 8)])
    assert (board.screen(at_ns(1)).set_number, board.screen(at_ns(1)).count) == (1, 8)
    board.take((), [counted(2, 1)])
    assert (board.screen(at_ns(1)).set_number, board.screen(at_ns(1)).count) == (2, 1)


def test_a_correction_changes_the_count_and_says_why() -> None:
    board = Scoreboard()
    board.take(both(0, 20), [counted(1, 4), RepsCorrected(1, 4, 3, 20.0, "one was a sway")])
    screen = board.screen(at_ns(20))
    assert screen.count == 3
    assert "3 reps, not 4" in screen.notice
    assert "one was a sway" in screen.notice


def test_who_did_no_set_after_all_may_begin_or_rests_on() -> None:
    no_set = RepsCorrected(1, 4, 0, 20.0, "feet that twisted")
    board = Scoreboard()
    board.take(both(0, 20), [counted(1, 4), no_set])
    assert board.screen(at_ns(20)).phase == "begin"
    board.take(both(20, 60), [counted(1, 8), ended(1), counted(2, 4), no_set])
    assert board.screen(at_ns(60)).phase == "rest"


def test_rest_is_counted_from_the_last_rep_and_goes_on_without_packets() -> None:
    board = Scoreboard(Targets(rest_s=45.0))
    event = ended(1)
    over_s = event.summary.end_s
    board.take(both(0, 60), [event])
    assert board.screen(at_ns(60)).rest_s == pytest.approx(60 - over_s)
    assert board.screen(at_ns(over_s + 44.9)).prompt == "Rest. Breathe."
    assert "begin" in board.screen(at_ns(over_s + 45.1)).prompt
    board.take((), [counted(2, 1)])
    assert board.screen(at_ns(120)).rest_s is None


def test_after_the_last_set_that_was_meant_nobody_is_told_to_begin_another() -> None:
    board = Scoreboard(Targets(sets=2, rest_s=45.0))
    board.take(both(0, 1), [ended(2)])
    assert "set 2 of 2" in board.screen(at_ns(500)).prompt


def test_what_was_counted_can_be_said_at_any_time() -> None:
    board = Scoreboard()
    assert board.counted() == "nothing"
    board.take(both(0, 1), [counted(1, 3)])
    assert board.counted() == "set 1: 3 reps"
    board.take((), [ended(1, 8)])
    assert board.counted().startswith("set 1: 8 reps, left")
    board.ending()
    assert board.counted().count("set 1") == 1
    board.take((), [counted(2, 1)])
    assert board.counted().endswith("; set 2: 1 rep")


def test_every_set_that_is_over_has_its_line() -> None:
    board = Scoreboard()
    board.take(both(0, 1), [ended(1, 8), counted(2, 1), ended(2, 5)])
    assert [one.number for one in board.screen(at_ns(1)).sets] == [1, 2]
    assert [one.text.split(",")[0] for one in board.screen(at_ns(1)).sets] == ["8 reps", "5 reps"]


def test_openings_are_shown_in_degrees_and_a_silent_foot_has_none() -> None:
    board = Scoreboard()
    latest = Latest((math.radians(12.0), math.radians(9.0)))
    board.take(both(0, 4), (), latest)
    assert board.screen(at_ns(4)).opening_deg == pytest.approx((12.0, 9.0))
    board.take([link(Foot.RIGHT, "lost", 4)], (), latest)
    left, right = board.screen(at_ns(4)).opening_deg
    assert left == pytest.approx(12.0)
    assert right is None
    board.take((), ())
    assert board.screen(at_ns(4)).opening_deg == (None, None)


def test_the_scale_holds_the_widest_rep() -> None:
    board = Scoreboard()
    assert board.screen(0).scale_deg == 15.0
    board.take(both(0, 1), [counted(1, 1, Move(left_deg=24.0, right_deg=20.0))])
    assert board.screen(0).scale_deg == pytest.approx(24.0)


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (Move(out_s=2.0 / 0.59, hold_s=1.0, back_s=2.0 / 0.59), "as the target"),
        (Move(out_s=1.2, hold_s=0.4, back_s=1.2), "opening"),
        (Move(out_s=6.0, hold_s=0.5, back_s=1.2), "return shorter, opening longer"),
    ],
)
def test_tempo_against_the_target_in_words(move: Move, expected: str) -> None:
    made = rep(move, 0.0, last=True, blind=None)
    targets = Targets(tempo_s=(2.0, made.close_s - made.open_s, 2.0, 1.0))
    assert pace(made, targets).startswith(expected)
    assert pace(made, None) == ""


def test_the_last_reps_tempo_is_shown() -> None:
    board = Scoreboard(Targets(tempo_s=(2.0, 1.0, 2.0, 1.0)))
    assert board.screen(0).tempo is None
    board.take(both(0, 1), [counted(1, 1)])
    screen = board.screen(at_ns(1))
    assert screen.tempo is not None
    assert screen.tempo.count("-") == 2
    assert screen.pace


def test_the_tempo_of_a_rep_that_was_not_measured_is_not_shown() -> None:
    board = Scoreboard(Targets(tempo_s=(2.0, 1.0, 2.0, 1.0)))
    unseen = counted(1, 1)
    unseen = replace(unseen, rep=replace(unseen.rep, range_rad=(None, None), flags=("gap",)))
    board.take(both(0, 1), [unseen])
    screen = board.screen(at_ns(1))
    assert screen.count == 1
    assert (screen.tempo, screen.pace) == (None, "")
    assert announcements.of_event(unseen) == "Set 1, rep 1: signal gap, not measured"


def test_a_lost_foot_is_told_and_its_return_too() -> None:
    board = Scoreboard()
    board.take([*both(0, 4), link(Foot.LEFT, "lost", 4)], ())
    screen = board.screen(at_ns(4))
    assert screen.links[Foot.LEFT].word == "lost"
    assert screen.links[Foot.RIGHT].word == "good"
    assert screen.notice == announcements.lost(Foot.LEFT)
    board.take([link(Foot.LEFT, "back", 9), *both(9, 13)], ())
    assert board.screen(at_ns(13)).links[Foot.LEFT].word == "good"
    assert "back" in board.screen(at_ns(10)).notice


def test_what_the_samples_say_of_a_lost_foot_is_told_too() -> None:
    board = Scoreboard()
    board.take(both(0, 1), [FootLost(Foot.RIGHT, 0.5)])
    assert "right sensor is lost" in board.screen(at_ns(1)).notice
    board.take((), [FootBack(Foot.RIGHT, 0.5, 3.0)])
    assert "2.5 s" in board.screen(at_ns(1)).notice


def test_what_no_hip_can_do_is_no_opening() -> None:
    """Who gets up turns the shanks far out of the position that openings are measured in."""
    board = Scoreboard()
    board.take(both(0, 1), [counted(1, 1)], Latest((3.0, 0.1)))
    screen = board.screen(at_ns(1))
    assert screen.opening_deg[Foot.LEFT] is None
    assert screen.opening_deg[Foot.RIGHT] == pytest.approx(5.73, abs=0.01)
    assert screen.scale_deg < 60.0


def test_legs_that_rest_further_in_are_closed_and_not_open_by_less_than_nothing() -> None:
    board = Scoreboard()
    board.take(both(0, 1), [counted(1, 1)], Latest((-0.04, 0.0)))
    assert board.screen(at_ns(1)).opening_deg == (0.0, 0.0)


def test_a_caution_stays_behind_what_happens() -> None:
    board = Scoreboard()
    board.take([*both(0, 4), Note(at_ns(1), "note", {"foot": "left", "text": "comes late"})], ())
    board.take([link(Foot.LEFT, "lost", 4)], ())
    assert "lost" in board.screen(at_ns(5)).notice
    assert board.screen(at_ns(4 + NOTICE_S + 0.1)).notice == "comes late"


def test_notices_pass() -> None:
    board = Scoreboard()
    board.take([*both(0, 4), link(Foot.LEFT, "lost", 4)], ())
    assert board.screen(at_ns(4 + NOTICE_S - 0.1)).notice
    assert not board.screen(at_ns(4 + NOTICE_S + 0.1)).notice


def test_that_no_sensor_is_left_stays_to_be_seen() -> None:
    board = Scoreboard()
    board.take([*both(0, 4), link(Foot.LEFT, "lost", 4)], ())
    assert not board.screen(at_ns(60)).notice
    board.take([link(Foot.RIGHT, "lost", 60)], ())
    assert board.screen(at_ns(600)).notice.startswith("Both sensors are lost")
    board.take([link(Foot.LEFT, "back", 600)], ())
    assert not board.screen(at_ns(660)).notice.startswith("Both")
    one = Scoreboard(feet=[Foot.LEFT])
    one.take([*packets(Foot.LEFT, 0, 4), link(Foot.LEFT, "lost", 4)], ())
    assert one.screen(at_ns(60)).notice.startswith("The left sensor is lost: nothing is counted")


def test_a_battery_is_a_notice_only_when_it_is_low() -> None:
    board = Scoreboard()
    board.take([*both(0, 1), battery(Foot.LEFT, 80), battery(Foot.RIGHT, 60)], ())
    assert board.screen(at_ns(1)).notice == ""
    assert [link.battery_pct for link in board.screen(at_ns(1)).links] == [80, 60]
    board.take([battery(Foot.RIGHT, 10)], ())
    assert "low" in board.screen(at_ns(1)).notice


def test_feet_that_look_swapped_are_told_from_then_on() -> None:
    board = Scoreboard()
    board.take(both(0, 1), (), Latest(swapped=None))
    board.take((), (), Latest(swapped=False))
    assert not board.screen(at_ns(1)).notice
    board.take((), (), Latest(swapped=True))
    board.take(both(1, 20), (), Latest(swapped=None))
    assert board.screen(at_ns(20)).notice == announcements.SWAPPED


def test_who_asked_for_the_end_sees_it_coming_until_it_is_there() -> None:
    board = Scoreboard()
    board.take(both(0, 1), [counted(1, 1)])
    board.ending()
    board.take(both(1, 2), [counted(1, 2), ended(1)])
    assert phase(board, 2) == "ending"
    board.take((), [SessionEnded(CASES["typical"]().summary)])
    assert phase(board, 2) == "end"


def test_a_simulated_session_is_marked() -> None:
    assert Scoreboard(simulated=True).screen(0).simulated
    assert not Scoreboard().screen(0).simulated


def test_notes_from_elsewhere_do_no_harm() -> None:
    board = Scoreboard()
    notes = [
        Note(0, "link", {}),
        Note(0, "link", {"foot": "middle", "state": "lost"}),
        Note(0, "battery", {"foot": "left", "percent": "full"}),
        Note(0, "clock", {"foot": "left", "offset_us": 3}),
        Note(0, "note", {"text": "a\x1b[31mb"}),
    ]
    board.take(notes, ())
    assert "\x1b" not in replace(board.screen(0)).notice
