"""The errors that a board answers; what else it answers is in :mod:`edgenet.devices.answers`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgenet.errors import DeviceError

__all__ = ["BoardError", "raise_error"]

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
