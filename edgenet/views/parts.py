"""What a page is made of: sections with charts, tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Chart", "Section", "Table", "Tile"]


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
    """

    title: str
    lead: str = ""
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    images: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Tile:
    """A large figure with its unit and a line below."""

    label: str
    figure: str
    unit: str
    note: str = ""
