"""What a page is made of: sections with charts, tables and pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A number or an interval, alone or with a unit behind it.
NUMBER = r"[+\-−<]?\d[\d,.]*(?:e[+-]?\d+)?"
FIGURE = re.compile(rf"{NUMBER}(?: to {NUMBER})?(?: ?[%a-zA-Z]+)?$")

__all__ = ["Bar", "Chart", "Matrix", "Network", "Row", "Section", "Square", "Table", "Tile"]


@dataclass(frozen=True)
class Chart:
    """An SVG element with its caption; a wide one takes the whole row."""

    caption: str
    svg: str
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text under columns; a folded one opens at a click."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: bool = False

    @property
    def figures(self) -> Sequence[bool]:
        """Of each column whether it holds nothing but figures, which stand at the right; not the first."""
        if len(self.columns) < 3:
            return [False] * len(self.columns)
        cells = [
            [row[at] for row in self.rows if row[at] not in ("", "–")] for at in range(len(self.columns))
        ]
        return [at > 0 and bool(own) and all(map(FIGURE.match, own)) for at, own in enumerate(cells)]


@dataclass(frozen=True)
class Square:
    """One count of a matrix.

    Attributes:
        text: The count, "" for none.
        change: Against the float model's, "" for none.
        kind: Whether it counts "right" or "wrong" answers.
        strength: Percent of its row.
        title: In words.
    """

    text: str
    change: str
    kind: str
    strength: int
    title: str


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: (letter, name) of each class, and rows of squares."""

    names: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Square]]


@dataclass(frozen=True)
class Bar:
    """A figure with a bar beside it: its words, the bar's part of the longest, and more in a tooltip."""

    words: str
    part: float
    title: str = ""


@dataclass(frozen=True)
class Row:
    """One layer: a drawing of its connections, its name and operator, and a bar a column or ``None``."""

    lanes: str
    name: str
    op: str
    bars: Sequence[Bar | None]


@dataclass(frozen=True)
class Network:
    """The layers in order: heads of the bars, rows, width of the drawings in px, and whether it is folded."""

    columns: Sequence[str]
    rows: Sequence[Row]
    width: int
    folded: bool


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes:
        title: Its heading.
        lead: What it says, in a sentence or two.
        charts: Drawings.
        tables: Figures.
        images: Pictures with captions: ``src`` (a data URI or ""), ``title``, ``lines``, ``changed``, and
            ``boxes`` over them.
        notes: What to know when reading it.
        matrix: What is taken for what.
        network: The layers in order.
    """

    title: str
    lead: str = ""
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    images: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()
    matrix: Matrix | None = None
    network: Network | None = None


@dataclass(frozen=True)
class Tile:
    """A large figure with its unit and a line below; ``kept`` says whether the line ``against`` holds."""

    label: str
    figure: str
    unit: str
    note: str = ""
    against: str = ""
    kept: bool | None = True
