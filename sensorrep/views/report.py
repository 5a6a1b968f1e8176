"""The report of a session: a folder with one page, its figures, the reps as CSV and the session as JSON.

A report can be rebuilt from its recording at any time, so writing over one of ours is fine; over anything else it is
refused. Only the owner may read it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sensorrep.errors import SensorRepError
from sensorrep.model import SessionSummary, Trace
from sensorrep.views.document import FORMAT, document, json_bytes, reps_csv
from sensorrep.views.page import GENERATOR, Session, page
from sensorrep.views.page_text import PICTURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE: Final = "index.html"
JSON: Final = "session.json"
CSV: Final = "reps.csv"
FIGURES: Final = tuple(f"figures/{name}.{kind}" for name in PICTURES for kind in ("png", "pdf"))
BEGINNING: Final = 4096
"""Bytes of a file that are looked at to know it as ours."""


def write_report(
    directory: Path, summary: SessionSummary, trace: Trace, *, source: str, simulated: bool, started_at: str | None
) -> Path:
    """Write all files, the page last, and return its path. Raises SensorRepError where that can't be done."""
    try:
        _refuse_foreign(directory)
        (directory / "figures").mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        content = document(summary, source=source, simulated=simulated, started_at=started_at)
        _write(directory / JSON, json_bytes(content))
        _write(directory / CSV, reps_csv(content).encode())
        pictures = _pictures(directory, summary, trace, simulated)
        session = Session(summary, source, simulated, started_at)
        _write(directory / PAGE, page(session, pictures).encode())
    except OSError as error:
        raise SensorRepError(f"{directory}: the report can't be written: {error.strerror or error}") from error
    return directory / PAGE


def _pictures(directory: Path, summary: SessionSummary, trace: Trace, simulated: bool) -> dict[str, bytes]:
    """Draw into files, drop what an older report drew and this one does not; as SVG for the page."""
    from sensorrep.views import plots

    pictures, written = {}, set()
    for name, figure in _figures(summary, trace, simulated):
        for kind in ("png", "pdf"):
            _write(directory / f"figures/{name}.{kind}", plots.image(figure, kind))
            written.add(f"figures/{name}.{kind}")
        pictures[name] = plots.image(figure, "svg")
    for stale in set(FIGURES) - written:
        (directory / stale).unlink(missing_ok=True)
    return pictures


def _figures(summary: SessionSummary, trace: Trace, simulated: bool) -> "Iterator[tuple[str, Figure]]":
    """Those figures that have something to show."""
    from sensorrep.views import plots

    yield "session", plots.figure_session(summary, trace, simulated=simulated)
    if summary.sets:
        yield "reps", plots.figure_reps(summary, trace, simulated=simulated)
        yield "range", plots.figure_range(summary, simulated=simulated)
        yield "tempo", plots.figure_tempo(summary, simulated=simulated)
        yield "speed", plots.figure_speed(summary, simulated=simulated)
    if len(summary.sets) > 1:
        yield "sets", plots.figure_sets(summary, simulated=simulated)


def _refuse_foreign(directory: Path) -> None:
    """Raises SensorRepError if a file would be replaced in a folder that holds no report of ours."""
    if _begins(directory / PAGE, GENERATOR) or _begins(directory / JSON, FORMAT.partition("/")[0]):
        return
    for name in (PAGE, JSON, CSV, *FIGURES):
        if os.path.lexists(directory / name):
            raise SensorRepError(
                f"{directory / name}: exists, and is not from a report: choose another folder, or move that file away"
            )


def _begins(path: Path, mark: str) -> bool:
    try:
        with path.open("rb") as file:
            return mark.encode() in file.read(BEGINNING)
    except FileNotFoundError:
        return False


def _write(path: Path, content: bytes) -> None:
    """The whole file or none of it, for the owner alone."""
    half = path.with_name(f".{path.name}.part")
    half.unlink(missing_ok=True)
    with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 (mode)
        file.write(content)
    half.replace(path)
