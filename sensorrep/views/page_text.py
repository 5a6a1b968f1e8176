"""What the report's page says of any session: captions of the figures, how to read it, what to fill in by hand."""

from typing import Final, NamedTuple

from sensorrep.views import words


class Picture(NamedTuple):
    """What is said of a figure: to who can't see it, and under it."""

    shows: str
    caption: str


PICTURES: Final = {
    "session": Picture(
        "Line chart of the heel opening over the whole session, and over each set with its reps numbered",
        "Heel opening over time: above the whole session, below each set with its reps numbered."
        " Hatched: a sensor was lost. Brackets: a rep with a note in the table of reps.",
    ),
    "range": Picture(
        "Line charts of the range of each rep, of both legs together and of each side: the numbers are under Every rep",
        "Range of each rep. The dashed line is what the set's best early reps reached; the dotted ground begins where"
        " fatigue showed. Bars: about 95 % uncertainty of each rep.",
    ),
    "reps": Picture(
        "Curves of all reps of each set and side, laid over each other, with their mean",
        "Reps of each set laid over each other from their starts. Dotted: the mean of the other side.",
    ),
    "tempo": Picture(
        "Stacked bars of the time that each phase of each rep took: the numbers are under Every rep",
        "How long opening, hold, return and pause took in each rep.",
    ),
    "speed": Picture(
        "Line charts of each rep's highest opening and return speed and smoothness, left and right:"
        " the numbers are under Every rep",
        "Highest speeds of opening and return, and smoothness of the movement, of each rep.",
    ),
    "sets": Picture(
        "Charts of each set's mean range, difference between the sides, opening speed and tempo:"
        " the numbers are in the tables of sets",
        "Each set beside the others: means of range, medians of mean opening speed and tempo. Bars: about 95 %"
        " uncertainty of the mean and of the difference.",
    ),
}
"""The figures by their file names."""

BY_HAND: Final = (
    '<table class="by-hand"><tbody>'
    + "".join(
        f'<tr><th scope="row">{question}</th><td></td></tr>'
        for question in (
            "Pain before, worst, after (0 to 10)",
            "Effort (0 to 10)",
            "Why the last set ended (target, tired, pain, other)",
            "Band: colour and length",
            "Pillow, ball, other aids",
            "Note",
        )
    )
    + "</tbody></table>"
)
READING: Final = (
    "Opening: how far a leg turned outward at the foot from its rest. Heel opening: both legs together.",
    "Range of a rep: its highest opening minus the rest level before and after it. SD: how much the ranges of a set"
    " differ from rep to rep (standard deviation).",
    "Tempo: seconds of opening, hold, return and pause, between 10 % and 90 % of the range; a set's is the median.",
    f"±: {words.PLUS_MINUS}. Clinical measurements of hip rotation differ by 5° to 9° between tests.",
    "Left and right: 'no difference we can measure' means that a difference, if there is one, is too small to be seen"
    " over the spread of the reps. The band couples the legs: a side that moves less need not be weaker.",
    "Fatigue: two or more reps in a row that lost range or mean opening speed against the set's own best early reps.",
    "Smoothness (SPARC) has no unit: nearer to zero is smoother. Lag: how much later the right leg opened.",
)
