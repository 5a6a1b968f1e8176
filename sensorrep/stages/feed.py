"""One foot's samples onto the host's clock; a clock that is new waits for its first fit. Part of `deskew`."""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from sensorrep import records
from sensorrep.devices import device
from sensorrep.model import FloatArray, IntArray, Samples
from sensorrep.stages.clock import COUNT_HOLD_NS, HOLD_NS, RESUME_NS, Clock
from sensorrep.stages.track import NEVER_NS, Timed

LEAST_HOLE_NS: Final = 60_000_000
"""No interval up to this is a hole, however high the rate: time stamps made from arrivals jitter by a connection
interval (50 ms)."""
REJOIN_NS: Final = (-20_000_000, 1_000_000_000)
"""A new epoch whose first sample arrives this much after its time on the old epoch's clock goes on with that clock: the
sensor was stopped and started, not rebooted, and needs no new fit. A reboot cannot pass for that: it takes longer."""


class _Columns(NamedTuple):
    """One foot's samples of a block; `at` is the row of each."""

    at: IntArray
    epoch: IntArray
    counter: IntArray
    device_ns: IntArray
    received_ns: IntArray
    values: FloatArray
    """(6, n): acceleration, angular rate."""


def _columns(samples: Samples, at: IntArray) -> _Columns:
    if len(at) < len(samples):
        samples = Samples(records.picked(samples, at))
    values = np.empty((6, len(at)))
    values[:3], values[3:] = samples["acc_m_s2"].T, samples["gyr_rad_s"].T
    counter, device_ns, received_ns = (samples[name].copy() for name in ("counter", "device_ns", "received_ns"))
    return _Columns(at, samples["epoch"].copy(), counter, device_ns, received_ns, values)


