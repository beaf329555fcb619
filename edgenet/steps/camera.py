"""What the user names as a source, as the order that the board's agent understands."""

from __future__ import annotations

import functools
import io
from typing import Any, NamedTuple

from edgenet.devices.agent import Blob
from edgenet.errors import DataError
from edgenet.files import sha256
from edgenet.zoo.signs.drawings import drawings

__all__ = ["SourceOrder", "source_order"]


class SourceOrder(NamedTuple):
    """A source for the board: the order, and what must be there first."""

    order: dict[str, Any]
    blobs: list[Blob]


def source_order(
    text: str, size: tuple[int, int] | None = None, fps: float | None = None, loop: bool = False
) -> SourceOrder:
    """Read a ``--source``.

    Args:
        text: "synthetic".
        size: (width, height) to ask of the source.
        fps: Pictures a second to ask of it.
        loop: Whether files begin again when they end.

    Raises:
        DataError: It is none of these.
    """
    order: dict[str, Any] = {"size": list(size) if size else None, "fps": fps, "loop": loop}
    if text == "synthetic":
        data = drawings(*size) if size else drawings()
        return SourceOrder({**order, "kind": "synthetic"}, [_data_blob(data)])
    raise DataError(f"{text}: no such source", "so far there is only --source synthetic")


def _data_blob(data: bytes) -> Blob:
    return Blob(sha256(data), len(data), functools.partial(io.BytesIO, data))
