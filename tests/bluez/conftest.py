"""A private message bus for each test: bleak keeps one connection a loop, and some tests end the bus."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

CONFIGURATION = """<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
"""


class Bus(NamedTuple):
    address: str
    daemon: subprocess.Popen[str]


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    """A bus that bleak takes for the system's."""
    program = shutil.which("dbus-daemon")
    if program is None:
        missing = "dbus-daemon is not installed (on Debian or Ubuntu: apt-get install dbus-daemon)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with tempfile.TemporaryDirectory() as folder:  # short: a socket's path has 107 characters at most
        configuration = Path(folder, "bus.conf")
        configuration.write_text(CONFIGURATION.format(path=Path(folder, "bus")), encoding="utf-8")
        arguments = [program, f"--config-file={configuration}", "--nofork", "--print-address"]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as daemon:
            assert daemon.stdout is not None
            address = daemon.stdout.readline().strip()  # comes once it listens
            try:
                monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
                yield Bus(address, daemon)
            finally:
                daemon.kill()
