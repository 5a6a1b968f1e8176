"""The recordings in `recordings/`, replayed and held against their truth."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from sensorrep.kinematics import trends
from sensorrep.model import Foot, RecordingHeader, SessionEnded, SessionSummary
from sensorrep.pipeline import Pipeline
from sensorrep.sources.recording import open_recording

FOLDER = Path(__file__).parents[1] / "recordings"
NAMES = ("typical-prone", "fatigued", "asymmetric", "dropped-sensor-torn-end")


class Replayed(NamedTuple):
    """A recording and what was found in it."""

    header: RecordingHeader
    summary: SessionSummary
    damage: tuple[str, ...]
    closed_cleanly: bool
    truth: dict[str, Any]


@cache
def replayed(name: str) -> Replayed:
    with open_recording(FOLDER / f"{name}.jsonl.gz") as recording:
        pipeline = Pipeline(recording.header.feet)
        for packets in recording.blocks():
            pipeline.push(packets)
        last = pipeline.finish()[-1]
        assert isinstance(last, SessionEnded)
        truth = json.loads((FOLDER / f"{name}.truth.json").read_text(encoding="utf-8"))
        return Replayed(recording.header, last.summary, tuple(recording.damage), recording.closed_cleanly, truth)


def test_every_recording_is_tested_and_described() -> None:
    assert {path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.jsonl*")} == set(NAMES)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert not [name for name in NAMES if f"`{name}`" not in readme]


@pytest.mark.parametrize("name", NAMES)
def test_recordings_are_small_and_say_that_they_are_simulated(name: str) -> None:
    assert (FOLDER / f"{name}.jsonl.gz").stat().st_size < 300_000
    assert replayed(name).header.simulated
    assert set(replayed(name).header.feet) == set(Foot)


@pytest.mark.parametrize("name", NAMES)
def test_counts_times_and_ranges_are_those_of_the_truth(name: str) -> None:
    found, truth = replayed(name).summary, replayed(name).truth
    assert [len(one.reps) for one in found.sets] == [len(one["reps"]) for one in truth["sets"]]
    assert found.posture == truth["posture"]
    pairs = [
        pair for a, b in zip(found.sets, truth["sets"], strict=True) for pair in zip(a.reps, b["reps"], strict=True)
    ]
    whole = [(ours, true) for ours, true in pairs if "gap" not in true["flags"]]
    boundaries = ("start_s", "open_s", "close_s", "end_s")
    errors_s = [abs(getattr(ours, name) - true[name]) for ours, true in whole for name in boundaries]
    assert np.median(errors_s) < 0.04
    errors_deg = [
        np.degrees(ours.range_rad[foot] or 0.0) - true["range_deg"][foot.word] for ours, true in whole for foot in Foot
    ]
    assert np.sqrt(np.mean(np.square(errors_deg))) < 1.5


@pytest.mark.parametrize("name", NAMES)
def test_fatigue_is_found_where_it_is(name: str) -> None:
    found, truth = replayed(name).summary, replayed(name).truth
    assert [one.fatigue.detected for one in found.sets] == [one["fatigued"] for one in truth["sets"]]


def test_one_recording_is_tired_and_one_is_lopsided() -> None:
    """Or else the tests above would show nothing."""
    assert all(one["fatigued"] for one in replayed("fatigued").truth["sets"])
    for name, verdict in (("asymmetric", trends.LEFT_LESS), ("typical-prone", trends.NO_DIFFERENCE)):
        verdicts = [one.symmetry.verdict for one in replayed(name).summary.sets if one.symmetry is not None]
        assert verdicts == [verdict] * len(replayed(name).truth["sets"])


def test_whole_recordings_are_whole_and_the_torn_one_says_so() -> None:
    for name in NAMES:
        torn = name == "dropped-sensor-torn-end"
        assert replayed(name).closed_cleanly is not torn
        assert bool(replayed(name).damage) is torn


def test_the_dropped_sensor_shows_as_one_gap_of_its_foot() -> None:
    found = replayed("dropped-sensor-torn-end").summary
    assert found.feet[Foot.LEFT].gaps == ()
    ((start_s, end_s),) = found.feet[Foot.RIGHT].gaps
    assert (start_s, end_s) == pytest.approx((29.0, 36.0), abs=0.5)
    flagged = [number for number, rep in enumerate(found.sets[0].reps, 1) if "gap" in rep.flags]
    assert flagged == [3, 4]
    assert not any("partial" in rep.flags for rep in found.sets[0].reps)
