"""The nouns: what flows between sources, stages and views.

Blocks of numbers are structured arrays: one row an instant, both feet on axis 1 (index = `Foot`), and an `ok` mask
instead of NaN. `NewType` names keep them apart for the type checker. Units are SI and radians.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, Literal, NamedTuple, NewType

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


class Foot(IntEnum):
    """A foot, and its index on the foot axis of every block."""

    LEFT = 0
    RIGHT = 1

    @property
    def word(self) -> str:
        """`left` or `right`, as files and people say it."""
        return self.name.lower()


Movement = Literal["heels-apart", "one-leg"]
Posture = Literal["prone", "hook-lying", "table-top", "seated"]


class Packet(NamedTuple):
    """One message of a sensor as it came: the unit of recording and of replay."""

    received_ns: int
    """Host's monotonic clock when the message arrived."""
    foot: Foot
    channel: str
    """Which of the sensor's streams it came on, in the words of its module in `devices/`."""
    payload: bytes


class Note(NamedTuple):
    """What happened between packets, as recordings keep it: `link`, `battery`, `clock`, `note` and so on."""

    at_ns: int
    """Host's monotonic clock."""
    kind: str
    fields: Mapping[str, Any]


Message = Packet | Note
"""What comes from a source, in the order in which it happened."""


@dataclass(frozen=True, slots=True)
class SensorInfo:
    """What is known of the sensor on one foot before its first packet."""

    device: str
    """Module name in `devices/`."""
    name: str = ""
    """What the sensor calls itself."""
    info: bytes = b""
    """Whatever its decoder needs besides the packets (ranges, rates), as its module defines it."""


@dataclass(frozen=True, slots=True)
class RecordingHeader:
    """First line of a recording (recordings/README.md)."""

    feet: Mapping[Foot, SensorInfo]
    started_at: str | None = None
    """ISO 8601 with offset."""
    simulated: bool = False
    movement: Movement = "heels-apart"
    software: Mapping[str, str] = field(default_factory=dict)


# --- blocks of numbers ------------------------------------------------------------------------------------------

SAMPLE: Final = np.dtype(
    [
        ("foot", "i1"),
        ("epoch", "i4"),  # +1 whenever the sensor's clock or counter started anew: no time may be compared across
        ("counter", "i8"),  # unwrapped sample number within the epoch; a jump is a loss
        ("device_ns", "i8"),  # the sensor's own clock, unwrapped; for a sensor without one: counter x nominal period
        ("received_ns", "i8"),  # host's monotonic clock when the packet that held the sample arrived
        ("acc_m_s2", "f8", (3,)),
        ("gyr_rad_s", "f8", (3,)),
        ("saturated", "?"),
    ]
)
Samples = NewType("Samples", np.ndarray[Any, np.dtype[np.void]])
"""(n,) of SAMPLE in the sensor's frame, in the order of each foot's counter."""

FRAME: Final = np.dtype(
    [
        ("time_s", "f8"),  # session time: seconds from the recording's first sample
        ("ok", "?", (2,)),  # false where that foot's numbers are interpolated over lost samples or held
        ("acc_m_s2", "f8", (2, 3)),
        ("gyr_rad_s", "f8", (2, 3)),
    ]
)
Frames = NewType("Frames", np.ndarray[Any, np.dtype[np.void]])
"""(n,) of FRAME: both feet on one clock, evenly spaced at FRAME_RATE_HZ, in each sensor's own frame."""

POSE: Final = np.dtype(
    [
        ("time_s", "f8"),
        ("ok", "?", (2,)),
        ("q_earth_sensor", "f8", (2, 4)),
        ("rate_rad_s", "f8", (2, 3)),  # angular rate in the sensor frame, gyroscope bias removed
        ("acc_m_s2", "f8", (2, 3)),  # specific force in the sensor frame
    ]
)
Poses = NewType("Poses", np.ndarray[Any, np.dtype[np.void]])
"""(n,) of POSE: orientation of both shanks, each in an earth frame (z-up) with its own heading."""

HEEL: Final = np.dtype(
    [
        ("time_s", "f8"),
        ("ok", "?", (2,)),
        ("q_earth_sensor", "f8", (2, 4)),
        ("rate_rad_s", "f8", (2, 3)),
        ("acc_m_s2", "f8", (2, 3)),
        ("still", "?", (2,)),
        ("turning_point", "?"),  # both shanks together are slower than just before and just after
    ]
)
HeelSignal = NewType("HeelSignal", np.ndarray[Any, np.dtype[np.void]])
"""(n,) of HEEL: the poses, and how much the shanks moved at that instant. The opening depends on a set's own axes."""

GRAVITY_M_S2: Final = 9.80665
"""Standard gravity: the g in every maker's scale factor, and within half a per cent what is felt anywhere on Earth."""
FRAME_RATE_HZ: Final = 100.0
"""Rate of frames and all that follows. Tremor (8 to 12 Hz) needs 40 or more; the cost of replay grows with it."""
SHORTEST_GAP: Final = 10
"""Fewer frames than this (0.1 s) without a foot are no gap, neither of the foot nor of a rep: radios lose that now and
then."""

LOW_BATTERY_PCT: Final = 15
"""A sensor whose battery holds no more than this is to be charged. Larger: people are told before they need to."""


# --- results ----------------------------------------------------------------------------------------------------

PerFoot = tuple[float | None, float | None]
"""(left, right); None where that foot was not measured."""


