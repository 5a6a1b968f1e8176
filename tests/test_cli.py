"""The command line as people and scripts meet it: what is printed where, exit statuses, one line for an error."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import typer
from bleak.backends.device import BLEDevice

from sensorrep.cli import app, main
from sensorrep.commands import sensors
from sensorrep.commands.options import parse_tempo
from sensorrep.commands.simulate import parse_range, truth_path
from sensorrep.model import Foot
from sensorrep.sources.ble import Found
from sensorrep.sources.recording import open_recording
from sensorrep.sources.settings import read_settings

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's folders that are nobody's."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the program in this process; a traceback would fail the test by its exception."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["sensorrep", *map(str, arguments)])
        try:
            main()
        except SystemExit as end:
            status = end.code
        else:
            status = 0
        return Ran(status if isinstance(status, int) else int(status is not None), *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated session of two sets of six."""
    path = tmp_path_factory.mktemp("session") / "demo.jsonl"
    program = [sys.executable, "-m", "sensorrep"]
    options = ["--sets", "2", "--reps", "6", "--rest", "15", "--seed", "1"]
    subprocess.run([*program, "simulate", "--out", str(path), *options], check=True, capture_output=True)
    return path


def one_line(text: str) -> bool:
    return text.startswith("sensorrep: ") and text.count("\n") == 1 and "Traceback" not in text


# --- all commands


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_says_what_a_command_and_each_of_its_options_does(run: Run, command: str) -> None:
    ran = run(command, "--help")
    assert ran.status == 0
    assert ran.err == ""
    assert COMMANDS[command].help.split("\n")[0] in " ".join(ran.out.split())
    assert not [option.name for option in COMMANDS[command].params if not option.help]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_wrong_usage_is_status_2(run: Run, command: str) -> None:
    ran = run(command, "--no-such-option")
    assert ran.status == 2
    assert ran.out == ""


def test_the_version_is_printed(run: Run) -> None:
    ran = run("--version")
    assert ran.status == 0
    assert ran.out.startswith("sensorrep 0.")


