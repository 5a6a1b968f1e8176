"""MbientLab MetaMotion R, RL and S (firmware_notes/metamotion.md).

The plain streams of acceleration and rate come apart and without count or time. So the board is told to join them: a
buffer keeps the latest rate, a fuser puts it behind each acceleration, an accounter puts a sample counter in front.
One 19-byte notification is then one six-axis sample. There is no clock: `device_ns` is the count times the period.
"""

import struct
from collections.abc import Generator, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sensorrep.devices import Action, Await, Pause, Script, Subscribe, Write
from sensorrep.devices.wire import DPS_RAD_S, Clock, Renewed, blank, expect, heard, nearest_rate, received
from sensorrep.errors import RadioError, RadioReason
from sensorrep.model import GRAVITY_M_S2, Packet, Samples

MODEL: Final = "metamotion"
TITLE: Final = "MbientLab MetaMotion"
SERVICE: Final = "326a9000-85cb-9195-d9dd-464cfbbae75a"
CHANNELS: Final = {
    "command": "326a9001-85cb-9195-d9dd-464cfbbae75a",
    "notifications": "326a9006-85cb-9195-d9dd-464cfbbae75a",
}
TIMES: Final = "clock"
MIN_MTU: Final = 23

RATE_CODES: Final = {50: 7, 100: 8}
"""Above 100 Hz the maker wants packed streams, which the board can't join."""
ACC_RANGE_G: Final = 8
"""A tap on the sensor, with which two feet may be aligned, clips at 4."""
GYR_RANGE_DPS: Final = 1000
"""Knee bends and steps reach 500; the coarser step (0.03 deg/s) is below the noise."""
ACC_LSB_PER_G: Final = {2: 16384, 4: 8192, 8: 4096, 16: 2048}
GYR_LSB_PER_DPS: Final = {125: 262.4, 250: 131.2, 500: 65.6, 1000: 32.8, 2000: 16.4}

CONNECTION: Final = bytes.fromhex("1109 0600 0c00 0000 5802")
"""Ask for an interval of 7.5 to 15 ms, no latency, 6 s of supervision: 100 notifications a second need it."""
QUIET: Final = tuple(bytes.fromhex(command) for command in ("030100", "03020001", "130100", "13020001", "0908"))
"""Both sensors off, and all processors removed: they survive a lost link."""
BATTERY: Final = b"\x11\x8c"
CREATED: Final = b"\x09\x02"
FUSED: Final = b"\x09\x03"
SAMPLE_ROW: Final = np.dtype([("head", "u1", 3), ("count", "<u4"), ("acc", "<i2", 3), ("gyr", "<i2", 3)])


class Chip(NamedTuple):
    """How one generation of motion chips is addressed."""

    acc_config: int
    """Configuration byte of the accelerometer without the rate."""
    acc_range: int
    """Code of ACC_RANGE_G."""
    gyr_register: int
    """Register in which the gyroscope's single samples appear."""


BMI160: Final = Chip(acc_config=0x20, acc_range=0x08, gyr_register=0x05)
BMI270: Final = Chip(acc_config=0xA0, acc_range=0x02, gyr_register=0x04)
CHIPS: Final = {(1, 0): BMI160, (4, 1): BMI270}
"""By the implementation numbers of modules 03 and 13."""
GYR_RANGE_CODE: Final = 0x01
"""Of GYR_RANGE_DPS, on both chips."""


def recognises(name: str | None, services: Sequence[str]) -> bool:
    """By the service, since owners rename their boards, or the name they come with."""
    return SERVICE in (service.lower() for service in services) or name == "MetaWear"


def command(message: bytes) -> Write:
    """The board takes its commands without response."""
    return Write("command", message, response=False)


def start(rate_hz: float) -> Script:
    """Clear the board, set both sensors, build the chain from the ids that the board gives, and power up."""
    rate = nearest_rate(tuple(RATE_CODES), rate_hz)
    yield Subscribe("notifications")
    yield command(CONNECTION)
    yield Pause(1.0)
    yield from stop()
    chip = yield from discovered()
    yield command(bytes([0x03, 0x03, chip.acc_config | RATE_CODES[rate], chip.acc_range]))
    yield command(bytes([0x13, 0x03, 0x20 | RATE_CODES[rate], GYR_RANGE_CODE]))
    buffer = yield from created(bytes([0x13, chip.gyr_register, 0xFF, 0xA0, 0x0F, 0x05]))
    fuser = yield from created(bytes([0x03, 0x04, 0xFF, 0xA0, 0x1B, 0x01, *buffer]) + bytes(11))
    accounter = yield from created(bytes([0x09, 0x03, *fuser, 0x60, 0x11, 0x30, 0x03]))
    yield command(bytes([0x09, 0x07, *accounter, 1]))
    yield command(FUSED + b"\x01")
    for message in ("03020100", "13020100", "030101", "130101"):
        yield command(bytes.fromhex(message))
    return struct.pack("<HBH", rate, ACC_RANGE_G, GYR_RANGE_DPS)


