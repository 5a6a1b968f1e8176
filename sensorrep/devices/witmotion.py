"""WitMotion WT901BLE, BWT901BLE5.0, WT9011DCL-BT50 and WT901SDCL-BT50 (firmware_notes/witmotion.md).

The sensor sends frames that begin with `55 61` (motion) or `55 71` (answer to a register read), 20 bytes long, 28 on
models with a calendar clock, several in one notification, without checksum, counter or sample time. So the bytes are
read as one stream, samples are counted, and `device_ns` is the count times the nominal period.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from sensorrep.devices import Await, Pause, Script, Subscribe, Write
from sensorrep.devices.wire import DPS_RAD_S, PAUSE_NS, Renewed, blank, expect, heard, joined, nearest_rate
from sensorrep.errors import PayloadError
from sensorrep.model import GRAVITY_M_S2, IntArray, Packet, Samples

MODEL: Final = "witmotion"
TITLE: Final = "WitMotion WT901BLE / WT9011DCL"
SERVICE: Final = "0000ffe5-0000-1000-8000-00805f9a34fb"  # 9a34fb, not the 9b34fb of the Bluetooth base
CHANNELS: Final = {
    "frames": "0000ffe4-0000-1000-8000-00805f9a34fb",
    "command": "0000ffe9-0000-1000-8000-00805f9a34fb",
}
TIMES: Final = "count"
MIN_MTU: Final = 23

RATE_CODES: Final = {50: 0x08, 100: 0x09, 200: 0x0B}
"""Code 0x0A, which some tables call 125 Hz, was measured at 99.3 Hz and is in no table for these models."""
BANDWIDTH_42_HZ: Final = 0x03

MOTION_HEADER: Final = b"\x55\x61"
REGISTER_HEADER: Final = b"\x55\x71"
FRAME_LENGTHS: Final = (20, 28)
TELLING_FRAMES: Final = 2
"""So many frames never repeat bit for bit: the six readings of one do by chance with 3e-4 on a sensor at rest (noise of
0.8 steps in angular rate, 1.3 in acceleration at 42 Hz), those of two with 1e-7, of the usual four with 1e-14."""
RECENT: Final = 4
"""Among how many notifications the first of two is looked for: it may have been overtaken in a burst."""
BATTERY_REGISTER: Final = 0x64
BATTERY_NOTIFICATIONS: Final = 50
"""Among how many the answer is looked for: 2 s at 100 Hz. The maker's program waits 0.7 s."""
BATTERY_STEPS: Final = (
    (396, 100), (393, 90), (387, 75), (382, 60), (379, 50), (377, 40),
    (373, 30), (370, 20), (368, 15), (350, 10), (340, 5),
)  # fmt: skip
"""(least register value = volts x 100, per cent) of the maker's SDK; its protocol document has another table."""


def recognises(name: str | None, services: Sequence[str]) -> bool:
    """Whether an advertisement is a WitMotion BLE sensor's."""
    return SERVICE in (service.lower() for service in services) or (name or "").startswith(("WT9", "BWT9"))


def register_write(register: int, value: int) -> bytes:
    """Command that writes a register (until power-off, unless saved)."""
    return b"\xff\xaa" + bytes([register]) + value.to_bytes(2, "little")


UNLOCK: Final = register_write(0x69, 0xB588)


def configured(settings: Sequence[tuple[int, int]]) -> Script:
    """Unlock and write registers; the sensor wants 0.1 s after each and answers nothing."""
    for command in (UNLOCK, *(register_write(register, value) for register, value in settings)):
        yield Write("command", command, response=False)
        yield Pause(0.1)
    return b""


def start(rate_hz: float) -> Script:
    """Set rate, bandwidth and motion output; then subscribe, for frames at the old rate would spoil the count."""
    rate = nearest_rate(tuple(RATE_CODES), rate_hz)
    yield from configured([(0x03, RATE_CODES[rate]), (0x1F, BANDWIDTH_42_HZ), (0x96, 0)])
    yield Subscribe("frames")
    return rate.to_bytes(2, "little")


