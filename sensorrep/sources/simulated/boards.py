"""What simulated sensors do: sample the wearer's motion on a clock of their own, obey commands, send packets. Pure.

Times are true seconds on the motion's clock. A board samples all the time; what it sends depends on what it was told.
"""

import struct
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

import numpy as np

from sensorrep.devices import diy, witmotion
from sensorrep.model import GRAVITY_M_S2, FloatArray, Foot, IntArray
from sensorrep.sources.synthetic import Sensor
from sensorrep.sources.synthetic.body import Motion
from sensorrep.sources.synthetic.sensor import FIRST, Run, info, measure, messages, scales

BATTERY: Final = "00002a19-0000-1000-8000-00805f9b34fb"
PROCESSING_S: Final = 0.001
"""From the last sample of a packet until the radio has it."""
_ACC_RANGES_G: Final = (2, 4, 8, 16)
_GYR_RANGES_DPS: Final = (125, 250, 500, 1000, 2000)
_RATES_HZ: Final = (26, 52, 104, 208)
"""Of the LSM6DS3TR-C, which its Info says it is."""


class Sent(NamedTuple):
    """A notification as the board has it ready, and the time of its first sample (0 where it has none)."""

    ready_s: float
    characteristic: str
    payload: bytes
    first_s: float = 0.0


class Board(Protocol):
    """A sensor that can be connected to."""

    name: str
    service: str
    characteristics: tuple[str, ...]
    battery_pct: int

    @property
    def period_s(self) -> float:
        """Between packets."""
        ...

    def boot(self, now_s: float) -> None:
        """Begin with new clock and counter, everything as the factory set it."""
        ...

    def connected(self, mtu: int) -> None:
        """A host has connected."""
        ...

    def disconnected(self) -> None:
        """The host is gone."""
        ...

    def read(self, characteristic: str) -> bytes:
        """Value of a characteristic. Raises KeyError where it has none to read."""
        ...

    def write(self, characteristic: str, payload: bytes, now_s: float) -> list[Sent]:
        """Obey a command; the notifications that answer it."""
        ...

    def produce(self, until_s: float) -> list[Sent]:
        """Packets that became ready since the last call."""
        ...


class _Sampling:
    """Samples of the wearer's motion at a board's own rate, from boot on; after the motion's end its last second."""

    def __init__(self, motion: Motion, foot: Foot, sensor: Sensor, error: float, seed: int) -> None:
        self.sensor = sensor
        rng = np.random.default_rng([seed, foot])
        self.period_s = 1.0 / (sensor.rate_hz * (1.0 + error))
        self.begin_s = float(motion.time_s[0]) + float(rng.random()) * self.period_s
        count = int((float(motion.time_s[-1]) - self.begin_s) / self.period_s)
        self._times_s = self.times_s(0, count)
        self._readings = measure(motion, foot, sensor, self._times_s, rng).astype(np.int16)
        self._again = min(round(sensor.rate_hz), count)

    def first(self, now_s: float) -> int:
        """Number of the next sample."""
        return max(int(np.ceil((now_s - self.begin_s) / self.period_s)), 0)

    def count(self, first: int, until_s: float) -> int:
        """How many samples there are from number `first` on, up to a time."""
        return max(int((until_s - self.begin_s) / self.period_s) + 1 - first, 0)

    def times_s(self, first: int, count: int) -> FloatArray:
        """(count,) true times."""
        return np.asarray(self.begin_s + (first + np.arange(count)) * self.period_s)

    def readings(self, first: int, count: int) -> IntArray:
        """(count, 6) int16 readings, acceleration before angular rate."""
        number = first + np.arange(count)
        end = len(self._times_s)
        number = np.where(number < end, number, end - self._again + (number - end) % self._again)
        return self._readings[number].astype(np.int64)


