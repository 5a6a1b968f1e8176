"""Twelve real recordings of leg exercises (both ankles, 25 Hz), block by block, where they are present."""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from sensorrep.model import Foot, Movement, SessionEnded, SessionSummary
from sensorrep.pipeline import Pipeline
from sensorrep.sources.tables import open_table

PTED = Path(__file__).parents[2] / "shared" / "data" / "pted"
FILES = sorted(PTED.glob("*.csv"))
AROUND_S = 2.0
"""The blocks' edges were derived, not watched."""
present = pytest.mark.skipif(not FILES, reason="the pted recordings are not here: ../shared/data/pted")


class Block(NamedTuple):
    """Reps found and reps done."""

    found: int
    true: int


class Count(NamedTuple):
    """One recording."""

    blocks: tuple[Block, ...]
    elsewhere: int


def replayed(path: Path, movement: Movement, foot: Foot | None) -> SessionSummary:
    with open_table([path]) as table:
        pipeline = Pipeline(table.header.feet, movement, foot)
        for packets in table.blocks():
            pipeline.push(packets)
    last = pipeline.finish()[-1]
    assert isinstance(last, SessionEnded)
    return last.summary


@cache
def counted(path: Path) -> Count:
    """Reps of the moving leg, by their middles."""
    truth = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))
    found = replayed(path, "one-leg", Foot[truth["moving_foot"].upper()])
    middles_s = [0.5 * (rep.start_s + rep.end_s) for one in found.sets for rep in one.reps]
    blocks = tuple(
        Block(sum(one["start_s"] - AROUND_S <= at_s <= one["end_s"] + AROUND_S for at_s in middles_s), one["n_reps"])
        for one in truth["sets"]
    )
    return Count(blocks, len(middles_s) - sum(block.found for block in blocks))


@present
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_block_is_found_nearly_whole(path: Path) -> None:
    """A rep or two may be lost or invented in one recording; over all of them, see below."""
    count = counted(path)
    assert len(count.blocks) == 3
    assert all(abs(block.found - block.true) <= 2 for block in count.blocks), count
    assert count.elsewhere <= 2, count


@present
def test_over_all_recordings_at_most_6_in_1000_are_missed_and_6_in_1000_extra() -> None:
    counts = [counted(path) for path in FILES]
    blocks = [block for count in counts for block in count.blocks]
    total = sum(block.true for block in blocks)
    missed = sum(max(block.true - block.found, 0) for block in blocks)
    extra = sum(max(block.found - block.true, 0) for block in blocks) + sum(count.elsewhere for count in counts)
    assert total == 360
    assert missed <= 0.006 * total
    assert extra <= 0.006 * total


@present
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_other_exercises_are_no_heels_apart(path: Path) -> None:
    assert replayed(path, "heels-apart", None).sets == ()


@present
def test_the_prone_hip_extension_of_subject_1_has_three_sets_of_ten() -> None:
    found = replayed(PTED / "pted_s1_e5.csv", "one-leg", Foot.RIGHT)
    assert [len(one.reps) for one in found.sets] == [10, 10, 10]


@present
def test_the_leg_that_does_not_exercise_is_counted_in_one_file_at_most() -> None:
    """The pelvis takes it along, by half of the other's turn in some reps of one file."""
    counted_in = [path.stem for path in FILES if replayed(path, "one-leg", Foot.LEFT).sets]
    assert counted_in in ([], ["pted_s3_e5"])
