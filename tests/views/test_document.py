import csv
import io
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep import __version__
from sensorrep.model import Fatigue, Symmetry
from sensorrep.views.document import REP_COLUMNS, document, json_bytes, reps_csv
from tests.views.sessions import CASES, Case, fatigued, no_reps, one_foot, typical, with_gap

SESSION = {
    *("format", "source", "simulated", "started_at", "duration_s", "movement", "posture", "software", "feet", "sets"),
    "rejected",
}
FOOT = {"device", "samples", "lost", "rate_hz", "gaps"}
SET = {"start_s", "end_s", "rest_before_s", "posture", "reps", "tempo", "range_deg", "symmetry", "fatigue"}
REP = {
    *("start_s", "open_s", "close_s", "end_s", "concentric_s", "hold_s", "eccentric_s", "pause_s", "range_deg"),
    *("range_sd_deg", "opening_deg", "peak_speed_dps", "smoothness", "lag_s", "flags"),
}
FATIGUE = {"detected", "from_rep", "range_loss_pct", "speed_loss_pct", "slowing_pct", "evidence"}


def written(case: Case) -> dict[str, Any]:
    return document(case.summary, source=case.source, simulated=case.simulated, started_at=case.started_at)


@pytest.mark.parametrize("name", CASES)
def test_every_session_has_the_keys_that_scripts_rely_on(name: str) -> None:
    made = written(CASES[name]())
    assert made["format"] == "sensorrep-session/1"
    assert made.keys() >= SESSION
    assert made["feet"].keys() == {"left", "right"}
    assert made["software"] == {"sensorrep": __version__}
    for foot in filter(None, made["feet"].values()):
        assert foot.keys() >= FOOT
    for one in made["sets"]:
        assert one.keys() >= SET
        assert one["fatigue"].keys() >= FATIGUE
        assert one["tempo"].keys() >= {"concentric_s", "hold_s", "eccentric_s", "pause_s"}
        assert one["symmetry"] is None or one["symmetry"].keys() >= {"index_pct", "interval_pct", "verdict"}
        for rep in one["reps"]:
            assert rep.keys() >= REP
            for sided in ("range_deg", "range_sd_deg", "peak_speed_dps", "smoothness"):
                assert rep[sided].keys() == {"left", "right"}
    for one in made["rejected"]:
        assert one.keys() >= {"start_s", "end_s", "why"}


def test_angles_come_out_in_degrees_and_times_in_seconds() -> None:
    rep = typical().summary.sets[0].reps[0]
    shown = written(typical())["sets"][0]["reps"][0]
    assert shown["range_deg"]["left"] == round(math.degrees(rep.range_rad[0] or 0), 2)
    assert shown["opening_deg"] == pytest.approx(shown["range_deg"]["left"] + shown["range_deg"]["right"], abs=0.02)
    assert shown["peak_speed_dps"]["left"] == pytest.approx(math.degrees(rep.peak_speed_rad_s[0] or 0), abs=0.006)
    assert shown["concentric_s"] == pytest.approx(rep.open_s - rep.start_s, abs=0.0006)
    assert shown["checks"][0] == {"rule": "large enough (°)", "value": round(math.degrees(rep.opening_rad), 3)} | {
        "limit": 4.0,
        "passed": True,
    }


def test_a_foot_that_was_not_there_is_null_everywhere() -> None:
    made = written(one_foot())
    assert made["feet"]["right"] is None
    one = made["sets"][0]
    assert one["symmetry"] is None
    assert one["range_deg"]["right"] is None
    assert one["reps"][0]["range_deg"] == {"left": pytest.approx(12.32), "right": None}
    assert one["reps"][0]["lag_s"] is None


def test_gaps_and_losses_are_kept() -> None:
    foot = written(with_gap())["feet"]["right"]
    assert foot["gaps"] == [[99.0, 108.5]]
    assert foot["lost"] == 570


def test_fatigue_tells_the_rep_and_the_evidence() -> None:
    found = written(fatigued())["sets"][1]["fatigue"]
    assert (found["detected"], found["from_rep"], found["range_loss_pct"]) == (True, 6, 27.0)
    assert len(found["evidence"]) == 2


def test_later_sets_are_compared_with_the_first() -> None:
    first, second, third = (one["against_first"] for one in written(fatigued())["sets"])
    assert first is None
    assert third["range_pct"] < second["range_pct"] < 0


def test_no_reps_is_a_session_all_the_same() -> None:
    made = written(no_reps())
    assert made["sets"] == []
    assert made["rejected"][0]["why"] == "too small"


@given(st.floats())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_whatever_is_measured_the_bytes_are_strict_json(value: float) -> None:
    """Infinity and NaN have no place in JSON; they are unknown, which is null."""
    case = typical()
    first, *others = case.summary.sets
    rep = replace(first.reps[0], opening_rad=value, lag_s=value, smoothness=(value, None), pause_s=value)
    odd = replace(
        first,
        reps=(rep, *first.reps[1:]),
        symmetry=Symmetry(value, (value, value), "unclear"),
        fatigue=Fatigue(False, None, value, value, value, (), value),
    )
    made = written(replace(case, summary=replace(case.summary, sets=(odd, *others))))

    def forbidden(constant: str) -> None:
        raise AssertionError(constant)

    read = json.loads(json_bytes(made), parse_constant=forbidden)
    lag_s = read["sets"][0]["reps"][0]["lag_s"]
    assert lag_s == (pytest.approx(value, abs=0.0006) if math.isfinite(value) else None)


@pytest.mark.parametrize("name", CASES)
def test_the_same_session_gives_the_same_bytes(name: str) -> None:
    assert json_bytes(written(CASES[name]())) == json_bytes(written(CASES[name]()))


def test_a_source_that_is_no_text_cannot_break_the_file() -> None:
    made = written(replace(typical(), source="caf\udce9 \x1b[31m.jsonl"))
    assert "\\u001b" not in json_bytes(made).decode()


def test_the_csv_has_a_line_a_rep_and_the_numbers_of_the_document() -> None:
    made = written(with_gap())
    rows = list(csv.DictReader(io.StringIO(reps_csv(made))))
    assert tuple(rows[0]) == REP_COLUMNS
    reps = [(number, rep) for number, one in enumerate(made["sets"], 1) for rep in one["reps"]]
    assert len(rows) == len(reps) == 16
    for row, (number, rep) in zip(rows, reps, strict=True):
        assert row["set"] == str(number)
        assert float(row["range_deg_left"]) == rep["range_deg"]["left"]
        assert row["range_deg_right"] == ("" if rep["range_deg"]["right"] is None else str(rep["range_deg"]["right"]))
        assert row["flags"] == " ".join(rep["flags"])


def test_the_csv_leaves_out_no_number_of_a_rep() -> None:
    rep = written(typical())["sets"][0]["reps"][0]
    sided = {key for key, value in rep.items() if isinstance(value, dict)}
    names = {key for key in rep if key not in sided and key != "checks"}
    assert names | {f"{key}_{side}" for key in sided for side in ("left", "right")} == set(REP_COLUMNS) - {"set", "rep"}
