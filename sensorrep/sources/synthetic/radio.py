"""Messages -> arrivals at the host: connection events, retries, loss, duplicates, overtaking, stalls."""

import numpy as np

from sensorrep.model import FloatArray, Foot, Packet
from sensorrep.sources.synthetic.scenario import Link, Outage
from sensorrep.sources.synthetic.sensor import Message

STALL_S = 1.5


def arrivals(
    sent: list[Message],
    foot: Foot,
    link: Link,
    faults: tuple[Outage, ...],
    zero_s: float,
    host_ns: int,
    rng: np.random.Generator,
) -> list[tuple[float, Packet]]:
    """Packets with their first samples' true times.

    `zero_s`: true time from which outages count; `host_ns`: the host's clock at true time 0.
    """
    count = len(sent)
    last_s = np.array([message.last_s for message in sent])
    lost, twice, overtaken, retried = rng.random((4, count))
    ready_s = last_s + 0.001
    phase = rng.random()
    if link.interval_s:
        event = np.ceil(ready_s / link.interval_s - phase) + np.floor(
            np.log(retried + 1e-300) / np.log(link.retry or 1e-300)
        )
        ready_s = (event + phase) * link.interval_s
    came_s = ready_s + link.latency_s + rng.exponential(link.jitter_s, size=count)
    span_s = float(last_s[-1] - last_s[0]) if count else 0.0
    stalls = rng.uniform(0.0, span_s, size=rng.poisson(link.stalls_per_min * span_s / 60.0)) if count else np.zeros(0)
    windows = [(float(last_s[0]) + at_s, STALL_S) for at_s in stalls]
    windows += [(zero_s + fault.start_s, fault.seconds) for fault in faults if fault.kind == "stall"]
    for start_s, seconds in windows:
        held = (came_s >= start_s) & (came_s < start_s + seconds)
        came_s[held] = start_s + seconds
    came_s = _in_order(came_s)
    came_s = came_s + (overtaken < link.reorder) * 1.2 * (np.median(np.diff(last_s)) if count > 1 else 0.0)
    gone = lost < link.loss
    for fault in faults:
        if fault.kind == "away":
            gone |= (ready_s >= zero_s + fault.start_s) & (ready_s < zero_s + fault.start_s + fault.seconds)
    again_s = came_s + rng.uniform(0.0002, 0.03, size=count)
    return [
        (sent[at].first_s, Packet(host_ns + round(1e9 * float(times_s[at])), foot, "data", sent[at].payload))
        for times_s, chosen in ((came_s, ~gone), (again_s, ~gone & (twice < link.duplicate)))
        for at in np.flatnonzero(chosen).tolist()
    ]


def _in_order(came_s: FloatArray) -> FloatArray:
    """A link keeps its order; packets that come together are some 100 microseconds apart."""
    apart_s = 1e-4 * np.arange(len(came_s))
    return np.asarray(np.maximum.accumulate(came_s - apart_s) + apart_s)
