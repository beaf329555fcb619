"""What carries the frames: two byte streams, and a diagnosis when they end."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from edgenet.errors import ConnectionFailed, ConnectionLost

__all__ = ["Connection"]


class Connection(Protocol):
    """One started agent on one board.

    ``start`` begins the bootstrap on the board; from then on the streams are open until ``close``.
    """

    @property
    def name(self) -> str:
        """The board as the user wrote it."""

    @property
    def stdin(self) -> BinaryIO:
        """To the board."""

    @property
    def stdout(self) -> BinaryIO:
        """From the board."""

    def start(self, digest: str, size: int) -> int:
        """Begin the bootstrap of the agent with this sha256 and size in bytes; returns the bytes sent for it.

        Raises:
            ConnectionFailed: There is no program to connect with.
        """

    def cut(self) -> None:
        """End it from another thread: soon every read and write on the streams returns."""

    def failed(self, said: str) -> ConnectionFailed:
        """Why the agent did not start; ``said`` is what the board printed before."""

    def lost(self) -> ConnectionLost:
        """Why the streams ended."""

    def close(self) -> None:
        """End the connection; never raises."""
