"""Whole sessions over a simulated radio, fault by fault: nothing that arrived is lost, reps outside the gap stay."""

import os
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from endurance import Played, killed, play, random_session, recorded, replayed, short
from sensorrep.errors import RadioError, RadioReason
from sensorrep.model import Foot, Posture
from sensorrep.sources.recording import open_recording
from sensorrep.sources.simulated.faults import parse_script
from sensorrep.sources.simulated.world import World
from sensorrep.sources.synthetic import Scenario, simulate

SEED = 5
Span = tuple[float, float]


@cache
def scenario(posture: Posture = "prone") -> Scenario:
    return replace(short(3, 6), posture=posture)


@cache
def true_reps(posture: Posture = "prone") -> list[Span]:
    """Start and end of each rep, in the world's seconds (the truth's zero is the same within a sample)."""
    return [(rep.start_s, rep.end_s) for one in simulate(scenario(posture), SEED).truth.sets for rep in one.reps]


def played(script: list[list[Any]], path: Path, model: str = "diy", posture: Posture = "prone") -> Played:
    return play(World(scenario(posture), SEED, parse_script(script), model), path)


def zero_s(session: Played) -> float:
    """Session time zero in the world's seconds: the first packet is 40 ms of samples and waits for its event."""
    with open_recording(session.path) as recording:
        packets = (packet for block in recording.blocks() for packet in block)
        first = next(packet for packet in packets if packet.channel in ("data", "frames"))
    assert session.world.begun_s is not None
    return first.received_ns * 1e-9 - session.world.begun_s - 0.05


def reps(session: Played) -> list[Span]:
    """Start and end of each counted rep in the world's seconds."""
    shift_s = zero_s(session)
    return [
        (rep["start_s"] + shift_s, rep["end_s"] + shift_s) for one in session.document["sets"] for rep in one["reps"]
    ]


def overlap(a: Span, b: Span) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def missing_and_extra(session: Played, gap: Span | None, posture: Posture = "prone") -> tuple[list[Span], list[Span]]:
    """True reps outside the gap that were not counted exactly once, and counted reps that match no true one."""
    counted = reps(session)
    truth = true_reps(posture)
    outside = [rep for rep in truth if gap is None or not overlap(rep, (gap[0] - 1.0, gap[1] + 1.0))]
    missing = [rep for rep in outside if sum(overlap(rep, other) for other in counted) != 1]
    extra = [other for other in counted if not any(overlap(other, rep) for rep in truth)]
    return missing, extra


def holds(session: Played) -> bool:
    """What holds of every session, whatever befell it."""
    return recorded(session.path) == session.heard and replayed(session.path) == session.document


def gaps(session: Played, foot: Foot) -> list[Span]:
    shift_s = zero_s(session)
    return [(a + shift_s, b + shift_s) for a, b in session.document["feet"][foot.word]["gaps"]]


MIDST_S = round(sum(true_reps()[9]) / 2, 2)
"""In the middle of the second set's fourth rep: three stand before it, which is as few as make a set."""

GAPLESS: dict[str, list[list[Any]]] = {
    "nothing": [],
    "a stall of 1.5 s and a burst": [[MIDST_S, "right", "stall", 1.5]],
    "2 % loss": [[0, "both", "loss", 0.02]],
    "packets out of order": [[0, "both", "reorder", 0.05]],
    "duplicates": [[0, "both", "duplicate", 0.1]],
    "an MTU of 23": [[0, "both", "mtu", 23]],
    "a low battery": [[MIDST_S, "left", "battery", 4]],
    "connections every 48.75 ms": [[0, "both", "interval", 0.04875]],
}
"""Faults that cost no rep, from which no gap of half a second may come."""

GAPS: dict[str, tuple[list[list[Any]], tuple[Foot, ...], float]] = {
    "a link cut in mid-rep": ([[MIDST_S, "left", "cut", 0]], (Foot.LEFT,), 2.5),
    "a link that only seems to stand": ([[MIDST_S, "left", "silent", 7]], (Foot.LEFT,), 10.0),
    "both gone for 20 s": ([[MIDST_S, "both", "cut", 20]], tuple(Foot), 29.0),
    "a reboot that sets clock and counter anew": ([[MIDST_S, "left", "reboot", 2]], (Foot.LEFT,), 8.0),
    "a link cut and back with an MTU of 23": (
        [[MIDST_S, "right", "mtu", 23], [MIDST_S, "right", "cut", 0]],
        (Foot.RIGHT,),
        2.5,
    ),
    "Bluetooth off for 4 s": ([[MIDST_S, "both", "adapter", 4]], tuple(Foot), 13.0),
    "connections refused three times": (
        [[MIDST_S, "right", "refuse", 3], [MIDST_S, "right", "cut", 0]],
        (Foot.RIGHT,),
        12.0,
    ),
}
"""Faults that begin in mid-rep, whose samples are missing, and for how long at most."""


@pytest.mark.parametrize("fault", GAPLESS)
def test_no_rep_is_lost_or_doubled_by(fault: str, tmp_path: Path) -> None:
    session = played(GAPLESS[fault], tmp_path / "session.jsonl")
    assert holds(session)
    assert missing_and_extra(session, None) == ([], [])
    assert not [gap for foot in Foot for gap in gaps(session, foot) if gap[1] - gap[0] > 0.5]


