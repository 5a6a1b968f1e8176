"""One line an event: short, plain, safe."""

import re

import pytest

from sensorrep.model import Event, Foot, FootBack, FootLost, Note, RepsCorrected, SessionEnded
from sensorrep.views import announcements
from sensorrep.views.link_quality import LinkWord
from tests.views.live_events import REJECTED, battery, counted, ended, link
from tests.views.sessions import CASES

EVENTS: list[Event] = [
    counted(1, 4),
    counted(1, 4, blind=Foot.RIGHT),
    RepsCorrected(1, 8, 7, 60.0, "one was a sway"),
    ended(2, 8),
    REJECTED,
    FootLost(Foot.LEFT, 3.0),
    FootBack(Foot.LEFT, 3.0, 5.5),
    SessionEnded(CASES["typical"]().summary),
]
UNSAFE = re.compile(r"diagnos|treat|abnormal|injur|imbalance|progress|correct\b|wrong|must", re.I)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_is_one_safe_line(event: Event) -> None:
    said = announcements.of_event(event)
    assert said
    assert "\n" not in said
    assert not UNSAFE.search(said)


def test_a_rep_says_set_number_both_sides_and_tempo() -> None:
    assert re.fullmatch(
        r"Set 1, rep 4: left 13°, right 13°, tempo \d\.\d-\d\.\d-\d\.\d", announcements.of_event(counted(1, 4))
    )


def test_a_side_that_was_not_measured_is_left_out() -> None:
    said = announcements.of_event(counted(1, 4, blind=Foot.RIGHT))
    assert "left 13°" in said
    assert "right" not in said


def test_a_lost_sensor_is_told_with_what_to_do() -> None:
    said = announcements.of_note(link(Foot.LEFT, "lost", 1.0, reason="link_failed"))
    assert said == f"The left sensor is lost: keep going, the right one goes on counting, {announcements.LATE}"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("lost", "Both sensors are lost now: rest if you like, nothing is counted until one of them is back"),
        ("looking", "The left sensor is lost: nothing is counted until it is back"),
    ],
)
def test_the_last_sensor_that_is_lost_is_not_told_as_one_of_two(other: LinkWord, said: str) -> None:
    assert announcements.of_note(link(Foot.LEFT, "lost", 1.0), other) == said


def test_a_sensor_that_is_not_found_is_told_in_the_radios_words() -> None:
    text = "the left sensor (X) was not found: wake the sensor"
    assert announcements.of_note(link(Foot.LEFT, "missing", 1.0, text=text)) == f"T{text[1:]}"


def test_batteries_are_told_and_low_ones_with_what_to_do() -> None:
    assert announcements.of_note(battery(Foot.LEFT, 80)) == "Battery of the left sensor: 80 %"
    assert "charge it after" in str(announcements.of_note(battery(Foot.RIGHT, 12)))


def test_what_only_the_file_needs_is_not_told() -> None:
    assert announcements.of_note(Note(0, "clock", {"foot": "left", "offset_us": 3})) is None
    assert announcements.of_note(Note(0, "link", {"foot": "left", "state": "unheard of"})) is None
    assert announcements.of_note(Note(0, "battery", {"foot": "left"})) is None
