"""Motion -> what an imperfect sensor says: int16 samples in the packets of the open profile for DIY sensors.

Model: misplaced zero, scale errors, white noise, a bias that walks, saturation, rounding; an oscillator that runs
fast or slow, a clock that gains, a counter. No anti-alias filter: the motion has next to nothing above 30 Hz but the
knocks of steps.
"""

import struct
from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import GRAVITY_M_S2, FloatArray, Foot, IntArray
from sensorrep.sources.synthetic.body import GRID_HZ, Motion
from sensorrep.sources.synthetic.scenario import Outage, Sensor

SATURATED, LOST_BEFORE, FIRST = 1, 2, 4
"""Flag bits of a packet."""
_ACC_LSB_G: Final = 3.05e-5  # per g of range: 0.488 mg at 16 g (LSM6DS3TR-C)
_GYR_LSB: Final = 3.5e-5  # dps per dps of range: 70 mdps at 2000 dps


class Scales(NamedTuple):
    """What one step of the int16 numbers means, as the sensor's Info says it (single precision)."""

    acc_m_s2: float
    gyr_dps: float


class Run(NamedTuple):
    """Samples of a sensor without a break: `begin` flags say how it came about."""

    time_s: FloatArray
    counter: IntArray
    clock_s: FloatArray
    begin: int


class Message(NamedTuple):
    """A packet as it leaves the sensor, and the true times of its first and last sample."""

    first_s: float
    last_s: float
    payload: bytes


def send(
    motion: Motion,
    foot: Foot,
    sensor: Sensor,
    between_s: tuple[float, float],
    faults: tuple[Outage, ...],
    rng: np.random.Generator,
) -> list[Message]:
    """All packets that a sensor sends between two true times."""
    runs_rng, noise_rng, clock_rng = rng.spawn(3)
    parts = runs(sensor, *between_s, faults, runs_rng)
    if not parts:
        return []
    readings = measure(motion, foot, sensor, np.concatenate([part.time_s for part in parts]), noise_rng)
    ends = np.cumsum([len(part.time_s) for part in parts])[:-1]
    return [
        message
        for part, readings_of in zip(parts, np.split(readings, ends), strict=True)
        for message in messages(sensor, part, readings_of, clock_rng)
    ]


def scales(sensor: Sensor) -> Scales:
    """Steps of the int16 numbers."""
    return Scales(
        float(np.float32(_ACC_LSB_G * sensor.acc_range_g * GRAVITY_M_S2)),
        float(np.float32(_GYR_LSB * sensor.gyr_range_dps)),
    )


def info(sensor: Sensor, foot: Foot) -> bytes:
    """The 32 bytes of Info."""
    step = scales(sensor)
    payload = 8 + 12 * sensor.samples_per_packet
    return struct.pack(
        "<BBBBIffHHBBHII",
        *(1, 1, foot + 1, 0),
        *(round(1e9 / sensor.rate_hz), step.acc_m_s2, step.gyr_dps),
        *(sensor.acc_range_g, sensor.gyr_range_dps),
        *(sensor.samples_per_packet, 0, max(payload, 244), 0x00010000, 0x0F),
    )


def runs(sensor: Sensor, from_s: float, to_s: float, faults: tuple[Outage, ...], rng: np.random.Generator) -> list[Run]:
    """True times, counters and clock of all samples between two true times, broken where the sensor was dead."""
    error = rng.uniform(-0.015, 0.015)
    ppm = rng.uniform(-40.0, 40.0)
    boot_s = rng.uniform(0.0, 2**32 * 1e-6)
    phase, later_boot_s = rng.random(), rng.uniform(0.4, 2.0, size=len(faults))
    period_s = 1.0 / (sensor.rate_hz * (1.0 + (error if sensor.rate_error is None else sensor.rate_error)))
    gain = 1.0 + 1e-6 * (ppm if sensor.clock_ppm is None else sensor.clock_ppm)
    zero_s = from_s - (boot_s if sensor.boot_s is None else sensor.boot_s)
    time_s, counter, begin = from_s + phase * period_s, sensor.first_counter, FIRST
    found = []
    breaks = sorted((fault for fault in faults if fault.kind in ("dead", "reboot")), key=lambda fault: fault.start_s)
    ends = [(from_s + fault.start_s, fault) for fault in breaks]
    for until_s, fault in [*ends, (to_s, None)]:
        number = np.arange(max(int(np.ceil((until_s - time_s) / period_s)), 0))
        times_s = np.asarray(time_s + number * period_s, dtype=np.float64)
        found.append(Run(times_s, counter + number, (times_s - zero_s) * gain, begin))
        if fault is not None:
            time_s = until_s + fault.seconds
            counter, begin = counter + len(number), LOST_BEFORE
            if fault.kind == "reboot":
                zero_s, counter, begin = time_s - later_boot_s[faults.index(fault)], 0, FIRST
    return [run for run in found if len(run.time_s) >= sensor.samples_per_packet]


