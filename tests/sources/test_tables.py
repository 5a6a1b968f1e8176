import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensorrep.devices.table import Decoder
from sensorrep.errors import RecordingError
from sensorrep.model import FloatArray, Foot, Packet
from sensorrep.sources.rows import COLUMNS
from sensorrep.sources.tables import Table, open_table

quick = settings(
    deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

HEADER = ",".join(COLUMNS)


def rows(count: int, rate_hz: float = 100.0, begin_s: float = 0.0, seed: int = 0) -> FloatArray:
    """(n, 7): a sensor that lies and trembles."""
    noise = np.random.default_rng(seed).normal(0, 0.1, (count, 6))
    return np.column_stack([begin_s + np.arange(count) / rate_hz, noise + np.array([0, 0, 9.81, 0, 0, 0])])


def write(path: Path, sensors: dict[str, FloatArray]) -> Path:
    """The long form, rows in time order; with the word `-` there is no sensor column."""
    every = sorted((row[0], word, row) for word, table in sensors.items() for row in table.tolist())
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([name for name in COLUMNS if name != "sensor" or "-" not in sensors])
        table.writerows([row[0], *([] if word == "-" else [word]), *row[1:]] for _, word, row in every)
    return path


def packets_of(table: Table) -> list[Packet]:
    return [packet for block in table.blocks(7) for packet in block]


def rows_of(table: Table, foot: Foot) -> FloatArray:
    payloads = b"".join(packet.payload for packet in packets_of(table) if packet.foot == foot)
    return np.frombuffer(payloads).reshape(-1, 7)


def error_of(content: str | bytes, path: Path) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(RecordingError) as caught:
        open_table([path])
    words = str(caught.value)
    assert words.startswith(str(path))
    assert "\n" not in words
    return words.removeprefix(str(path))


@quick
@given(left=st.integers(2, 300), right=st.integers(0, 300), begin_s=st.sampled_from([0.0, -5.0, 1.7e9]))
def test_every_row_comes_once_and_unchanged_in_order_of_arrival(
    tmp_path: Path, left: int, right: int, begin_s: float
) -> None:
    sensors = {"left": rows(left, 104, begin_s), "right": rows(right + 2, 99.3, begin_s + 0.003, seed=1)}
    table = open_table([write(tmp_path / "a.csv", sensors)])
    packets = packets_of(table)
    assert packets == sorted(packets, key=lambda packet: (packet.received_ns, packet.foot))
    for foot in Foot:
        assert np.array_equal(rows_of(table, foot), sensors[foot.word])
    for packet in packets:
        times_s = np.frombuffer(packet.payload).reshape(-1, 7)[:, 0]
        assert packet.received_ns == round(times_s[-1] * 1e9)
        assert 0 <= times_s[-1] - times_s[0] < 0.1 + 1e-6
        assert packet.channel == "table"
    assert table.bytes_read == table.size == (tmp_path / "a.csv").stat().st_size
    assert table.damage == []
    assert table.closed_cleanly


def test_the_readme_s_example_is_a_table(tmp_path: Path) -> None:
    readme = Path(__file__).parents[2] / "recordings" / "README.md"
    text = readme.read_text(encoding="utf-8").partition("```csv\n")[2].partition("```")[0]
    (tmp_path / "a.csv").write_text(text)
    table = open_table([tmp_path / "a.csv"])
    assert [len(rows_of(table, foot)) for foot in Foot] == [2, 2]


def test_the_header_lets_the_decoder_see_gaps(tmp_path: Path) -> None:
    whole = rows(500, 52.0)
    table = open_table([write(tmp_path / "a.csv", {"left": np.delete(whole, np.s_[200:230], axis=0)})])
    assert table.header.feet.keys() == {Foot.LEFT}
    sensor = table.header.feet[Foot.LEFT]
    assert (sensor.device, sensor.name) == ("table", "a.csv")
    samples = Decoder(sensor.info).push(packets_of(table))
    assert samples["counter"].tolist() == [*range(200), *range(230, 500)]


def test_rows_timed_at_their_arrival_are_no_gaps_but_a_break_is(tmp_path: Path) -> None:
    table = rows(1000)
    table[600:, 0] += 1.0
    late_s = np.random.default_rng(3).uniform(0, 0.02, 1000)
    table[:, 0] = np.maximum.accumulate(table[:, 0] + late_s)
    opened = open_table([write(tmp_path / "a.csv", {"left": table})])
    steps = np.diff(Decoder(opened.header.feet[Foot.LEFT].info).push(packets_of(opened))["counter"])
    assert set(np.delete(steps, 599).tolist()) == {1}
    assert steps[599] == pytest.approx(101, rel=0.2)


def test_feet_may_have_different_rates_and_follow_each_other_in_the_file(tmp_path: Path) -> None:
    left, right = rows(300, 100.0), rows(75, 25.0, begin_s=1.0)
    first, second = write(tmp_path / "l.csv", {"left": left}), write(tmp_path / "r.csv", {"right": right})
    (tmp_path / "a.csv").write_text(first.read_text() + second.read_text().partition("\n")[2])
    table = open_table([tmp_path / "a.csv"])
    assert np.array_equal(rows_of(table, Foot.LEFT), left)
    assert np.array_equal(rows_of(table, Foot.RIGHT), right)
    arrivals = [packet.received_ns for packet in packets_of(table)]
    assert arrivals == sorted(arrivals)


@pytest.mark.parametrize(
    ("first", "second", "left_is"),
    [
        ("left", "right", 0),
        ("right", "left", 1),
        ("-", "-", 0),
        ("left", "left", 0),
        ("right", "right", 0),
        ("-", "right", 0),
    ],
)
def test_two_tables_are_two_feet(tmp_path: Path, first: str, second: str, left_is: int) -> None:
    tables = [rows(40, seed=1), rows(50, seed=2)]
    paths = [write(tmp_path / "1.csv", {first: tables[0]}), write(tmp_path / "2.csv", {second: tables[1]})]
    table = open_table(paths)
    assert np.array_equal(rows_of(table, Foot.LEFT), tables[left_is])
    assert np.array_equal(rows_of(table, Foot.RIGHT), tables[1 - left_is])
    assert table.header.feet[Foot.LEFT].name == paths[left_is].name
    assert table.size == sum(path.stat().st_size for path in paths)


@pytest.mark.parametrize(("first", "second"), [({"left": 0, "right": 0}, {"left": 0}), ({"right": 0}, {"-": 0})])
def test_tables_that_claim_the_same_foot_are_refused(
    tmp_path: Path, first: dict[str, int], second: dict[str, int]
) -> None:
    paths = [
        write(tmp_path / f"{n}.csv", {word: rows(20) for word in words}) for n, words in enumerate((first, second))
    ]
    with pytest.raises(RecordingError, match=r"1\.csv: the \w+ foot is in .*0\.csv too"):
        open_table(paths)


def test_more_than_two_tables_are_misuse(tmp_path: Path) -> None:
    for paths in ([], [tmp_path] * 3):
        with pytest.raises(ValueError, match="one table"):
            open_table(paths)


def spelled(change: Callable[[str], str]) -> Callable[[Path], Path]:
    def rewrite(path: Path) -> Path:
        path.write_bytes(change(path.read_text()).encode())
        return path

    return rewrite


def columns_turned_round(text: str) -> str:
    return "\n".join(",".join(reversed(line.split(","))) for line in text.splitlines())


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n\n,,,,,,,\n",
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.replace("left", "Left").replace("right", " RIGHT "),
        lambda text: text.replace("left", '"left"').replace("time_s", '"time_s"'),
        lambda text: text.replace(",", " , "),
        lambda text: "\n".join(line + ",x" * (n % 3 + 1) for n, line in enumerate(text.splitlines())),
        columns_turned_round,
        lambda text: columns_turned_round(text.replace("\n", "\r\n")),
    ],
)
def test_spelling_does_not_matter(tmp_path: Path, rewrite: Callable[[str], str]) -> None:
    sensors = {"left": rows(40, seed=1), "right": rows(50, seed=2)}
    table = open_table([spelled(rewrite)(write(tmp_path / "a.csv", sensors))])
    for foot in Foot:
        assert np.array_equal(rows_of(table, foot), sensors[foot.word])
    assert table.damage == []


