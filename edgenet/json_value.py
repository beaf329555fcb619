"""Single JSON values that nobody vouches for: checked and bounded, with a refusal that names the place."""

from __future__ import annotations

import functools
import math
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from edgenet.errors import EdgenetError, ReportError
from edgenet.text import UNPRINTABLE

__all__ = [
    "BOUNDED",
    "PLAIN",
    "Count",
    "Length",
    "NotNegative",
    "Positive",
    "Reader",
    "Where",
    "Within",
    "exactly",
    "many",
    "mapping",
]

MAX_NUMBER, MAX_TEXT, MAX_ITEMS, MAX_DEPTH = 2.0**63, 16_384, 1_000_000, 16


@dataclass(frozen=True)
class Within:
    """Bounds of a number; ``above`` is not itself allowed."""

    least: float = -MAX_NUMBER
    most: float = MAX_NUMBER
    above: float = -math.inf

    def holds(self, value: float) -> bool:
        """Whether a finite number lies within; False for NaN."""
        return self.least <= value <= self.most and value > self.above

    def __str__(self) -> str:
        low = f"above {self.above:g}" if self.above > -math.inf else f"from {self.least:g}"
        return "a finite number" if self == ANY_NUMBER else f"a number {low} to {self.most:g}"


@dataclass(frozen=True)
class Length:
    """The most characters of a text."""

    most: int


ANY_NUMBER = Within()
Count = Annotated[int, Within(least=0)]
NotNegative = Annotated[float, Within(least=0.0)]
Positive = Annotated[float, Within(above=0.0)]


@dataclass(frozen=True)
class Where:
    """The file and the path within it that a value was found at, for the one line of a refusal."""

    file: str
    path: str = ""
    error: type[EdgenetError] = ReportError
    remedy: str = "profile again"

    def __str__(self) -> str:
        return self.file

    def at(self, key: str | int) -> Where:
        """The place of a member: ``drift`` → ``drift.top1``, ``layers`` → ``layers[3]``."""
        if isinstance(key, int):
            return replace(self, path=f"{self.path}[{key}]")
        return replace(self, path=f"{self.path}.{key}" if self.path else key)

    def refuse(self, found: object, wanted: str) -> EdgenetError:
        """The error for a value that is not what it should be."""
        return self.error(
            f"{self.file}: {self.path or 'it'} is {reprlib.repr(found)}, not {wanted}", self.remedy
        )

    def missing(self, key: str) -> EdgenetError:
        """The error for a member that is not there."""
        return self.error(f"{self.file}: no {self.at(key).path!r} in it", self.remedy)


Reader = Callable[[Any, Where], Any]


def _number(bounds: Within, value: Any, where: Where) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise where.refuse(value, "a number")
    if not bounds.holds(value):
        raise where.refuse(value, str(bounds))
    return value


def _whole(bounds: Within, value: Any, where: Where) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise where.refuse(value, "an integer")
    return int(_number(bounds, value, where))


def _text(length: Length, value: Any, where: Where) -> str:
    if not isinstance(value, str):
        raise where.refuse(value, "text")
    if len(value) > length.most:
        raise where.refuse(value, f"at most {length.most} characters")
    if UNPRINTABLE.search(value):
        raise where.refuse(value, "printable text")
    return value


def _truth(value: Any, where: Where) -> bool:
    if not isinstance(value, bool):
        raise where.refuse(value, "true or false")
    return value


def many(read: Reader, value: Any, where: Where) -> tuple[Any, ...]:
    """A list of any length whose items are all read alike."""
    _sized(value, where)
    if isinstance(read, functools.partial) and read.func is _number:
        holds = read.args[0].holds
        if all(type(item) is float and holds(item) for item in value):
            return tuple(value)
    return tuple([read(item, where.at(index)) for index, item in enumerate(value)])


def exactly(readers: tuple[Reader, ...], value: Any, where: Where) -> tuple[Any, ...]:
    """A list of so many items, each read in its own way."""
    if not isinstance(value, list | tuple) or len(value) != len(readers):
        raise where.refuse(value, f"{len(readers)} values")
    return tuple(
        read(item, where.at(index)) for index, (read, item) in enumerate(zip(readers, value, strict=True))
    )


def mapping(read: Reader, value: Any, where: Where) -> dict[str, Any]:
    """A table with keys of any name."""
    if not isinstance(value, Mapping):
        raise where.refuse(value, "a table")
    if len(value) > MAX_ITEMS:
        raise where.refuse(value, f"at most {MAX_ITEMS} entries")
    return {_text(Length(MAX_TEXT), key, where): read(item, where.at(key)) for key, item in value.items()}


def _open(value: Any, where: Where, depth: int = 0) -> Any:
    """Any JSON value of bounded depth, sizes and numbers."""
    if depth > MAX_DEPTH:
        raise where.refuse("…", f"at most {MAX_DEPTH} deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(ANY_NUMBER, value, where)
    if isinstance(value, Mapping):
        return mapping(lambda item, at: _open(item, at, depth + 1), value, where)
    if isinstance(value, list | tuple):
        _sized(value, where)
        return [_open(item, where.at(index), depth + 1) for index, item in enumerate(value)]
    return _text(Length(MAX_TEXT), value, where)


def _sized(value: Any, where: Where) -> None:
    if not isinstance(value, list | tuple):
        raise where.refuse(value, "a list")
    if len(value) > MAX_ITEMS:
        raise where.refuse(value, f"at most {MAX_ITEMS} entries")


BOUNDED: dict[Any, Callable[..., Any]] = {float: _number, int: _whole, str: _text}
PLAIN: dict[Any, Reader] = {
    float: functools.partial(_number, ANY_NUMBER),
    int: functools.partial(_whole, ANY_NUMBER),
    str: functools.partial(_text, Length(MAX_TEXT)),
    bool: _truth,
    Any: _open,
}
