"""A card as it is written: every key with where its value is from, and questions that nobody has answered."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from edgenet.cards.questions import OPEN, asked
from edgenet.text import plain

__all__ = ["Draft", "Line"]

WIDE = 110
OPENED = 'Write an answer in place of each "?"; nothing is guessed. Open'
# Keys that belong to the question above them.
TOGETHER = ("std", "resize_to")
COMMENT_AT = 40  # where comments begin at the latest


@dataclass(frozen=True)
class Line:
    """One key of a card.

    Attributes:
        value: Its value, ``OPEN``, or ``None``: the key is not there, and a comment says what it could be.
        why: Where it is from, or what may be written; a comment behind it.
        above: What is to be said of it first, one comment line each.
    """

    value: Any
    why: str = ""
    above: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A card that may have open questions.

    Attributes:
        title: Its first lines, as a comment.
        top: Keys before the table, in order.
        preprocessing: Keys of [preprocessing], in order.
        detection: Keys of [detection], in order; none where the network is no detector.
        values: How many values the network gives, for the questions.
    """

    title: tuple[str, ...]
    top: Mapping[str, Line] = field(default_factory=dict)
    preprocessing: Mapping[str, Line] = field(default_factory=dict)
    values: int = 0
    detection: Mapping[str, Line] = field(default_factory=dict)

    @property
    def lines(self) -> Mapping[str, Line]:
        """All keys."""
        return {**self.top, **self.preprocessing, **self.detection}

    @property
    def open(self) -> tuple[str, ...]:
        """Keys that are questions."""
        return tuple(key for key, line in self.lines.items() if line.value == OPEN)

    def with_lines(self, changed: Mapping[str, Line]) -> Draft:
        """The same with other lines for some of its keys."""
        parts = {
            name: {key: changed.get(key, line) for key, line in lines.items()}
            for name, lines in (
                ("top", self.top), ("preprocessing", self.preprocessing), ("detection", self.detection)
            )
        }  # fmt: skip
        return replace(self, **parts)  # type: ignore[arg-type]

    def text(self) -> str:
        """The file."""
        size = self.preprocessing["size"].value
        seen = "" if size == OPEN else f"{size[0]}x{size[1]}"
        title = [*self.title, *([f"{OPENED}: {', '.join(self.open)}."] if self.open else [])]
        parts = [*_comments(title), "", *self._block(self.top, seen), "", "[preprocessing]"]
        parts += self._block(self.preprocessing, seen)
        parts += ["", "[detection]", *self._block(self.detection, seen)] if self.detection else []
        return "\n".join(parts) + "\n"

    def _block(self, lines: Mapping[str, Line], size: str) -> list[str]:
        """Keys with their comments in one column; a question stands apart, with all that belongs to it."""
        shown = {key: _assignment(key, line.value) for key, line in lines.items()}
        short = [text for text in shown.values() if len(text) <= COMMENT_AT]
        column = max(map(len, short), default=0) + 3
        made: list[str] = []
        apart = False
        for key, line in lines.items():
            above = (*(asked(key, size, self.values) if line.value == OPEN else ()), *line.above)
            if made and (above or (apart and key not in TOGETHER)):
                made.append("")
            apart = bool(above) or (apart and key in TOGETHER)
            made += _comments(above)
            made.append(_with_comment(shown[key], line.why, column))
        return made


def _assignment(key: str, value: Any) -> str:
    if value is None:
        return f"# {key} = …"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _array(key, [_value(item) for item in value])
    return f"{key} = {_value(value)}"


def _array(key: str, items: Sequence[str]) -> str:
    """On one line, or, where that is long, on as many as are needed."""
    whole = f"{key} = [{', '.join(items)}]"
    if len(whole) <= WIDE - 10:
        return whole
    rows, row = [], "   "
    for item in items:
        if len(row) + len(item) + 2 > WIDE:
            rows.append(row)
            row = "   "
        row += f" {item},"
    return "\n".join([f"{key} = [", *rows, row, "]"])


def _value(value: Any) -> str:
    """A text, a number, a list or a table, as TOML writes it on one line."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_value(key)} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_value, value))}]"
    return repr(int(value)) if float(value).is_integer() else repr(float(value))


def _with_comment(text: str, why: str, column: int) -> str:
    if not why:
        return text
    if "\n" in text:
        return f"# {plain(why)}\n{text}"
    return f"{text:{column}}# {plain(why)}" if len(text) < column else f"{text}   # {plain(why)}"


def _comments(lines: Sequence[str]) -> list[str]:
    """Each as one comment, or as several where it is long; an address stays whole."""
    wrap = textwrap.TextWrapper(WIDE - 2, drop_whitespace=False, break_on_hyphens=False).wrap
    made = (wrap(plain(line)) for line in lines)
    return [f"# {part.rstrip()}" for parts in made for part in parts]
