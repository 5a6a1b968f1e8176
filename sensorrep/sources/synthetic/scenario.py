"""What a simulated wearer does, with which sensors, over which radio: plain frozen choices.

Angles are in degrees, as a person would say them. Vary a scenario with `dataclasses.replace`.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, cast, get_args

from sensorrep.model import Foot, Posture

PerLeg = tuple[float, float]
RestMovement = Literal["still", "fidget", "relax", "mixed"]
OutageKind = Literal["stall", "away", "dead", "reboot"]


@dataclass(frozen=True, slots=True)
class Fatigue:
    """A set that gets harder: losses grow evenly from `from_rep` (1-based) to the last rep, as fractions."""

    from_rep: int = 4
    range_loss: float = 0.3
    slowing: float = 0.15
    """Opening takes this much longer by the last rep, and the return this much less."""
    tremor: float = 5.0
    """Tremor grows by this factor."""


@dataclass(frozen=True, slots=True)
class Set:
    """Reps of heels apart. Rep numbers count from 1."""

    reps: int = 8
    range_deg: PerLeg = (12.0, 12.0)
    tempo_s: tuple[float, float, float, float] = (1.2, 0.4, 1.4, 0.6)
    """Concentric, hold, eccentric, pause, between the 10 % and 90 % crossings."""
    variation: float = 0.06
    """Standard deviation from rep to rep of range and times, as a fraction."""
    fatigue: Fatigue | None = None
    partial: tuple[int, ...] = ()
    """Reps that reach less than half the range."""
    one_sided: tuple[tuple[int, Foot], ...] = ()
    """Reps in which only this foot opens."""
    bounce: tuple[int, ...] = ()
    """Reps with partial dips at the top before the return."""
    hesitate: tuple[int, ...] = ()
    """Reps with a stop on the way out."""
    sag: float = 0.03
    """Fraction of the range lost during the hold."""
    lag_s: float = 0.0
    """How much later the right foot moves than the left."""
    incomplete: float = 0.0
    """Fraction of the range that the feet do not come back, on average."""
    tremor_deg: float = 0.006
    """Amplitude of 8 to 12 Hz tremor per leg under load, when fresh."""
    drift_deg: float = 2.0
    """How far knees and pelvis wander over the set."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A rest of this length: `still`, with `fidget`s, with the legs lowered (`relax`), or `mixed`."""

    seconds: float = 35.0
    movement: RestMovement = "mixed"


@dataclass(frozen=True, slots=True)
class KneeBends:
    """Knees straighten by `size_deg` and bend again, both together or one after the other."""

    count: int = 1
    size_deg: float = 70.0
    seconds: float = 2.4
    alternate: bool = False


@dataclass(frozen=True, slots=True)
class Fidget:
    """Aimless movements in random directions, of one leg or both, never both heels outward."""

    count: int = 1
    size_deg: tuple[float, float] = (2.0, 25.0)


@dataclass(frozen=True, slots=True)
class OneLeg:
    """One leg alone turns out and back on the exercise axis, outside any set."""

    foot: Foot = Foot.LEFT
    count: int = 1
    size_deg: float = 12.0
    seconds: float = 2.2


@dataclass(frozen=True, slots=True)
class Sway:
    """Both feet go to the same side and back: the pelvis rolls, the hips follow."""

    count: int = 1
    size_deg: float = 10.0
    seconds: float = 2.4
    both_sides: bool = False


@dataclass(frozen=True, slots=True)
class RollOver:
    """Legs straight, the whole body turns by `size_deg` and back."""

    size_deg: float = 70.0
    seconds: float = 4.0


@dataclass(frozen=True, slots=True)
class Adjust:
    """Hands pull at the band: irregular jerks of one leg or both."""

    seconds: float = 6.0


@dataclass(frozen=True, slots=True)
class ToeTap:
    """One foot taps: small shakes of the shank with a knock at each."""

    count: int = 8
    rate_hz: float = 2.0


@dataclass(frozen=True, slots=True)
class Stand:
    """Gets up (where not standing yet) and stands."""

    seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Walk:
    """Gets up (where not standing yet) and walks."""

    steps: int = 8
    steps_per_s: float = 1.75


