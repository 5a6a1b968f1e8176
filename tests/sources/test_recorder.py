import errno
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from sensorrep.errors import RecordingError
from sensorrep.model import Foot, Packet, RecordingHeader, SensorInfo
from sensorrep.sources import recorder
from sensorrep.sources.recorder import RecordingWriter
from tests.sources.files import HEADER, PACKETS, read, written


def test_recordings_and_their_folders_are_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.jsonl"
    written(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("precious")
    with pytest.raises(RecordingError, match="exists already"):
        RecordingWriter(path, HEADER)
    assert path.read_text() == "precious"


def test_leaving_by_an_exception_is_no_clean_close(tmp_path: Path) -> None:
    def interrupted() -> None:
        with RecordingWriter(tmp_path / "a.jsonl", HEADER) as writer:
            writer.write(PACKETS)
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    packets, recording = read(tmp_path / "a.jsonl")
    assert packets == PACKETS
    assert not recording.closed_cleanly


@pytest.mark.parametrize(
    "packet",
    [
        Packet(-1, Foot.LEFT, "data", b""),
        Packet(2**63, Foot.LEFT, "data", b""),
        Packet(1, Foot.LEFT, 'da"ta', b""),
        Packet(1, Foot.LEFT, "data", bytes(1 << 19)),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path: Path, packet: Packet) -> None:
    with RecordingWriter(tmp_path / "a.jsonl", HEADER) as writer:
        with pytest.raises(ValueError, match="no packet"):
            writer.write([packet])
        for kind in ("end", "format", "Two words"):
            with pytest.raises(ValueError, match=r"end|no event"):
                writer.event(kind)
        with pytest.raises(ValueError, match="JSON"):
            writer.event("battery", percent=float("nan"))
    assert read(tmp_path / "a.jsonl")[0] == []


def test_a_packet_of_a_foot_that_the_header_lacks_is_refused(tmp_path: Path) -> None:
    header = RecordingHeader(feet={Foot.LEFT: SensorInfo("diy")})
    with RecordingWriter(tmp_path / "a.jsonl", header) as writer, pytest.raises(ValueError, match="right"):
        writer.write([Packet(1, Foot.RIGHT, "data", b"")])


class HostClock:
    """The host's clock, and what reached the disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        self.on_disk: list[int] = []
        fsync = os.fsync

        def counting_fsync(file: int) -> None:
            fsync(file)
            if stat.S_ISREG(os.fstat(file).st_mode):
                self.on_disk.append(os.fstat(file).st_size)

        monkeypatch.setattr(recorder, "monotonic", lambda: self.now_s)
        monkeypatch.setattr(os, "fsync", counting_fsync)

    def write_slowly(self, writer: RecordingWriter, step_s: float) -> None:
        """The packets one by one, `step_s` apart."""
        for packet in PACKETS:
            self.now_s += step_s
            writer.write([packet])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HostClock:
    return HostClock(monkeypatch)


def test_half_a_second_of_the_host_s_time_brings_all_to_the_disk(tmp_path: Path, clock: HostClock) -> None:
    path = tmp_path / "a.jsonl"
    with RecordingWriter(path, HEADER) as writer:
        clock.write_slowly(writer, 0.1)
        writer._wait_for_disk()
        assert len(clock.on_disk) == pytest.approx(1 + 40 * 0.1 / 0.5, abs=2)
        assert clock.on_disk[-1] > path.stat().st_size * 35 / 42
    assert clock.on_disk[-1] == path.stat().st_size


KILLED = """
    import os, sys
    from sensorrep.model import Foot, Packet, RecordingHeader, SensorInfo
    from sensorrep.sources import recorder
    now_s = 0.0
    recorder.monotonic = lambda: now_s
    writer = recorder.RecordingWriter(sys.argv[1], RecordingHeader({Foot.LEFT: SensorInfo("diy")}))
    for n in range(1000):
        now_s = n / 100
        writer.write([Packet(n * 10_000_000, Foot.LEFT, "data", bytes([n % 256]) * 50)])
    os._exit(9)
"""


@pytest.mark.parametrize(("name", "lost_s"), [("a.jsonl", 0.0), ("a.jsonl.gz", 1.0)])
def test_a_killed_writer_leaves_what_was_promised(tmp_path: Path, name: str, lost_s: float) -> None:
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path / name)]
    assert subprocess.run(command, env=os.environ | {"PYTHONPATH": root}, check=False).returncode == 9
    packets, recording = read(tmp_path / name)
    assert packets[-1].received_ns >= (9.99 - lost_s) * 1e9
    assert [packet.received_ns for packet in packets] == [n * 10_000_000 for n in range(len(packets))]
    assert not recording.closed_cleanly


class FullDisk:
    """A file that takes some bytes and no more, as a disk that becomes full."""

    def __init__(self, file: Any, room: int) -> None:
        self.file = file
        self.room = room

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, content: bytes) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = self.file.write(content[: self.room])
        self.room -= taken
        return int(taken)


@pytest.mark.parametrize(("room", "kept"), [(0, 0), (1, 0), (41, 1), (100, 2)])
def test_a_disk_that_becomes_full_is_told_at_once_and_costs_only_the_rest(tmp_path: Path, room: int, kept: int) -> None:
    path = tmp_path / "a.jsonl"
    writer = RecordingWriter(path, HEADER)
    writer._file = FullDisk(writer._file, room)  # type: ignore[assignment]
    with pytest.raises(RecordingError, match=r"a\.jsonl.*space"):
        writer.write([Packet(1, Foot.LEFT, "data", bytes(10))] * 10)
    writer.close()
    packets, recording = read(path)
    assert len(packets) == kept  # a line has 41 bytes
    assert not recording.closed_cleanly


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux' /dev/full")
def test_a_full_disk_is_told_at_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "create_private", lambda _: os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb", 0))
    with pytest.raises(RecordingError, match="space"):
        RecordingWriter(tmp_path / "a.jsonl", HEADER)


def test_a_disk_that_fails_later_is_told_at_the_next_turn(
    tmp_path: Path, clock: HostClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    writer = RecordingWriter(tmp_path / "a.jsonl", HEADER)
    writer._wait_for_disk()
    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(RecordingError, match="cannot be written any more"):
        clock.write_slowly(writer, 0.3)
    writer.close()


def test_a_recording_deleted_while_it_is_written_is_told(tmp_path: Path, clock: HostClock) -> None:
    writer = RecordingWriter(tmp_path / "a.jsonl", HEADER)
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(RecordingError, match="deleted"):
        clock.write_slowly(writer, 0.3)
    writer.close()


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot be written"):
        RecordingWriter(tmp_path / "file" / "a.jsonl", HEADER)
