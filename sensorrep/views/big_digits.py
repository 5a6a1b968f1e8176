"""Letters and digits many rows high, to be read from across the room: pure."""

from collections.abc import Sequence
from typing import Final

ROWS: Final = 5
_GLYPHS: Final = {
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", "###", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", "  #", "  #", "  #"),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
    ":": (" ", "#", " ", "#", " "),
    ".": (" ", " ", " ", " ", "#"),
    "-": ("  ", "  ", "##", "  ", "  "),
    " ": ("  ", "  ", "  ", "  ", "  "),
    "A": (" # ", "# #", "###", "# #", "# #"),
    "B": ("## ", "# #", "## ", "# #", "## "),
    "D": ("## ", "# #", "# #", "# #", "## "),
    "E": ("###", "#  ", "## ", "#  ", "###"),
    "G": (" ##", "#  ", "# #", "# #", " ##"),
    "I": ("#", "#", "#", "#", "#"),
    "L": ("#  ", "#  ", "#  ", "#  ", "###"),
    "N": ("#  #", "## #", "# ##", "#  #", "#  #"),
    "O": ("###", "# #", "# #", "# #", "###"),
    "S": (" ##", "#  ", " # ", "  #", "## "),
    "T": ("###", " # ", " # ", " # ", " # "),
    "W": ("#   #", "#   #", "# # #", "## ##", "#   #"),
}


def rows(text: str, width: int, height: int, ink: str) -> list[str]:
    """The text as lines as large as fit; just the text where not even the smallest letters do. A dot is twice as wide
    as high, which looks square."""
    dots = [" ".join(_GLYPHS[one][row] for one in text) for row in range(ROWS)]
    high = min(height // ROWS, max(width // (2 * len(dots[0])), 1)) if dots[0] else 0
    wide = min(2 * high, width // len(dots[0])) if dots[0] else 0
    if not high or not wide:
        return [text]
    return [_stretched(row, wide, ink) for row in dots for _ in range(high)]


def _stretched(dots: Sequence[str], wide: int, ink: str) -> str:
    return "".join((ink if dot == "#" else " ") * wide for dot in dots)
