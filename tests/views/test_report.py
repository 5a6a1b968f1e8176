import base64
import csv
import json
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sensorrep.errors import SensorRepError
from sensorrep.model import Foot
from sensorrep.views import page_style, report
from sensorrep.views.document import document, json_bytes
from sensorrep.views.page import Session, page
from sensorrep.views.plots import style as figures
from sensorrep.views.report import write_report
from tests.views.sessions import CASES, Case, asymmetric, fatigued, half_reps, no_reps, one_foot, one_rep, typical

Written = tuple[Path, Case]


def write(directory: Path, case: Case) -> Path:
    return write_report(
        directory,
        case.summary,
        case.trace,
        source=case.source,
        simulated=case.simulated,
        started_at=case.started_at,
    )


def html(case: Case) -> str:
    """The page without its figures."""
    return page(Session(case.summary, case.source, case.simulated, case.started_at), {})


def seen(markup: str) -> str:
    """What a person reads."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", markup, flags=re.S)))


class Tags(HTMLParser):
    """Every tag with its attributes, and whether all that were opened are closed."""

    EMPTY = frozenset({"meta", "img"})

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def tired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a written report."""
    return write(tmp_path_factory.mktemp("report") / "fatigued", fatigued()).parent


def test_a_report_is_a_page_its_figures_the_reps_and_the_session(tired: Path) -> None:
    found = {path.relative_to(tired).as_posix() for path in tired.rglob("*") if path.is_file()}
    names = ("session", "reps", "range", "tempo", "speed", "sets")
    figures = {f"figures/{name}.{kind}" for name in names for kind in ("png", "pdf")}
    assert found == {"index.html", "reps.csv", "session.json"} | figures
    assert set(report.FIGURES) == figures
    case = fatigued()
    content = document(case.summary, source=case.source, simulated=False, started_at=case.started_at)
    assert (tired / "session.json").read_bytes() == json_bytes(content)
    with (tired / "reps.csv").open(encoding="utf-8") as rows:
        assert len(list(csv.DictReader(rows))) == 24
    assert (tired / "figures/range.png").read_bytes().startswith(b"\x89PNG")
    assert (tired / "figures/range.pdf").read_bytes().startswith(b"%PDF")


def test_only_the_owner_can_read_it(tired: Path) -> None:
    for path in [tired, *tired.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_the_page_needs_nothing_but_itself(tired: Path) -> None:
    markup = (tired / "index.html").read_text(encoding="utf-8")
    tags = Tags(markup)
    assert not tags.open
    for tag, attributes in tags.tags:
        assert tag not in {"script", "link", "iframe", "object", "base", "form"}
        assert "href" not in attributes
        assert (attributes.get("src") or "data:").startswith(
            "data:image/svg+xml;base64,"[: len(attributes.get("src") or "data:")]
        )
    outside_figures = re.sub(r"base64,[A-Za-z0-9+/=]+", "", markup)
    assert not re.search(r"https?:|url\(|@import|//", outside_figures)
    for figure in re.findall(r"base64,([A-Za-z0-9+/=]+)", markup):
        svg = base64.b64decode(figure).decode()
        assert set(re.findall(r"https?://[\w./-]+", svg)) <= NAMESPACES
        assert set(re.findall(r'href="([^"]*)"', svg)) == set(re.findall(r'href="(#[^"]*)"', svg))


NAMESPACES = {
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/1999/xlink",
    "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd",
    "http://purl.org/dc/elements/1.1/",
    "http://creativecommons.org/ns",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns",
}
"""Names, not addresses: nothing is fetched for them."""


def test_the_page_can_be_heard_and_read_on_any_screen(tired: Path) -> None:
    tags = Tags((tired / "index.html").read_text(encoding="utf-8")).tags
    assert ("html", {"lang": "en"}) in tags
    assert any(attributes.get("name") == "viewport" for tag, attributes in tags if tag == "meta")
    pictures = [attributes for tag, attributes in tags if tag == "img"]
    assert len(pictures) == 6
    assert len({picture["alt"] for picture in pictures if picture["alt"]}) == 6
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in tags if tag == "th")
    levels = [tag for tag, _ in tags if tag in ("h1", "h2")]
    assert levels[0] == "h1"
    assert levels.count("h1") == 1
    assert "@media print" in (tired / "index.html").read_text(encoding="utf-8")


def test_the_page_tells_what_a_physiotherapist_looks_for_in_that_order() -> None:
    text = seen(html(fatigued()))
    order = [
        "3 sets: 8, 8 and 8 reps",
        "Range, left and right Set",
        "-8 % to +11 %",
        "Opening (s)",
        "Fatigue showed from rep 6 (at the end",
        "opening speed is down by 20% or more from rep 6 on",
        "against set 1: range",
        "0 of 12648 samples lost",
        "How to read this",
        "Not a medical device. Angles are estimates,",
        "Stop if pain is sharp or new.",
    ]
    places = [text.find(words, text.find("Summary") if number else 0) for number, words in enumerate(order)]
    assert -1 not in places
    assert places == sorted(places)


def test_the_page_never_diagnoses() -> None:
    for make in CASES.values():
        assert not re.search(r"diagnos|abnormal|injur|treat|imbalance|score|correct(s|ed) ", seen(html(make())), re.I)


def test_an_asymmetry_is_said_with_its_direction() -> None:
    text = seen(html(asymmetric()))
    assert "Right opened less" in text
    assert "Right minus left" in text
    assert "-3.4°, -29 % -40 % to -19 %" in text