def test_a_terminal_without_a_degree_sign_shows_the_session_all_the_same(session: Path) -> None:
    program = [sys.executable, "-m", "sensorrep", "replay", str(session), "--speed", "1000"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(program, check=False, capture_output=True, text=True, env=environment)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Set 2 is over: 6 reps, left 12?" in ran.stdout


@pytest.mark.parametrize("command", ["replay", "report", "inspect"])
@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("missing.jsonl", None, "no such file"),
        ("empty.jsonl", b"", "empty"),
        ("noise.jsonl", bytes(range(256)) * 40, "no recording"),
        ("noise.csv", bytes(range(256)), "noise.csv"),
        ("later.jsonl", b'{"format": "sensorrep-recording/9"}\n', "update sensorrep"),
        ("demo.truth.json", b"{}", "truth"),
    ],
)
def test_a_file_that_is_no_session_is_one_line_and_status_1(
    run: Run, tmp_path: Path, command: str, name: str, content: bytes | None, expected: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    out = ["--out", tmp_path / "report"] if command == "report" else []
    ran = run(command, tmp_path / name, *out)
    assert ran.status == 1
    assert ran.out == ""
    assert one_line(ran.err), ran.err
    assert expected in ran.err


@pytest.mark.parametrize("command", ["replay", "inspect"])
def test_a_file_that_may_not_be_read_is_one_line_and_status_1(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may read all, and root runs tests too
    ran = run(command, tmp_path / "a.jsonl")
    assert (ran.status, ran.out) == (1, "")
    assert one_line(ran.err), ran.err


@pytest.mark.parametrize("command", [("live", "--simulate", "--fast"), ("simulate",)])
@pytest.mark.parametrize("name", ["mine.csv", "mine.TXT", "mine.truth.json"])
def test_a_recording_is_not_called_what_could_not_be_read_back(
    run: Run, tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    ran = run(*command, "--out", tmp_path / name)
    assert ran.status == 2
    assert ".jsonl" in ran.err
    assert not list(tmp_path.iterdir())


# --- replay, report, inspect


def test_replay_counts_what_was_done_and_json_is_all_that_stdout_gets(run: Run, session: Path) -> None:
    ran = run("replay", session, "--json", "-")
    truth = json.loads(truth_path(session).read_bytes())
    summary = json.loads(ran.out)
    assert ran.status == 0
    assert ran.err == ""
    assert summary["format"] == "sensorrep-session/1"
    assert summary["simulated"] is True
    assert [len(one["reps"]) for one in summary["sets"]] == [len(one["reps"]) for one in truth["sets"]] == [6, 6]


def test_replay_says_that_a_session_is_simulated(run: Run, session: Path) -> None:
    ran = run("replay", session)
    assert ran.status == 0
    assert "SIMULATED" in ran.out
    assert "Not a medical device" in ran.out


def test_replay_of_a_torn_recording_gives_the_rest_and_says_what_was_lost(
    run: Run, session: Path, tmp_path: Path
) -> None:
    torn = tmp_path / "torn.jsonl"
    torn.write_bytes(session.read_bytes()[:-200])
    ran = run("replay", torn, "--json", tmp_path / "summary.json", "--quiet")
    assert ran.status == 0
    assert ran.out == ""
    assert one_line(ran.err)
    assert "torn" in ran.err
    assert len(json.loads((tmp_path / "summary.json").read_bytes())["sets"]) == 2


def test_one_leg_needs_a_foot(run: Run, session: Path) -> None:
    assert run("replay", session, "--movement", "one-leg").status == 2
    assert run("replay", session, "--foot", "left").status == 2
    assert run("replay", session, "--movement", "one-leg", "--foot", "left").status == 0


def test_a_report_is_written_where_it_was_asked_for(run: Run, session: Path, tmp_path: Path) -> None:
    ran = run("report", session, "--out", tmp_path / "report")
    assert ran.status == 0
    assert (tmp_path / "report" / "index.html").exists()
    assert str(tmp_path / "report" / "index.html") in ran.out


def test_a_report_that_cannot_be_written_is_one_line(run: Run, session: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = run("report", session, "--out", tmp_path / "file" / "report", "--quiet")
    assert ran.status == 1
    assert one_line(ran.err)


def test_inspect_calls_a_sound_recording_sound(run: Run, session: Path) -> None:
    ran = run("inspect", session)
    assert ran.status == 0
    assert "demo.jsonl: sound" in ran.out


def test_a_reader_that_goes_away_is_no_error_to_talk_about(session: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    program = [sys.executable, "-m", "sensorrep", "replay", str(session), "--json", "-"]
    with os.fdopen(write, "wb") as closed:
        ran = subprocess.run(program, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert ran.returncode == 1
    assert ran.stderr == b""


# --- simulate


def test_simulate_writes_a_recording_and_its_truth_for_the_owner_only(session: Path) -> None:
    recording = open_recording(session)
    packets = [packet for block in recording.blocks() for packet in block]
    assert recording.header.simulated
    assert recording.header.software.keys() == {"sensorrep"}
    assert recording.closed_cleanly
    assert len(packets) > 1000
    assert [stat.S_IMODE(path.stat().st_mode) for path in (session, truth_path(session))] == [0o600, 0o600]


def test_simulate_says_that_nobody_did_it_and_where_it_is(run: Run, tmp_path: Path) -> None:
    ran = run("simulate", "--out", tmp_path / "new" / "x.jsonl.gz", "--sets", 1, "--reps", 3)
    assert ran.status == 0
    assert ran.err == ""
    assert ran.out.startswith("SIMULATED: ")
    assert ran.out.splitlines()[1:] == [str(tmp_path / "new" / name) for name in ("x.jsonl.gz", "x.truth.json")]


def test_the_options_of_simulate_reach_the_session(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "x.jsonl"
    choices = "--posture seated --sets 1 --reps 4 --range 20,10 --tempo 2-1-2-1 --sensors right --rate 50 --fatigue"
    assert run("simulate", "--out", out, *choices.split()).status == 0
    truth = json.loads(truth_path(out).read_bytes())
    (only,) = truth["sets"]
    assert truth["posture"] == "seated"
    assert len(only["reps"]) == 4
    first = only["reps"][0]
    assert 16.0 < first["range_deg"]["left"] < 24.0
    assert 8.0 < first["range_deg"]["right"] < 12.0
    assert 1.6 < first["open_s"] - first["start_s"] < 2.4
    assert only["reps"][3]["range_deg"]["left"] < 0.85 * first["range_deg"]["left"]
    with open_recording(out) as recording:
        assert [foot.word for foot in recording.header.feet] == ["right"]


def test_a_seed_gives_the_same_bytes_and_another_seed_others(run: Run, tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        assert (
            run("simulate", "--out", tmp_path / f"{name}.jsonl", "--sets", 1, "--reps", 2, "--seed", seed).status == 0
        )
    first, again, other = ((tmp_path / f"{name}.jsonl").read_bytes() for name in "abc")
    assert first == again
    assert first != other


def test_loss_takes_packets_away(run: Run, tmp_path: Path) -> None:
    for loss in (0, 20):
        run("simulate", "--out", tmp_path / f"{loss}.jsonl", "--sets", 1, "--reps", 3, "--loss", loss)
    whole, lossy = (len((tmp_path / f"{loss}.jsonl").read_bytes().splitlines()) for loss in (0, 20))
    assert 0.7 * whole < lossy < 0.9 * whole


@pytest.mark.parametrize("name", ["x.jsonl", "x.truth.json"])
def test_simulate_overwrites_nothing(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    ran = run("simulate", "--out", tmp_path / "x.jsonl", "--sets", 1)
    assert ran.status == 1
    assert ran.out == ""
    assert one_line(ran.err)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_simulate_into_a_place_that_cannot_be_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = run("simulate", "--out", tmp_path / "file" / "x.jsonl", "--sets", 1, "--reps", 1)
    assert ran.status == 1
    assert one_line(ran.err)


@pytest.mark.parametrize(
    "wrong",
    [
        *("--range 0", "--range 12,", "--range nan", "--range 1,2,3", "--tempo 1-2-3", "--tempo x", "--sets 0"),
        *("--posture standing", "--loss 100", "--seed -1", "--rate 1e9"),
    ],
)
def test_wrong_choices_for_simulate_are_status_2_and_write_nothing(run: Run, tmp_path: Path, wrong: str) -> None:
    ran = run("simulate", "--out", tmp_path / "x.jsonl", *wrong.split())
    assert ran.status == 2
    assert not list(tmp_path.iterdir())


def test_range_and_tempo_are_read_as_they_are_written() -> None:
    assert parse_range("12") == (12.0, 12.0)
    assert parse_range("12.5, 9") == (12.5, 9.0)
    assert parse_tempo("2-1-2-0.5") == (2.0, 1.0, 2.0, 0.5)
    assert truth_path(Path("a/b.jsonl.gz")) == Path("a/b.truth.json")


# --- live

FAST = ("live", "--simulate", "--fast", "--sets", 1, "--reps", 4, "--rest", 10, "--tempo", "1.2-0.4-1.4-0.6")


def test_live_plays_a_simulated_session_to_its_report_which_can_be_made_again(
    run: Run, home: Path, tmp_path: Path
) -> None:
    ran = run(*FAST, "--seed", 4)
    assert ran.status == 0
    assert ran.err == ""
    assert ran.out.startswith("SIMULATED")
    for said in ("Looking for the sensors", "is connected", "Lie down", "Hold still", "Begin", "Set 1, rep 4"):
        assert said in ran.out
    (recording,) = (home / "data" / "sensorrep" / "simulated").glob("*.jsonl")
    report = recording.with_name(f"{recording.stem}-report")
    assert f"The recording is {recording}" in ran.out
    assert f"The report is {report / 'index.html'}" in ran.out
    assert run("replay", recording, "--json", tmp_path / "again.json", "--quiet").status == 0
    assert (tmp_path / "again.json").read_bytes() == (report / "session.json").read_bytes()
    private = [recording, report / "session.json", report / "index.html"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_the_same_seed_is_the_same_session_to_the_byte(run: Run, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        options = ("--no-report", "--reps", "1", "--seed", seed, "--out", tmp_path / f"{name}.jsonl")
        assert run(*FAST, *options).status == 0
    first, again, other = ((tmp_path / f"{name}.jsonl").read_bytes() for name in "abc")
    assert first == again
    assert first != other


def test_a_script_of_faults_is_played_and_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "faults.json").write_text('[[10, "left", "cut", 5], [20, "right", "battery", 9]]')
    out = tmp_path / "x.jsonl"
    ran = run(*FAST, "--no-report", "--script", tmp_path / "faults.json", "--out", out)
    assert ran.status == 0
    assert "The left sensor is lost: keep going" in ran.out
    assert "The left sensor is back" in ran.out
    with open_recording(out) as recording:
        assert sum(map(len, recording.blocks())) > 1000
        states = [event["link"]["state"] for event in recording.events if "link" in event]
    assert "lost" in states


@pytest.mark.parametrize("script", ["[", "{}", '[[1, "left", "explode", 2]]'])
def test_a_script_that_is_none_is_one_line(run: Run, tmp_path: Path, script: str) -> None:
    (tmp_path / "faults.json").write_text(script)
    ran = run(*FAST, "--script", tmp_path / "faults.json", "--out", tmp_path / "x.jsonl")
    assert ran.status == 1
    assert one_line(ran.err)


@pytest.mark.parametrize("wrong", ["--fast", "--script x.json", "--simulate --foot left", "--simulate --tempo 1-2"])
def test_options_of_live_that_do_not_fit_are_status_2(run: Run, home: Path, wrong: str) -> None:
    assert run("live", *wrong.split()).status == 2
    assert not list(home.iterdir())


def test_live_without_known_sensors_says_what_to_do(run: Run) -> None:
    ran = run("live")
    assert ran.status == 1
    assert one_line(ran.err)
    assert "sensorrep setup" in ran.err
    assert "--simulate" in ran.err


def test_settings_that_are_broken_are_one_line(run: Run, home: Path) -> None:
    (home / "config" / "sensorrep").mkdir(parents=True)
    (home / "config" / "sensorrep" / "settings.toml").write_text("[targets]\nreps = many\n")
    ran = run(*FAST)
    assert ran.status == 1
    assert one_line(ran.err)
    assert "settings.toml" in ran.err


def test_targets_come_from_the_settings_and_options_outrank_them(run: Run, home: Path, tmp_path: Path) -> None:
    (home / "config" / "sensorrep").mkdir(parents=True)
    (home / "config" / "sensorrep" / "settings.toml").write_text("[targets]\nsets = 1\nreps = 3\n")
    options = ("live", "--simulate", "--fast", "--no-report", "--tempo", "1-0.5-1-0.5", "--out")
    assert "Set 1 is over: 3 reps" in run(*options, tmp_path / "a.jsonl").out
    assert "Set 1 is over: 5 reps" in run(*options, tmp_path / "b.jsonl", "--reps", "5").out


def test_an_existing_recording_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("mine")
    ran = run(*FAST, "--out", tmp_path / "x.jsonl")
    assert ran.status == 1
    assert one_line(ran.err)
    assert (tmp_path / "x.jsonl").read_text() == "mine"


@pytest.mark.skipif("sys.platform == 'win32'", reason="limits on files are those of POSIX")
def test_a_full_disk_is_told_at_once_and_what_was_written_stays(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from sensorrep.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)); main()"
    )
    arguments = [*map(str, FAST), "--out", str(tmp_path / "x.jsonl")]
    ran = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert one_line(ran.stderr), ran.stderr
    assert "cannot be written any more" in ran.stderr
    assert "Counted until then: " in ran.stdout
    assert (tmp_path / "x.jsonl").stat().st_size == 60_000
    with open_recording(tmp_path / "x.jsonl") as recording:
        assert sum(map(len, recording.blocks())) > 300


def test_a_recording_that_cannot_be_made_is_told_before_any_sensor_is_looked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.jsonl").write_text("what was recorded before")
    ran = run("live", "--out", tmp_path / "old.jsonl")
    assert ran.status == 1
    assert "exists already" in ran.err
    assert (tmp_path / "old.jsonl").read_text() == "what was recorded before"


def test_who_interrupts_the_report_is_told_how_to_write_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sensorrep.commands.live._report", interrupted)
    out = tmp_path / "my session.jsonl"
    ran = run("live", "--simulate", "--fast", "--sets", "1", "--reps", "5", "--out", out)
    assert ran.status == 130
    assert f"sensorrep report '{out}' --out '{tmp_path / 'my session-report'}'" in ran.out


class Running:
    """`sensorrep live --simulate` in real time, from its first packets on."""

    def __init__(self, out: Path) -> None:
        program = [sys.executable, "-m", "sensorrep", "live", "--simulate", "--plain", "--no-report", "--out", str(out)]
        self.process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.said = ""
        while "Lie down" not in self.said and (line := self.process.stdout.readline()):
            self.said += line

    def end(self, *signals: signal.Signals) -> Ran:
        for number in signals:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return Ran(self.process.returncode, out, err)


posix = pytest.mark.skipif("sys.platform == 'win32'", reason="signals as POSIX has them")


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_session_cleanly_with_its_summary(tmp_path: Path, number: signal.Signals) -> None:
    ran = Running(tmp_path / "x.jsonl").end(number)
    assert ran.status == 0
    assert ran.err == ""
    assert "Not a medical device" in ran.out
    assert "The recording is" in ran.out
    assert whole(tmp_path / "x.jsonl")


@posix
def test_a_closed_terminal_ends_a_session_cleanly(tmp_path: Path) -> None:
    ran = Running(tmp_path / "x.jsonl").end(signal.SIGHUP)
    assert (ran.status, ran.err) == (0, "")
    assert "The recording is" not in ran.out  # there is nobody to tell
    assert whole(tmp_path / "x.jsonl")


@posix
def test_a_second_signal_leaves_at_once(tmp_path: Path) -> None:
    ran = Running(tmp_path / "x.jsonl").end(signal.SIGINT, signal.SIGTERM)
    assert ran.status == 128 + signal.SIGTERM
    assert "The recording is" not in ran.out
    assert not whole(tmp_path / "x.jsonl")


def whole(path: Path) -> bool:
    """Whether a recording was closed cleanly; its packets are there in any case."""
    with open_recording(path) as recording:
        assert sum(map(len, recording.blocks())) > 0
        return recording.closed_cleanly and not recording.damage


@posix
def test_on_a_terminal_the_big_view_comes_up_and_gives_the_screen_back(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    program = [
        sys.executable,
        "-m",
        "sensorrep",
        "live",
        "--simulate",
        "--no-report",
        "--out",
        str(tmp_path / "x.jsonl"),
    ]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    process = subprocess.Popen(program, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    drawn, asked = b"", False
    while piece := read(ours):
        drawn += piece
        if not asked and b"Lie down as you will" in drawn:
            process.send_signal(signal.SIGINT)
            asked = True
    os.close(ours)
    assert process.wait(timeout=30) == 0
    assert drawn.count(b"\x1b[?1049h") == drawn.count(b"\x1b[?1049l") == 1
    before, after = drawn.split(b"\x1b[?1049l")
    assert b"SIMULATED" in before
    assert "●●●●".encode() in before
    assert b"Not a medical device" in after


def read(terminal: int) -> bytes:
    """What was printed there; nothing once all who print have gone, which Linux tells by an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


@posix
def test_the_report_is_written_even_if_nobody_reads_what_is_said(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "sensorrep", *map(str, FAST), "--out", str(tmp_path / "x.jsonl")]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert err == b""
    assert whole(tmp_path / "x.jsonl")
    assert (tmp_path / "x-report" / "index.html").exists()


# --- scan and setup


def test_scan_lists_the_sensors_in_reach(run: Run) -> None:
    ran = run("scan", "--simulate", "--seconds", "1")
    assert ran.status == 0
    assert "SIMULATED" in ran.out
    assert "REP-L-0000" in ran.out
    assert "REP-R-0000" in ran.out
    assert "dBm" in ran.out
    assert "87 %" in ran.out


def found(name: str, rssi_dbm: int) -> Found:
    """A sensor that a scan saw."""
    return Found(f"51:4D:{name}", name, "diy", rssi_dbm, BLEDevice(f"51:4D:{name}", name, None))


def test_setup_stores_both_sensors_for_the_owner_and_keeps_the_targets(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def assigned(*_: object) -> tuple[Found, Found]:
        return found("RIGHT ONE", -50), found("LEFT ONE", -60)

    path = home / "config" / "sensorrep" / "settings.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[targets]\nreps = 11\n")
    monkeypatch.setattr(sensors, "_setup", assigned)
    ran = run("setup")
    assert ran.status == 0
    assert str(path) in ran.out
    assert "sensorrep live" in ran.out
    kept = read_settings(path)
    assert [kept.feet[foot].name for foot in Foot] == ["RIGHT ONE", "LEFT ONE"]
    assert kept.targets.reps == 11
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(("seen", "said"), [([], "no sensor was found"), ([-50], "only one sensor was found")])
def test_setup_without_two_sensors_is_one_line_and_stores_nothing(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, seen: list[int], said: str
) -> None:
    async def scanned(*_: object) -> list[Found]:
        return [found(f"REP-{rssi_dbm}", rssi_dbm) for rssi_dbm in seen]

    async def unasked(one: Found, _: object) -> Found:
        return one

    monkeypatch.setattr("sensorrep.sources.ble.scan", scanned)
    monkeypatch.setattr("sensorrep.sources.ble.with_battery", unasked)
    ran = run("setup")
    assert ran.status == 1
    assert one_line(ran.err)
    assert said in ran.err
    assert not list(home.iterdir())


# --- what replay counts


def test_paced_replay_says_each_event_at_its_time(run: Run, session: Path) -> None:
    ran = run("replay", str(session), "--speed", "2000")
    said = [line for line in ran.out.splitlines() if line.endswith("]")]
    summary = json.loads(run("replay", str(session), "--speed", "2000", "--json", "-").out)
    assert [len(one["reps"]) for one in summary["sets"]] == [6, 6]
    assert [sum(f"Set {number}, rep " in line for line in said) for number in (1, 2)] == [6, 6]
    times_s = [int(minutes) * 60 + int(seconds) for minutes, seconds in re.findall(r"\[(\d+):(\d\d)\]", ran.out)]
    assert times_s == sorted(times_s)
    assert times_s[-1] >= summary["sets"][-1]["end_s"]


def test_replay_counts_what_the_recording_was_made_for(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "left.jsonl"
    options = [
        "--movement",
        "one-leg",
        "--foot",
        "left",
        "--sets",
        "1",
        "--reps",
        "5",
        "--no-report",
        "--out",
        str(path),
    ]
    assert run("live", "--simulate", "--fast", *options).status == 0
    found = json.loads(run("replay", str(path), "--json", "-").out)
    assert found["movement"] == "one-leg"
    (one,) = found["sets"]
    assert len(one["reps"]) == 5
    assert not any(rep["flags"] for rep in one["reps"])
    ran = run("replay", str(path), "--movement", "one-leg", "--foot", "right")
    assert ran.status == 1
    assert one_line(ran.err)
    assert "no right sensor" in ran.err


def test_a_sensor_that_was_never_there_is_no_gap(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "left.jsonl"
    assert run("simulate", "--sensors", "left", "--sets", "1", "--reps", "6", "--out", str(path)).status == 0
    (one,) = json.loads(run("replay", str(path), "--json", "-").out)["sets"]
    assert not any("gap" in rep["flags"] for rep in one["reps"])


@pytest.mark.parametrize(
    "options",
    [
        ("live", "--seed", "3"),
        ("live", "--posture", "seated"),
        ("replay", "a.jsonl", "b.jsonl"),
        ("replay", "a.jsonl", "--json", "-", "--explain"),
        ("replay", "a.jsonl", "--speed", "nan"),
    ],
)
def test_options_that_would_be_ignored_or_spoil_each_other_are_refused(run: Run, options: tuple[str, ...]) -> None:
    ran = run(*options)
    assert ran.status == 2
    assert ran.out == ""


def test_a_sessions_json_is_its_owners_alone(run: Run, session: Path, tmp_path: Path) -> None:
    out = tmp_path / "session.json"
    assert run("replay", str(session), "--quiet", "--json", str(out)).status == 0
    assert out.stat().st_mode & 0o777 == 0o600
