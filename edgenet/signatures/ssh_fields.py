"""The strings that SSH's keys and signatures consist of: a length and so many bytes (RFC 4251, section 5)."""

from __future__ import annotations

import struct

__all__ = ["ShortField", "SshFields", "ssh_string"]

_LENGTH = struct.Struct(">I")


class ShortField(ValueError):
    """The bytes end within a field, or go on behind the last one."""


def ssh_string(data: bytes) -> bytes:
    """A string: its length as an unsigned 32-bit integer, big endian, and its bytes."""
    return _LENGTH.pack(len(data)) + data


class SshFields:
    """Bytes that are read field by field; none is longer than what is there."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            ShortField: Fewer are left.
        """
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            raise ShortField(f"{size} bytes should follow, {len(found)} do")
        self._at += size
        return found

    def number(self) -> int:
        """An unsigned 32-bit integer."""
        return int(_LENGTH.unpack(self.take(_LENGTH.size))[0])

    def string(self) -> bytes:
        """A string's bytes."""
        return self.take(self.number())

    def end(self) -> None:
        """See that nothing follows.

        Raises:
            ShortField: Something does.
        """
        if self._at != len(self._data):
            raise ShortField(f"{len(self._data) - self._at} bytes follow that should not")