class Feed:
    """Times one foot's samples.

    State: the clock and what was known of the one before it, and the samples that wait for it. Samples that are only
    counted begin anew after each pause; the old clock goes on with them if those of the next half second are on time.
    """

    def __init__(self, model: str) -> None:
        self._times = device(model).TIMES
        self._epoch = -1
        self._clock: Clock | None = None
        self._known_slope: float | None = None
        self._held: list[_Columns] = []
        self._holds: list[tuple[int, int]] = [(-1, 0)]
        """From which row of this block on samples are held, and for how long (0: not)."""
        self._interval_ns = 0.0
        self._skip_ns = 0
        """Makes a count that began anew after a pause go on from the old one."""
        self._until_device_ns = self._until_received_ns = NEVER_NS
        """What sample ends the hold: the first that is not before either."""
        self._device_ns = NEVER_NS
        self._longest_ns = 0.0

    @property
    def is_held(self) -> bool:
        """Whether samples are, or in this block were, held."""
        return self._holds != [(-1, 0)]

    def push(self, samples: Samples, at: IntArray) -> list[Timed]:
        """Those of the foot's samples, at these rows of a block, and of the ones before that are timed now."""
        columns = _columns(samples, at)
        epoch = columns.epoch
        if epoch[0] == epoch[-1]:
            return self._push_epoch(columns)
        bounds = [0, *(np.flatnonzero(epoch[1:] != epoch[:-1]) + 1).tolist(), len(epoch)]
        return [timed for begin, end in pairwise(bounds) for timed in self._push_epoch(_rows(columns, begin, end))]

    def holds_ns(self, rows: int) -> IntArray | int:
        """For how long samples are held, before a block of so many rows and after each: (rows + 1,), or one for all.

        To be asked once after each block.
        """
        holds, self._holds = self._holds, [(-1, self._holds[-1][1])]
        if len(holds) == 1:
            return holds[0][1]
        held_ns = np.empty(rows + 1, np.int64)
        for row, hold_ns in holds:
            held_ns[row + 1 :] = hold_ns
        return held_ns

    def release(self, at: int) -> list[Timed]:
        """What was held, timed with what there is."""
        if not self._held:
            return []
        self._holds.append((at, 0))
        columns = self._joined()
        self._held = []
        columns.at.fill(at)
        if self._clock and not self._clock.goes_on(columns.device_ns, columns.received_ns):
            self._leave_clock()
        if not self._clock:
            self._interval_ns, counted = _interval(columns.device_ns, columns.counter)
            self._longest_ns = max(2.5 * self._interval_ns, LEAST_HOLE_NS)
            first_ns, received_ns = int(columns.device_ns[0]), int(columns.received_ns[0])
            self._clock = Clock(first_ns, received_ns, counted or self._times == "count", self._known_slope)
        return [self._time(columns)]

    def _push_epoch(self, columns: _Columns) -> list[Timed]:
        timed = []
        if columns.epoch[0] != self._epoch:
            timed = self.release(int(columns.at[0]))
            self._epoch = int(columns.epoch[0])
            self._begin_epoch(columns)
        device_ns = np.maximum.accumulate(np.maximum(columns.device_ns + self._skip_ns, self._device_ns))
        self._device_ns = int(device_ns[-1])
        columns = columns._replace(device_ns=device_ns)
        while self._holds[-1][1]:
            ready = int(np.searchsorted(columns.device_ns, self._until_device_ns))
            ready = max(ready, int(np.searchsorted(columns.received_ns, self._until_received_ns)))
            self._held.append(_rows(columns, 0, ready))
            columns = _rows(columns, ready, len(columns.at))
            if not len(columns.at):
                return timed
            if not self._holds_on(int(columns.at[0])):
                timed += self.release(int(columns.at[0]))
        return [*timed, self._time(columns)]

    def _begin_epoch(self, columns: _Columns) -> None:
        """Go on with the clock, or hold samples until it is known to go on, or for a new one."""
        at, first_ns, received_ns = int(columns.at[0]), int(columns.device_ns[0]), int(columns.received_ns[0])
        self._skip_ns, self._until_device_ns, self._until_received_ns = 0, NEVER_NS, NEVER_NS
        if self._times == "count" and self._clock and self._clock.is_fitted:
            self._skip_ns = self._device_ns + round(self._interval_ns) - first_ns
            self._until_received_ns = received_ns + RESUME_NS
            self._holds.append((at, HOLD_NS))
        elif self._times == "count" or not self._rejoins(first_ns, received_ns):
            self._leave_clock()
            self._device_ns, self._until_device_ns = first_ns, first_ns + HOLD_NS
            self._holds.append((at, HOLD_NS))

    def _rejoins(self, device_ns: int, received_ns: int) -> bool:
        late_ns = self._clock.lateness_ns(device_ns, received_ns) if self._clock else np.inf
        return REJOIN_NS[0] <= late_ns <= REJOIN_NS[1]

    def _holds_on(self, at: int) -> bool:
        """Whether more samples are held from this row on, since those so far do not tell a count's rate and begin."""
        held = self._joined()
        until_ns = int(held.received_ns[0]) + COUNT_HOLD_NS
        if self._times != "count" or self._until_received_ns >= until_ns or self._known_slope is not None:
            return False
        if self._clock and (self._clock.is_sure or self._clock.goes_on(held.device_ns, held.received_ns)):
            return False
        self._until_received_ns = until_ns
        self._holds.append((at, COUNT_HOLD_NS))
        return True

    def _leave_clock(self) -> None:
        if self._clock and self._clock.is_sure:
            self._known_slope = self._clock.slope
        self._clock = None

    def _joined(self) -> _Columns:
        return _Columns(*(np.concatenate(parts, axis=-1) for parts in zip(*self._held, strict=True)))

    def _time(self, columns: _Columns) -> Timed:
        time_ns = columns.device_ns
        if self._clock and self._times != "session":
            time_ns = self._clock.push(columns.device_ns, columns.received_ns)
        return Timed(columns.at, time_ns, self._epoch, columns.counter, columns.values, self._longest_ns)


def _rows(columns: _Columns, begin: int, end: int) -> _Columns:
    rows = slice(begin, end)
    at, epoch, counter, device_ns, received_ns, values = columns
    return _Columns(at[rows], epoch[rows], counter[rows], device_ns[rows], received_ns[rows], values[:, rows])


def _interval(device_ns: IntArray, counter: IntArray) -> tuple[float, bool]:
    """Usual time between samples (0 if unknown), and whether the sensor's time only counts them."""
    if len(counter) < 2:
        return 0.0, False
    step_ns, step = np.diff(device_ns), np.diff(counter)
    interval_ns = float(np.median(step_ns / step))
    return interval_ns, bool((np.abs(step_ns - step * interval_ns) <= 2).all())
