"""The session on a terminal while it runs: readable from two metres, at 80 columns and narrower, without colour too.

A thread of its own draws, so that a slow terminal holds up neither the radio nor the recording.
"""

import textwrap
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from sensorrep.model import LOW_BATTERY_PCT, Event, Foot, Message
from sensorrep.views import big_digits, formats
from sensorrep.views.link_quality import LinkQuality
from sensorrep.views.scoreboard import Latest, Phase, Scoreboard, Screen

REDRAWS_HZ: Final = 10.0
"""More looks no smoother and takes the processor from the radio."""
BIG: Final[dict[Phase, str]] = {
    "connect": "WAIT",
    "position": "LIE DOWN",
    "still": "STILL",
    "begin": "BEGIN",
    "going": "GO ON",
}
MOST_BAR: Final = 44
TALL: Final = 32
"""Rows from which on the tempo too is drawn large."""
WIDE: Final = 60
LABEL: Final = 10
"""Columns of the words on the left."""
PHASES: Final = "  s (opening-hold-return-pause)"
FOOTER: Final = "Ctrl-C ends the session. Not a medical device. Stop if pain is sharp or new."
SHORT_FOOTER: Final = "Ctrl-C ends the session."


class LiveTerminal:
    """Shows the scoreboard on the whole screen while it is entered; the screen from before comes back afterwards."""

    def __init__(self, scoreboard: Scoreboard, console: Console, now_ns: Callable[[], int]) -> None:
        self._scoreboard = scoreboard
        self._latest: Callable[[], Latest] = Latest
        board = Board(scoreboard, now_ns)
        self._live = Live(
            get_renderable=lambda: board,
            console=console,
            screen=True,
            refresh_per_second=REDRAWS_HZ,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def following(self, latest: Callable[[], Latest]) -> Self:
        """This view, which from now on takes the latest signal from there."""
        self._latest = latest
        return self

    def show(self, messages: Sequence[Message], events: Sequence[Event]) -> None:
        """Take it in; it is drawn soon."""
        self._scoreboard.take(messages, events, self._latest())


class Board:
    """The scoreboard, drawn as large as the terminal is."""

    def __init__(self, scoreboard: Scoreboard, now_ns: Callable[[], int]) -> None:
        self._scoreboard = scoreboard
        self._now_ns = now_ns

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        screen = self._scoreboard.screen(self._now_ns())
        yield from lines(screen, options.max_width, options.height or console.height, ascii_only=options.ascii_only)


def lines(screen: Screen, width: int, height: int, *, ascii_only: bool = False) -> list[Text]:
    """What fits of the screen, most important first: count and openings, then what to do, links, tempo, older sets."""
    ink = "#" if ascii_only else "█"
    parts = {
        "head": [_head(screen, width)],
        "bars": _bars(screen, width, 2 if height >= 22 else 1, ink, "-" if ascii_only else "░"),
        "todo": _wrapped(screen.prompt, width, "bold"),
        "notice": _wrapped(screen.notice, width - 2, "reverse", " "),
        "links": _links(screen, width, ascii_only=ascii_only),
        "tempo": _big_tempo(screen, width, ink) if height >= TALL else _tempo(screen, width),
        "footer": [Text(FOOTER if width >= len(FOOTER) else SHORT_FOOTER, "dim")],
        "sets": [Text(f"set {one.number}     {one.text}") for one in screen.sets],
    }
    room = height - big_digits.ROWS
    shown = {}
    for name in ("bars", "todo", "notice", "links", "head", "tempo", "footer", "sets"):
        part = parts[name][-max(room, 0) :] if room > 0 else []
        if len(part) == len(parts[name]) or name == "sets":
            shown[name] = part
            room -= len(part)
    return _stacked(screen, shown, width, height, ink)


def _stacked(screen: Screen, shown: dict[str, list[Text]], width: int, height: int, ink: str) -> list[Text]:
    """The parts from top to bottom, the digits as large as the rest leaves room, blank lines where there is room."""
    gaps = [name for name in ("bars", "tempo", "todo", "links") if shown.get(name)]
    used = sum(map(len, shown.values()))
    spare = height - used - 2 * big_digits.ROWS
    gaps = gaps[: max(spare, 0)]
    big = _big(screen, width, height - used - len(gaps), ink)
    stacked: list[Text] = []
    for name in ("head", "big", "bars", "tempo", "sets", "todo", "notice", "links", "footer"):
        if name in gaps:
            stacked.append(Text())
        stacked += big if name == "big" else shown.get(name, [])
    for line in stacked:
        line.truncate(width, overflow="ellipsis")
        line.no_wrap = True
    return stacked[:height]


def _head(screen: Screen, width: int) -> Text:
    """Whether it is simulated, which set, and how long the session lasts."""
    head = Text()
    if screen.simulated:
        head.append(" SIMULATED ", "reverse bold").append("  ")
    if screen.set_number:
        of = f" of {screen.targets.sets}" if screen.targets else ""
        after = "Rest after set" if screen.phase == "rest" else "Set"
        head.append(f"{after} {screen.set_number}{of}", "bold")
    clock = _clock(screen.session_s)
    head.append(" " * max(width - head.cell_len - len(clock), 1)).append(clock, "dim")
    return head


def _big(screen: Screen, width: int, height: int, ink: str) -> list[Text]:
    """The count, during a rest its time, before the first rep what to do: as large as there is room."""
    beside = ""
    if screen.phase == "rest" and screen.rest_s is not None:
        text = _clock(screen.rest_s)
        if screen.targets:
            beside = f"of {_clock(screen.targets.rest_s)}"
    elif screen.phase in ("set", "end"):
        text = str(screen.count)
        beside = f"of {screen.targets.reps}" if screen.targets else formats.plural(screen.count, "rep").split()[1]
    else:
        text = BIG.get(screen.phase, "")
    if not text:
        return [Text() for _ in range(height)]
    drawn = big_digits.rows(text, width - 2 * (len(beside) + 2) if beside else width, height, ink)
    blank = height - len(drawn)
    left = max((width - len(drawn[0])) // 2, 0)
    made = [Text(" " * left + row, "bold") for row in drawn]
    made[-1].append(f"  {beside}", "bold")
    return [Text()] * (blank // 2) + made + [Text()] * (blank - blank // 2)


def _bars(screen: Screen, width: int, thick: int, ink: str, ground: str) -> list[Text]:
    """Both openings from the middle outward, as the heels go."""
    sides = [formats.UNKNOWN if angle is None else f"{formats.number(angle, 0)}°" for angle in screen.opening_deg]
    room = max(min((width - 2 * len("right  000° ") - 1) // 2, MOST_BAR), 3)
    left, right = (_filled(angle, screen.scale_deg, room) for angle in screen.opening_deg)
    bar = Text().append(ground * (room - left), "dim").append(ink * left, "bold green")
    bar.append("|" if ground == "-" else "│").append(ink * right, "bold green").append(ground * (room - right), "dim")
    before, after = f" left {sides[0]:>4} ", f" {sides[1]:<4} right"
    pad = max((width - bar.cell_len - len(before) - len(after)) // 2, 0)
    named = Text(" " * pad) + Text(before, "bold") + bar + Text(after, "bold")
    return [named, *(Text(" " * (pad + len(before))) + bar for _ in range(thick - 1))]


def _filled(angle_deg: float | None, scale_deg: float, room: int) -> int:
    return 0 if angle_deg is None else min(max(round(angle_deg / scale_deg * room), 0), room)


def _tempo(screen: Screen, width: int) -> list[Text]:
    """The last rep's tempo, and below it the target's, so that they can be compared at a glance."""
    if screen.tempo is None:
        return []
    last = Text("last rep  ").append(screen.tempo, "bold")
    if width >= WIDE:
        last.append(PHASES, "dim")
    if screen.targets is None:
        return [last]
    target = "-".join(formats.number(one) for one in screen.targets.tempo_s)
    return [last, Text("target    ").append(target).append(f"  {screen.pace}", "bold")]


def _big_tempo(screen: Screen, width: int, ink: str) -> list[Text]:
    """The same on a tall terminal, the last rep's tempo in digits for across the room."""
    small = _tempo(screen, width)
    if screen.tempo is None:
        return []
    drawn = big_digits.rows(screen.tempo, width - LABEL, big_digits.ROWS, ink)
    if len(drawn) < big_digits.ROWS:
        return small
    label = ["last rep", *[""] * (len(drawn) - 1)]
    big = [Text(f"{word:<{LABEL}}").append(row, "bold") for word, row in zip(label, drawn, strict=True)]
    return [*big, *small[1:]]


def _links(screen: Screen, width: int, *, ascii_only: bool) -> list[Text]:
    each = [_link(foot, screen.links[foot], ascii_only=ascii_only) for foot in screen.feet]
    half = width // 2
    if len(each) < 2 or max(one.cell_len for one in each) >= half:
        return each
    each[0].pad_right(half - each[0].cell_len)
    return [each[0] + each[1]]


def _link(foot: Foot, link: LinkQuality, *, ascii_only: bool) -> Text:
    """`left  ●●●○ good, battery 93 %`."""
    full, empty = ("*", ".") if ascii_only else ("●", "○")
    found = Text(f"{foot.word:<6}").append(full * link.bars + empty * (4 - link.bars))
    word = f" {link.word}" + (f" for {link.silent_s:.0f} s" if link.word in ("silent", "lost") else "")
    found.append(word, "bold" if link.bars < 3 else "")
    if link.battery_pct is not None:
        low = link.battery_pct <= LOW_BATTERY_PCT
        found.append(f", battery {link.battery_pct} %").append(" (low)" if low else "", "bold")
    return found


def _wrapped(text: str, width: int, style: str, edge: str = "") -> list[Text]:
    """Broken between words, all as wide as the longest."""
    broken = textwrap.wrap(text, max(width, 10))
    widest = max(map(len, broken), default=0)
    return [Text(f"{edge}{line:<{widest}}{edge}", style) for line in broken]


def _clock(seconds: float) -> str:
    """``0:42``, ``12:03``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
