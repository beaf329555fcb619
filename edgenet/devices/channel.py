"""Requests and replies over one connection, with every byte counted and every wait bounded."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from io import BufferedReader
from typing import Any, TypeVar, cast

from edgenet.agent import wire
from edgenet.devices.connection import Connection
from edgenet.devices.deadlines import DEADLINES, Deadlines, Limit
from edgenet.devices.events import ProgressEvent
from edgenet.devices.replies import raise_error
from edgenet.devices.watch import Watch
from edgenet.errors import ConnectionLost, DeviceError
from edgenet.json_value import Where
from edgenet.log import log
from edgenet.record import Record
from edgenet.text import plain

__all__ = ["Channel", "OnEvent", "OutOfBand"]

OnEvent = Callable[[Mapping[str, Any]], None]
# Takes a frame that belongs to no reply: its header and its body.
OutOfBand = Callable[[dict[str, Any], bytes], None]

_PIECE = 16 * 1024
_R = TypeVar("_R", bound=Record)
REMEDY = "this is a bug: please report it"


class Channel:
    """Strictly one request at a time; after a broken reply it can only be closed.

    Args:
        connection: To the agent.
        deadlines: How long each request may take.
        waiting: Called with ``{"stage": "waiting for …"}`` after seconds without news, from another thread.

    Attributes:
        asides: Who takes the frames of a type, or the events of a name, that a running demo sends.
    """

    def __init__(
        self, connection: Connection, deadlines: Deadlines = DEADLINES, waiting: OnEvent | None = None
    ) -> None:
        self.connection = connection
        self.bytes_sent = 0
        self.bytes_received = 0
        self._deadlines, self._waiting = deadlines, waiting
        self._watch: Watch | None = None
        self._ids = itertools.count(1)
        self._sending = threading.Lock()
        self.oob_handlers: dict[str, OutOfBand] = {}

    def request(
        self, kind: str, header: Mapping[str, Any], body: bytes = b"", progress: OnEvent | None = None
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request and wait for its reply; events go to ``progress``.

        Raises:
            BoardError: The agent answered with an error.
            DeviceError: An event is not what it should be.
            ConnectionLost: The connection broke, the agent fell silent or took too long, or something that
                is not the agent answered.
        """
        number, began = next(self._ids), time.perf_counter()
        pace = {"beat": self._deadlines.beat_s} if number == 1 else {}
        with self.watched(self._deadlines.limit(kind, header)) as watch:
            self._send(wire.pack({**header, **pace, "type": kind, "id": number}, body))
            while True:
                reply, data = self.receive()
                if reply.get("event") == wire.ALIVE:
                    watch.beat(reply.get("stopped") is True)
                    continue
                if reply.get("stopped") is not True:
                    watch.news()
                if aside := self.oob_handlers.get(str(reply.get("type") or reply.get("event"))):
                    aside(reply, data)
                    continue
                if reply.get("type") == wire.STREAM:
                    continue  # of a demo that is over
                if reply.get("id") != number:
                    raise ConnectionLost(f"{self.connection.name} answered out of turn", "run this again")
                if "event" in reply:
                    if progress is not None:
                        progress(self.parsed(ProgressEvent, reply).known())
                    continue
                if reply.get("ok") is not True:
                    raise_error(self.connection.name, reply.get("error"))
                took = time.perf_counter() - began
                log.debug(
                    "%s: %s: %d B sent, answered in %.3f s", self.connection.name, kind, len(body), took
                )
                return reply, data

    @contextlib.contextmanager
    def watched(self, limit: Limit, cut: Callable[[], None] | None = None) -> Iterator[Watch]:
        """Within it a limit that is over ends the connection, by ``cut``, and is what is raised.

        Raises:
            ConnectionLost: What was waited for, and how long.
        """

        def on_quiet(line: str) -> None:
            if self._waiting is not None:
                self._waiting({"stage": line})

        with Watch(self.connection.name, limit, self._deadlines.news_s, cut or self._cut, on_quiet) as watch:
            self._watch = watch
            try:
                yield watch
            except (DeviceError, OSError, ValueError):
                if watch.error is None:
                    raise
                raise watch.error from None
            finally:
                self._watch = None

    def hurry(self, what: str) -> None:
        """The request under way was asked to end: it must within the limit of silence. From any thread."""
        if watch := self._watch:
            watch.hurry(what)

    def _cut(self) -> None:
        """End the connection while another thread uses it."""
        if self._sending.acquire(blocking=False):
            # An agent that still reads then ends what it started.
            with contextlib.suppress(OSError, ValueError):
                self.connection.stdin.close()
            self._sending.release()
        self.connection.cut()

    def ask(
        self,
        answer: type[_R],
        kind: str,
        header: Mapping[str, Any],
        body: bytes = b"",
        progress: OnEvent | None = None,
    ) -> tuple[_R, bytes]:
        """:meth:`request`, with the reply :meth:`parsed`."""
        reply, data = self.request(kind, header, body, progress)
        return self.parsed(answer, reply), data

    def parsed(self, answer: type[_R], reply: Mapping[str, Any]) -> _R:
        """A reply as a type; text in it that cannot be printed is replaced.

        Raises:
            DeviceError: It is not what was asked for; the field is named.
        """
        return answer.from_table(plain(reply), self._where())

    def _where(self) -> Where:
        return Where(f"the answer of {self.connection.name}", error=DeviceError, remedy=REMEDY)

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
            frame = wire.read_frame(_Stream(self._read))
        except wire.WireError as error:
            if "ended inside" in str(error):
                raise self.connection.lost() from None
            raise ConnectionLost(
                f"{self.connection.name} sent data that is not a frame: {error}", "run this again"
            ) from None
        if frame is None:
            raise self.connection.lost()
        return frame

    def _send(self, data: bytes) -> None:
        watch = self._watch
        with self._sending, watch.waiting() if watch else contextlib.nullcontext():
            try:
                for start in range(0, len(data), _PIECE):
                    piece = memoryview(data)[start : start + _PIECE]
                    self.connection.stdin.write(piece)
                    self.connection.stdin.flush()
                    if watch:
                        watch.moved(len(piece))
            except (OSError, ValueError):
                raise self.connection.lost() from None
            self.bytes_sent += len(data)

    def _read(self, size: int) -> bytes:
        watch, stream = self._watch, cast(BufferedReader, self.connection.stdout)
        with watch.waiting() if watch else contextlib.nullcontext():
            data = stream.read1(size)
        self.bytes_received += len(data)
        if watch:
            watch.moved(len(data))
        return data


class _Stream:
    """The incoming stream, whose every byte is a sign of life."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self.read = read
