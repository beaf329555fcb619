"""Reading what a board answers: every value is checked for its type before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from edgenet.errors import DeviceError

__all__ = ["BoardError", "field", "fields", "raise_error"]

_T = TypeVar("_T")
_LONGEST = 600


class BoardError(DeviceError):
    """The agent answered with an error.

    Attributes:
        kind: The agent's short name for it, such as "no-space", "locked", "died".
        facts: Further values the agent gave, such as ``signal`` or ``needed`` (bytes).
    """

    def __init__(self, kind: str, what: str, remedy: str, facts: Mapping[str, Any]) -> None:
        super().__init__(what, remedy)
        self.kind = kind
        self.facts = facts


def field(reply: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    """``reply[name]`` if it is of this type (an int counts as a float, a bool never as an int).

    Raises:
        DeviceError: It is missing or of another type.
    """
    value = reply.get(name)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)  # type: ignore[return-value]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise DeviceError(f"the agent's answer has no valid {name!r}", "this is a bug: please report it")
    return value


def fields(reply: Mapping[str, Any], name: str, kind: type[_T]) -> list[_T]:
    """``reply[name]``, a list whose every item is of this type.

    Raises:
        DeviceError: It is missing or holds something else.
    """
    return [field({name: item}, name, kind) for item in field(reply, name, list)]


def raise_error(board: str, error: object) -> None:
    """Raise the error of a reply.

    Raises:
        BoardError: Always.
    """
    values: Mapping[str, Any] = error if isinstance(error, dict) else {}
    kind, what, remedy = (_text(values.get(name)) for name in ("kind", "what", "remedy"))
    facts = {name: value for name, value in values.items() if name not in ("kind", "what", "remedy")}
    raise BoardError(kind, f"{board}: {what or 'an error without a reason'}", remedy, facts)


def _text(value: object) -> str:
    return " ".join(value.split())[:_LONGEST] if isinstance(value, str) else ""
