"""Text that nobody vouches for, made fit to be shown: every foreign name, line and reason passes here."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, overload

__all__ = ["UNPRINTABLE", "cause", "last_line", "near", "plain", "unnamed"]

# Moves the cursor, reorders or hides text: C0, C1, separators, bidi, tags; and surrogates, which are no text.
_RANGES = (
    "\x00-\x1f", "\x7f-\x9f", "\u061c", "\u200e\u200f", "\u2028-\u202e", "\u2066-\u206f", "\ufff9-\ufffb",
    "\U000e0000-\U000e007f", "\ud800-\udfff",
)  # fmt: skip
UNPRINTABLE = re.compile(f"[{''.join(_RANGES)}]")
_BREAKS = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
_LONGEST = 300


@overload
def plain(value: str) -> str: ...
@overload
def plain(value: Any) -> Any: ...
def plain(value: Any) -> Any:
    """A text, or a JSON value with texts in it, on one line and without what cannot be printed safely."""
    if isinstance(value, str):
        return UNPRINTABLE.sub("\ufffd", _BREAKS.sub(" ", value))
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def last_line(text: str, most: int = 200) -> str:
    """The last line of a program's output that says something, at most so many characters."""
    lines = _lines(text)
    return lines[-1][:most] if lines else ""


def unnamed(reason: str, board: str) -> str:
    """A reason without the board's name before it, for a line that begins with it already."""
    return reason.removeprefix(f"{board}: ").removeprefix(f"{board} ")


def with_article(noun: str) -> str:
    """A noun as one of its kind: "a list", "an int"."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def near(name: str, names: Iterable[str], quote: str = "") -> str:
    """The question "did you mean …?" with the name that resembles a wrong one most; empty if none does."""
    found = difflib.get_close_matches(str(name).lower(), list(names), 1)
    return f"did you mean {quote}{found[0]}{quote}?" if found else ""


def cause(error: BaseException) -> str:
    """The one line of another's exception that tells the cause.

    Libraries put it first and explain below; an import fails at the bottom of a chain, and numpy puts a page
    of advice before it.
    """
    while isinstance(error, ImportError) and isinstance(error.__cause__, ImportError):
        error = error.__cause__
    lines = _lines(str(error)) or [type(error).__name__]
    return lines[-1 if isinstance(error, ImportError) else 0][:_LONGEST]


def _lines(text: str) -> list[str]:
    lines = (" ".join(plain(line).split()) for line in text.splitlines())
    return [line for line in lines if line.strip("\ufffd ")]
