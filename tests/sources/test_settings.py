"""A person's settings: what is written is read, what is wrong is named, nobody else reads them."""

import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.devices import MODELS
from sensorrep.errors import SensorRepError
from sensorrep.model import Foot
from sensorrep.sources.settings import (
    KnownSensor,
    Settings,
    as_toml,
    read_settings,
    sessions_folder,
    settings_path,
    write_settings,
)
from sensorrep.targets import Targets

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SECONDS = st.floats(0.1, 10.0)
SETTINGS = st.builds(
    Settings,
    st.dictionaries(st.sampled_from(Foot), st.builds(KnownSensor, st.sampled_from(MODELS), TEXT, TEXT)),
    st.builds(
        Targets,
        sets=st.integers(1, 20),
        reps=st.integers(1, 60),
        rest_s=st.floats(10.0, 600.0),
        tempo_s=st.tuples(SECONDS, SECONDS, SECONDS, SECONDS),
    ),
)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(SETTINGS)
def test_what_is_written_is_read_whatever_the_sensors_call_themselves(
    tmp_path_factory: pytest.TempPathFactory, kept: Settings
) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.toml"
    write_settings(path, kept)
    assert read_settings(path) == kept


def test_the_file_is_for_people_too() -> None:
    text = as_toml(
        Settings({Foot.LEFT: KnownSensor("diy", "AA:BB", 'the "good" one')}, Targets(2, 10, 30.0, (2, 1, 3, 1)))
    )
    assert tomllib.loads(text)["left"] == {"model": "diy", "address": "AA:BB", "name": 'the "good" one'}
    assert "[targets]\nsets = 2\nreps = 10\nrest_s = 30.0\n" in text
    assert "tempo_s = [2.0, 1.0, 3.0, 1.0]" in text


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "settings.toml"
    write_settings(path, Settings())
    write_settings(path, Settings())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["settings.toml"]


def test_without_a_file_there_are_the_defaults(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "settings.toml") == Settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[left\n", "line 1"),
        ("\xff", "utf-8"),
        ("[middle]", "middle"),
        ("left = 3", "[left] must be a table"),
        ("[targets]\ntempo_s = [0, 0, 0, 0]", "from 0.1 to 10"),
        ("[targets]\nrest_s = nan", "from 10 to 600"),
        ("[targets]\nreps = 61", "from 1 to 60"),
        ('[left]\nmodel = "diy"\naddress = "A"', "name"),
        ('[left]\nmodel = "diy"\naddress = 3\nname = "x"', "address"),
        ('[left]\nmodel = "toaster"\naddress = "A"\nname = "x"', "model"),
        ("[targets]\nrep = 8", "rep"),
        ("[targets]\nreps = 0", "reps"),
        ("[targets]\nreps = true", "reps"),
        ("[targets]\nrest_s = inf", "rest_s"),
        ("[targets]\ntempo_s = [1, 2, 3]", "tempo_s"),
        ('[targets]\ntempo_s = "2-1-2-1"', "tempo_s"),
    ],
)
def test_a_slip_is_one_line_that_names_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SensorRepError) as caught:
        read_settings(path)
    assert str(path) in str(caught.value)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SensorRepError, match="cannot be written"):
        write_settings(tmp_path / "file" / "settings.toml", Settings())
    with pytest.raises(SensorRepError, match="cannot be read"):
        read_settings(tmp_path)


@pytest.mark.skipif("sys.platform != 'linux'", reason="the folders of other systems are theirs")
def test_the_folders_are_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    monkeypatch.setenv("XDG_DATA_HOME", "/d")
    assert settings_path() == Path("/c/sensorrep/settings.toml")
    assert sessions_folder() == Path("/d/sensorrep/sessions")
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")
    monkeypatch.setenv("HOME", "/h")
    assert sessions_folder() == Path("/h/.local/share/sensorrep/sessions")
