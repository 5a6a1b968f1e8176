"""Time, memory and latency, measured on simulated recordings.

Whole processes are timed from outside, stages and the live loop inside this one. The floor is what no replay of these
files can go below without another format or another filter: parsing every line with `json`, and VQF on every sample.
"""

import json
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from vqf import VQF

from benchmark import marks
from benchmark.scoring import Mark, match
from benchmark.tables import table
from sensorrep.model import Foot, Packet, RepCounted, SessionEnded
from sensorrep.pipeline import Pipeline
from sensorrep.sources.recording import RecordingWriter, open_recording
from sensorrep.sources.synthetic import Link, Sensor, Simulated, Truth, simulate, typical
from sensorrep.stages.decode import Decode

STARTS: Final = 7
"""Cold starts are measured so often, and the median is taken."""
LATENCY_SEEDS: Final = (1, 2, 3)
RADIOS: Final[dict[str, dict[str, Any]]] = {
    "no radio": {
        "link": Link(interval_s=0.0, latency_s=0.0, jitter_s=0.0, retry=0.0),
        "left": Sensor(samples_per_packet=1),
        "right": Sensor(samples_per_packet=1),
    },
    "simulated radio": {},
}
"""Each sample delivered as it is taken; and packets of four samples, every 15 ms at most, one of fifty again."""
HOUR_S: Final = 3600.0


_HEAD: Final = struct.Struct("<BBHI")
"""Of a DIY sensor's packet (firmware_notes/diy.md): kind, flags, counter, clock in microseconds."""
_FIRST: Final = 0x04


class Process(NamedTuple):
    """A finished process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def measure(*, quick: bool) -> dict[str, Any]:
    """Everything; `quick`: six minutes in place of an hour, and no growth."""
    lengths_s = [360.0] if quick else [360.0, HOUR_S, 6 * HOUR_S]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short = folder / "three-minutes.jsonl"
        whole = {length_s: folder / f"{length_s:.0f}.jsonl" for length_s in lengths_s}
        main_s = HOUR_S if HOUR_S in whole else lengths_s[0]
        with get_context("spawn").Pool(1) as pool:
            pool.starmap(write, [(short, 180.0), *((path, length_s) for length_s, path in whole.items())])
        replays = {
            length_s: min(
                run_sensorrep("replay", str(path), "--quiet", "--json", str(folder / "out.json"))
                for _ in range(3 if length_s == main_s else 1)
            )
            for length_s, path in whole.items()
        }
        starts_s = measure_starts(short, folder / "out.json")
        floor = measure_floor(whole[main_s])
        return {
            "format": "sensorrep-speed/1",
            "recording_s": main_s,
            "replay": replays[main_s]._asdict(),
            "floor": floor,
            "ratio_to_floor": replays[main_s].wall_s / sum(floor.values()),
            "growth": {f"{length_s:.0f}": one._asdict() for length_s, one in replays.items()},
            "stages_s": measure_stages(whole[main_s]),
            "live": measure_live(),
            "latency": measure_latency(),
            "starts_s": starts_s,
        }


def write(path: Path, length_s: float) -> None:
    """A recording about as long as that: sets of 8 with rests of 35 s between them, both feet at 100 Hz.

    What is longer than an hour is one hour over and over, as simulating it whole would take 2 GB an hour.
    """
    hours = max(round(length_s / HOUR_S), 1)
    simulated = simulate(typical(sets=max(round((length_s / hours - 45) / 64), 1)), seed=1)
    with RecordingWriter(path, simulated.header) as writer:
        packets = simulated.packets
        for _ in range(hours):
            writer.write(packets)
            packets = following(packets)


def following(packets: Sequence[Packet]) -> list[Packet]:
    """The same packets of DIY sensors again, straight after themselves: counters, clocks and arrivals go on.

    For packets without loss. The seam of arrivals fits the clocks to about a packet's length.
    """
    later_ns = packets[-1].received_ns - packets[0].received_ns + 1
    steps = {foot: _steps([one for one in packets if one.foot == foot]) for foot in Foot}
    return [
        one._replace(received_ns=one.received_ns + later_ns, payload=_later(one.payload, *steps[one.foot]))
        for one in packets
    ]


def _steps(packets: Sequence[Packet]) -> tuple[int, int]:
    """By how much one foot's counter and clock (microseconds) go on from the first packet to one after the last."""
    heads = np.array([_HEAD.unpack_from(one.payload) for one in packets], np.int64)
    per_packet = np.median(np.diff(heads[:, 2]) % 2**16), np.median(np.diff(heads[:, 3]) % 2**32)
    samples, clock_us = (round(float(step) * len(packets)) for step in per_packet)
    return samples, clock_us


