"""A person's settings: which sensor belongs on which foot, and what was agreed as a target. TOML, for the owner only.

Where it is: `settings.toml` in the platform's configuration folder (`~/.config/sensorrep` on Linux).
"""

import json
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BufferedWriter
from pathlib import Path
from typing import Any, Final

from sensorrep.devices import MODELS
from sensorrep.errors import SensorRepError
from sensorrep.model import Foot
from sensorrep.sources.files import create_private, make_private_folders, sync_folder
from sensorrep.targets import PHASE_S, REPS, REST_S, SETS, Targets

NAME: Final = "settings.toml"
PHASES: Final = 4


@dataclass(frozen=True, slots=True)
class KnownSensor:
    """The sensor of one foot, as `setup` found it."""

    model: str
    address: str
    """As the platform has it: an address, on macOS a UUID that only this computer knows."""
    name: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All that is kept between sessions."""

    feet: Mapping[Foot, KnownSensor] = field(default_factory=dict)
    targets: Targets = field(default_factory=Targets)


def settings_path() -> Path:
    """Where this person's settings are."""
    import typer

    return Path(typer.get_app_dir("sensorrep")) / NAME


def sessions_folder() -> Path:
    """Where this person's recordings and reports go unless told otherwise: the platform's folder for data."""
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home())
    else:
        given = Path(os.environ.get("XDG_DATA_HOME", ""))
        base = given if given.is_absolute() else Path.home() / ".local" / "share"  # the rule of the XDG specification
    return base / "sensorrep" / "sessions"


def read_settings(path: Path) -> Settings:
    """The settings in a file; the defaults where there is none. Raises SensorRepError, which names what is wrong."""
    try:
        return _parsed(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise SensorRepError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # of TOML, of UTF-8, of ours
        raise SensorRepError(f"{path}: {error}: mend it, or delete it and run sensorrep setup") from None


def write_settings(path: Path, settings: Settings) -> None:
    """Write the whole file or none of it. Raises SensorRepError where that can't be done."""
    half = path.with_name(f".{path.name}.part")
    try:
        make_private_folders(path.absolute().parent)
        half.unlink(missing_ok=True)
        with BufferedWriter(create_private(half)) as file:
            file.write(as_toml(settings).encode())
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
        sync_folder(path.absolute().parent)
    except OSError as error:
        raise SensorRepError(f"{path}: cannot be written: {error.strerror or error}") from error


def as_toml(settings: Settings) -> str:
    """The file's text."""
    lines = ["# Sensors and targets of one person, for sensorrep. `sensorrep setup` writes the sensors."]
    for foot, worn in sorted(settings.feet.items()):
        fields = {"model": worn.model, "address": worn.address, "name": worn.name}
        lines += ["", f"[{foot.word}]", *(f"{key} = {_quoted(text)}" for key, text in fields.items())]
    targets = settings.targets
    tempo = ", ".join(repr(float(one)) for one in targets.tempo_s)
    lines += [
        *("", "[targets]", f"sets = {targets.sets}", f"reps = {targets.reps}", f"rest_s = {float(targets.rest_s)!r}"),
        *("# opening, hold, return, pause", f"tempo_s = [{tempo}]", ""),
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for DEL, which TOML wants escaped, and lone surrogates."""
    whole = text.encode("utf-8", "replace").decode()
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def _parsed(found: Mapping[str, Any]) -> Settings:
    """Raises ValueError for what is not as it should be, also for names that mean nothing: they are slips."""
    words = {foot.word: foot for foot in Foot}
    _only(found, {*words, "targets"}, "the file")
    feet = {words[word]: _known(word, found[word]) for word in words if word in found}
    return Settings(feet, _targets(found.get("targets", {})))


def _known(word: str, found: Any) -> KnownSensor:
    _only(found, {"model", "address", "name"}, f"[{word}]")
    for key in ("model", "address", "name"):
        if type(found.get(key)) is not str:
            raise ValueError(f"[{word}] needs {key} in quotes")
    if found["model"] not in MODELS:
        raise ValueError(f"[{word}] is of a model that is not known (known: {', '.join(MODELS)})")
    return KnownSensor(found["model"], found["address"], found["name"])


def _targets(found: Any) -> Targets:
    _only(found, {"sets", "reps", "rest_s", "tempo_s"}, "[targets]")
    given = dict(found)
    for key, (least, most) in (("sets", SETS), ("reps", REPS)):
        if key in given and not (type(given[key]) is int and least <= given[key] <= most):
            raise ValueError(f"{key} in [targets] must be a whole number from {least} to {most}")
    if "rest_s" in given and not _within(given["rest_s"], REST_S):
        raise ValueError("rest_s in [targets] must be seconds from {:g} to {:g}".format(*REST_S))
    if "tempo_s" in given:
        tempo = given["tempo_s"]
        if not (type(tempo) is list and len(tempo) == PHASES and all(_within(one, PHASE_S) for one in tempo)):
            phases = "four numbers of seconds from {:g} to {:g}: opening, hold, return, pause".format(*PHASE_S)
            raise ValueError(f"tempo_s in [targets] must be {phases}")
        given["tempo_s"] = tuple(map(float, tempo))
    return Targets(**given)


def _within(found: Any, limits: tuple[float, float]) -> bool:
    return type(found) in (int, float) and limits[0] <= found <= limits[1]


def _only(found: Any, known: set[str], where: str) -> None:
    if type(found) is not dict:
        raise ValueError(f"{where} must be a table")
    for key in found.keys() - known:
        raise ValueError(f"{where} has {key!r}, which means nothing here (known: {', '.join(sorted(known))})")
