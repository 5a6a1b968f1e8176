"""Records moved as the bytes they are.

numpy copies, joins and picks records field by field, ten times as slowly as plain bytes of the same size.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Records = np.ndarray[Any, np.dtype[np.void]]


def as_bytes(records: Records) -> Records:
    """The same memory, each record one item of bytes."""
    return records.view(np.dtype((np.void, records.dtype.itemsize)))


def joined(parts: Sequence[Records]) -> Records:
    """A copy of all, one after the other; all of one dtype."""
    return np.concatenate([as_bytes(part) for part in parts]).view(parts[0].dtype)


def picked(records: Records, at: npt.NDArray[np.int64]) -> Records:
    """A copy of the records at these indices."""
    out: Records = as_bytes(records)[at].view(records.dtype)
    return out