def _later(payload: bytes, samples: int, clock_us: int) -> bytes:
    kind, flags, counter, t_us = _HEAD.unpack_from(payload)
    head = _HEAD.pack(kind, flags & ~_FIRST, (counter + samples) % 2**16, (t_us + clock_us) % 2**32)
    return head + payload[_HEAD.size :]


_LAUNCHER: Final = """
import os, sys, time
began_s = time.perf_counter()
child = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
print(time.perf_counter() - began_s, used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Starts and measures a process. On Linux a process' peak memory is never told below that of the one which started it,
so this one is small."""


def run_sensorrep(*arguments: str) -> Process:
    """Run `sensorrep` in a process of its own. Raises RuntimeError if it fails."""
    launcher = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, sys.executable, "-m", "sensorrep", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if launcher.returncode:
        raise RuntimeError(f"sensorrep {' '.join(arguments)} failed: {launcher.stderr}")
    wall_s, cpu_s, peak = map(float, launcher.stdout.splitlines()[-1].split())
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return Process(wall_s, cpu_s, peak / unit)


def measure_floor(path: Path) -> dict[str, float]:
    """Seconds for `json.loads` of every line, and for VQF on every decoded sample: the best of three each."""
    lines = path.read_text(encoding="utf-8").splitlines()
    with open_recording(path) as recording:
        decode = Decode(recording.header.feet)
        blocks = [samples for packets in recording.blocks() for samples in decode.push(packets)] + decode.finish()
    samples = np.concatenate(blocks)
    feet = [samples[samples["foot"] == foot] for foot in (0, 1)]
    arrays = [(np.ascontiguousarray(one["gyr_rad_s"]), np.ascontiguousarray(one["acc_m_s2"])) for one in feet]

    def parse() -> None:
        for line in lines:
            json.loads(line)

    def fuse() -> None:
        for gyr, acc in arrays:
            VQF(0.01).updateBatch(gyr, acc)

    return {"json_s": _best(parse), "vqf_s": _best(fuse)}


def _best(work: Callable[[], None], times: int = 3) -> float:
    took_s = []
    for _ in range(times):
        began_s = time.perf_counter()
        work()
        took_s.append(time.perf_counter() - began_s)
    return min(took_s)


def measure_stages(path: Path) -> dict[str, float]:
    """Seconds spent reading and in each stage, its own work alone, while a recording is replayed in this process."""
    spent_s = {"read": 0.0}
    with open_recording(path) as recording:
        pipeline = Pipeline(recording.header.feet, aloud=False)
        for name, stage in vars(pipeline).items():
            if hasattr(stage, "push"):
                spent_s[name.strip("_")] = 0.0
                _time_calls(stage, name.strip("_"), spent_s)
        began_s = time.perf_counter()
        for packets in recording.blocks():
            spent_s["read"] += time.perf_counter() - began_s
            pipeline.push(packets)
            began_s = time.perf_counter()
    pipeline.finish()
    return spent_s


