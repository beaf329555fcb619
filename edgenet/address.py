"""Where a board is, as a user writes it: ``host``, ``user@host:port``, ``[::1]:22``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgenet.shell import command_line

__all__ = ["Address"]

_PORT = re.compile(r"(?P<host>[^:]+|(?:[^@\[\]]+@)?\[[^\]]+\]):(?P<port>\d+)\Z")
_UNFIT = re.compile(r"[\s\x00-\x1f\x7f]|@-")
PORTS = range(1, 1 << 16)


@dataclass(frozen=True)
class Address:
    """A destination for ssh.

    Attributes:
        host: ``user@host``, an alias of the user's ssh config, or ``ssh://…``; no brackets.
        port: Its port; ``None`` to leave it to ssh.
    """

    host: str
    port: int | None

    @classmethod
    def of(cls, device: object) -> Address | None:
        """What a text names; ``None`` if ssh would read it as an option or as more than one word."""
        if not isinstance(device, str) or not device or device.startswith("-") or _UNFIT.search(device):
            return None
        found = _PORT.fullmatch(device)
        if found and (len(found["port"]) > 5 or int(found["port"]) not in PORTS):
            return None
        host = found["host"] if found else device
        return cls(host.replace("[", "").replace("]", ""), int(found["port"]) if found else None)

    def words(self) -> str:
        """What a person types after ``ssh``."""
        return command_line([*(["-p", str(self.port)] if self.port else []), self.host])
