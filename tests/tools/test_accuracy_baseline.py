"""Accuracy on a small part of the benchmark is what it was when it was last accepted.

Where it rightly changed: `tools/bench accuracy --quick --accept`, and say in the commit why.
"""

import pytest

from benchmark.accuracy import run
from benchmark.baseline import accepted, worse

WAS = {"missed": 1.0, "sets_exact": 0.9, "edge_median_ms": 10.0, "range_rmse_deg": None}


def test_no_row_is_worse_than_the_baseline() -> None:
    rows = run(quick=True, compare=False, jobs=1, seeds=None, tick=lambda _done, _all: None).rows
    assert set(rows) == set(accepted())
    fell = {name: worse(was, rows[name].ours) for name, was in accepted().items()}
    assert not {name: what for name, what in fell.items() if what}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"missed": 0.0, "sets_exact": 1.0, "edge_median_ms": 2.0, "range_rmse_deg": 0.5}, []),
        ({"edge_median_ms": 11.9}, []),
        ({"edge_median_ms": 12.1}, ["edge_median_ms was 10.0, is 12.1"]),
        ({"missed": 2.0}, ["missed was 1.0, is 2.0"]),
        ({"sets_exact": 0.85}, ["sets_exact was 0.9, is 0.85"]),
        ({"sets_exact": None}, ["sets_exact was 0.9, is None"]),
    ],
)
def test_what_fell_is_named_and_what_rose_is_welcome(change: dict[str, float | None], expected: list[str]) -> None:
    assert worse(WAS, WAS | change) == expected