ROW = "0.03,left,0,0,9.81,0,0,0"
ROWS = [f"0.0{n},left,0,0,9.81,0,0,0" for n in range(8)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0.03,left,0,0,9.81,0,0", "gyr_z_rad_s is missing: the line has only 7 columns"),
        ("0.03,left,0,0,abc,0,0,0", "acc_z_m_s2 must be a number, not 'abc'"),
        ("0.03,left,0,0,,0,0,0", "acc_z_m_s2 must be a number, not ''"),
        ("0.03,left,0,0,9.81,nan,0,0", "gyr_x_rad_s must be a number, not 'nan'"),
        ("0.03,left,0,0,9.81,-inf,0,0", "gyr_x_rad_s must be a number, not '-inf'"),
        ("0.03,left,0,0,1e9,0,0,0", "acc_z_m_s2 cannot be 1e+09"),
        ("1e12,left,0,0,9.81,0,0,0", "time_s cannot be 1e+12"),
        ("0.03,middle,0,0,9.81,0,0,0", "sensor must be left or right, not 'middle'"),
        ("0.03,lefthand,0,0,9.81,0,0,0", "sensor must be left or right, not 'lefthand'"),
        ("0.01,left,0,0,9.81,0,0,0", "time_s goes back from 0.02 to 0.01 on the left foot"),
        ("0.03;left;0;0;9.81;0;0;0", "sensor is missing: the line has only 1 columns"),
        ("0.03,le\rft,0,0,9.81,0,0,0", ""),
        ("0.03,left,0,0,9.81,0,0,0" + "0" * 200_000 + "x", ""),
    ],
)
def test_a_bad_row_is_told_with_its_line(tmp_path: Path, line: str, words: str) -> None:
    content = "\n".join([HEADER, *ROWS[:3], line, *ROWS[4:]]) + "\n"
    assert error_of(content, tmp_path / "a.csv").startswith(f", line 5: {words}")


