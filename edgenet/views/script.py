"""The script of the pages, which sorts their tables; all else is read without it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Script", "script"]

FILE = Path(__file__).with_name("tables.js")


@dataclass(frozen=True)
class Script:
    """Its text, and the digest by which the page's policy lets this one run and no other."""

    text: str
    digest: str


def script() -> Script:
    """The one script."""
    text = FILE.read_text(encoding="utf-8")
    return Script(text, base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())
