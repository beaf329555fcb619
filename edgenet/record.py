"""Records: frozen dataclasses that read themselves from JSON nobody vouches for, and write it back.

A subclass states its fields as annotations, and those are the check: ``float`` (finite), ``int``, ``bool``,
``str`` (short, printable), ``X | None``, ``tuple[X, ...]``, ``tuple[X, Y]``, ``Mapping[str, X]``, another
record, and ``Annotated[X, Within(…)]`` or ``Annotated[str, Length(…)]`` for bounds. ``Any`` is bounded JSON.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
import reprlib
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, ClassVar, Self

from edgenet.errors import ReportError

__all__ = ["Length", "Record", "Where", "Within", "plain"]

MAX_NUMBER, MAX_TEXT, MAX_ITEMS, MAX_DEPTH = 2.0**63, 16_384, 1_000_000, 16
# What moves the cursor, reorders the line or cannot be encoded: C0, C1, separators, bidi, surrogates.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


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


@dataclass(frozen=True)
class Where:
    """The file and the path within it that a value was found at, for the one line of a refusal."""

    file: str
    path: str = ""

    def at(self, key: str | int) -> Where:
        """The place of a member: ``drift`` → ``drift.top1``, ``layers`` → ``layers[3]``."""
        if isinstance(key, int):
            return Where(self.file, f"{self.path}[{key}]")
        return Where(self.file, f"{self.path}.{key}" if self.path else key)

    def refuse(self, found: object, wanted: str) -> ReportError:
        """The error for a value that is not what it should be."""
        return ReportError(
            f"{self.file}: {self.path or 'it'} is {reprlib.repr(found)}, not {wanted}", "profile again"
        )


Reader = Callable[[Any, Where], Any]


class Record:
    """The base of every part of a report; a subclass is a frozen dataclass with keyword-only fields.

    A field without default is always written, as null where it is ``None``; one whose default is ``None`` is
    written only where it was read, named (:meth:`of`, :meth:`changed`) or is not ``None``. On reading, keys
    that no field has are skipped, so that a later edgenet may add some, and a nullable one may be missing.
    A trailing underscore keeps clear of Python's keywords: ``import_`` is the key ``import``.
    """

    _named: ClassVar[frozenset[str] | None] = None

    @classmethod
    def from_table(cls, value: object, where: Where | str = "") -> Self:
        """Read and check one JSON value.

        Raises:
            ReportError: Not a table, a field is missing, or a value is of another type or out of bounds.
        """
        where = Where(where) if isinstance(where, str) else where
        if not isinstance(value, Mapping):
            raise where.refuse(value, "a table")
        found = {}
        for name, key, read, needed in _plan(typing.cast("Hashable", cls)):
            if key in value:
                found[name] = read(value[key], where.at(key))
            elif needed:
                raise ReportError(f"{where.file}: no {where.at(key).path!r} in it", "profile again")
        record = cls.of(**found)
        record.check(where)
        return record

    @classmethod
    def of(cls, **values: Any) -> Self:
        """A record that writes exactly these fields and what else has a value; the others are ``None``."""
        rest = {item.name: None for item in _fields(cls) if not _has_default(item)}
        record = cls(**{**rest, **values})
        object.__setattr__(record, "_named", frozenset(values))
        return record

    def changed(self, **values: Any) -> Self:
        """A copy with other values; a ``None`` that is named here is written as null."""
        copy = dataclasses.replace(self, **values)  # type: ignore[type-var]
        object.__setattr__(copy, "_named", self._written() | frozenset(values))
        return copy

    def check(self, where: Where) -> None:
        """What holds between fields; the base asks nothing.

        Raises:
            ReportError: The fields contradict each other.
        """

    def to_table(self) -> dict[str, Any]:
        """JSON-ready, in the order of the fields."""
        named = self._written()
        found = {item.name: getattr(self, item.name) for item in _fields(type(self))}
        return {
            name.removesuffix("_"): _written_out(value)
            for name, value in found.items()
            if value is not None or name in named
        }

    def _written(self) -> frozenset[str]:
        if self._named is not None:
            return self._named
        return frozenset(item.name for item in _fields(type(self)) if item.default is not None)


def plain(value: Any) -> Any:
    """A JSON value in which what cannot be printed safely is replaced, for foreign text."""
    if isinstance(value, str):
        return UNPRINTABLE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _written_out(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_table()
    if isinstance(value, Mapping):
        return {key: _written_out(item) for key, item in value.items()}
    return [_written_out(item) for item in value] if isinstance(value, list | tuple) else value


def _fields(cls: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)


@functools.cache
def _plan(cls: Hashable) -> tuple[tuple[str, str, Reader, bool], ...]:
    """(field, key, how it is read, whether it must be there) of each field."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return tuple(
        (
            item.name,
            item.name.removesuffix("_"),
            _reader(hints[item.name]),
            not _has_default(item) and not _nullable(hints[item.name]),
        )
        for item in _fields(cls)
    )


