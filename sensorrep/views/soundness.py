"""Is a recording sound? What came from each sensor, what was lost, and what the clocks did."""

import json
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from sensorrep.devices import device
from sensorrep.errors import PayloadError
from sensorrep.model import Foot, IntArray, Packet, RecordingHeader, Samples
from sensorrep.stages.decode import Decode
from sensorrep.stages.deskew import Deskew
from sensorrep.views.arrivals import Arrivals, arrivals, last_samples
from sensorrep.views.formats import number, plural

LOST_LIMIT: Final = 0.01
LOW_RATE_HZ: Final = 40.0
"""Tremor (8 to 12 Hz) is not seen below this, and rep boundaries get coarse."""
OFF_LIMIT: Final = 0.1
"""Oscillators are off by a few per cent, a sensor that was not set as asked by a factor."""
LATE_LIMIT_S: Final = 1.0
"""A cue that comes later than this no longer belongs to its rep."""

SELF_EVIDENT: Final = ("foot", "state", "text")
"""Fields of an event whose values need no name beside them."""


class Source(Protocol):
    """A recording or a table being read."""

    path: Path
    header: RecordingHeader
    events: list[dict[str, Any]]
    closed_cleanly: bool

    @property
    def damage(self) -> list[str]: ...  # noqa: D102

    def blocks(self) -> Iterator[Sequence[Packet]]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class FootInspection:
    """What came from one sensor."""

    device: str
    name: str
    packets: Mapping[str, int]
    """By channel."""
    samples: int
    lost: int
    duplicates: int
    late: int
    """Samples that came too late to be put in order, or to be used."""
    malformed: int
    saturated: int
    rate_hz: float
    """Samples per second of the host's clock, holes left out."""
    nominal_hz: float | None
    """What the sensor was set to; None where it never said."""
    gaps: tuple[tuple[float, float], ...]
    """(start_s, end_s), from the recording's first sample; 0.1 s and longer."""
    arrivals: Arrivals | None
    """None for a table, which no radio brought."""
    battery: tuple[str, ...]
    """First and last level that was recorded."""
    round_trips_s: tuple[float, ...]
    """How long each answer took when it was asked for its clock."""

    @property
    def lost_share(self) -> float:
        """Of the samples that the sensor took, 0 to 1."""
        return self.lost / max(1, self.lost + self.samples)

    @property
    def longest_gap_s(self) -> float:
        """0 where there is none."""
        return max((end - start for start, end in self.gaps), default=0.0)


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that `inspect` shows."""

    source: str
    header: RecordingHeader
    duration_s: float
    feet: Mapping[Foot, FootInspection]
    events: tuple[tuple[float | None, str, str], ...]
    """(seconds from the first packet, kind, the rest as text), without the answers in `round_trips_s`: one every ten
    seconds, they would hide what else happened."""
    damage: tuple[str, ...]
    closed_cleanly: bool

    @property
    def right_slower_ppm(self) -> float | None:
        """How much slower the right sensor's clock runs than the left's; None where one of them is not known."""
        slow = [foot.arrivals.slow_ppm for foot in self.feet.values() if foot.arrivals is not None]
        return None if len(slow) < 2 or slow[0] is None or slow[1] is None else slow[1] - slow[0]


def inspect(recording: Source, blocks: Iterable[Sequence[Packet]] | None = None) -> Inspection:
    """Read a recording or a table to its end; `blocks` are its own, where somebody watches the progress."""
    watch = _Watch(recording.header)
    for packets in recording.blocks() if blocks is None else blocks:
        watch.packets(packets)
    watch.finish()
    return Inspection(
        source=recording.path.name,
        header=recording.header,
        duration_s=(watch.last_ns - watch.first_ns) * 1e-9,
        feet={foot: watch.foot(foot, recording.events) for foot in sorted(recording.header.feet)},
        events=tuple(
            _event(event, watch.first_ns)
            for event in recording.events
            if all(_round_trip_s(foot, event) is None for foot in recording.header.feet)
        ),
        damage=tuple(recording.damage),
        closed_cleanly=recording.closed_cleanly,
    )


class _Watch:
    """The first two stages of a replay, and what passes through them."""

    def __init__(self, header: RecordingHeader) -> None:
        self.first_ns = 0
        self.last_ns = 0
        self._sensors = header.feet
        self._infos = {foot: sensor.info for foot, sensor in header.feet.items()}
        self._channels: Counter[tuple[Foot, str]] = Counter()
        self._decode = Decode(header.feet)
        self._deskew = Deskew(header.feet)
        self._last: dict[Foot, list[IntArray]] = {foot: [] for foot in Foot}

    def packets(self, packets: Sequence[Packet]) -> None:
        each = list(packets)  # columns would make the objects anew at each look
        if not self._channels:
            self.first_ns = self.last_ns = each[0].received_ns
        self._channels.update((packet.foot, packet.channel) for packet in each)
        self._infos |= {packet.foot: packet.payload for packet in each if packet.channel == "info"}
        times_ns = [packet.received_ns for packet in each]
        self.first_ns, self.last_ns = min(self.first_ns, *times_ns), max(self.last_ns, *times_ns)
        self._samples(self._decode.push(packets))

    def finish(self) -> None:
        self._samples(self._decode.finish())
        self._deskew.finish()

    def _samples(self, blocks: list[Samples]) -> None:
        for samples in blocks:
            self._deskew.push(samples)
            for foot in self._sensors:
                self._last[foot].append(last_samples(Samples(samples[samples["foot"] == foot])))

    def foot(self, foot: Foot, events: list[dict[str, Any]]) -> FootInspection:
        sensor = self._sensors[foot]
        return FootInspection(
            device=sensor.device,
            name=sensor.name,
            packets={channel: count for (of, channel), count in sorted(self._channels.items()) if of == foot},
            samples=self._decode.samples[foot],
            lost=self._decode.lost[foot],
            duplicates=self._decode.duplicates[foot],
            late=self._decode.late[foot] + self._deskew.late[foot],
            malformed=self._decode.malformed[foot],
            saturated=self._decode.saturated[foot],
            rate_hz=self._deskew.rate_hz[foot],
            nominal_hz=nominal_hz(sensor.device, self._infos[foot]),
            gaps=tuple(self._deskew.gaps[foot]),
            arrivals=None if sensor.device == "table" else arrivals(self._last[foot]),
            battery=_battery(foot, events),
            round_trips_s=tuple(took for event in events if (took := _round_trip_s(foot, event)) is not None),
        )


def nominal_hz(model: str, info: bytes) -> float | None:
    """None where there is no info, or it is not readable."""
    try:
        return device(model).nominal_hz(info) or None
    except (PayloadError, ArithmeticError, LookupError, struct.error):
        return None


def _battery(foot: Foot, events: list[dict[str, Any]]) -> tuple[str, ...]:
    levels = []
    for event in events:
        match event.get("battery"):
            case {"foot": foot.word, "percent": int() | float() as percent}:
                levels.append(f"{percent:.0f} %")
            case {"foot": foot.word, "volts": int() | float() as volts}:
                levels.append(f"{volts:.2f} V")
    return (levels[0], levels[-1]) if levels else ()


def _round_trip_s(foot: Foot, event: Mapping[str, Any]) -> float | None:
    match event.get("clock"):
        case {"foot": foot.word, "round_trip_us": int() | float() as took_us}:
            return took_us * 1e-6
    return None


def _event(event: Mapping[str, Any], first_ns: int) -> tuple[float | None, str, str]:
    kind = next(iter(event), "")
    fields = event.get(kind)
    if len(event) != 1 or type(fields) is not dict:
        return None, kind, _text(event)
    at_ns = fields.get("at_ns")
    rest = [
        _text(value) if key in SELF_EVIDENT else f"{key} {_text(value)}"
        for key, value in fields.items()
        if key != "at_ns"
    ]
    at_s = (at_ns - first_ns) * 1e-9 if isinstance(at_ns, int) and abs(at_ns) < 1 << 63 else None
    return at_s, kind, ", ".join(rest)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def concerns(inspection: Inspection) -> list[str]:
    """What is wrong with a recording, or may make its numbers worse; empty for a sound one."""
    found = [] if inspection.closed_cleanly else ["it was not closed cleanly: its end may be missing"]
    found += inspection.damage
    if not any(foot.samples for foot in inspection.feet.values()):
        return [*found, "it holds no samples"]
    for foot, one in inspection.feet.items():
        found += [f"{foot.word}: {words}" for words in _foot_concerns(one)]
    return found


def _foot_concerns(foot: FootInspection) -> Iterator[str]:
    if not foot.samples:
        yield "no samples came from this sensor"
        return
    if foot.lost_share > LOST_LIMIT:
        yield f"{number(100 * foot.lost_share)} % of the samples are lost"
    if foot.gaps:
        yield f"{plural(len(foot.gaps), 'gap')}, the longest {number(foot.longest_gap_s)} s"
    if foot.rate_hz < LOW_RATE_HZ:
        yield f"{number(foot.rate_hz)} Hz is too slow to see tremor: set the sensor to 50 Hz or more"
    if foot.nominal_hz and abs(foot.rate_hz / foot.nominal_hz - 1) > OFF_LIMIT:
        yield f"{number(foot.rate_hz)} Hz came of the {number(foot.nominal_hz)} that it was set to"
    if foot.saturated:
        yield f"{plural(foot.saturated, 'sample')} beyond the sensor's limit: set a larger range"
    if foot.malformed:
        yield f"{plural(foot.malformed, 'packet')} could not be read: the firmware may be newer than this program"
    link = foot.arrivals
    if link is not None and link.restarts:
        yield f"the sensor started anew {plural(link.restarts, 'time')}"
    if link is not None and link.delay_max_s is not None and link.delay_max_s > LATE_LIMIT_S:
        yield f"a packet came {number(link.delay_max_s)} s late"
