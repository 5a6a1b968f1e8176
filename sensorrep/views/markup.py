"""Pieces of HTML that the report's page is made of. Pure."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

BROAD: Final = 6
"""A table of so many columns does not fit on a phone."""
FIGURES_ONLY: Final = re.compile(r"[-\d.±°/ –s]*")
"""Cells that stay on one line."""


def section(title: str, *parts: str, classes: str = "") -> str:
    """A titled section; nothing where all parts are empty."""
    inside = "".join(parts)
    return f'<section class="{classes}"><h2>{title}</h2>{inside}</section>' if inside else ""


def table(name: str, head: Sequence[str], rows: Iterable[Sequence[str]], classes: str = "") -> str:
    """Rows whose first cell is their header; nothing without rows."""
    body = "".join(
        f'<tr><th scope="row">{escaped(first)}</th>{"".join(map(_cell, cells))}</tr>' for first, *cells in rows
    )
    if not body:
        return ""
    broad = " broad" if len(head) >= BROAD else ""
    titles = "".join(f'<th scope="col">{escaped(title)}</th>' for title in head)
    return (
        f'<div class="wide{broad}" role="region" aria-label="{escaped(name)}" tabindex="0">'
        f'<table class="{classes}"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(text: str) -> str:
    kind = "figures" if FIGURES_ONLY.fullmatch(text) else "words"
    return f'<td class="{kind}">{escaped(text)}</td>'


def bullets(sentences: Iterable[str], classes: str = "") -> str:
    """A list; nothing without sentences."""
    items = "".join(f"<li>{escaped(sentence)}</li>" for sentence in sentences)
    return f'<ul class="{classes}">{items}</ul>' if items else ""


def escaped(text: str) -> str:
    """Escaped, with numbers kept together with what follows them."""
    return escape(text, quote=True).replace(" %", "\N{NO-BREAK SPACE}%").replace(" ±", "\N{NO-BREAK SPACE}±")
