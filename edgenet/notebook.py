"""What a prompt and a notebook show of a value: a line, and a small table in HTML that needs nothing else."""

from __future__ import annotations

import dataclasses
import importlib
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePath
from types import ModuleType
from typing import Any

from edgenet.arguments import in_python
from edgenet.text import plain

__all__ = ["Grid", "Shown", "card", "drawn", "tabled"]

LONGEST_REPR = 200
VIEWS = "edgenet.views.shown"
# Of a text in a table, characters; and of a list, items.
LONGEST, MOST = 600, 12
# What is longer is no name but a sentence.
NAME = 32
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxtuple, _SHORT.maxdict, _SHORT.maxother = 2, 3, 3, 60
# A notebook's own style sheet aligns figures to the right and stripes rows.
_CELL = "text-align:left;vertical-align:top;padding:2px 16px 2px 0;background:none;overflow-wrap:break-word"
_HEAD = f"{_CELL};font-weight:normal;opacity:.8"
_NAME = f"{_HEAD};white-space:nowrap"
_FIGURE = _CELL.replace("overflow-wrap:break-word", "white-space:nowrap")
_ROW = "background:none"
_TABLE = "margin:4px 0 8px;border-collapse:collapse;max-width:60em"


class Shown:
    """The base of what people look at: it shows itself in a line at a prompt, and as a table in a notebook.

    A subclass is a dataclass. Its fields are what is shown, unless it says otherwise by :meth:`_title`,
    :meth:`_rows` and :meth:`_grids`, or draws itself.
    """

    def __init_subclass__(cls) -> None:
        """A value of thousands of samples still shows itself in a line; dataclass keeps what is there."""
        super().__init_subclass__()
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Shown.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        named = [item.name for item in _fields(self) if item.repr]
        shown = ", ".join(f"{name}={_SHORT.repr(getattr(self, name))}" for name in named)
        return f"{type(self).__name__}({shown if len(shown) <= LONGEST_REPR else shown[:LONGEST_REPR] + '…'})"

    def _repr_html_(self) -> str:
        """For notebooks."""
        return card(self._title(), self._rows(), *self._grids())

    def _title(self) -> str:
        return type(self).__name__

    def _rows(self) -> Mapping[str, Any]:
        found = {item.name: getattr(self, item.name) for item in _fields(self) if item.repr}
        return {name.rstrip("_").replace("_", " "): value for name, value in found.items()}

    def _grids(self) -> Sequence[Grid]:
        return ()


@dataclass(frozen=True)
class Grid:
    """A table with heads: as many cells in each row as there are columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def card(title: str, rows: Mapping[str, Any], *grids: Grid) -> str:
    """A heading, a row for each name, and tables below; all of it escaped.

    Args:
        title: What it is.
        rows: Name → text, number, list or any other value, which is told in a line; an empty one is left out.
        grids: Tables with heads.
    """
    told = [(name, value) for name, value in rows.items() if _says(value)]
    lines = [_row([(_NAME, "th", _safe(name)), _cell(value)]) for name, value in told]
    tables = ["".join(lines), *(_grid(grid) for grid in grids)]
    shown = "".join(f"<table style='{_TABLE}'>{table}</table>" for table in tables if table)
    return f"<div style='overflow-x:auto'><strong>{_safe(title)}</strong>{shown}</div>"


def drawn(value: object) -> str:
    """What the views draw of a value."""
    found: str = _view(value).html(value)
    return found


def tabled(value: object, part: str = "figures") -> list[dict[str, Any]]:
    """A part of a value as rows: column → value, as the views write its CSV."""
    found: list[dict[str, Any]] = _view(value).rows(value, part)
    return found


def _view(value: object) -> ModuleType:
    """The views' file with the name of a type: it stands above the types, and is not known here."""
    return importlib.import_module(f"{VIEWS}.{type(value).__name__.lower()}")


def _grid(grid: Grid) -> str:
    heads = _row([(_HEAD, "th", _safe(name)) for name in grid.columns])
    return f"<thead>{heads}</thead>" + "".join(_row(map(_cell, row)) for row in grid.rows)


def _cell(value: Any) -> tuple[str, str, str]:
    """Its style, its tag and what stands in it; a figure is not broken."""
    return _FIGURE if isinstance(value, int | float) else _CELL, "td", _html(value)


def _row(cells: Iterable[tuple[str, str, str]]) -> str:
    found = "".join(f"<{tag} style='{style}'>{text}</{tag}>" for style, tag, text in cells)
    return f"<tr style='{_ROW}'>{found}</tr>"


def _html(value: Any) -> str:
    """A value of a table: sentences stand on lines of their own."""
    if isinstance(value, list | tuple) and any(isinstance(item, str) and len(item) > NAME for item in value):
        return "<br>".join(map(_safe, _few([_told(item) for item in value])))
    return _safe(_told(value))


def _told(value: Any) -> str:
    """A value in a line; of options in a text, the arguments."""
    if isinstance(value, Mapping):
        return ", ".join(_few([f"{name} {_told(item)}" for name, item in value.items()]))
    if isinstance(value, list | tuple):
        return ", ".join(_few([_told(item) for item in value]))
    tell = next((tell for kind, tell in _TELL.items() if isinstance(value, kind)), repr)
    return tell(value)


_TELL: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "–",
    str: in_python,
    bool: lambda value: "yes" if value else "no",
    float: lambda value: f"{value:.6g}",
    bytes: lambda value: f"{len(value):,} bytes",
    PurePath: str,
}


def _few(items: list[str]) -> list[str]:
    return items if len(items) <= MOST else [*items[:MOST], f"… {len(items)} in all"]


def _says(value: Any) -> bool:
    """Whether a value has something to say."""
    return not (value is None or (isinstance(value, list | tuple | Mapping | str) and not value))


def _safe(text: str) -> str:
    text = plain(text)
    return escape(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


def _fields(value: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(value)
