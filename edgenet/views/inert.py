"""Foreign text in Markdown, CSV and CSS: it stays in its place and is neither markup nor a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from edgenet.text import plain

__all__ = ["csv_table", "in_css", "in_csv", "in_markdown", "markdown_table"]

_MARKUP = re.compile(r"[\\`*_\[\]|~]")
# The wide forms of the same signs begin formulas in some spreadsheets too.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def in_css(text: str) -> str:
    """Text within a string of a style sheet: all but letters and digits as escapes (CSS Syntax, 4.3.7)."""
    return "".join(sign if sign.isascii() and sign.isalnum() else f"\\{ord(sign):x} " for sign in plain(text))


def in_markdown(text: str) -> str:
    """Text that stays in its cell and is no markup: no link, no image, no emphasis, no mention."""
    found = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace("@", "&#64;")
    return _MARKUP.sub(r"\\\g<0>", found)


def markdown_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], figures: Sequence[bool] | None = None
) -> list[str]:
    """The lines of a table whose cells are Markdown already.

    Args:
        columns: Their heads.
        rows: As many cells as columns each.
        figures: Which columns hold figures; all but the first where nobody says.
    """
    right = figures or [False, *(True for _ in columns[1:])]
    ruler = ["--:" if figure else "---" for figure in right]
    return [f"| {' | '.join(cells)} |" for cells in (columns, ruler, *rows)]


def csv_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], digits: Mapping[str, int]) -> str:
    """A header and the rows; ``None`` is an empty cell.

    Args:
        columns: Their heads.
        rows: Column → value.
        digits: Column → decimals of its figures; three where it says nothing.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: in_csv(_rounded(value, digits.get(key, 3))) for key, value in row.items()})
    return out.getvalue()


def _rounded(value: Any, digits: int) -> Any:
    """A figure to so many decimals, of a small one three digits; what is no figure stays as it is."""
    if not isinstance(value, float):
        return value
    return round(value, digits) if abs(value) >= 100.0 / 10**digits else float(f"{value:.3g}")


def in_csv(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; what is no text stays as it is."""
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
