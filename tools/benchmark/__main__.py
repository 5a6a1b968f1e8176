"""`tools/bench accuracy|speed`: measure, print tables, and write JSON where asked."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Run what the command line asks for."""
    options = _parser().parse_args()
    began_s = time.perf_counter()
    result = _accuracy(options) if options.what == "accuracy" else _speed(options)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"{options.what}: {time.perf_counter() - began_s:.0f} s", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    parser.add_argument("what", choices=("accuracy", "speed"))
    parser.add_argument("--quick", action="store_true", help="a small subset, below a minute")
    parser.add_argument(
        "--accept", action="store_true", help="with --quick: make these figures the baseline of the tests"
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to this file as well")
    parser.add_argument("--seeds", type=int, help="sessions of each simulated condition (default: as the list says)")
    parser.add_argument("--no-comparators", action="store_true", help="leave out the methods for comparison")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument(
        "--real",
        type=Path,
        default=ROOT.parent / "shared" / "data",
        metavar="FOLDER",
        help="real recordings: its folders pted/ and broad/ are used where they exist (default: %(default)s)",
    )
    return parser


def _accuracy(options: argparse.Namespace) -> dict[str, Any]:
    from benchmark import accuracy, baseline, real, tables
    from benchmark.targets import targets

    found = accuracy.run(
        quick=options.quick,
        compare=not options.no_comparators,
        jobs=options.jobs,
        seeds=options.seeds,
        tick=_progress,
    )
    print(tables.accuracy_text(found))
    if options.quick and options.accept:
        baseline.accept(found)
    pted = real.count_pted(
        options.real / "pted", compare=not options.no_comparators and not options.quick, jobs=options.jobs
    )
    print(tables.pted_text(pted) if pted else f"No real leg exercises in {options.real / 'pted'}: left out.\n")
    tilt = real.tilt_broad(options.real / "broad")
    print(tables.tilt_text(tilt) if tilt else f"No trials with optics in {options.real / 'broad'}: left out.\n")
    print(tables.targets_text(targets(found, pted, tilt)))
    return tables.accuracy_object(found, pted, tilt)


def _speed(options: argparse.Namespace) -> dict[str, Any]:
    from benchmark import speed

    figures = speed.measure(quick=options.quick)
    print(speed.text(figures))
    return figures


def _progress(done: int, all_sessions: int) -> None:
    if sys.stderr.isatty() or done % 100 == 0:
        print(f"{done} of {all_sessions} sessions", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr)


if __name__ == "__main__":
    main()
