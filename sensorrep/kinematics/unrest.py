"""How much each foot moves just now: for what is asked of the person before reps, to hold still or to lift a foot."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from sensorrep.model import Foot, Samples

WINDOW_NS: Final = 1_000_000_000
"""Unrest is taken over so much time. Larger: slower to see that a foot came to rest. Smaller: the standstill at the top
of a lift looks like rest."""
STILL_RAD_S: Final = 0.05
"""Below it a foot is held still: ten times a cheap gyroscope's noise, a tenth of a slow rep."""
LIFT_RAD_S: Final = 0.25
"""A foot lifted by 20 degrees within a second is above it, one that shakes along is not."""
CLEAR: Final = 2.5
"""The lifted foot moves so many times as much as the other. Larger: a band that pulls the other foot along keeps the
question open. Smaller: walking is taken for a lift."""

Unrest = tuple[float | None, float | None]
"""Left and right, rad/s; None where too little came to say."""


class UnrestMeter:
    """Samples of both feet -> `Unrest` over the last WINDOW_NS. Latency: none. State: the samples of the window."""

    def __init__(self) -> None:
        self._kept: dict[Foot, list[Samples]] = {foot: [] for foot in Foot}

    def push(self, blocks: Sequence[Samples]) -> None:
        """Take in samples, as `Decode` gives them."""
        for block in blocks:
            for foot in Foot:
                mine = Samples(block[block["foot"] == foot])
                if len(mine):
                    self._kept[foot] = [*self._kept[foot], mine]

    def unrest(self, now_ns: int) -> Unrest:
        """At `now_ns` on the clock of arrival."""
        left, right = (self._of(foot, now_ns) for foot in Foot)
        return left, right

    def _of(self, foot: Foot, now_ns: int) -> float | None:
        self._kept[foot] = [block for block in self._kept[foot] if block["received_ns"][-1] > now_ns - WINDOW_NS]
        blocks = self._kept[foot]
        if not blocks or blocks[-1]["received_ns"][-1] - blocks[0]["received_ns"][0] < WINDOW_NS // 2:
            return None
        rate = np.concatenate([block["gyr_rad_s"] for block in blocks])
        # about its own mean: a gyroscope's zero may be off by more than a still foot moves
        return float(np.sqrt(((rate - rate.mean(axis=0)) ** 2).sum(axis=1).mean()))


def lifted(unrest: Unrest) -> Foot | None:
    """The foot that is being lifted while the other one rests; None while that is not clear."""
    left, right = unrest
    if left is None or right is None:
        return None
    mover, most, least = (Foot.LEFT, left, right) if left > right else (Foot.RIGHT, right, left)
    return mover if most >= LIFT_RAD_S and most >= CLEAR * least else None


def still(unrest: Unrest) -> bool:
    """Whether each foot that is heard of holds still, and at least one is heard of."""
    known = [one for one in unrest if one is not None]
    return bool(known) and max(known) < STILL_RAD_S