def stop() -> Script:
    """Sensors off and processors removed."""
    for message in QUIET:
        yield command(message)
    return b""


def nominal_hz(info: bytes) -> float:
    """The rate that the sensor was set to."""
    return float(int.from_bytes(info[:2], "little"))


def discovered() -> Generator[Action, bytes, Chip]:
    """Ask both modules which chip they drive."""
    found = []
    for module in (0x03, 0x13):
        yield command(bytes([module, 0x80]))
        answer = yield Await("notifications", bytes([module, 0x80]))
        found.append(answer[2] if len(answer) > 2 else -1)  # a board without the module names no chip
    chip = CHIPS.get((found[0], found[1]))
    if chip is None:
        raise RadioError(RadioReason.WRONG_FIRMWARE, f"this MetaWear board has no known motion chip ({found})")
    return chip


def created(config: bytes) -> Script:
    """Create a data processor; returns its id as one byte."""
    yield command(CREATED + config)
    return parse_created((yield Await("notifications", CREATED)))


def battery() -> Script:
    """Ask for the battery; returns one byte, per cent."""
    yield Subscribe("notifications")
    yield command(BATTERY)
    return bytes([parse_battery((yield Await("notifications", BATTERY)))])


def parse_created(answer: bytes) -> bytes:
    """The id of a new processor, one byte."""
    expect(len(answer) == 3 and answer.startswith(CREATED), f"MetaMotion: {answer[:4].hex(' ')} names no new processor")
    return answer[2:]


def parse_battery(answer: bytes) -> int:
    """Per cent (millivolts stand behind it)."""
    expect(
        len(answer) == 5 and answer.startswith(BATTERY) and answer[2] <= 100,
        f"MetaMotion: {answer[:6].hex(' ')} is no battery state",
    )
    return answer[2]


class Fused(NamedTuple):
    """One notification: the sample's number, and raw (3,) acceleration and rate."""

    number: int
    acc: npt.NDArray[np.int16]
    gyr: npt.NDArray[np.int16]


def parse_fused(payload: bytes) -> Fused:
    """A counted six-axis sample. Raises PayloadError."""
    expect(is_fused(payload), f"MetaMotion: {payload[:4].hex(' ')} ({len(payload)} bytes) is no counted sample")
    row = np.frombuffer(payload, SAMPLE_ROW)[0]
    return Fused(int(row["count"]), row["acc"], row["gyr"])


def is_fused(payload: bytes) -> bool:
    """Whether a payload is the accounter's; its id isn't checked, it is the only one that notifies."""
    return len(payload) == SAMPLE_ROW.itemsize and payload.startswith(FUSED)


def is_answer(payload: bytes) -> bool:
    """Whether a payload is another message than a sample: an answer to a command, the battery."""
    return len(payload) > 1 and not payload.startswith(FUSED)


class Reader:
    """Notifications -> samples, one each under one info. State: the last count and epoch."""

    def __init__(self, info: bytes) -> None:
        rate, acc_range_g, gyr_range_dps = struct.unpack("<HBH", info) if len(info) == 5 else (0, 0, 0)
        expect(
            rate in RATE_CODES and acc_range_g in ACC_LSB_PER_G and gyr_range_dps in GYR_LSB_PER_DPS,
            f"MetaMotion: info must be rate and ranges, not {info.hex()!r}",
        )
        self.malformed = 0
        self._acc_m_s2 = GRAVITY_M_S2 / ACC_LSB_PER_G[acc_range_g]
        self._gyr_rad_s = DPS_RAD_S / GYR_LSB_PER_DPS[gyr_range_dps]
        self._clock = Clock(bits=32, tick_ns=1_000_000_000 // rate)

    def push(self, packets: Sequence[Packet]) -> Samples:
        """Samples of these packets."""
        mine, foreign = heard(packets, "notifications", CHANNELS)
        fused = [packet for packet in mine if is_fused(packet.payload)]
        self.malformed += foreign + sum(not is_answer(packet.payload) for packet in mine) - len(fused)
        rows = np.frombuffer(b"".join(packet.payload for packet in fused), SAMPLE_ROW)
        samples = blank(len(rows))
        samples["received_ns"] = received(fused)
        samples["epoch"], samples["counter"] = self._clock.push(rows["count"], samples["received_ns"])
        samples["device_ns"] = samples["counter"] * self._clock.tick_ns
        samples["acc_m_s2"] = rows["acc"] * self._acc_m_s2
        samples["gyr_rad_s"] = rows["gyr"] * self._gyr_rad_s
        for axes in ("acc", "gyr"):
            samples["saturated"] |= (np.abs(rows[axes].astype(np.int32)) >= 32767).any(axis=1)
        return samples


Decoder: Final = partial(Renewed, Reader)
"""What the decode stage runs: `Decoder(info)`."""
