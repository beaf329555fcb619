"""Byte streams inside the frames: how a browser here reaches the demo's page on the board's loopback.

Each end may have this many bytes of a stream on the way and no more, so a viewer that does not read holds up
its own stream alone. Host and board run this same file; see docs/agent-protocol.md, Streams.

Python 3.6 syntax: this file travels to the board.
"""

import queue
import socket
import threading
from typing import Any, Callable, Dict

from . import wire

WINDOW = 128 * 1024
PIECE = 32 * 1024
MAX_STREAMS = 96

# Sends one frame; safe to call from any thread; raises OSError or ValueError where the other end is gone.
Send = Callable[[Dict[str, Any], bytes], Any]


class Stream(object):
    """One connected socket at this end; two threads carry its bytes.

    Args:
        number: The stream's name on the wire.
        connection: A connected socket; closed with the stream.
        send: Sends a frame to the other end.
        gone: Called once, with the number, when the stream is over.
    """

    def __init__(self, number: int, connection: socket.socket, send: Send, gone: Callable[[int], None]):
        self._number, self._socket, self._send, self._gone = number, connection, send, gone
        self._credit = WINDOW
        self._changed = threading.Condition()
        self._over = False
        self._incoming: Any = queue.Queue()

    def start(self, first: bytes = b"") -> None:
        """Begin to carry, with what was read already."""
        if first:
            self._credit -= len(first)
            self._send({"type": wire.STREAM, "stream": self._number}, first)
        for work in (self._read, self._write):
            thread = threading.Thread(target=work, name="tunnel")
            thread.daemon = True
            thread.start()

    def receive(self, header: Dict[str, Any], body: bytes) -> None:
        """A frame from the other end; never blocks."""
        if header.get("credit"):
            with self._changed:
                self._credit += int(header["credit"])
                self._changed.notify()
        if body:
            self._incoming.put(body)
        if header.get("end"):
            self._incoming.put(None)

    def close(self) -> None:
        """End both directions now."""
        with self._changed:
            if self._over:
                return
            self._over = True
            self._changed.notify()
        self._incoming.put(None)
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        self._gone(self._number)

    def _read(self) -> None:
        """Socket → frames, as far as the other end gave credit."""
        try:
            while True:
                with self._changed:
                    while not self._credit and not self._over:
                        self._changed.wait()
                    room = min(self._credit, PIECE)
                data = self._socket.recv(room)
                if not data or self._over:
                    break
                with self._changed:
                    self._credit -= len(data)
                self._send({"type": wire.STREAM, "stream": self._number}, data)
        except (OSError, ValueError):
            pass
        if not self._over:
            try:
                self._send({"type": wire.STREAM, "stream": self._number, "end": True}, b"")
            except (OSError, ValueError):
                pass
        self.close()

    def _write(self) -> None:
        """Frames → socket, and credit back for what was written."""
        try:
            for data in iter(self._incoming.get, None):
                self._socket.sendall(data)
                self._send({"type": wire.STREAM, "stream": self._number, "credit": len(data)}, b"")
        except (OSError, ValueError):
            pass
        self.close()


class Tunnel(object):
    """The streams of one end.

    Args:
        send: Sends a frame to the other end.
        reach: Connects a socket for a stream that the other end opens; ``None`` where only this end opens.
    """

    def __init__(self, send: Send, reach: Any = None):
        self._send, self._reach = send, reach
        self._streams: Dict[int, Stream] = {}
        self._lock = threading.Lock()
        self._last = 0

    def open(self, connection: socket.socket, first: bytes = b"") -> None:
        """Carry a connection that was accepted here to the other end.

        Args:
            connection: A connected socket.
            first: What was read from it already, no more than ``WINDOW``.
        """
        with self._lock:
            self._last += 1
            number = self._last
        stream = self._add(number, connection)
        self._send({"type": wire.STREAM, "stream": number, "open": True}, b"")
        stream.start(first)

    def receive(self, header: Dict[str, Any], body: bytes) -> None:
        """A frame about a stream from the other end; never blocks but to connect on loopback."""
        number = header.get("stream")
        if not isinstance(number, int):
            return
        stream = self._streams.get(number)
        if stream is not None:
            stream.receive(header, body)
        elif header.get("open") and self._reach is not None:
            self._accept(number)

    def _accept(self, number: int) -> None:
        try:
            if len(self._streams) >= MAX_STREAMS:
                raise OSError("too many streams")
            connection = self._reach()
        except OSError:
            self._send({"type": wire.STREAM, "stream": number, "end": True}, b"")
            return
        self._add(number, connection).start()

    def _add(self, number: int, connection: socket.socket) -> Stream:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = Stream(number, connection, self._send, self._forget)
        with self._lock:
            self._streams[number] = stream
        return stream

    def _forget(self, number: int) -> None:
        with self._lock:
            self._streams.pop(number, None)

    def close(self) -> None:
        """End every stream."""
        with self._lock:
            streams = list(self._streams.values())
        for stream in streams:
            stream.close()