class DiyBoard:
    """A board that speaks the open profile (firmware_notes/diy.md)."""

    service = diy.SERVICE
    characteristics = (*diy.CHANNELS.values(), BATTERY)

    def __init__(self, name: str, motion: Motion, foot: Foot, sensor: Sensor, seed: int) -> None:
        self.name = name
        self.battery_pct = 87
        self._motion, self._foot, self._seed, self._factory = motion, foot, seed, sensor
        self._rng = np.random.default_rng([seed, foot, 1])
        error, ppm, boot_s = self._rng.uniform(-0.015, 0.015), self._rng.uniform(-40, 40), self._rng.uniform(0, 4294.0)
        self._error = float(error if sensor.rate_error is None else sensor.rate_error)
        self._gain = 1.0 + 1e-6 * float(ppm if sensor.clock_ppm is None else sensor.clock_ppm)
        self._samplings: dict[Sensor, _Sampling] = {}
        self._next = self._zero = self._flag = 0
        self.boot(-float(boot_s if sensor.boot_s is None else sensor.boot_s))

    @property
    def period_s(self) -> float:
        """Between packets."""
        return self._sampling.period_s * self._sampling.sensor.samples_per_packet

    def boot(self, now_s: float) -> None:
        """Begin with new clock and counter, everything as the factory set it."""
        self._boot_s = now_s
        self._generation = 0
        self._streaming = False
        self._configure(self._factory)

    def connected(self, mtu: int) -> None:
        """Nothing changes: the profile leaves it to the host to see whether packets fit."""

    def disconnected(self) -> None:
        """Stop streaming, as the profile asks."""
        self._streaming = False

    def read(self, characteristic: str) -> bytes:
        """Info or battery."""
        if characteristic == BATTERY:
            return bytes([self.battery_pct])
        if characteristic != diy.CHANNELS["info"]:
            raise KeyError(characteristic)
        said = bytearray(info(self._sampling.sensor, self._foot))
        said[3] = self._generation & 0xFF
        return bytes(said)

    def write(self, characteristic: str, payload: bytes, now_s: float) -> list[Sent]:
        """Start, stop, configure, or tell the clock; anything else is refused with status 2."""
        if characteristic != diy.CHANNELS["control"] or not payload:
            return []
        answer = bytes([payload[0] | 0x80, 2])
        match payload[0]:
            case 0x01 if len(payload) == 2 and 1 <= payload[1] <= 19:
                self._begin(payload[1], now_s)
                answer = b"\x81\0"
            case 0x02:
                self._streaming = False
                answer = b"\x82\0"
            case 0x03 if len(payload) == 7:
                answer = b"\x83\1" if self._streaming else b"\x83\0"
                if not self._streaming:
                    self._take(*struct.unpack("<xHBHB", payload))
            case 0x06 if len(payload) == 5:
                clock_us = int((now_s - self._boot_s) * self._gain * 1e6)
                answer = (
                    b"\x86\0" + payload[1:] + struct.pack("<II", *(us & 0xFFFFFFFF for us in (clock_us, clock_us + 40)))
                )
        return [Sent(now_s + PROCESSING_S, characteristic, answer)]

    def produce(self, until_s: float) -> list[Sent]:
        """Packets that became ready since the last call."""
        if not self._streaming:
            return []
        sampling = self._sampling
        size = sampling.sensor.samples_per_packet
        count = sampling.count(self._next, until_s - PROCESSING_S) // size * size
        if not count:
            return []
        times_s = sampling.times_s(self._next, count)
        clock_s = (times_s - self._boot_s) * self._gain
        run = Run(times_s, self._next - self._zero + np.arange(count), clock_s, self._flag)
        sent = messages(sampling.sensor, run, sampling.readings(self._next, count), self._rng)
        self._next, self._flag = self._next + count, 0
        generation = (self._generation & 15) << 4
        return [
            Sent(
                one.last_s + PROCESSING_S,
                diy.CHANNELS["data"],
                one.payload[:1] + bytes([one.payload[1] | generation]) + one.payload[2:],
                one.first_s,
            )
            for one in sent
        ]

    def _begin(self, samples: int, now_s: float) -> None:
        self._configure(replace(self._sampling.sensor, samples_per_packet=samples))
        self._streaming, self._flag = True, FIRST
        self._next = self._zero = self._sampling.first(now_s)

    def _take(self, rate_hz: int, acc_g: int, gyr_dps: int, samples: int) -> None:
        """The nearest rate that it has, the next wider ranges."""
        self._generation += 1
        self._configure(
            replace(
                self._factory,
                rate_hz=float(min(_RATES_HZ, key=lambda rate: abs(rate - rate_hz))),
                acc_range_g=next((wide for wide in _ACC_RANGES_G if wide >= acc_g), _ACC_RANGES_G[-1]),
                gyr_range_dps=next((wide for wide in _GYR_RANGES_DPS if wide >= gyr_dps), _GYR_RANGES_DPS[-1]),
                samples_per_packet=min(max(samples, 1), 19),
            )
        )

    def _configure(self, sensor: Sensor) -> None:
        """The samples at these settings; the same again when they come again."""
        if sensor not in self._samplings:
            self._samplings = {sensor: _Sampling(self._motion, self._foot, sensor, self._error, self._seed)}
        self._sampling = self._samplings[sensor]


