"""What a notebook shows of an object: a small table in HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from edgenet.text import plain

__all__ = ["card"]


def card(title: str, rows: Mapping[str, str]) -> str:
    """A heading and a row for each name; all of it escaped."""
    left = "style='text-align:left'"
    cells = "".join(
        f"<tr><th {left}>{_safe(name)}</th><td {left}>{_safe(text)}</td></tr>" for name, text in rows.items()
    )
    return f"<table><caption><b>{_safe(title)}</b></caption>{cells}</table>"


def _safe(text: str) -> str:
    return escape(plain(text))
