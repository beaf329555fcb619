"""Sending files piece by piece, each named by its sha256; what is there already is not sent again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from edgenet.agent import wire
from edgenet.devices.answers import Have, Put
from edgenet.devices.channel import REMEDY, Channel
from edgenet.errors import DataError, DeviceError

__all__ = ["Blob", "Sender", "Sent", "missing"]

# A piece, bytes: the more, the faster the pieces before it were answered, so that each is answered soon.
SMALLEST, FIRST, LARGEST = 4 * 1024, 16 * 1024, 512 * 1024
QUICK_S, SLOW_S = 1.0, 4.0


class Blob(NamedTuple):
    """Bytes that a board may need, named by their sha256."""

    digest: str
    size: int
    open: Callable[[], BinaryIO]


class Sent(NamedTuple):
    """What ``send_blobs`` did: bytes sent, bytes that were on the board already."""

    bytes: int
    skipped: int


class Sender:
    """Sends blobs over a channel, in pieces as large as the way to the board bears.

    Attributes:
        removed: What the board removed on the way, to make room; in words.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._piece = FIRST
        self.removed: list[str] = []

    def send(self, blob: Blob, offset: int) -> Iterator[int]:
        """Send a blob from this offset on; gives the bytes of each piece.

        Raises:
            BoardError: ``no-space``, ``damaged``, ``busy``.
            DataError: It is shorter than its size.
        """
        with blob.open() as stream:
            stream.seek(offset)
            while True:
                piece = stream.read(min(self._piece, blob.size - offset))
                if not piece and offset < blob.size:
                    raise DataError(
                        f"blob {blob.digest[:12]} is shorter than its {blob.size} bytes", "make it again"
                    )
                header = {"digest": blob.digest, "size": blob.size, "offset": offset}
                began = time.monotonic()
                reply, _ = self._channel.ask(Put, wire.PUT, header, piece)
                self._adapt(time.monotonic() - began)
                offset += len(piece)
                self.removed += reply.removed
                yield len(piece)
                if reply.done:
                    return

    def _adapt(self, seconds: float) -> None:
        """The size of the next piece, from the time that the last one took."""
        if seconds < QUICK_S:
            self._piece = min(2 * self._piece, LARGEST)
        elif seconds > SLOW_S:
            self._piece = max(self._piece // 2, SMALLEST)


def missing(reply: Have, wanted: Sequence[Blob]) -> dict[str, int]:
    """Digest → bytes already there, for the blobs that are not complete, from the reply to ``have``.

    Raises:
        DeviceError: It names what was not asked for.
    """
    sizes = {blob.digest: blob.size for blob in wanted}
    here: dict[str, int] = {}
    for digest, size in reply.missing:
        if digest not in sizes or size > sizes[digest]:
            raise DeviceError(f"the agent asks for {digest[:12]} from {size}", REMEDY)
        here[digest] = size
    return here