def measure(motion: Motion, foot: Foot, sensor: Sensor, time_s: FloatArray, rng: np.random.Generator) -> IntArray:
    """(n, 6) int16 readings at true times: acc x y z, gyr x y z."""
    step, count = scales(sensor), len(time_s)
    acc = interpolate(motion.acc_m_s2[foot], motion.time_s[0], time_s).T
    gyr = np.rad2deg(interpolate(motion.gyr_rad_s[foot], motion.time_s[0], time_s)).T
    scale = 1.0 + sensor.scale_error * rng.normal(size=6)
    zero = rng.normal(size=6) * np.repeat([sensor.acc_bias_m_s2, sensor.gyr_bias_dps], 3)
    bandwidth = np.sqrt(0.5 * sensor.rate_hz)
    noise = rng.normal(size=(count, 6)) * np.repeat([sensor.acc_noise_m_s2, sensor.gyr_noise_dps], 3) * bandwidth
    walk = np.cumsum(rng.normal(size=(count, 3)), axis=0) * sensor.gyr_walk_dps / np.sqrt(sensor.rate_hz)
    reading = np.concatenate([acc, gyr], axis=1) * scale + zero + noise
    reading[:, 3:] += walk
    reading /= np.repeat([step.acc_m_s2, step.gyr_dps], 3)
    return np.asarray(np.clip(np.rint(reading), -32768, 32767), dtype=np.int64)


def messages(sensor: Sensor, run: Run, readings: IntArray, rng: np.random.Generator) -> list[Message]:
    """Readings of one run in packets; a last packet that is not full is never sent."""
    size = sensor.samples_per_packet
    count = len(run.time_s) // size
    packed = np.zeros(
        count, dtype=[("kind", "u1"), ("flags", "u1"), ("counter", "<u2"), ("clock_us", "<u4"), ("n", "<i2", (size, 6))]
    )
    first = slice(0, count * size, size)
    late_us = rng.uniform(0.0, 20.0, size=count)  # interrupt latency
    packed["kind"] = 0x11
    packed["counter"] = run.counter[first] & 0xFFFF
    packed["clock_us"] = np.floor(run.clock_s[first] * 1e6 + late_us).astype(np.int64) & 0xFFFFFFFF
    packed["n"] = readings[: count * size].reshape(count, size, 6)
    full = (packed["n"] == -32768) | (packed["n"] == 32767)
    packed["flags"] = np.where(full.any(axis=(1, 2)), SATURATED, 0)
    packed["flags"][0] |= run.begin
    raw, width = packed.tobytes(), packed.dtype.itemsize
    last_s = run.time_s[size - 1 : count * size : size].tolist()
    return [
        Message(first_s, last_s[at], raw[at * width : (at + 1) * width])
        for at, first_s in enumerate(run.time_s[first].tolist())
    ]


def interpolate(values: FloatArray, start_s: float, time_s: FloatArray) -> FloatArray:
    """Grid values (..., n) that begin at `start_s` -> (..., m) at any times within, by cubics through four points."""
    place = (time_s - start_s) * GRID_HZ
    left = np.clip(np.floor(place).astype(np.int64), 1, values.shape[-1] - 3)
    x = place - left
    weights = (
        -x * (x - 1.0) * (x - 2.0) / 6.0,
        (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0,
        -(x + 1.0) * x * (x - 2.0) / 2.0,
        (x + 1.0) * x * (x - 1.0) / 6.0,
    )
    between = np.zeros((*values.shape[:-1], len(time_s)))
    for k, weight in enumerate(weights):
        between += weight * values[..., left + k - 1]
    return between