@pytest.mark.parametrize("fault", GAPS)
def test_no_rep_outside_the_gap_is_lost_or_doubled_and_the_gap_is_marked_by(fault: str, tmp_path: Path) -> None:
    script, feet, most_s = GAPS[fault]
    session = played(script, tmp_path / "session.jsonl")
    assert holds(session)
    for foot in Foot:
        long = [gap for gap in gaps(session, foot) if gap[1] - gap[0] > 0.5]
        assert len(long) == (foot in feet)
        for begin_s, end_s in long:
            assert MIDST_S - 0.2 < begin_s < MIDST_S + 0.4
            assert end_s < MIDST_S + most_s
    assert missing_and_extra(session, (MIDST_S, MIDST_S + most_s)) == ([], [])
    assert link_states(session) == [(foot.word, state) for state in ("lost", "back") for foot in feet]


@pytest.mark.parametrize("posture", ["hook-lying", "table-top", "seated"])
def test_a_cut_link_over_a_lossy_radio_costs_no_rep_outside_the_gap_in_any_posture(
    posture: Posture, tmp_path: Path
) -> None:
    midst_s = sum(true_reps(posture)[9]) / 2
    script = [[0, "both", "loss", 0.02], [midst_s, "left", "cut", 0]]
    session = played(script, tmp_path / "session.jsonl", posture=posture)
    assert holds(session)
    (gap,) = (gap for gap in gaps(session, Foot.LEFT) if gap[1] - gap[0] > 0.5)
    assert midst_s - 0.2 < gap[0] < gap[1] < midst_s + 8.0  # a lost answer of the sensor costs an attempt
    assert missing_and_extra(session, gap, posture) == ([], [])


def link_states(session: Played) -> list[tuple[str, str]]:
    """Links lost and regained after the start, by what happened and foot."""
    recording = open_recording(session.path)
    for _ in recording.blocks():
        pass
    told = [event["link"] for event in recording.events if "link" in event]
    return sorted(
        ((one["foot"], one["state"]) for one in told if one["state"] in ("lost", "back")),
        key=lambda told: (told[1] == "back", told[0]),
    )


def test_a_sensor_that_is_dead_from_the_start_is_a_gap_and_the_other_is_counted(tmp_path: Path) -> None:
    session = played([[0, "right", "dead", 1000]], tmp_path / "session.jsonl")
    assert holds(session)
    feet = session.document["feet"]
    assert feet["right"]["samples"] == 0
    assert feet["right"]["gaps"] == [[0.0, pytest.approx(session.document["duration_s"], abs=0.1)]]
    assert feet["left"]["samples"] > 8000
    assert missing_and_extra(session, None) == ([], [])


def test_a_sensor_that_comes_late_is_picked_up_and_decoded(tmp_path: Path) -> None:
    """Its info is not in the header: it comes with it."""
    for model in ("diy", "witmotion"):
        session = played([[0, "right", "dead", 40]], tmp_path / f"{model}.jsonl", model)
        with open_recording(session.path) as recording:
            assert recording.header.feet[Foot.RIGHT].info == b""
        assert holds(session)
        right = session.document["feet"]["right"]
        assert right["samples"] > 3500
        assert right["malformed"] < 5


def test_a_wall_clock_set_back_an_hour_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No time in a session is the wall clock's: the file is the same to the byte."""
    before = played([], tmp_path / "a.jsonl")
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() - 3600.0)
    monkeypatch.setattr(time, "time_ns", lambda: int((wall() - 3600.0) * 1e9))
    after = played([], tmp_path / "b.jsonl")
    assert before.path.read_bytes() == after.path.read_bytes()


@pytest.mark.parametrize("fault", ["a stall of 1.5 s and a burst", "duplicates", "connections every 48.75 ms"])
def test_a_sensor_without_a_clock_is_counted_the_same(fault: str, tmp_path: Path) -> None:
    session = played(GAPLESS[fault], tmp_path / "session.jsonl", "witmotion")
    assert holds(session)
    assert missing_and_extra(session, None) == ([], [])


def test_no_sensor_at_all_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RadioError) as caught:
        played([[0, "both", "dead", 1000]], tmp_path / "session.jsonl")
    assert caught.value.reason is RadioReason.NOT_FOUND
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "session.jsonl").exists()


@pytest.mark.parametrize("seed", range(24))
def test_random_faults_lose_nothing_that_arrived_and_replay_as_they_were(seed: int, tmp_path: Path) -> None:
    random_session(seed, tmp_path / "session.jsonl")


@pytest.mark.parametrize("seed", [3, 8])
def test_a_seed_gives_the_same_file(seed: int, tmp_path: Path) -> None:
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    assert all(random_session(seed, path) for path in files)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.parametrize("after_s", [0.1, 1.3])
def test_a_killed_session_keeps_all_but_the_last_second(after_s: float, tmp_path: Path) -> None:
    assert killed(tmp_path / "session.jsonl", after_s) <= 1.0
