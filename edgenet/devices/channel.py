"""Requests and replies over one connection, with every byte counted."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from typing import Any

from edgenet.agent import wire
from edgenet.devices.connection import Connection
from edgenet.devices.replies import raise_error
from edgenet.errors import ConnectionLost

__all__ = ["Aside", "Channel", "OnEvent"]

OnEvent = Callable[[Mapping[str, Any]], None]
# Takes a frame that belongs to no reply: its header and its body.
Aside = Callable[[dict[str, Any], bytes], None]


class Channel:
    """Strictly one request at a time; after a broken reply it can only be closed.

    Attributes:
        asides: Who takes the frames of a type, or the events of a name, that a running demo sends.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.bytes_sent = 0
        self.bytes_received = 0
        self._ids = itertools.count(1)
        self._sending = threading.Lock()
        self.asides: dict[str, Aside] = {}

    def request(
        self, kind: str, header: Mapping[str, Any], body: bytes = b"", progress: OnEvent | None = None
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request and wait for its reply; events go to ``progress``.

        Raises:
            BoardError: The agent answered with an error.
            ConnectionLost: The connection broke, or something that is not the agent answered.
        """
        number = next(self._ids)
        self._send(wire.pack({**header, "type": kind, "id": number}, body))
        while True:
            reply, data = self.receive()
            if aside := self.asides.get(str(reply.get("type") or reply.get("event"))):
                aside(reply, data)
                continue
            if reply.get("type") == wire.STREAM:
                continue  # of a demo that is over
            if reply.get("id") != number:
                raise ConnectionLost(f"{self.connection.name} answered out of turn", "run this again")
            if "event" in reply:
                if progress is not None:
                    progress(reply)
                continue
            if reply.get("ok") is not True:
                raise_error(self.connection.name, reply.get("error"))
            return reply, data

    def say(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Send a frame that no reply answers; safe from any thread.

        Raises:
            ConnectionLost: The connection broke.
        """
        self._send(wire.pack(header, body))

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """The next frame.

        Raises:
            ConnectionLost: The stream ended or does not hold a frame.
        """
        try:
            frame = wire.read_frame(_Counted(self))
        except wire.WireError as error:
            if "ended inside" in str(error):
                raise self.connection.lost() from None
            raise ConnectionLost(
                f"{self.connection.name} sent what is not a frame: {error}", "run this again"
            ) from None
        if frame is None:
            raise self.connection.lost()
        return frame

    def _send(self, data: bytes) -> None:
        with self._sending:
            try:
                self.connection.stdin.write(data)
                self.connection.stdin.flush()
            except (OSError, ValueError):
                raise self.connection.lost() from None
            self.bytes_sent += len(data)


class _Counted:
    """The incoming stream, counted."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes."""
        data = self._channel.connection.stdout.read(size)
        self._channel.bytes_received += len(data)
        return data
