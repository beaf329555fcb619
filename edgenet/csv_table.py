"""Tables as spreadsheets and scripts write them: comma, semicolon or tab, padded, with a byte-order mark."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgenet.errors import EdgenetError
from edgenet.text import UNPRINTABLE
from edgenet.text_file import read_text

__all__ = ["CsvRow", "CsvTable", "read_csv", "shown", "whole_number"]

DELIMITERS = ",;\t"
MAX_ROWS = 1_000_000
MAX_CELL, MAX_LINE = 4096, 1 << 20
LONG_LINE = re.compile(f"[^\r\n]{{{MAX_LINE + 1}}}")
# No set has more classes than a label file has rows.
DIGITS = 7
SHOWN = 80


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: the line it ends on, and its cells by column; one that is not there is empty."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class CsvTable:
    """A table with a header.

    Attributes:
        columns: Their names in lower case, in order; those without a name are left out.
        rows: In order; blank ones are left out.
    """

    columns: tuple[str, ...]
    rows: tuple[CsvRow, ...]


def read_csv(path: Path, column: str, error: type[EdgenetError], form: str) -> CsvTable:
    """Read a table.

    The delimiter is the one of comma, semicolon and tab that makes ``column`` a name of the header.

    Args:
        path: The file.
        column: A column that must be there.
        error: What is raised.
        form: The header that is wanted, for the remedy.

    Raises:
        EdgenetError: Not such a table; the message names the line, or the header that was found.
    """
    return _Reading(path, error, form).table(column)


def shown(text: str) -> str:
    """What a file says, quoted for a message: printable, and no longer than a line."""
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def whole_number(cell: str) -> int | None:
    """The number that a cell holds in plain decimal digits; ``None`` where it is anything else."""
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= DIGITS else None


@dataclass(frozen=True)
class _Reading:
    path: Path
    error: type[EdgenetError]
    form: str

    def table(self, column: str) -> CsvTable:
        text, delimiters, skipped = _told(read_text(self.path, self.error, f"write {self.form}"))
        if max(text.count("\n"), text.count("\r")) > MAX_ROWS:
            raise self._refuse("", f"more than {MAX_ROWS} rows", "take a part of them")
        if long := LONG_LINE.search(text):
            line = text.count("\n", 0, long.start()) + 1
            raise self._refuse(f" line {line}", f"longer than {MAX_LINE} characters")
        names, delimiter = self._header(text, delimiters, column)
        found = []
        for line, row in self._records(text, delimiter, skipped):
            if any(row[len(names) :]):
                raise self._refuse(f" line {line}", f"{len(row)} cells, the header has {len(names)}")
            if wrong := next((cell for cell in row if len(cell) > MAX_CELL or UNPRINTABLE.search(cell)), ""):
                raise self._refuse(f" line {line}", f"{shown(wrong)} is too long, or not printable text")
            padded = row + [""] * (len(names) - len(row))
            cells = {name: cell for name, cell in zip(names, padded, strict=False) if name}
            found.append(CsvRow(line, cells))
        if len(found) < 2:
            raise self._refuse("", "no rows", f"write one row each under {self.form}")
        return CsvTable(tuple(name for name in names if name), tuple(found[1:]))

    def _header(self, text: str, delimiters: str, column: str) -> tuple[list[str], str]:
        """The names of the columns, and what separates them."""
        for delimiter in delimiters:
            try:
                _, first = next(self._records(text, delimiter), (0, [""]))
            except self.error:  # the file is quoted for another delimiter, or is no table at all
                continue
            names = [" ".join(cell.split()).casefold() for cell in first]
            if column not in names:
                continue
            if twice := next((name for name in names if name and names.count(name) > 1), None):
                raise self._refuse("", f"two columns {twice!r}")
            return names, delimiter
        line = re.split(r"[\r\n]", text.lstrip(), maxsplit=1)[0].rstrip()
        raise self._refuse("", f"the header is {shown(line)}, without {column!r}")

    def _records(self, text: str, delimiter: str, line: int = 0) -> Iterator[tuple[int, list[str]]]:
        """(line, stripped cells) of every record that is not blank."""
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
        )
        try:
            for row in reader:
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield line + reader.line_num, cells
        except csv.Error as reason:
            raise self._refuse(f" line {line + reader.line_num}", str(reason)) from None

    def _refuse(self, place: str, what: str, remedy: str = "") -> EdgenetError:
        return self.error(f"{self.path}{place}: {what}", remedy or f"write {self.form}")


def _told(text: str) -> tuple[str, str, int]:
    """The table, its possible delimiters and the lines before it: Excel may say the first in "sep=;"."""
    told = re.match(f"sep=([{DELIMITERS}]) *(?:\r\n|\r|\n)", text)
    return (text[told.end() :], told[1], 1) if told else (text, DELIMITERS, 0)