def stop() -> Script:
    """Back to the 10 Hz of the factory, which spares the battery; the sensor never stops sending."""
    return (yield from configured([(0x03, 0x06)]))


def battery() -> Script:
    """Ask for the battery; returns one byte, per cent. The answer may stand anywhere among streaming frames."""
    yield Subscribe("frames")
    yield Write("command", register_write(0x27, BATTERY_REGISTER), response=False)
    stream = b""
    for _ in range(BATTERY_NOTIFICATIONS):
        stream += yield Await("frames", b"")
        at = stream.find(REGISTER_HEADER + bytes([BATTERY_REGISTER, 0]))
        if 0 <= at <= len(stream) - FRAME_LENGTHS[0]:
            return bytes([parse_battery(stream[at : at + FRAME_LENGTHS[0]])])
    raise PayloadError("WitMotion: no answer about the battery")


def nominal_hz(info: bytes) -> float:
    """The rate that the sensor was set to."""
    return float(int.from_bytes(info[:2], "little"))


def raw_values(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
    """The nine int16 of each frame, (n, length) bytes -> (n, 9)."""
    return np.ascontiguousarray(frames[:, 2:20]).view("<i2")


def parse_registers(frame: bytes) -> tuple[int, tuple[int, ...]]:
    """Start address and the eight values of the answer to a register read."""
    expect(len(frame) in FRAME_LENGTHS and frame[:2] == REGISTER_HEADER, "WitMotion: no answer to a register read")
    return int.from_bytes(frame[2:4], "little"), tuple(np.frombuffer(frame[4:20], "<u2").tolist())


def parse_battery(frame: bytes) -> int:
    """Per cent from the answer to a read of register 0x64."""
    address, (centivolts, *_) = parse_registers(frame)
    expect(address == BATTERY_REGISTER, f"WitMotion: register {address:#04x} is not the battery")
    expect(centivolts > 0, "WitMotion: battery reads 0 V while the sensor saves its settings, ask again")
    return next((percent for least, percent in BATTERY_STEPS if centivolts >= least), 0)


def is_header(pair: bytes) -> bool:
    """Whether two bytes begin a frame; of fewer, whether they may yet."""
    return MOTION_HEADER.startswith(pair) or REGISTER_HEADER.startswith(pair)


def frames_in_step(stream: bytes, at: int, length: int) -> npt.NDArray[np.uint8]:
    """Frames from `at` on, as long as each begins with a header, (n, length)."""
    frames = np.frombuffer(stream, np.uint8, (len(stream) - at) // length * length, at).reshape(-1, length)
    fits = (frames[:, 0] == 0x55) & ((frames[:, 1] == 0x61) | (frames[:, 1] == 0x71))
    return frames[: len(fits) if fits.all() else int(fits.argmin())]


def frame_length(stream: bytes, at: int) -> int | None:
    """Length of the frame that may begin at `at`, known by the header behind it; 0 if none fits, None if too early."""
    if not is_header(stream[at : at + 2]):
        return 0
    for length in FRAME_LENGTHS:
        behind = stream[at + length : at + length + 2]
        if is_header(behind):
            return length if len(behind) == 2 else None
    return 0


class Reader:
    """Frames -> samples under one info.

    State: bytes of unfinished frames and their arrivals, the last notifications, the frame length, epoch and count. A
    notification that comes twice is taken once and counted malformed.
    """

    def __init__(self, info: bytes) -> None:
        rate = int.from_bytes(info, "little")
        expect(len(info) == 2 and rate in RATE_CODES, f"WitMotion: info must be a rate in Hz, not {info.hex()!r}")
        self.malformed = 0
        self._period_ns = 1_000_000_000 // rate
        self._epoch = 0
        self._count = 0
        self._last_ns: int | None = None
        self._recent: list[Packet] = []
        self._restart()

    def push(self, packets: Sequence[Packet]) -> Samples:
        """Samples of these packets; a frame right after lost bytes waits for the header behind it."""
        frames, foreign = heard(packets, "frames", CHANNELS)
        self.malformed += foreign
        frames = [packet for packet in frames if self._is_new(packet)]
        if not frames:
            return blank(0)
        first_ns = frames[0].received_ns if self._last_ns is None else self._last_ns
        times = [first_ns, *(packet.received_ns for packet in frames)]
        pauses = [i for i, (before, after) in enumerate(pairwise(times)) if after - before > PAUSE_NS]
        self._last_ns = times[-1]
        blocks = [self._stream(frames[: pauses[0]] if pauses else frames)]
        for begin, end in pairwise([*pauses, len(frames)]):
            self.malformed += bool(self._stream_bytes) and not self._skipping
            self._restart()
            self._epoch, self._count = self._epoch + 1, 0
            blocks.append(self._stream(frames[begin:end]))
        return joined(blocks)

    def _is_new(self, packet: Packet) -> bool:
        """Whether it is no second delivery: two frames or more, known already, sooner than they could be measured."""
        whole = len(packet.payload) // FRAME_LENGTHS[0]
        known_ns = (one.received_ns for one in self._recent if one.payload == packet.payload)
        again = whole >= TELLING_FRAMES and any(
            packet.received_ns - first_ns < whole * self._period_ns for first_ns in known_ns
        )
        self.malformed += again
        if not again:
            self._recent = [*self._recent[1 - RECENT :], packet]
        return not again

    def _restart(self) -> None:
        self._stream_bytes = b""
        self._arrivals: list[tuple[int, int]] = []  # (end of the packet in _stream_bytes, received_ns)
        self._length = 0  # 0: out of step
        self._skipping = False

    def _stream(self, packets: Sequence[Packet]) -> Samples:
        """Samples of packets without a pause between them."""
        end = len(self._stream_bytes)
        for packet in packets:
            end += len(packet.payload)
            self._arrivals.append((end, packet.received_ns))
        self._stream_bytes += b"".join(packet.payload for packet in packets)
        blocks, at, ahead = [], 0, 0
        while True:
            if self._length:
                frames = frames_in_step(self._stream_bytes, at, self._length)
                blocks.append(self._samples(frames, at, ahead))
                at += frames.size
                if is_header(self._stream_bytes[at : at + 2]):
                    break
                self._length = 0
            length = frame_length(self._stream_bytes, at)
            if length is None:
                break
            self._length, ahead = length, 2
            self._skip(length == 0)
            at += length == 0
        self._forget(at)
        return joined(blocks)

    def _skip(self, skipping: bool) -> None:
        self.malformed += skipping and not self._skipping
        self._skipping = skipping

    def _forget(self, at: int) -> None:
        self._stream_bytes = self._stream_bytes[at:]
        self._arrivals = [(end - at, received_ns) for end, received_ns in self._arrivals if end > at]

    def _samples(self, frames: npt.NDArray[np.uint8], at: int, ahead: int) -> Samples:
        """Samples of frames that begin at byte `at`; each came with its last byte, the first `ahead` bytes later."""
        motion = frames[:, 1] == MOTION_HEADER[1]
        ends: IntArray = at + frames.shape[1] * np.arange(1, len(frames) + 1)
        ends[:1] += ahead
        arrivals = np.array(self._arrivals, np.int64).reshape(-1, 2)
        raw = raw_values(frames[motion])
        samples = blank(len(raw))
        samples["epoch"] = self._epoch
        samples["counter"] = self._count + np.arange(len(raw))
        samples["device_ns"] = samples["counter"] * self._period_ns
        samples["received_ns"] = arrivals[np.searchsorted(arrivals[:, 0], ends[motion]), 1] if len(raw) else 0
        samples["acc_m_s2"] = raw[:, :3] * (16 * GRAVITY_M_S2 / 32768)
        samples["gyr_rad_s"] = raw[:, 3:6] * (2000 * DPS_RAD_S / 32768)
        samples["saturated"] = (np.abs(raw[:, :6].astype(np.int32)) >= 32767).any(axis=1)
        self._count += len(raw)
        return samples


Decoder: Final = partial(Renewed, Reader)
"""What the decode stage runs: `Decoder(info)`."""