def _has_default(item: dataclasses.Field[Any]) -> bool:
    return item.default is not MISSING or item.default_factory is not MISSING


def _nullable(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


@functools.cache
def _reader(hint: Any) -> Reader:
    """How a value of a type is read."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return functools.partial(_BOUNDED[args[0]], args[1])
    if origin in (typing.Union, types.UnionType):
        inner = _reader(next(item for item in args if item is not type(None)))
        return lambda value, where: None if value is None else inner(value, where)
    if origin is tuple:
        many = args[-1] is Ellipsis
        return functools.partial(_many, _reader(args[0])) if many else functools.partial(_exactly, _all(args))
    if origin is Mapping:
        return functools.partial(_mapping, _reader(args[1]))
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_table
    return _PLAIN[hint]


def _all(hints: tuple[Any, ...]) -> tuple[Reader, ...]:
    return tuple(_reader(hint) for hint in hints)


def _number(bounds: Within, value: Any, where: Where) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise where.refuse(value, "a number")
    if not bounds.holds(value):
        raise where.refuse(value, str(bounds))
    return value


def _whole(bounds: Within, value: Any, where: Where) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise where.refuse(value, "a whole number")
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


def _many(read: Reader, value: Any, where: Where) -> tuple[Any, ...]:
    _sized(value, where)
    if isinstance(read, functools.partial) and read.func is _number:
        holds = read.args[0].holds
        if all(type(item) is float and holds(item) for item in value):
            return tuple(value)
    return tuple([read(item, where.at(index)) for index, item in enumerate(value)])


def _exactly(readers: tuple[Reader, ...], value: Any, where: Where) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple) or len(value) != len(readers):
        raise where.refuse(value, f"{len(readers)} values")
    return tuple(
        read(item, where.at(index)) for index, (read, item) in enumerate(zip(readers, value, strict=True))
    )


def _mapping(read: Reader, value: Any, where: Where) -> dict[str, Any]:
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
        return _mapping(lambda item, at: _open(item, at, depth + 1), value, where)
    if isinstance(value, list | tuple):
        _sized(value, where)
        return [_open(item, where.at(index), depth + 1) for index, item in enumerate(value)]
    return _text(Length(MAX_TEXT), value, where)


def _sized(value: Any, where: Where) -> None:
    if not isinstance(value, list | tuple):
        raise where.refuse(value, "a list")
    if len(value) > MAX_ITEMS:
        raise where.refuse(value, f"at most {MAX_ITEMS} entries")


_BOUNDED: dict[Any, Callable[..., Any]] = {float: _number, int: _whole, str: _text}
_PLAIN: dict[Any, Reader] = {
    float: functools.partial(_number, ANY_NUMBER),
    int: functools.partial(_whole, ANY_NUMBER),
    str: functools.partial(_text, Length(MAX_TEXT)),
    bool: _truth,
    Any: _open,
}
