"""Any board with a six-axis IMU that speaks the open 'ankle IMU profile v1' (firmware_notes/diy.md).

Every packet says the number of its first sample and the sensor's clock at that sample, so loss is counted exactly
and no time is guessed from arrival. Both are short (16 bits, 32 bits of microseconds) and wrap; they are unwrapped by
the value nearest to what the next better clock expects, so a packet out of order is never taken for a wrap.
"""

import struct
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sensorrep import packets as columns
from sensorrep.devices import Await, Mtu, Read, Script, Subscribe, Write
from sensorrep.devices.wire import DPS_RAD_S, blank, joined, nearest, periods_ns
from sensorrep.errors import PayloadError, RadioError, RadioReason
from sensorrep.model import GRAVITY_M_S2, BoolArray, FloatArray, IntArray, Packet, Samples

MODEL: Final = "diy"
TITLE: Final = "DIY board (ankle IMU profile v1)"
SERVICE: Final = "8a140001-558f-4e85-b10b-dd170d9c3a8e"
CHANNELS: Final = {
    "info": "8a140002-558f-4e85-b10b-dd170d9c3a8e",
    "data": "8a140003-558f-4e85-b10b-dd170d9c3a8e",
    "control": "8a140004-558f-4e85-b10b-dd170d9c3a8e",
}
TIMES: Final = "clock"
MIN_MTU: Final = 3 + 8 + 12
"""Three bytes of ATT, the header, and one sample."""

ACC_RANGE_G: Final = 8
"""Setting a heel down stays below 8 g at the ankle; a smaller range clips it, a larger one adds only noise."""
GYR_RANGE_DPS: Final = 1000
"""Openings reach 300 deg/s, walking and knee bends 500 and, now and then, more: 500 would clip the very movement that
says which way apart is. The coarser step costs 0.01 deg/s rms, a third of the sensor's own noise."""

CLOCK_TOLERANCE_US: Final = 10_000_000
"""How far a packet's clock may be from what arrival times expect before it is another clock (a reboot). Larger than
any silence that a link survives; a reboot announces itself by its first packet's flag as well."""
CLOCK_DRIFT: Final = 1e-3
"""Allowance on top for long silences."""
COUNTER_TOLERANCE_US: Final = 1_000_000
"""How far counter times period may be from the clock between two packets before the counter has started anew."""
PERIOD_TOLERANCE: Final = 0.05
"""Allowance on top for long silences: IMUs' own oscillators are off by a few per cent."""
REORDER_US: Final = 2_000_000
"""A 'first packet' flag on a packet older than this is a new start, on a younger one a packet out of order."""

_INFO: Final = struct.Struct("<BBBBIffHHBBHII")
_HEAD_BYTES: Final = struct.Struct("<BBHI")
_HEAD: Final = np.dtype([("kind", "u1"), ("flags", "u1"), ("counter", "<u2"), ("t_us", "<u4")])
_KIND: Final = 0x11
_START, _STOP, _CONFIGURE, _PING, _ANSWER = 0x01, 0x02, 0x03, 0x06, 0x80
_OVERRUN, _FIRST = 0x02, 0x04


class Info(NamedTuple):
    """What the Info characteristic says: how the sensor is set, and what its numbers mean."""

    imu: int
    side: int
    """0 unknown, 1 left, 2 right."""
    generation: int
    """Changes with every configuration; the low four bits are in each packet's flags."""
    period_ns: int
    acc_m_s2_per_lsb: float
    gyr_deg_s_per_lsb: float
    acc_range_g: int
    gyr_range_deg_s: int
    samples_per_packet: int
    max_payload: int
    firmware: int
    capabilities: int

    @property
    def configurable(self) -> bool:
        """Whether the sensor takes rate and ranges from us."""
        return bool(self.capabilities & 1)


class Message(NamedTuple):
    """One Data packet: `raw` is (n, 6) int16, accelerometer before gyroscope."""

    flags: int
    counter: int
    t_us: int
    raw: npt.NDArray[np.int16]


def recognises(name: str | None, services: Sequence[str]) -> bool:
    """Whether an advertisement is one of this profile's."""
    return SERVICE in (service.lower() for service in services) or (name or "").startswith(("REP-L-", "REP-R-"))