def _time_calls(stage: Any, name: str, spent_s: dict[str, float]) -> None:
    """Make this one object add up the time of its `push` and `finish`."""

    def timed(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            began_s = time.perf_counter()
            try:
                return call(*arguments)
            finally:
                spent_s[name] += time.perf_counter() - began_s

        return run

    stage.push, stage.finish = timed(stage.push), timed(stage.finish)


def measure_live() -> dict[str, float]:
    """Cost of a session that comes packet by packet: share of one core, and the longest single push."""
    simulated = simulate(typical(), seed=1)
    pipeline = Pipeline(simulated.header.feet)
    longest_s = 0.0
    cpu_s = time.process_time()
    for packet in simulated.packets:
        began_s = time.perf_counter()
        pipeline.push([packet])
        longest_s = max(longest_s, time.perf_counter() - began_s)
    cpu_s = time.process_time() - cpu_s
    last = pipeline.finish()[-1]
    assert isinstance(last, SessionEnded)
    return {"core_pct": 100 * cpu_s / last.summary.duration_s, "longest_push_ms": 1000 * longest_s}


def measure_latency() -> dict[str, dict[str, float]]:
    """How long after a rep it is told, ms of session time; computing is not in it (see `longest_push_ms`).

    An event is decided by a standstill (`decided_s`) and told when the packet arrives that lets the stages see it. Over
    a radio that brings each sample at once, the time between is the pipeline's own; over the simulated link it is with
    packets and connection intervals. How long after the turning point the standstill is says nothing of the
    program's delay, but of how far legs still swing; a set's first reps have to wait there, as one movement alone is no
    exercise, and make the worst.
    """
    waits: dict[str, list[float]] = {}
    for radio, options in RADIOS.items():
        for seed in LATENCY_SEEDS:
            simulated = simulate(typical(**options), seed)
            truth = marks.of_truth(simulated.truth).reps
            turns_s = turning_points_s(simulated.truth, truth)
            events = _events(simulated)
            for i, j in match([Mark(event.rep.start_s, event.rep.end_s) for _, event in events], truth):
                told_s, event = events[i]
                for what, waited_s in (
                    ("turning point to standstill", event.decided_s - turns_s[j]),
                    ("standstill to event", told_s - event.decided_s),
                    ("turning point to event", told_s - turns_s[j]),
                    ("end of the rep (10 %) to event", told_s - truth[j].end_s),
                ):
                    waits.setdefault(f"{what}, {radio}", []).append(1000 * waited_s)
    return {
        what: {"median": float(np.median(one)), "95 %": float(np.quantile(one, 0.95)), "worst": max(one)}
        for what, one in waits.items()
    }


def turning_points_s(truth: Truth, reps: Sequence[Mark]) -> list[float]:
    """When the heels were back from each rep: within 2 % of its opening from the lowest before the next rep."""
    heel_deg = truth.opening_deg.sum(axis=1)
    out = []
    for rep, following_rep in zip(reps, [*reps[1:], None], strict=True):
        until_s = rep.end_s + 1.5 if following_rep is None else min(following_rep.start_s, rep.end_s + 1.5)
        first, end, last = np.searchsorted(truth.time_s, (rep.start_s, rep.end_s, until_s))
        after = heel_deg[end:last]
        near = after.min() + 0.02 * (heel_deg[first:end].max() - after.min())
        out.append(float(truth.time_s[end + int(np.argmax(after <= near))]))
    return out


def _events(simulated: Simulated) -> list[tuple[float, RepCounted]]:
    """(session time of the packet that brought it, event) of a session that comes packet by packet."""
    pipeline = Pipeline(simulated.header.feet)
    zero_ns = first_sample_ns(simulated)
    out = []
    for packet in simulated.packets:
        at_s = (packet.received_ns - zero_ns) / 1e9
        out += [(at_s, event) for event in pipeline.push([packet]) if isinstance(event, RepCounted)]
    return out


def first_sample_ns(simulated: Simulated) -> int:
    """When the first sample was taken, on the host's clock, as far as the fastest of the first packets show."""
    packets = simulated.packets
    early = [one for one in packets if one.received_ns < packets[0].received_ns + 2_000_000_000]
    samples = np.concatenate(Decode(simulated.header.feet).push(early))
    feet = [samples[samples["foot"] == foot] for foot in set(samples["foot"].tolist())]
    return min(int(one["device_ns"][0] + (one["received_ns"] - one["device_ns"]).min()) for one in feet)


def measure_starts(recording: Path, out: Path) -> dict[str, float]:
    """Median seconds of whole processes that do little."""
    commands: dict[str, tuple[str, ...]] = {
        "--help": ("--help",),
        "inspect, three minutes": ("inspect", str(recording)),
        "replay, three minutes": ("replay", str(recording), "--quiet", "--json", str(out)),
    }
    return {
        name: statistics.median(run_sensorrep(*arguments).wall_s for _ in range(STARTS))
        for name, arguments in commands.items()
    }


def text(figures: dict[str, Any]) -> str:
    """The figures as tables."""
    whole, floor, live, latency = (figures[name] for name in ("replay", "floor", "live", "latency"))
    growth = [
        [f"{float(length_s) / 60:.0f} min", f"{one['wall_s']:.2f}", f"{one['cpu_s']:.2f}", f"{one['peak_mb']:.0f}"]
        for length_s, one in figures["growth"].items()
    ]
    minutes = figures["recording_s"] / 60
    parts = [
        table("Replay to JSON, whole process", ["recording", "wall s", "CPU s", "peak MB"], growth),
        table(
            f"{minutes:.0f} minutes against the floor",
            ["", "s"],
            [
                ["floor: json.loads of every line", f"{floor['json_s']:.2f}"],
                ["floor: VQF on every sample", f"{floor['vqf_s']:.2f}"],
                ["replay", f"{whole['wall_s']:.2f}"],
                ["replay / floor", f"{figures['ratio_to_floor']:.2f}"],
            ],
        ),
        table(f"{minutes:.0f} minutes by stage", ["", "s"], [[k, f"{v:.2f}"] for k, v in figures["stages_s"].items()]),
        table("Live, packet by packet", ["", ""], [[k, f"{v:.2f}"] for k, v in live.items()]),
        table(
            "From a rep to its event, ms of the session",
            ["", "median", "95 %", "worst"],
            [[what, *(f"{one[name]:.0f}" for name in ("median", "95 %", "worst"))] for what, one in latency.items()],
        ),
        table("Cold start", ["", "ms"], [[k, f"{1000 * v:.0f}"] for k, v in figures["starts_s"].items()]),
    ]
    return "\n".join(parts)
