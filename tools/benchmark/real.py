"""Real recordings, where they are present: leg exercises counted block by block, and tilt against optics."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from vqf import VQF

from benchmark.accuracy import gyroscopes, replay
from benchmark.marks import of_summary
from benchmark.scoring import Mark
from sensorrep.model import FRAME, FRAME_RATE_HZ, FloatArray, Foot, Frames, Movement, Packet, RecordingHeader
from sensorrep.sources.tables import open_table
from sensorrep.stages.fuse import Fuse

AROUND_S: Final = 2.0
"""The blocks' edges were derived, not watched: allow them this much."""


class Count(NamedTuple):
    """Reps found in each block of one recording against the protocol's count, and elsewhere."""

    blocks: tuple[tuple[int, int], ...]
    """(found, true) of each block."""
    elsewhere: int

    @property
    def missed(self) -> int:
        """Reps too few, block by block."""
        return sum(max(true - found, 0) for found, true in self.blocks)

    @property
    def extra(self) -> int:
        """Reps too many in blocks, and all outside of them."""
        return sum(max(found - true, 0) for found, true in self.blocks) + self.elsewhere


class Counted(NamedTuple):
    """One recording of one moving leg."""

    name: str
    moving: Count
    still_foot: int
    """Reps that `one-leg` counts on the foot that hardly moves."""
    heels_apart: int
    """Reps that `heels-apart` counts, where there are none."""
    others: dict[str, list[Count]]
    """For each comparator, one count for each value of its free setting."""


def count_pted(folder: Path, *, compare: bool, jobs: int) -> list[Counted]:
    """Every recording of the 'Physical Therapy Exercises' folder, in `jobs` processes."""
    with get_context("spawn").Pool(jobs) as pool:
        return pool.map(partial(_count_file, compare=compare), sorted(folder.glob("*.csv")), chunksize=1)


def _count_file(path: Path, compare: bool) -> Counted:
    truth = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))
    foot = Foot[truth["moving_foot"].upper()]
    table = open_table([path])
    session = Session(table.header, [packet for block in table.blocks() for packet in block], foot, truth["sets"])
    reps = session.reps("one-leg", foot)
    return Counted(
        path.stem,
        count(reps, session.blocks),
        len(session.reps("one-leg", Foot(1 - foot))),
        len(session.reps("heels-apart", None)),
        _compare(session, reps) if compare else {},
    )


class Session(NamedTuple):
    """A recording of one moving leg, and the blocks of its truth."""

    header: RecordingHeader
    packets: list[Packet]
    foot: Foot
    blocks: Sequence[Mapping[str, Any]]

    def reps(self, movement: Movement, foot: Foot | None) -> list[Mark]:
        """What sensorrep finds."""
        return list(of_summary(replay(self.header, self.packets, movement, foot)).reps)


def _compare(session: Session, reps: Sequence[Mark]) -> dict[str, list[Count]]:
    """The comparators' counts. For want of labelled reps, the lesson is a rep that sensorrep found: its middle one."""
    from benchmark.comparators import lesson, peaks, smooth, taught_dtw

    time_s, rates = gyroscopes(session.header, session.packets)
    gyro = smooth(time_s, rates[:, 3 * session.foot : 3 * session.foot + 3], FRAME_RATE_HZ)
    rep_s = (reps[len(reps) // 2].start_s, reps[len(reps) // 2].end_s)
    exercise_s = (session.blocks[0]["start_s"] - 5, session.blocks[-1]["end_s"] + 5)
    found = {"taught DTW": taught_dtw(gyro, lesson(gyro, rep_s)), "PCA and peaks": peaks(gyro, rep_s, exercise_s)}
    return {name: [count(one, session.blocks) for one in lists] for name, lists in found.items()}


def count(reps: Sequence[Mark], blocks: Sequence[Mapping[str, Any]]) -> Count:
    """Reps in each block, by their middles."""
    middles_s = [(one.start_s + one.end_s) / 2 for one in reps]
    found = [
        (sum(one["start_s"] - AROUND_S <= at_s <= one["end_s"] + AROUND_S for at_s in middles_s), int(one["n_reps"]))
        for one in blocks
    ]
    return Count(tuple(found), len(reps) - sum(inside for inside, _ in found))


def best_setting(counts: Sequence[Sequence[Count]]) -> int:
    """The setting with the fewest errors over all recordings: a choice in hindsight."""
    errors = [sum(one.missed + one.extra for one in column) for column in zip(*counts, strict=True)]
    return errors.index(min(errors))


class Tilt(NamedTuple):
    """One trial: root mean square tilt error of the fuse stage, and of VQF with default parameters."""

    name: str
    ours_deg: float
    default_deg: float


def tilt_broad(folder: Path) -> list[Tilt]:
    """Every trial of the BROAD folder, at its own rate."""
    return [_tilt(path) for path in sorted(folder.glob("*.npz"))]


def _tilt(path: Path) -> Tilt:
    with np.load(path) as trial:
        arrays: dict[str, Any] = {name: trial[name] for name in trial.files}
    time_s = arrays["time_s"].astype(float)
    gyr, acc = (np.ascontiguousarray(arrays[name], float) for name in ("gyr_rad_s", "acc_m_s2"))
    interval_s = float(np.median(np.diff(time_s)))
    true_q = arrays["q_earth_sensor_wxyz"].astype(float)
    scored = arrays["movement"] & np.isfinite(true_q).all(axis=1)

    def rms_deg(estimate: Callable[[], FloatArray]) -> float:
        errors = tilt_deg(estimate()[scored], true_q[scored])
        return float(np.sqrt(np.mean(errors**2)))

    return Tilt(
        path.stem,
        rms_deg(lambda: _fuse(time_s, gyr, acc, 1 / interval_s)),
        rms_deg(lambda: np.asarray(VQF(interval_s).updateBatch(gyr, acc)["quat6D"])),
    )


def _fuse(time_s: FloatArray, gyr: FloatArray, acc: FloatArray, rate_hz: float) -> FloatArray:
    """The fuse stage's orientation of one sensor, put in as both feet."""
    frames = np.zeros(len(time_s), FRAME)
    frames["time_s"], frames["ok"] = time_s, True
    frames["gyr_rad_s"], frames["acc_m_s2"] = gyr[:, None], acc[:, None]
    fuse = Fuse(rate_hz)
    poses = np.concatenate(fuse.push(Frames(frames)) + fuse.finish())
    return np.asarray(poses["q_earth_sensor"][:, 0])


def tilt_deg(q: FloatArray, true_q: FloatArray) -> FloatArray:
    """Angle between the verticals, seen from the sensor, of two orientations (n, 4) earth from sensor."""
    cosine = np.sum(vertical(q) * vertical(true_q), axis=1)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def vertical(q: FloatArray) -> FloatArray:
    """(n, 3) earth's z in the sensor's frame: the last row of the rotation matrix."""
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    row: FloatArray = np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], axis=1)
    return row
