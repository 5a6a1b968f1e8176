"""How good each sensor's link is, from what arrives: pure, on the host's clock as told."""

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

LinkWord = Literal["looking", "connected", "good", "weak", "silent", "lost"]

RATE_S: Final = 3.0
"""The rate of a link is taken over so long: shorter shakes with every burst."""
KEPT: Final = 40
"""What is usual is the median of so many rates: what comes at once after a stall must not set the standard."""
SILENT_S: Final = 1.0
WEAK: Final = 0.85
"""A link that brings less than this share of its usual packets is weak."""


@dataclass(frozen=True, slots=True)
class LinkQuality:
    """One foot's link: 0 (nothing comes) to 4 bars, in a word, and its battery."""

    bars: int
    word: LinkWord
    silent_s: float = 0.0
    battery_pct: int | None = None


class LinkMeter:
    """Watches the arrivals of one foot. `quality` may be asked from another thread."""

    def __init__(self) -> None:
        self.lost = self.connected = False
        self.battery_pct: int | None = None
        self._last_ns: int | None = None
        self._window_ns: int | None = None
        self._in_window = 0
        self._rates_hz: deque[float] = deque(maxlen=KEPT)
        self._share = 1.0

    def begin(self) -> None:
        """The link stands and its sensor streams: what came while it was being started is no measure of it."""
        self.lost, self.connected = False, True
        self._window_ns = None

    def take(self, received_ns: int) -> None:
        """A packet arrived."""
        if self._window_ns is None:
            self._window_ns, self._in_window, self._share = received_ns, 0, 1.0
        else:
            self._in_window += 1
        self._last_ns = max(received_ns, self._last_ns or received_ns)
        if received_ns - self._window_ns >= RATE_S * 1e9:
            rate_hz = self._in_window * 1e9 / (received_ns - self._window_ns)
            self._rates_hz.append(rate_hz)
            self._share = rate_hz / median(self._rates_hz)
            self._window_ns, self._in_window = received_ns, 0

    def quality(self, now_ns: int) -> LinkQuality:
        """How the link is at `now_ns` on the host's clock."""
        if self._last_ns is None:
            if self.connected and not self.lost:
                return LinkQuality(4, "connected", 0.0, self.battery_pct)
            return LinkQuality(0, "looking", 0.0, self.battery_pct)
        silent_s = max(now_ns - self._last_ns, 0) * 1e-9
        if self.lost:
            return LinkQuality(0, "lost", silent_s, self.battery_pct)
        if silent_s > SILENT_S:
            return LinkQuality(0, "silent", silent_s, self.battery_pct)
        bars = 1 + sum(self._share >= step for step in (0.6, WEAK, 0.95))
        return LinkQuality(bars, "good" if self._share >= WEAK else "weak", silent_s, self.battery_pct)