def start(rate_hz: float) -> Script:
    """Stop whatever runs, configure what can be, start; returns the Info bytes that hold from then on."""
    info = yield Read("info")
    parsed = parse_info(info)
    yield Subscribe("control")
    yield Write("control", bytes([_STOP]))
    yield Await("control", bytes([_STOP | _ANSWER]))
    mtu = int.from_bytes((yield Mtu()), "little")
    # Four samples near 100 Hz: some 25 packets a second, 40 ms of latency, 56 bytes. Fewer where the link carries
    # no more.
    samples = max(1, min(4, round(rate_hz * 0.04), (min(parsed.max_payload, mtu - 3) - 8) // 12))
    if parsed.configurable:
        wanted = struct.pack("<BHBHB", _CONFIGURE, round(rate_hz), ACC_RANGE_G, GYR_RANGE_DPS, samples)
        yield Write("control", wanted)
        yield Await("control", bytes([_CONFIGURE | _ANSWER]))  # if it refuses, Info says what it does instead
        info = yield Read("info")
        parse_info(info)
    yield Subscribe("data")
    yield Write("control", bytes([_START, samples]))
    answer = yield Await("control", bytes([_START | _ANSWER]))
    if answer[1:2] != b"\0":
        raise RadioError(RadioReason.WRONG_FIRMWARE, f"the sensor refused to start (answer {answer.hex(' ')})")
    return info


def stop() -> Script:
    """Stop streaming."""
    yield Write("control", bytes([_STOP]))
    return b""


def nominal_hz(info: bytes) -> float:
    """The rate that the sensor was set to."""
    return 1e9 / parse_info(info).period_ns


def parse_info(payload: bytes) -> Info:
    """The 32 bytes of Info. Raises PayloadError where they are not version 1 or contradict themselves."""
    if len(payload) != _INFO.size:
        raise PayloadError(f"Info has {len(payload)} bytes, not {_INFO.size}")
    version, *fields = _INFO.unpack(payload)
    if version != 1:
        raise PayloadError(f"Info is of profile version {version}, this program knows version 1: update it")
    del fields[9]  # a reserved byte
    info = Info(*fields)
    if not 1_000_000 <= info.period_ns <= 1_000_000_000:
        raise PayloadError(f"Info gives a sample period of {info.period_ns} ns, not 1 ms to 1 s")
    # A scale in other units (g, rad/s) would pass every later check and spoil every number: hold it to the range.
    for word, lsb, full_scale in (
        ("accelerometer", info.acc_m_s2_per_lsb, info.acc_range_g * GRAVITY_M_S2),
        ("gyroscope", info.gyr_deg_s_per_lsb, float(info.gyr_range_deg_s)),
    ):
        if not 0.5 * full_scale < lsb * 32768 < 2 * full_scale:
            raise PayloadError(f"Info's {word} step of {lsb:g} does not fit its range")
    return info


def parse_data(payload: bytes) -> Message:
    """One Data packet. Raises PayloadError where it is of another kind or cut."""
    if not _is_length(len(payload)) or payload[0] != _KIND:
        raise PayloadError(f"no data packet of profile version 1: {payload[:8].hex(' ')} ({len(payload)} bytes)")
    head = np.frombuffer(payload, _HEAD, 1)[0]
    raw = np.frombuffer(payload, "<i2", offset=8).reshape(-1, 6)
    return Message(int(head["flags"]), int(head["counter"]), int(head["t_us"]), raw)


def ping(token: int) -> bytes:
    """Control message that asks for the sensor's clock."""
    return struct.pack("<BI", _PING, token)


def clock(token: int) -> Script:
    """Ask for the sensor's clock; returns the answer, for `parse_ping`."""
    yield Write("control", ping(token))
    return (yield Await("control", bytes([_PING | _ANSWER, 0]) + struct.pack("<I", token)))


class Ping(NamedTuple):
    """An answered clock ping: sensor clock minus host clock, modulo 2**32 us, good to half the round trip."""

    token: int
    offset_us: int
    round_trip_us: float


def parse_ping(payload: bytes, sent_ns: int, received_ns: int) -> Ping:
    """Answer of a clock ping and when the host sent and received (as NTP does). Raises PayloadError."""
    if len(payload) != 14 or payload[:2] != bytes([_PING | _ANSWER, 0]):
        raise PayloadError(f"no answer to a clock ping: {payload[:14].hex(' ')}")
    token, rx_us, tx_us = struct.unpack("<III", payload[2:])
    spent_us = (tx_us - rx_us) % 2**32
    offset_us = rx_us + spent_us // 2 - (sent_ns + received_ns) // 2000
    return Ping(token, offset_us % 2**32, (received_ns - sent_ns) / 1000 - spent_us)


class Decoder:
    """Packets of one sensor -> samples (`devices.Decoder`); an `info` packet renews what the numbers mean.

    Sample i of a packet is at t0 + i x period; the period is that between this packet and the one that came before
    it, from their own clocks and counters (Info's where they say nothing), so it follows the sensor's true rate
    without knowing the next packet. A packet whose configuration generation Info has not confirmed is refused.
    """

    def __init__(self, info: bytes) -> None:
        self.malformed = 0
        self._info = parse_info(info) if info else None
        self._last: _Last | None = None

    def push(self, packets: Sequence[Packet]) -> Samples:
        """Samples of these packets in order of arrival; `foot` is left 0."""
        if isinstance(packets, columns.Alike) and packets.channel == "data":
            return self._decode(packets)
        plain = self._plainly_placed(packets)
        if len(plain) == len(packets):
            return self._going_on(packets, plain)
        blocks = [self._going_on(packets[: len(plain)], plain)]
        packets = packets[len(plain) :]
        others = [i for i, packet in enumerate(packets) if packet.channel != "data"]
        begin = 0
        for i in [*others, len(packets)]:
            blocks.append(self._decode(packets[begin:i]))
            begin = i + 1
            if i < len(packets):
                self._take(packets[i])
        return joined(blocks)

    def _take(self, packet: Packet) -> None:
        """A packet that is no data: Info, or an answer on `control`, which is not ours to read."""
        if packet.channel == "control":
            return
        try:
            if packet.channel != "info":
                raise PayloadError(f"this sensor has no channel {packet.channel!r}")
            self._info = parse_info(packet.payload)
        except PayloadError:
            self.malformed += 1

    def _plainly_placed(self, packets: Sequence[Packet]) -> list["_Last"]:
        """Where the first packets lie, as long as each plainly goes on where the one before it ended: nearly all do."""
        plain: list[_Last] = []
        if self._info is None or self._last is None:
            return plain
        last, generation, period_ns = self._last, self._info.generation & 15, self._info.period_ns
        for received_ns, _, channel, payload in packets:
            if channel != "data" or not _is_length(len(payload)):
                break
            head = _Head(*_HEAD_BYTES.unpack_from(payload))
            if head.kind != _KIND or head.flags >> 4 != generation:
                break
            following = _follow(head, received_ns, period_ns, last)
            if following is None:
                break
            plain.append(following)
            last = following
        return plain

    def _going_on(self, packets: Sequence[Packet], plain: Sequence["_Last"]) -> Samples:
        """The samples of packets of which it is known where they lie."""
        if not plain or self._info is None:
            return blank(0)
        self._last = plain[-1]
        raw = np.frombuffer(b"".join([packet.payload[8:] for packet in packets]), "<i2").reshape(-1, 6)
        size = np.array([(len(packet.payload) - 8) // 12 for packet in packets])
        place = _Place(*(np.array(column) for column in zip(*(last[3:] for last in plain), strict=True)))
        return _samples(place, columns.arrivals_ns(packets), size, raw, self._info)

    def _decode(self, packets: Sequence[Packet]) -> Samples:
        info = self._info
        if not all(map(_is_length, columns.lengths(packets))):
            whole = [packet for packet in packets if _is_length(len(packet.payload))]
            self.malformed += len(packets) - len(whole)
            packets = whole
        if not packets or info is None:
            self.malformed += len(packets)
            return blank(0)
        head, size, raw = _unpack(packets)
        received_ns = columns.arrivals_ns(packets)
        good = (head["kind"] == _KIND) & (head["flags"] >> 4 == info.generation & 15)
        if not good.all():
            self.malformed += len(good) - int(np.count_nonzero(good))
            head, received_ns, raw, size = head[good], received_ns[good], raw[good.repeat(size)], size[good]
            if not len(head):
                return blank(0)
        place, self._last = _place(head, received_ns, info.period_ns, self._last)
        return _samples(place, received_ns, size, raw, info)


class _Head(NamedTuple):
    """A packet's first bytes."""

    kind: int
    flags: int
    counter: int
    t_us: int


class _Last(NamedTuple):
    """The packet that came last: its raw and unwrapped numbers, and the period then known."""

    raw_counter: int
    raw_us: int
    received_ns: int
    epoch: int
    counter: int
    t_us: int
    period_ns: float


class _Place(NamedTuple):
    """Where each packet lies: its first sample's number and clock, and the period that holds inside it."""

    epoch: IntArray
    counter: IntArray
    t_us: IntArray
    period_ns: FloatArray


def _is_length(length: int) -> bool:
    return 20 <= length <= 244 and (length - 8) % 12 == 0


@cache
def _message(samples: int) -> np.dtype[np.void]:
    return np.dtype([("head", _HEAD), ("raw", "<i2", (samples, 6))])


def _unpack(packets: Sequence[Packet]) -> tuple[npt.NDArray[np.void], IntArray, npt.NDArray[np.int16]]:
    """Heads (k,), number of samples (k,) and all raw samples (n, 6) of valid packets, one `frombuffer` a length."""
    if isinstance(packets, columns.Alike):
        rows = packets.payloads.view(_message((packets.payloads.shape[1] - 8) // 12))[:, 0]
        return rows["head"], np.full(len(rows), rows["raw"].shape[1]), rows["raw"].reshape(-1, 6)
    payloads = [packet.payload for packet in packets]
    lengths = list(map(len, payloads))
    size = (np.array(lengths) - 8) // 12
    first = np.cumsum(size) - size
    head = np.empty(len(lengths), _HEAD)
    raw = np.empty((int(size.sum()), 6), np.int16)
    for length in set(lengths):
        which = [i for i, other in enumerate(lengths) if other == length]
        rows = np.frombuffer(b"".join([payloads[i] for i in which]), _message((length - 8) // 12))
        head[which] = rows["head"]
        raw[first[which, None] + np.arange(rows["raw"].shape[1])] = rows["raw"]
    return head, size, raw


def _steps(values: IntArray, before: int) -> IntArray:
    """Difference of each value to the one before it."""
    steps = np.empty_like(values)
    steps[0] = values[0] - before
    np.subtract(values[1:], values[:-1], out=steps[1:])
    return steps


def _place(
    head: npt.NDArray[np.void], received_ns: IntArray, period_ns: int, last: _Last | None
) -> tuple[_Place, _Last]:
    """Unwrap counters and clocks of packets in order of arrival, each against the one before it.

    The device's clock is resolved by arrival times (2**32 us = 71.6 min apart), the counter by the device's clock:
    exact through a silence of 65536 x period / 2 / the oscillator's error (about 3 h at 100 Hz and 3 %).
    """
    raw_counter = head["counter"].astype(np.int64)
    raw_us = head["t_us"].astype(np.int64)
    if last is None:
        first, first_us = int(raw_counter[0]), int(raw_us[0])
        last = _Last(first, first_us, int(received_ns[0]), 0, first, first_us, period_ns)
    host_us = _steps(received_ns, last.received_ns) // 1000
    step_us = nearest(_steps(raw_us, last.raw_us), host_us, 2**32)
    expected = np.rint(step_us * (1000 / period_ns)).astype(np.int64)
    step = nearest(_steps(raw_counter, last.raw_counter), expected, 2**16)
    anew = _starts_anew(head["flags"], host_us, step_us, step, period_ns / 1000)

    epoch: IntArray = last.epoch + anew.cumsum()
    counter: IntArray = last.counter + step.cumsum()
    t_us: IntArray = last.t_us + step_us.cumsum()
    for i in np.flatnonzero(anew):
        counter[i:] += raw_counter[i] - counter[i]
        t_us[i:] += raw_us[i] - t_us[i]
    known_ns = periods_ns(step_us * 1000, step, ~anew, period_ns, last.period_ns)
    end = _Last(
        int(raw_counter[-1]), int(raw_us[-1]), int(received_ns[-1]),
        int(epoch[-1]), int(counter[-1]), int(t_us[-1]), float(known_ns[-1]),
    )  # fmt: skip
    return _Place(epoch, counter, t_us, known_ns), end


def _follow(head: _Head, received_ns: int, period_ns: int, last: _Last) -> _Last | None:
    """`_place` for one packet, where clock and counter plainly go on from the last one; None where they do not.

    In integers of Python's own: arrays of one cost ten times as much, and live packets come one by one. Within these
    tolerances the step forwards is the nearest to what is expected.
    """
    host_us = (received_ns - last.received_ns) // 1000
    step_us = (head.t_us - last.raw_us) % 2**32
    step = (head.counter - last.raw_counter) % 2**16
    other_clock = abs(step_us - host_us) > CLOCK_TOLERANCE_US
    other_counter = abs(step * (period_ns / 1000) - step_us) > COUNTER_TOLERANCE_US
    if head.flags & _FIRST or not step or other_clock or other_counter:
        return None
    measured_ns = step_us * 1000 / step
    known_ns = measured_ns if abs(measured_ns - period_ns) <= 0.1 * period_ns else last.period_ns
    counter, t_us = last.counter + step, last.t_us + step_us
    return _Last(head.counter, head.t_us, received_ns, last.epoch, counter, t_us, known_ns)


def _starts_anew(
    flags: npt.NDArray[np.uint8], host_us: IntArray, step_us: IntArray, step: IntArray, period_us: float
) -> BoolArray:
    """Which packets begin another run of clock or counter than the packet before them."""
    ahead_us = step_us - host_us
    off_us = step * period_us - step_us
    other_clock = np.abs(ahead_us) > CLOCK_TOLERANCE_US
    other_counter = np.abs(off_us) > COUNTER_TOLERANCE_US
    first: BoolArray = flags & _FIRST != 0
    if not (first | other_clock | other_counter).any():
        return first
    other_clock &= np.abs(ahead_us) > CLOCK_TOLERANCE_US + CLOCK_DRIFT * np.abs(host_us)
    other_counter &= np.abs(off_us) > COUNTER_TOLERANCE_US + PERIOD_TOLERANCE * np.abs(step_us)
    # A sensor that overran cannot always say by how much: then its counter lags the clock and still goes on.
    other_counter &= ~((flags & _OVERRUN != 0) & (step > 0) & (off_us < 0))
    out_of_order = (step <= 0) & (step_us <= 0) & (ahead_us > -REORDER_US)
    first &= ~out_of_order
    first |= other_clock | other_counter
    return first


def _samples(place: _Place, received_ns: IntArray, size: IntArray, raw: npt.NDArray[np.int16], info: Info) -> Samples:
    """Samples of k packets: where each lies, when it arrived and how many it holds (k), and all raw numbers (n, 6)."""
    samples = blank(len(raw))
    within = np.arange(len(raw)) - (np.add.accumulate(size) - size).repeat(size)
    samples["epoch"] = place.epoch.repeat(size)
    samples["counter"] = place.counter.repeat(size) + within
    period_ns = place.period_ns.repeat(size)
    samples["device_ns"] = place.t_us.repeat(size) * 1000 + np.rint(within * period_ns).astype(np.int64)
    samples["received_ns"] = received_ns.repeat(size)
    samples["acc_m_s2"] = raw[:, :3] * info.acc_m_s2_per_lsb
    samples["gyr_rad_s"] = raw[:, 3:] * (info.gyr_deg_s_per_lsb * DPS_RAD_S)
    if raw.max() >= 32767 or raw.min() <= -32767:
        samples["saturated"] = ((raw >= 32767) | (raw <= -32767)).any(axis=1)
    return samples
