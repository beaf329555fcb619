"""The images whose answers moved most, as a reader of the report sees them."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgenet.drift import Worst
from edgenet.task import Task
from edgenet.text import plain
from edgenet.verify.expected import Expected

__all__ = ["png", "shown"]

# Side of a picture in the report, pixels.
SIDE = 96


def shown(worst: Sequence[Worst], expected: Expected, task: Task) -> tuple[Worst, ...]:
    """The report's ``worst`` with the names of the answers and a small picture of what the network saw.

    Args:
        worst: ``index``, ``answer`` and ``reference`` of each.
        expected: The images.
        task: Knows what the answers are called.

    Returns:
        Each with ``answer_label``, ``reference_label``, ``label`` (the truth, where labeled) and
        ``thumbnail``, a data URI of a PNG.
    """

    def name(answer: int) -> str:
        return str(plain(task.answer_name(answer, expected.names)))

    return tuple(
        item.changed(
            answer_label=name(item.answer),
            reference_label=name(item.reference),
            thumbnail=f"data:image/png;base64,{base64.b64encode(png(_small(expected.pixels(at)))).decode()}",
            **({"label": plain(task.truth_name(expected.truth[at]))} if expected.truth else {}),
        )
        for item in worst
        if (at := item.index) is not None
    )


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At most 96 pixels a side, by means of whole blocks."""
    step = max(1, -(-max(pixels.shape[:2]) // SIDE))
    rows, columns = (side // step * step for side in pixels.shape[:2])
    blocks = pixels[:rows, :columns].reshape(rows // step, step, columns // step, step, 3)
    return np.asarray(blocks.mean(axis=(1, 3)).round(), np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file (W3C PNG, 8-bit RGB, no filter) of uint8 [H, W, 3] pixels."""
    rows, columns = pixels.shape[:2]
    lines = np.zeros((rows, columns * 3 + 1), np.uint8)
    lines[:, 1:] = pixels.reshape(rows, -1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
