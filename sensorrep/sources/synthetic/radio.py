"""Messages -> arrivals at the host: connection events, retries, loss, duplicates, overtaking, stalls."""

from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import BoolArray, FloatArray, Foot, Packet
from sensorrep.sources.synthetic.scenario import Link, Outage
from sensorrep.sources.synthetic.sensor import Message

_STALL_S: Final = 1.5
_PROCESSING_S: Final = 0.001
"""From the last sample of a packet until the sensor's radio has it."""
_APART_S: Final = 1e-4
"""Between packets that come in one burst."""


class Arrival(NamedTuple):
    """A packet at the host, and the true time of its first sample."""

    first_s: float
    packet: Packet


def receive(
    sent: list[Message],
    foot: Foot,
    link: Link,
    faults: tuple[Outage, ...],
    begin_s: float,
    host_ns: int,
    rng: np.random.Generator,
) -> list[Arrival]:
    """What comes of a sensor's messages. `begin_s`: when outages count from; `host_ns`: the host's clock at time 0."""
    if not sent:
        return []
    delay_rng, fate_rng, stall_rng = rng.spawn(3)
    last_s = np.array([message.last_s for message in sent])
    lost, twice, overtaken, again_s = fate_rng.random((4, len(sent)))
    left_s = _departures(last_s + _PROCESSING_S, link, delay_rng)
    came_s = left_s + link.latency_s + delay_rng.exponential(link.jitter_s, size=len(sent))
    stalls = stall_rng.uniform(
        last_s[0], last_s[-1], size=stall_rng.poisson(link.stalls_per_min * np.ptp(last_s) / 60.0)
    )
    held = [(float(start_s), _STALL_S) for start_s in np.sort(stalls)]
    held += [(begin_s + fault.start_s, fault.seconds) for fault in faults if fault.kind == "stall"]
    for start_s, seconds in sorted(held):
        came_s[_within(came_s, start_s, seconds)] = start_s + seconds
    came_s = _in_order(came_s)
    came_s[overtaken < link.reorder] += 1.2 * float(np.mean(np.diff(last_s))) if len(sent) > 1 else 0.0
    heard = lost >= link.loss
    for fault in faults:
        if fault.kind == "away":
            heard &= ~_within(left_s, begin_s + fault.start_s, fault.seconds)
    return [
        Arrival(sent[at].first_s, Packet(host_ns + round(1e9 * float(times_s[at])), foot, "data", sent[at].payload))
        for times_s, chosen in ((came_s, heard), (came_s + 0.03 * again_s, heard & (twice < link.duplicate)))
        for at in np.flatnonzero(chosen).tolist()
    ]


def _departures(ready_s: FloatArray, link: Link, rng: np.random.Generator) -> FloatArray:
    """When each packet leaves the sensor: at the next connection event, or at a later one after retries."""
    phase, missed = rng.random(), rng.geometric(1.0 - link.retry, size=len(ready_s)) - 1
    if not link.interval_s:
        return ready_s
    event = np.ceil(ready_s / link.interval_s - phase) + missed
    return np.asarray((event + phase) * link.interval_s)


def _within(time_s: FloatArray, start_s: float, seconds: float) -> BoolArray:
    return np.asarray((time_s >= start_s) & (time_s < start_s + seconds))


def _in_order(came_s: FloatArray) -> FloatArray:
    """A link keeps its order."""
    apart_s = _APART_S * np.arange(len(came_s))
    return np.asarray(np.maximum.accumulate(came_s - apart_s) + apart_s)
