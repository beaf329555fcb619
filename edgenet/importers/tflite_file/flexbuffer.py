"""The options of custom operators: a FlexBuffer with one map of numbers, every offset held to its bytes.

Source: https://flatbuffers.dev/internals/#flexbuffers; a value's type stands in one byte, the lowest two
bits of which are the logarithm of its width. The last two bytes are the root's type and width.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

__all__ = ["numbers"]

MOST_KEYS, LONGEST_KEY = 256, 256
WIDTHS = (1, 2, 4, 8)
MAP, BOOL = 9, 26
# Type → its letters in :mod:`struct` by width; those from 6 on stand elsewhere, and an offset leads to them.
LETTERS = {1: "bhiq", 2: "BHIQ", 3: " efd", BOOL: "BHIQ"}
INDIRECT = {6: 1, 7: 2, 8: 3}


def numbers(data: bytes) -> Mapping[str, float]:
    """The numbers of a map, by their names; what else it holds is left out.

    Raises:
        ValueError: It is no such map, or leads out of its bytes.
    """
    if len(data) < 3 or data[-1] not in WIDTHS or data[-2] >> 2 != MAP:
        raise ValueError("no map")
    place = _back(data, len(data) - 2 - data[-1], data[-1])
    width = 1 << (data[-2] & 3)
    count = _whole(data, place - width, width)
    keys = _back(data, place - 3 * width, width)
    key_width = _whole(data, place - 2 * width, width)
    if count > MOST_KEYS or key_width not in WIDTHS:
        raise ValueError("too many keys")
    found = {}
    for at in range(count):
        name = _text(data, _back(data, keys + at * key_width, key_width))
        kind = _whole(data, place + count * width + at, 1)
        value = _number(data, place + at * width, width, kind)
        if value is not None:
            found[name] = value
    return found


def _number(data: bytes, place: int, width: int, packed: int) -> float | None:
    kind, own = packed >> 2, 1 << (packed & 3)
    if kind in INDIRECT:
        kind, place, width = INDIRECT[kind], _back(data, place, width), own
    if kind not in LETTERS:
        return None
    letter = LETTERS[kind][WIDTHS.index(width)]
    if letter == " " or not 0 <= place <= len(data) - width:
        raise ValueError("a number")
    value: float = struct.unpack_from(f"<{letter}", data, place)[0]
    return value


def _back(data: bytes, place: int, width: int) -> int:
    """Where an offset leads, which counts back from where it stands."""
    target = place - _whole(data, place, width)
    if target < 0:
        raise ValueError("an offset")
    return target


def _whole(data: bytes, place: int, width: int) -> int:
    if not 0 <= place <= len(data) - width:
        raise ValueError("an offset")
    return int.from_bytes(data[place : place + width], "little")


def _text(data: bytes, place: int) -> str:
    end = data.find(b"\0", place, place + LONGEST_KEY)
    if end < 0:
        raise ValueError("a key")
    return data[place:end].decode("utf-8", "replace")
