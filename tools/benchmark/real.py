"""Real recordings, where they are present: leg exercises counted block by block, and tilt against optics."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from vqf import VQF

from benchmark.accuracy import gyroscopes, replay
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


def count_pted(folder: Path, *, compare: bool) -> list[Counted]:
    """Every recording of the 'Physical Therapy Exercises' folder."""
    return [_count_file(path, compare) for path in sorted(folder.glob("*.csv"))]


def _count_file(path: Path, compare: bool) -> Counted:
    truth = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))
    foot = Foot[truth["moving_foot"].upper()]
    table = open_table([path])
    header, packets = table.header, [packet for block in table.blocks() for packet in block]
    return Counted(
        path.stem,
        count(middles_s(header, packets, "one-leg", foot), truth["sets"]),
        len(middles_s(header, packets, "one-leg", Foot(1 - foot))),
        len(middles_s(header, packets, "heels-apart", None)),
        _compare(header, packets, foot, truth["sets"]) if compare else {},
    )


def middles_s(header: RecordingHeader, packets: list[Packet], movement: Movement, foot: Foot | None) -> list[float]:
    """The middle of each rep found."""
    summary = replay(header, packets, movement, foot)
    return [(rep.start_s + rep.end_s) / 2 for one in summary.sets for rep in one.reps]


def count(middles_s: Sequence[float], blocks: Sequence[Mapping[str, Any]]) -> Count:
    """Reps in each block, by their middles."""
    found = [
        (sum(one["start_s"] - AROUND_S <= at_s <= one["end_s"] + AROUND_S for at_s in middles_s), int(one["n_reps"]))
        for one in blocks
    ]
    return Count(tuple(found), len(middles_s) - sum(inside for inside, _ in found))


def _compare(
    header: RecordingHeader, packets: list[Packet], foot: Foot, blocks: Sequence[Mapping[str, Any]]
) -> dict[str, list[Count]]:
    """The lesson is a rep's length from the middle of the first block: in cyclic movement the phase doesn't matter."""
    from benchmark.comparators import peaks, smooth, taught_dtw

    time_s, rates = gyroscopes(header, packets)
    gyro = smooth(time_s, rates[:, 3 * foot : 3 * foot + 3], FRAME_RATE_HZ)
    first = blocks[0]
    middle_s = (first["start_s"] + first["end_s"]) / 2
    half_s = (first["end_s"] - first["start_s"]) / first["n_reps"] / 2
    lesson_s = (middle_s - half_s, middle_s + half_s)
    found = {
        "taught DTW": taught_dtw(gyro, lesson_s),
        "PCA and peaks": peaks(gyro, lesson_s, (first["start_s"] - 5, blocks[-1]["end_s"] + 5)),
    }
    return {
        name: [count([(rep.start_s + rep.end_s) / 2 for rep in reps], blocks) for reps in lists]
        for name, lists in found.items()
    }


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
