"""The matrix of simulated sessions: run them all, score sensorrep and the comparators, sum up by row."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from benchmark import marks
from benchmark.conditions import Condition, conditions
from benchmark.scoring import Figures, Marks, Score, figures, score, total
from sensorrep.model import (
    FRAME_RATE_HZ,
    FloatArray,
    Foot,
    Movement,
    Packet,
    RecordingHeader,
    SessionEnded,
    SessionSummary,
)
from sensorrep.pipeline import Pipeline
from sensorrep.sources.synthetic import Simulated, simulate, typical

if TYPE_CHECKING:
    from benchmark.comparators import Gyro

ALL: Final = "all with reps"
NONE: Final = "all without reps"
LARGE: Final = "all of 6 degrees and more"
GRAVITY: Final = "all where gravity sees it"
TABLE_TOP: Final = "all in table-top"
AROUND_S: Final = 5.0
"""How far before the first and after the last set the peaks may look."""


class Job(NamedTuple):
    """One session to be run: which condition of the list, which seed, with the comparators or without."""

    condition: int
    seed: int
    compare: bool


class Result(NamedTuple):
    """What one session scored; for a comparator, one score for each value of its free setting."""

    job: Job
    ours: Score
    others: dict[str, list[Score]]
    crash: str = ""
    """The error that ended the replay: nothing counts as found then."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: a group of sessions."""

    ours: Figures
    others: dict[str, Figures] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Everything that a run found out."""

    rows: dict[str, Row]
    conditions: dict[str, Figures]
    weak: dict[str, str]
    """Conditions of 6 degrees and more below 0.99 in precision or recall, any in which the replay failed, and the
    sessions that are at fault."""
    settings: dict[str, int]
    """Which of its settings each comparator did best with."""


def run(*, quick: bool, compare: bool, jobs: int, seeds: int | None, tick: Callable[[int, int], None]) -> Accuracy:
    """Run the matrix in `jobs` processes; `tick(done, all)` after each session. `quick`: the small, fast subset."""
    chosen = [one for one in conditions() if one.quick or not quick]
    todo = [
        Job(index, seed, compare)
        for index, one in enumerate(chosen)
        for seed in one.some_seeds(1 if quick else seeds or one.seeds)
    ]
    results = []
    for result in _each(todo, quick, jobs):
        results.append(result)
        tick(len(results), len(todo))
    return sum_up(chosen, sorted(results, key=lambda one: one.job))


def _each(todo: Sequence[Job], quick: bool, jobs: int) -> Iterator[Result]:
    """Results as they come, from this process if there is but one."""
    if jobs == 1:
        _start(quick)
        yield from map(_run, todo)
        return
    with get_context("spawn").Pool(jobs, _start, (quick,)) as pool:
        yield from pool.imap_unordered(_run, todo, chunksize=2)


_chosen: list[Condition] = []


def _start(quick: bool) -> None:
    _chosen[:] = [one for one in conditions() if one.quick or not quick]


def _run(job: Job) -> Result:
    return one_session(_chosen[job.condition], job)


def one_session(condition: Condition, job: Job) -> Result:
    """Simulate, replay and score one session."""
    scenario, simulated = condition.session(job.seed)
    truth = marks.of_truth(simulated.truth, scenario.outages)
    others = _compare(condition, simulated, truth, job.seed) if job.compare else {}
    try:
        found = marks.of_summary(replay(simulated.header, simulated.packets))
    except Exception as error:  # one bug must not cost the figures of a thousand other sessions
        return Result(job, score(Marks(truth.duration_s, ()), truth), others, repr(error))
    return Result(job, score(found, truth), others)


def replay(
    header: RecordingHeader, packets: Sequence[Packet], movement: Movement = "heels-apart", foot: Foot | None = None
) -> SessionSummary:
    """Packets through the pipeline, in blocks as replay reads them."""
    pipeline = Pipeline(header.feet, movement=movement, foot=foot)
    for start in range(0, len(packets), 4096):
        pipeline.push(packets[start : start + 4096])
    last = pipeline.finish()[-1]
    assert isinstance(last, SessionEnded)
    return last.summary


def _compare(condition: Condition, simulated: Simulated, truth: Marks, seed: int) -> dict[str, list[Score]]:
    """The comparators' scores. They are imported here, as they need the `bench` extra."""
    from benchmark.comparators import lesson, peaks, taught_dtw

    gyro = _gyro(simulated)
    if truth.reps:
        first = next(one for one in truth.reps if not one.optional)
        rep_s = (first.start_s, first.end_s)
        exercise_s = (truth.reps[0].start_s - AROUND_S, truth.reps[-1].end_s + AROUND_S)
        found = {"taught DTW": taught_dtw(gyro, lesson(gyro, rep_s)), "PCA and peaks": peaks(gyro, rep_s, exercise_s)}
    else:
        other = simulate(typical(condition.scenario.posture, sets=1), seed)
        rep = other.truth.sets[0].reps[0]
        found = {"taught DTW": taught_dtw(gyro, lesson(_gyro(other), (rep.start_s, rep.end_s)))}
    return {
        name: [score(Marks(truth.duration_s, tuple(reps)), truth) for reps in lists] for name, lists in found.items()
    }