def test_what_scrolls_sideways_says_so_and_can_be_reached_with_the_keyboard(tired: Path) -> None:
    tags = Tags((tired / "index.html").read_text(encoding="utf-8")).tags
    scrolled = [attributes for _, attributes in tags if "wide" in (attributes.get("class") or "").split()]
    assert len(scrolled) == 6 + 4
    assert all(one["tabindex"] == "0" and one["role"] == "region" and one["aria-label"] for one in scrolled)
    assert sum(one["class"] == "wide broad" for one in scrolled) == 3
    assert page_style.STYLE.count("slide sideways") == 2


def luminance(colour: str) -> float:
    full = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
    parts = [int(full[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_letters_stand_out_from_their_ground_by_4_5_to_1() -> None:
    def contrast(one: str, other: str) -> float:
        dark, light = sorted((luminance(one), luminance(other)))
        return (light + 0.05) / (dark + 0.05)

    inks = re.findall(r"[^-]color: (#\w+)", page_style.STYLE)
    assert {"#222", "#555", "#fff", "#A84300"} == set(inks)
    assert all(contrast(ink, "#fff") >= 4.5 for ink in inks if ink != "#fff")
    assert "background: #A84300; color: #fff" in page_style.STYLE
    assert contrast(figures.BADGE, "#fff") >= 4.5
    for ground in ("#fff", figures.SHADE, figures.WARN):
        assert contrast(figures.INK, ground) >= 4.5
    assert contrast(figures.QUIET, figures.SHADE) >= 4.5
    assert min(contrast(one, figures.SHADE) for one in figures.COLOUR.values()) >= 3  # lines and marks


def test_a_simulation_says_so_first_and_a_real_session_never() -> None:
    text = seen(html(half_reps()))
    assert text.index("SIMULATED") < text.index("2 sets")
    assert "SIMULATED" not in html(typical())


@pytest.mark.parametrize("name", CASES)
def test_every_session_makes_a_whole_page(name: str) -> None:
    markup = html(CASES[name]())
    assert not Tags(markup).open
    assert not re.search(r"\b(nan|inf|None)\b", seen(markup))
    assert "Stop if pain is sharp or new." in markup


def test_a_session_without_reps_has_no_empty_sections() -> None:
    text = seen(html(no_reps()))
    assert "No reps were counted" in text
    assert "too small" in text
    for title in ("Range, left and right", "Tempo", "Fatigue", "Every rep", "How to read this"):
        assert title not in text


def test_one_foot_and_one_rep_claim_no_comparison() -> None:
    assert "No comparison: right not measured" in seen(html(one_foot()))
    assert "Sensor right: no sensor" in seen(html(one_foot()))
    assert "No comparison: too few reps" in seen(html(one_rep()))


@pytest.mark.parametrize(
    "evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a&b'c", "\x1b[31m\x00"]
)
def test_strings_from_outside_stay_text(evil: str) -> None:
    case = typical()
    feet = {foot: replace(stats, device=evil) for foot, stats in case.summary.feet.items()}
    markup = html(replace(case, source=evil, started_at=evil, summary=replace(case.summary, feet=feet)))
    plain = html(case)
    assert [tag for tag, _ in Tags(markup).tags] == [tag for tag, _ in Tags(plain).tags]
    assert all("onerror" not in attributes for _, attributes in Tags(markup).tags)
    assert "\x1b" not in markup
    assert "\x00" not in markup
    assert Foot.LEFT in feet


def test_the_same_session_gives_the_same_files(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, one_rep()).parent for name in ("first", "second"))
    for path in first.rglob("*.*"):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()


def test_a_report_of_ours_is_replaced_and_its_old_figures_go(tmp_path: Path) -> None:
    write(tmp_path / "report", one_rep())
    (tmp_path / "report/mine.txt").write_text("kept")
    write(tmp_path / "report", no_reps())
    assert [path.name for path in (tmp_path / "report/figures").iterdir() if path.suffix == ".png"] == ["session.png"]
    assert "No reps were counted" in (tmp_path / "report/index.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "report/session.json").read_text(encoding="utf-8"))["sets"] == []
    assert (tmp_path / "report/mine.txt").read_text() == "kept"


@pytest.mark.parametrize("name", ["index.html", "session.json", "reps.csv", "figures/range.png"])
def test_a_file_of_somebody_else_is_never_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / name).write_text("precious")
    with pytest.raises(SensorRepError, match=f"{name}: exists, and is not from a report: choose another folder"):
        write(tmp_path, one_rep())
    assert (tmp_path / name).read_text() == "precious"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def under_a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / "report"


def at_a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file"


@pytest.mark.parametrize("where", [under_a_file, at_a_file])
def test_a_folder_that_cannot_be_made_gives_one_line(tmp_path: Path, where: Callable[[Path], Path]) -> None:
    directory = where(tmp_path)
    with pytest.raises(SensorRepError, match="the report can't be written") as caught:
        write(directory, one_rep())
    assert "\n" not in str(caught.value)


def test_a_disk_that_fills_up_leaves_the_old_page_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = write(tmp_path / "report", no_reps()).read_bytes()

    def full(path: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SensorRepError, match="No space left on device"):
        write(tmp_path / "report", one_rep())
    assert (tmp_path / "report/index.html").read_bytes() == old
