"""The session as lines: one an event, none twice."""

import io

from sensorrep.model import Event, Foot, FootLost, Message, SessionEnded
from sensorrep.targets import Targets
from sensorrep.views.plain import Plain
from sensorrep.views.scoreboard import Latest, Scoreboard
from tests.views.live_events import REJECTED, at_ns, battery, both, counted, ended, link, packets
from tests.views.sessions import CASES


class Session:
    """A plain view and its clock."""

    def __init__(self, *, simulated: bool = False) -> None:
        self.now_s = 0.0
        self.out = io.StringIO()
        board = Scoreboard(Targets(rest_s=45.0), simulated=simulated)
        self.view = Plain(board, self.out, lambda: at_ns(self.now_s)).following(Latest)

    def show(self, now_s: float, messages: list[Message], events: list[Event]) -> list[str]:
        """The lines that these add."""
        self.now_s = now_s
        before = len(self.lines)
        self.view.show(messages, events)
        return self.lines[before:]

    @property
    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()


def test_a_line_an_event_with_the_time_last() -> None:
    session = Session()
    session.show(0.0, [*both(0, 1)], [])
    (line,) = session.show(65.0, [], [counted(1, 1)])
    assert line.startswith("Set 1, rep 1: left 13°")
    assert line.endswith(" [1:05]")
    assert [line.split(":")[0] for line in session.show(70.0, [], [counted(1, 2), counted(1, 3), REJECTED])] == [
        "Set 1, rep 2",
        "Set 1, rep 3",
        "Not counted",
    ]


def test_what_was_not_counted_is_told_by_the_clock_that_lines_bear() -> None:
    session = Session()
    session.show(0.0, [*both(0, 1)], [])
    assert session.show(70.0, [], [REJECTED]) == ["Not counted: a movement of 1 s at 0:03: too small [1:10]"]


def test_what_both_feet_have_to_tell_is_said_once() -> None:
    session = Session()
    off: list[Message] = [link(foot, "failed", 1.0, text="Bluetooth is switched off") for foot in Foot]
    assert len(session.show(1.0, off[:1], []) + session.show(1.1, off[1:], [])) == 1


def test_who_did_not_come_is_said_with_what_to_do() -> None:
    session = Session()
    (line,) = session.show(1.0, [*packets(Foot.LEFT, 0, 1)], [])
    assert "Only the left sensor has come" in line
    (line,) = session.show(2.0, [*both(1, 2)], [])
    assert "Only" not in line


def test_what_to_do_is_said_when_it_changes_and_only_then() -> None:
    session = Session()
    assert "Looking" in session.lines[0]
    assert "Lie down" in session.show(1.0, [*both(0, 1)], [])[-1]
    assert session.show(1.1, [*both(1, 1.1)], []) == []
    assert session.show(60.0, [], [ended(1)])[-1].startswith("Rest.")
    assert session.show(70.0, [*both(69, 70)], []) == []
    assert "begin" in session.show(200.0, [*both(199, 200)], [])[-1]


def test_links_and_batteries_are_said_once() -> None:
    session = Session()
    lost: list[Message] = [
        link(Foot.LEFT, "connected", 0.0),
        battery(Foot.LEFT, 80),
        *both(0, 1),
        link(Foot.LEFT, "lost", 1.0),
    ]
    said = session.show(1.0, lost, [FootLost(Foot.LEFT, 1.0)])
    assert sum("lost" in line for line in said) == 1
    assert sum("connected" in line for line in said) == 1
    assert sum("Battery" in line for line in said) == 1


def test_a_sensor_lost_after_the_other_is_not_told_to_keep_going() -> None:
    session = Session()
    lost: list[Message] = [*both(0, 1), link(Foot.LEFT, "lost", 1.0), link(Foot.RIGHT, "lost", 1.1)]
    first, second = (line for line in session.show(1.1, lost, []) if "lost" in line)
    assert "keep going" in first
    assert second.startswith("Both sensors are lost now: rest if you like, nothing is counted until one of them is")


def test_a_sensor_lost_where_the_other_never_came_is_the_only_one_that_is_lost() -> None:
    session = Session()
    lost: list[Message] = [*packets(Foot.LEFT, 0, 1), link(Foot.LEFT, "lost", 1.0)]
    (line,) = (line for line in session.show(1.1, lost, []) if "lost" in line)
    assert line.startswith("The left sensor is lost: nothing is counted until it is back")


def test_feet_that_look_swapped_are_said_once() -> None:
    session = Session()
    session.view.following(lambda: Latest(swapped=True))
    assert sum("swapped" in line for line in session.show(1.0, [*both(0, 1)], [])) == 1
    assert session.show(1.5, [*both(1, 1.5)], []) == []


def test_the_end_is_said_and_the_summary_left_to_who_sums_up() -> None:
    session = Session()
    session.show(0.0, [*both(0, 1)], [])
    (line,) = session.show(1.0, [], [SessionEnded(CASES["typical"]().summary)])
    assert line.startswith("The session is over.")


def test_a_simulated_session_says_so_first() -> None:
    assert Session(simulated=True).lines[0].startswith("SIMULATED")
    assert "SIMULATED" not in "".join(Session().lines)


def test_who_reads_no_more_does_not_end_the_session() -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    view = Plain(Scoreboard(simulated=True), Gone(), lambda: at_ns(0))
    view.show([*both(0, 1)], [counted(1, 1)])