def _gyro(simulated: Simulated) -> "Gyro":
    from benchmark.comparators import smooth

    return smooth(*gyroscopes(simulated.header, simulated.packets), FRAME_RATE_HZ)


def gyroscopes(header: RecordingHeader, packets: Sequence[Packet]) -> tuple[FloatArray, FloatArray]:
    """(times, (n, 6) angular rates of both feet) on one clock, by the pipeline's own first two stages."""
    from sensorrep.stages.decode import Decode
    from sensorrep.stages.deskew import Deskew

    decode, deskew = Decode(header.feet), Deskew(header.feet)
    blocks = [frames for samples in decode.push(packets) + decode.finish() for frames in deskew.push(samples)]
    frames = np.concatenate(blocks + deskew.finish())
    return frames["time_s"], frames["gyr_rad_s"].reshape(len(frames), 6)


def sum_up(chosen: Sequence[Condition], results: Sequence[Result]) -> Accuracy:
    """Rows and conditions of a finished run."""
    settings = best_settings([one.others for one in results])
    groups: dict[str, list[Result]] = {}
    per_condition: dict[str, list[Result]] = {}
    for one in results:
        condition = chosen[one.job.condition]
        for row in (*_overall(condition), *condition.rows):
            groups.setdefault(row, []).append(one)
        per_condition.setdefault(condition.name, []).append(one)
    return Accuracy(
        {name: _row(members, settings) for name, members in groups.items()},
        {name: figures(total(one.ours for one in members)) for name, members in per_condition.items()},
        _weak(chosen, per_condition),
        settings,
    )


def _overall(condition: Condition) -> tuple[str, ...]:
    if not condition.has_reps:
        return (NONE,)
    seen = TABLE_TOP if condition.scenario.posture == "table-top" else GRAVITY
    return (ALL, seen) if condition.small else (ALL, seen, LARGE)


def _row(members: Iterable[Result], settings: dict[str, int]) -> Row:
    members = list(members)
    others = {
        name: figures(total(one.others[name][setting] for one in members if name in one.others))
        for name, setting in settings.items()
    }
    return Row(figures(total(one.ours for one in members)), others)


def best_settings(runs: Sequence[dict[str, list[Score]]]) -> dict[str, int]:
    """For each comparator the setting with the best F1 over all sessions: a choice in hindsight."""
    out = {}
    for name in sorted({name for one in runs for name in one}):
        columns = zip(*(one[name] for one in runs if name in one), strict=True)
        f1 = [figures(total(column))["f1"] or 0.0 for column in columns]
        out[name] = f1.index(max(f1))
    return out


def _weak(chosen: Sequence[Condition], per_condition: dict[str, list[Result]]) -> dict[str, str]:
    out = {}
    for name, members in per_condition.items():
        got = figures(total(one.ours for one in members))
        small = chosen[members[0].job.condition].small
        good = small or min(_known(got["precision"]), _known(got["recall"])) >= 0.99
        if not good or any(one.crash for one in members):
            out[name] = "; ".join(filter(None, map(_fault, members)))
    return out


def _fault(one: Result) -> str:
    if one.crash:
        return f"seed {one.job.seed}: {one.crash}"
    if one.ours.true == one.ours.found == one.ours.matched:
        return ""
    missed, extra = one.ours.true - one.ours.matched, one.ours.found - one.ours.matched
    return f"seed {one.job.seed}: {missed} missed, {extra} extra"


def _known(value: float | None) -> float:
    return 1.0 if value is None else value