def test_line_numbers_hold_deep_in_a_long_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensorrep.sources.tables._PIECE", 300)
    lines = write(tmp_path / "a.csv", {"left": rows(400)}).read_text().splitlines()
    lines[200] = ""
    lines[350] = lines[348]
    assert error_of("\n".join(lines) + "\n", tmp_path / "a.csv").startswith(", line 351: time_s goes back")


def test_a_torn_last_line_is_told_and_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join([HEADER, *ROWS, "0.08,left,0.1,"]))
    table = open_table([tmp_path / "a.csv"])
    assert len(rows_of(table, Foot.LEFT)) == len(ROWS)
    assert table.damage == ["line 10 is torn: the table breaks off there"]
    assert not table.closed_cleanly


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ": the file is empty"),
        (HEADER, ": there are no rows"),
        (HEADER + "\n\n", ": there are no rows"),
        (HEADER + "\n" + ROW + "\n", ": there is only one row of the left foot"),
        (HEADER.replace(",", ";") + "\n" + ROW, ", line 1: columns must be separated by commas"),
        (HEADER.replace("gyr_x_rad_s", "gyr_x_dps") + "\n" + ROW, ", line 1: gyr_x_rad_s missing"),
        (HEADER.replace("sensor,", "") + "\n" + ROW, ", line 1: sensor missing"),
        ("time,foot\n0,1\n", ", line 1: all columns missing"),
        (b"\x1f\x8b\x08" + bytes(range(256)) * 20, ", line 1:"),
        ('{"format": "sensorrep-recording/1"}\n', ", line 1:"),
        (HEADER + "\n" + "x" * 4_000_000, ": this is no table"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, content: str | bytes, words: str) -> None:
    assert error_of(content, tmp_path / "a.csv").startswith(words)


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "no.csv", "no such file"), (tmp_path, "folder")):
        with pytest.raises(RecordingError, match=words):
            open_table([path])


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        ([1, 1 / 9.80665, 1], "looks like g: multiply"),
        ([1, 1000, 1], "must be in m/s², with gravity"),
        ([1, 0.01, 1], "must be in m/s², with gravity"),
        ([1, 1, 57.3], "looks like deg/s: multiply"),
        ([1000, 1, 1], "must be in seconds"),
        ([1e-6, 1, 1], "must be in seconds"),
        ([0, 1, 1], "too coarse"),
    ],
)
def test_other_units_are_refused_and_named(tmp_path: Path, scale: Sequence[float], words: str) -> None:
    table = rows(300)
    table[:, 4] += np.sin(table[:, 0] * 6)
    table *= np.repeat(scale, [1, 3, 3])
    path = write(tmp_path / "a.csv", {"left": rows(300), "right": table})
    assert words in error_of(path.read_bytes(), path)
    assert "right" in error_of(path.read_bytes(), path)


def test_feet_on_different_clocks_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", {"left": rows(100), "right": rows(100, begin_s=1.7e9)})
    words = error_of(path.read_bytes(), path)
    assert "no time_s in common (left from 0 to 0.99, right from 1700000000 to 1700000000.99)" in words


def test_a_table_longer_than_a_day_is_refused(tmp_path: Path) -> None:
    table = rows(100)
    table[99, 0] = 900_000
    path = write(tmp_path / "a.csv", {"left": table})
    assert "time_s spans 250 hours" in error_of(path.read_bytes(), path)


@quick
@given(
    content=st.binary(max_size=200) | st.text('0123456789.,-e \r\n"leftrigh', max_size=200).map(str.encode),
    headed=st.booleans(),
)
def test_any_bytes_give_a_table_or_a_recording_error(tmp_path: Path, content: bytes, headed: bool) -> None:
    (tmp_path / "a.csv").write_bytes((HEADER.encode() + b"\n" if headed else b"") + content)
    try:
        table = open_table([tmp_path / "a.csv"])
    except RecordingError:
        return
    assert packets_of(table)


@quick
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_table_gives_a_table_or_a_recording_error(tmp_path: Path, where: float, bit: int, cut: bool) -> None:
    path = write(tmp_path / "a.csv", {"left": rows(20), "right": rows(20)})
    content = bytearray(path.read_bytes())
    at = int(where * len(content))
    content[at] ^= 1 << bit
    path.write_bytes(content[:at] if cut else content)
    try:
        table = open_table([path])
    except RecordingError as error:
        assert str(error).startswith(str(path))  # noqa: PT017
        return
    assert packets_of(table)