@dataclass(frozen=True, slots=True)
class SitToStand:
    """Gets up from the exercise position, or from a seat, and back, again and again."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class Squats:
    """Gets up (where not standing yet) and bends the knees, on feet that stay where they are."""

    count: int = 1
    lean_deg: float = 25.0
    """How far the shanks lean forward over the feet."""
    seconds: float = 2.6


@dataclass(frozen=True, slots=True)
class ChairRises:
    """Gets up (where not standing yet), sits down on a chair and rises, on feet that stay where they are."""

    count: int = 1
    lean_deg: float = 18.0
    """How far the shanks lean forward over the feet on either way."""
    seconds: float = 1.6
    """One way."""


Activity = (
    Set
    | Rest
    | KneeBends
    | Fidget
    | OneLeg
    | Sway
    | RollOver
    | Adjust
    | ToeTap
    | Stand
    | Walk
    | SitToStand
    | Squats
    | ChairRises
)


@dataclass(frozen=True, slots=True)
class Sensor:
    """An ankle sensor. None means: drawn from the seed. Defaults are those of a good part (LSM6DS3TR-C class)."""

    rate_hz: float = 100.0
    rate_error: float | None = None
    """How much faster than nominal its oscillator samples, as a fraction; drawn within 1.5 %."""
    samples_per_packet: int = 4
    acc_range_g: int = 16
    gyr_range_dps: int = 2000
    gyr_bias_dps: float = 0.7
    """Standard deviation per axis from which the bias is drawn."""
    gyr_walk_dps: float = 0.003
    """Random walk of the bias, per square root of a second."""
    gyr_noise_dps: float = 0.008
    """White noise per square root of a hertz."""
    acc_bias_m_s2: float = 0.1
    acc_noise_m_s2: float = 0.0015
    """White noise per square root of a hertz."""
    scale_error: float = 0.005
    """Standard deviation per axis, accelerometer and gyroscope."""
    height_m: float | None = None
    """Distance from the knee's axis; drawn from 0.28 to 0.38 m."""
    q_shank_sensor: tuple[float, float, float, float] | None = None
    """How it sits in its strap (w first; shank: x forward, y left, z up the leg); drawn round the shank, tilted."""
    wobble_deg: float = 0.0
    """RMS by which its strap tilts on the skin about each axis while the leg turns; a tenth of it at rest."""
    shake_deg: float = 0.0
    """By how much the soft tissue under it lags behind a leg that starts or stops hard, before it rings on."""
    first_counter: int = 0
    boot_s: float | None = None
    """Its clock's age at the start; drawn over 71 minutes, so that the 32 bits may wrap."""
    clock_ppm: float | None = None
    """How much its clock gains; drawn within 40."""

    def __post_init__(self) -> None:
        if not 1 <= self.samples_per_packet <= 19:
            raise ValueError(f"a packet holds 1 to 19 samples, not {self.samples_per_packet}")


CHEAP: Final = Sensor(
    gyr_bias_dps=5.0,
    gyr_walk_dps=0.02,
    gyr_noise_dps=0.08,
    acc_bias_m_s2=0.5,
    acc_noise_m_s2=0.015,
    scale_error=0.03,
)
"""A bad sensor: large bias, ten times the noise, 3 % scale error."""


@dataclass(frozen=True, slots=True)
class Link:
    """A radio link: sample to arrival."""

    interval_s: float = 0.015
    """Connection interval: packets leave only at its multiples. 0 for none."""
    latency_s: float = 0.004
    """Least time from a connection event to the host's stamp."""
    jitter_s: float = 0.001
    """Mean of the host's own delay (exponential)."""
    retry: float = 0.02
    """Probability that a packet waits for the next connection event."""
    loss: float = 0.0
    """Probability that a packet never arrives."""
    duplicate: float = 0.0
    """Probability that a packet arrives twice."""
    reorder: float = 0.0
    """Probability that a packet is overtaken by the next."""
    stalls_per_min: float = 0.0
    """How often nothing arrives for 1.5 s and then all at once."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A fault of one foot, in seconds from the recording's begin.

    `stall`: packets are held back, then come in a burst. `away`: packets of that time never arrive. `dead`: the
    sensor measures nothing, its clock goes on. `reboot`: it is dead, then starts with a new counter and clock.
    """

    foot: Foot
    start_s: float
    seconds: float
    kind: OutageKind = "away"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One session: who does what, and with what."""

    posture: Posture = "prone"
    activities: tuple[Activity, ...] = (Set(),)
    left: Sensor | None = Sensor()
    """None: no sensor on that foot."""
    right: Sensor | None = Sensor()
    link: Link = Link()
    outages: tuple[Outage, ...] = ()
    begin_s: float = 0.0
    """Seconds of the wearer's doings that pass before the recording begins."""
    end_s: float | None = None
    """When the recording is cut off, on the same clock; None: when all is done."""
    lies_ready: bool = False
    """Begins in the exercise position and not standing."""

    def sensor(self, foot: Foot) -> Sensor | None:
        """The sensor on a foot, if it wears one."""
        return (self.left, self.right)[foot]


def typical(
    posture: str = "prone",
    *,
    sets: int = 3,
    reps: int = 8,
    range_deg: PerLeg = (12.0, 12.0),
    tempo_s: tuple[float, float, float, float] = (1.2, 0.4, 1.4, 0.6),
    rest_s: float = 35.0,
    **options: Any,
) -> Scenario:
    """A whole session: standing, walking, getting into position, sets with rests between, and getting up again.

    `options` are further fields of `Set` (for every set) or of `Scenario`.
    """
    if posture not in get_args(Posture):
        raise ValueError(f"no such posture: {posture!r}")
    of_set = {field.name for field in fields(Set)} & options.keys()
    one = Set(reps, range_deg, tempo_s, **{name: options.pop(name) for name in of_set})
    work: list[Activity] = []
    for number in range(sets):
        work += [one] if number == 0 else [Rest(rest_s), one]
    before: tuple[Activity, ...] = (Stand(2.0), Walk(6), Stand(1.0), Adjust(), Rest(4.0, "fidget"))
    scenario = Scenario(cast("Posture", posture), (*before, *work, Rest(5.0, "still"), Stand(3.0)))
    return replace(scenario, **options)
