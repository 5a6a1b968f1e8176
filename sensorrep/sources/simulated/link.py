"""What a radio link does to a sensor's packets: connection events, retries, loss, duplicates, overtaking. Pure."""

from typing import Final

import numpy as np

from sensorrep.sources.synthetic import Link

APART_S: Final = 1e-4
"""Between packets that come in one burst."""
DUPLICATE_S: Final = 0.03
"""How much later the second of two comes, at most."""


class SimulatedLink:
    """Times of arrival of one sensor's packets, one after the other. `link` may be changed at any time."""

    def __init__(self, link: Link, rng: np.random.Generator) -> None:
        self.link = link
        self._rng = rng
        self._phase = float(rng.random())
        self._last_s = 0.0

    def arrivals(self, ready_s: float, period_s: float) -> list[float]:
        """When a packet that the sensor has ready comes to the host: never, once or twice. A link keeps its order
        otherwise; an overtaken packet is late by more than `period_s`, the time to the next packet."""
        lost, twice, overtaken, again, retried = self._rng.random(5)
        jitter_s = self._rng.exponential(self.link.jitter_s) if self.link.jitter_s else 0.0
        left_s = self._event(ready_s + (self.link.interval_s if retried < self.link.retry else 0.0))
        came_s = max(left_s + self.link.latency_s + jitter_s, self._last_s + APART_S)
        if lost < self.link.loss:
            return []
        if overtaken < self.link.reorder:
            came_s += 1.2 * period_s
        else:
            self._last_s = came_s
        return [came_s, came_s + DUPLICATE_S * again] if twice < self.link.duplicate else [came_s]

    def _event(self, ready_s: float) -> float:
        """The next connection event."""
        interval_s = self.link.interval_s
        if not interval_s:
            return ready_s
        return float((np.ceil(ready_s / interval_s - self._phase) + self._phase) * interval_s)
