"""Records: frozen dataclasses that read themselves from JSON nobody vouches for, and write it back.

A subclass states its fields as annotations, and those are the check: ``float`` (finite), ``int``, ``bool``,
``str`` (short, printable), ``X | None``, ``tuple[X, ...]``, ``tuple[X, Y]``, ``Mapping[str, X]``, another
record, and ``Annotated[X, Within(…)]`` or ``Annotated[str, Length(…)]`` for bounds. ``Any`` is bounded JSON.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Hashable, Mapping
from dataclasses import MISSING
from typing import Any, ClassVar, Self

from edgenet.json_value import BOUNDED, PLAIN, Reader, Where, exactly, many, mapping
from edgenet.notebook import Shown

__all__ = ["Record"]


class Record(Shown):
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
                raise where.missing(key)
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


def _written_out(value: Any) -> Any:
    if hasattr(value, "to_table"):
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
        return functools.partial(BOUNDED[args[0]], args[1])
    if origin in (typing.Union, types.UnionType):
        inner = _reader(next(item for item in args if item is not type(None)))
        return lambda value, where: None if value is None else inner(value, where)
    if origin is tuple:
        same = args[-1] is Ellipsis
        return functools.partial(many, _reader(args[0])) if same else functools.partial(exactly, _all(args))
    if origin is Mapping:
        return functools.partial(mapping, _reader(args[1]))
    if isinstance(hint, type) and hasattr(hint, "from_table"):
        return typing.cast("Reader", hint.from_table)
    return PLAIN[hint]


def _all(hints: tuple[Any, ...]) -> tuple[Reader, ...]:
    return tuple(_reader(hint) for hint in hints)