class WitMotionBoard:
    """A WT901BLE / WT9011DCL: frames without clock or counter, as many in a notification as fit, from boot on."""

    service = witmotion.SERVICE
    characteristics = tuple(witmotion.CHANNELS.values())
    _RATES_HZ: Final = {0x06: 10, **{code: rate for rate, code in witmotion.RATE_CODES.items()}}

    def __init__(self, name: str, motion: Motion, foot: Foot, sensor: Sensor, seed: int) -> None:
        self.name = name
        self.battery_pct = 90
        self._motion, self._foot, self._seed = motion, foot, seed
        self._sensor = replace(sensor, acc_range_g=16, gyr_range_dps=2000)
        error = np.random.default_rng([seed, foot, 1]).uniform(-0.01, 0.01)
        self._error = float(error if sensor.rate_error is None else sensor.rate_error)
        self._per_packet = 1
        self._now_s = 0.0
        self.boot(0.0)

    @property
    def period_s(self) -> float:
        """Between packets."""
        return self._sampling.period_s * self._per_packet

    def boot(self, now_s: float) -> None:
        """Begin at the factory's 10 Hz."""
        self._now_s = now_s
        self._set_rate(0x06)

    def connected(self, mtu: int) -> None:
        """Pack as many frames as fit, four at most."""
        self._per_packet = min(max((mtu - 3) // 20, 1), 4)

    def disconnected(self) -> None:
        """It goes on sampling at the rate that was set."""

    def read(self, characteristic: str) -> bytes:
        """Nothing can be read."""
        raise KeyError(characteristic)

    def write(self, characteristic: str, payload: bytes, now_s: float) -> list[Sent]:
        """Set the rate, or read a register; other registers are taken and change nothing."""
        if characteristic != witmotion.CHANNELS["command"] or len(payload) != 5 or payload[:2] != b"\xff\xaa":
            return []
        register, value = payload[2], int.from_bytes(payload[3:], "little")
        if register == 0x03 and value in self._RATES_HZ:
            self._now_s = now_s
            self._set_rate(value)
        if register != 0x27:
            return []
        centivolts = next(least for least, percent in witmotion.BATTERY_STEPS[::-1] if percent >= self.battery_pct)
        answer = witmotion.REGISTER_HEADER + struct.pack("<H8H", value, centivolts, *[0] * 7)
        return [Sent(now_s + PROCESSING_S, witmotion.CHANNELS["frames"], answer)]

    def produce(self, until_s: float) -> list[Sent]:
        """Packets that became ready since the last call; those of the time before are gone."""
        size = self._per_packet
        sampling = self._sampling
        count = sampling.count(self._next, until_s - PROCESSING_S) // size * size
        if not count:
            return []
        times_s = sampling.times_s(self._next, count)
        frames = self._frames(sampling.readings(self._next, count))
        self._next += count
        return [
            Sent(
                float(times_s[at + size - 1]) + PROCESSING_S,
                witmotion.CHANNELS["frames"],
                frames[at : at + size].tobytes(),
                float(times_s[at]),
            )
            for at in range(0, count, size)
        ]

    def _frames(self, readings: IntArray) -> np.ndarray:
        step = scales(self._sensor)
        frames = np.zeros(len(readings), [("header", "u1", 2), ("values", "<i2", 9)])
        frames["header"] = list(witmotion.MOTION_HEADER)
        own = np.repeat([step.acc_m_s2 / (16 * GRAVITY_M_S2 / 32768), step.gyr_dps / (2000 / 32768)], 3)
        frames["values"][:, :6] = np.clip(np.rint(readings * own), -32768, 32767)
        return frames

    def _set_rate(self, code: int) -> None:
        sensor = replace(self._sensor, rate_hz=float(self._RATES_HZ[code]))
        self._sampling = _Sampling(self._motion, self._foot, sensor, self._error, self._seed)
        self._next = self._sampling.first(self._now_s)
