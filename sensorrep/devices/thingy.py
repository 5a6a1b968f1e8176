"""Nordic Thingy:52 (firmware_notes/thingy.md).

One raw sample a notification, without counter or clock: samples are counted, and `device_ns` is the count times the
nominal period. Its accelerometer clips at 2 g and reads gravity where others read specific force.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sensorrep.devices import Pause, Read, Script, Subscribe, Write
from sensorrep.devices.wire import DPS_RAD_S, PAUSE_NS, Renewed, blank, expect, heard, nearest_rate, received
from sensorrep.model import GRAVITY_M_S2, Packet, Samples

MODEL: Final = "thingy"
TITLE: Final = "Nordic Thingy:52"
SERVICE: Final = "ef680100-9b35-4933-9b10-52ffa9740042"
CHANNELS: Final = {
    "config": "ef680401-9b35-4933-9b10-52ffa9740042",
    "raw": "ef680406-9b35-4933-9b10-52ffa9740042",
}
TIMES: Final = "count"
MIN_MTU: Final = 23

RATES_HZ: Final = (50, 100)
"""Fractions of the chip's own 200 Hz; frames are made at 100."""
ROW: Final = np.dtype([("acc", "<i2", 3), ("gyr", "<i2", 3), ("mag", "<i2", 3)])
ACC_M_S2: Final = -GRAVITY_M_S2 / 1024
"""Minus: the firmware turns the accelerometer round, so that an axis that points down reads +1 g, and leaves the
gyroscope as it is. Specific force, which everything here expects, is +1 g along an axis that points up."""
GYR_RAD_S: Final = DPS_RAD_S / 32
ACC_CLIPPED: Final = 2027
"""From 1.98 of 2 g."""
GYR_CLIPPED: Final = 32736
"""The firmware cuts rates off at 1023 deg/s, though the chip is set to 2000."""


def recognises(name: str | None, services: Sequence[str]) -> bool:
    """By its service or exact name; a Thingy:53 is another thing and has no raw stream."""
    return SERVICE in (service.lower() for service in services) or name == "Thingy"


def start(rate_hz: float) -> Script:
    """Set the rate, then subscribe, which starts the sensor. It is kept in flash and written only if it differs."""
    rate = nearest_rate(RATES_HZ, rate_hz)
    config = yield Read("config")
    if parse_rate(config) != rate:
        yield Write("config", config[:6] + rate.to_bytes(2, "little") + config[8:])
        yield Pause(0.5)
    yield Subscribe("raw")
    return rate.to_bytes(2, "little")


def stop() -> Script:
    """Nothing to do: the sensor stops when the subscription or the link ends."""
    yield from ()
    return b""


def nominal_hz(info: bytes) -> float:
    """The rate that the sensor was set to."""
    return float(int.from_bytes(info[:2], "little"))


def parse_rate(config: bytes) -> int:
    """Motion rate in Hz as the motion configuration says it."""
    expect(len(config) == 9, f"Thingy: the motion configuration has {len(config)} bytes, not 9")
    return int.from_bytes(config[6:8], "little")


class Raw(NamedTuple):
    """One notification, as it stands: (3,) in 1/1024 g, (3,) in 1/32 deg/s."""

    acc: npt.NDArray[np.int16]
    gyr: npt.NDArray[np.int16]


def parse_raw(payload: bytes) -> Raw:
    """Raw motion. Raises PayloadError."""
    expect(len(payload) == ROW.itemsize, f"Thingy: raw motion has {len(payload)} bytes, not {ROW.itemsize}")
    row = np.frombuffer(payload, ROW)[0]
    return Raw(row["acc"], row["gyr"])


class Reader:
    """Notifications -> samples, one each under one info. State: epoch, count, the last arrival.

    A notification whose acceleration is exactly zero holds just a magnetometer's value: it is no sample.
    """

    def __init__(self, info: bytes) -> None:
        rate = int.from_bytes(info, "little")
        expect(len(info) == 2 and rate in RATES_HZ, f"Thingy: info must be a rate in Hz, not {info.hex()!r}")
        self.malformed = 0
        self._period_ns = 1_000_000_000 // rate
        self._epoch = 0
        self._count = 0
        self._last_ns: int | None = None

    def push(self, packets: Sequence[Packet]) -> Samples:
        """Samples of these packets; a pause in their arrival starts a new epoch."""
        mine, foreign = heard(packets, "raw", CHANNELS)
        good = [packet for packet in mine if len(packet.payload) == ROW.itemsize]
        self.malformed += foreign + len(mine) - len(good)
        rows = np.frombuffer(b"".join(packet.payload for packet in good), ROW)
        motion = (rows["acc"] != 0).any(axis=1)
        rows, received_ns = rows[motion], received(good)[motion]
        samples = blank(len(rows))
        if not len(rows):
            return samples
        first_ns = int(received_ns[0]) if self._last_ns is None else self._last_ns
        anew = np.diff(received_ns, prepend=first_ns) > PAUSE_NS
        index = np.arange(len(rows))
        begin = np.maximum.accumulate(np.where(anew, index, -self._count))
        samples["epoch"] = self._epoch + np.cumsum(anew)
        samples["counter"] = index - begin
        samples["device_ns"] = samples["counter"] * self._period_ns
        samples["received_ns"] = received_ns
        samples["acc_m_s2"] = rows["acc"] * ACC_M_S2
        samples["gyr_rad_s"] = rows["gyr"] * GYR_RAD_S
        for axes, clipped in (("acc", ACC_CLIPPED), ("gyr", GYR_CLIPPED)):
            samples["saturated"] |= (np.abs(rows[axes].astype(np.int32)) >= clipped).any(axis=1)
        self._epoch, self._count = int(samples["epoch"][-1]), int(samples["counter"][-1]) + 1
        self._last_ns = int(received_ns[-1])
        return samples


Decoder: Final = partial(Renewed, Reader)
"""What the decode stage runs: `Decoder(info)`."""
