"""What the tests of reading and writing share: a header, packets, and a recording made of them."""

from pathlib import Path

from sensorrep.model import Foot, Packet, RecordingHeader, SensorInfo
from sensorrep.sources.recording import Recording, RecordingWriter, open_recording

INFO = bytes.fromhex("01010101809698000ae81c3b0000fa3c0800e80302f400000001000001000000")
HEADER = RecordingHeader(
    feet={Foot.LEFT: SensorInfo("diy", "Knöchel L", INFO), Foot.RIGHT: SensorInfo("diy")},
    started_at="2025-03-01T10:00:00+01:00",
    simulated=True,
    movement="one-leg",
    software={"sensorrep": "0.1.0"},
)
PACKETS = [Packet(10**9 + 7 * n, Foot(n % 2), "data", bytes([n, 255 - n]) * (n % 5)) for n in range(40)]
FEW = PACKETS[:12]


def written(path: Path, packets: list[Packet] = PACKETS) -> bytes:
    with RecordingWriter(path, HEADER) as writer:
        writer.write(packets[: len(packets) // 2])
        writer.event("note", text="left hip feels tight")
        writer.write(packets[len(packets) // 2 :])
    return path.read_bytes()


def read(path: Path, packets_per_block: int = 4096) -> tuple[list[Packet], Recording]:
    with open_recording(path) as recording:
        return [packet for block in recording.blocks(packets_per_block) for packet in block], recording