class Check(NamedTuple):
    """One rule put to one movement: what was measured, the limit, and whether it passed. The explanation of a rep."""

    rule: str
    value: float
    limit: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Rep:
    """One opening and return. Boundaries are the 10 % and 90 % crossings of the heel opening's range."""

    start_s: float
    open_s: float
    close_s: float
    end_s: float
    pause_s: float | None
    """From this rep's end to the next one's start; None for the last of a set, and where no foot was seen meanwhile."""
    range_rad: PerFoot
    """Highest opening minus the rest level before and after, per foot; None of a foot that was away in it."""
    range_sd_rad: PerFoot
    """Standard uncertainty of `range_rad`."""
    opening_rad: float
    """Range of the heel opening (both legs together; the one leg in `one-leg`)."""
    peak_speed_rad_s: PerFoot
    """Highest opening speed, per foot."""
    return_speed_rad_s: PerFoot
    """Highest speed on the way back, per foot."""
    smoothness: PerFoot
    """SPARC of the angular rate (dimensionless, negative, nearer to zero is smoother)."""
    tremor_rad_s: float | None
    """RMS angular rate between 8 and 12 Hz during the hold, both feet; None where the hold is too short."""
    lag_s: float | None
    """How much later the right leg opens than the left."""
    flags: tuple[str, ...] = ()
    """`partial`, `one_sided`, `gap` (a foot was away in it)."""
    checks: tuple[Check, ...] = ()

    @property
    def is_measured(self) -> bool:
        """Whether a foot was there in the whole of it: if none was, its boundaries are but the gap's, or a guess."""
        return self.range_rad != (None, None)

    @property
    def concentric_s(self) -> float | None:
        """Time from start to open; None where it was not measured."""
        return self.open_s - self.start_s if self.is_measured else None

    @property
    def hold_s(self) -> float | None:
        """Time from open to close; None where it was not measured."""
        return self.close_s - self.open_s if self.is_measured else None

    @property
    def eccentric_s(self) -> float | None:
        """Time from close to end; None where it was not measured."""
        return self.end_s - self.close_s if self.is_measured else None

    @property
    def mean_speed_rad_s(self) -> PerFoot:
        """Mean opening speed from 10 % to 90 % of the range, per foot; no opening is told to take less than a frame."""
        left, right = self.range_rad
        share = 0.8 / max(self.open_s - self.start_s, 1.0 / FRAME_RATE_HZ)
        return (None if left is None else share * left, None if right is None else share * right)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A movement that was looked at and not counted."""

    start_s: float
    end_s: float
    why: str
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Tempo:
    """Median phases of a set in the order they are written: `1.2-0.4-1.4-0.5`; None where none was measured."""

    concentric_s: float | None
    hold_s: float | None
    eccentric_s: float | None
    pause_s: float | None


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean over reps, the spread from rep to rep (standard deviation), and the mean's standard uncertainty."""

    mean: float
    sd: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class Symmetry:
    """Right against left: 100 (R - L) / ((R + L) / 2) of the ranges, with a 95 % interval and plain words."""

    index_pct: float
    interval_pct: tuple[float, float]
    verdict: str


@dataclass(frozen=True, slots=True)
class Fatigue:
    """How a set changed against its own first reps: losses in per cent, and the evidence."""

    detected: bool
    from_rep: int | None
    """1-based number of the first of the reps that showed it."""
    range_loss_pct: float | None
    speed_loss_pct: float | None
    slowing_pct: float | None
    evidence: tuple[str, ...]
    reference_range_rad: float | None = None
    """The heel opening of the best early reps, against which losses are taken; None where it is that of one leg alone
    because the other was lost in some reps."""


@dataclass(frozen=True, slots=True)
class SetSummary:
    """Reps with no long rest between them, measured again on the set's own axes."""

    start_s: float
    end_s: float
    rest_before_s: float | None
    posture: Posture | None
    reps: tuple[Rep, ...]
    tempo: Tempo
    range_rad: tuple[Spread | None, Spread | None]
    symmetry: Symmetry | None
    fatigue: Fatigue
    axes: tuple[tuple[float, float, float] | None, tuple[float, float, float] | None]
    """Axis that each shank turned about, a unit vector in its sensor's frame; a positive rotation opens."""


@dataclass(frozen=True, slots=True)
class FootStats:
    """What came from one sensor."""

    device: str
    samples: int
    lost: int
    rate_hz: float
    gaps: tuple[tuple[float, float], ...]
    malformed: int = 0
    saturated: int = 0


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One recording, summed up: all that `--json` and the report say."""

    duration_s: float
    movement: Movement
    posture: Posture | None
    feet: Mapping[Foot, FootStats]
    sets: tuple[SetSummary, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Opening of each leg over the whole session, for plots: even steps, final axes inside sets."""

    time_s: FloatArray
    """(n,) session time, rising."""
    ok: BoolArray
    """(n, 2) false where that foot's opening is interpolated, held or unknown."""
    opening_rad: FloatArray
    """(n, 2) opening per foot, from its rest."""


# --- events: all that leaves the pipeline -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RepCounted:
    """A rep was completed. `number` counts within the set from 1; at `decided_s` in the data it was decided."""

    set_number: int
    number: int
    decided_s: float
    rep: Rep


@dataclass(frozen=True, slots=True)
class RepsCorrected:
    """The set's count changed on a second look: what was announced, what holds now, and why."""

    set_number: int
    announced: int
    count: int
    decided_s: float
    why: str


@dataclass(frozen=True, slots=True)
class SetEnded:
    """A set is over and has been measured as a whole."""

    set_number: int
    decided_s: float
    summary: SetSummary


@dataclass(frozen=True, slots=True)
class FootLost:
    """No samples of one foot for a while: counting goes on with the other."""

    foot: Foot
    from_s: float


@dataclass(frozen=True, slots=True)
class FootBack:
    """A lost foot's samples are coming again."""

    foot: Foot
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The last event of every session."""

    summary: SessionSummary


Event = RepCounted | RepsCorrected | Rejected | SetEnded | FootLost | FootBack | SessionEnded
