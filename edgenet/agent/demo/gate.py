"""Connections before they are anybody's: few at a time, and none of them for long.

Whoever reaches a loopback port can connect and say nothing. So none gets a thread before the head of its
first request is whole; until it is let in, it has one deadline for everything; and where too many wait, the
oldest makes room, those that are still silent first. So a request that is sent at once is heard.

Host and board run this same file. Python 3.6 syntax: it travels to the board.
"""

import re
import selectors
import socket
import threading
import time
from typing import Any, Callable, Dict, List

MAX_WAITING = 32
# From the connection until it is let in, or answered and closed, seconds.
WAIT_S = 6.0
MAX_HEAD = 32768
_END = b"\r\n\r\n"
_POLL_S = 0.1
_BEARER = re.compile(rb"\r\nauthorization:[ \t]*bearer[ \t]+([!-~]+)[ \t]*\r\n", re.IGNORECASE)


def bearer(head: bytes) -> bytes:
    """The bearer's key in the head of a request; empty where there is none."""
    found = _BEARER.search(head)
    return found.group(1) if found else b""


class _Guest(object):
    """A connection that waits: still silent, or spoken and in the hands of ``take``."""

    def __init__(self, connection: socket.socket, deadline: float):
        self.connection, self.deadline = connection, deadline
        self.head, self.spoke = bytearray(), False


class Gate(object):
    """Accepts connections, and hands on those that speak.

    Args:
        listener: A listening socket; closed with the gate.
        take: Takes a connection and the bytes that came, its first head among them; closes it in the end.
            It must not block. What it does not :meth:`let_in` is shut down at its deadline.
    """

    def __init__(self, listener: socket.socket, take: Callable[[socket.socket, bytes], Any]):
        self._listener, self._take = listener, take
        self._guests: Dict[socket.socket, _Guest] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name="gate")
        self._thread.daemon = True

    def start(self) -> None:
        """Begin to accept."""
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread.start()

    def let_in(self, connection: socket.socket) -> bool:
        """Whether a connection was still waiting; it has no deadline here any more."""
        with self._lock:
            return self._guests.pop(connection, None) is not None

    def close(self) -> None:
        """Accept no more, and end what waits."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        self._listener.close()
        for guest in self._waiting():
            self._drop(guest)
        self._selector.close()

    def _waiting(self) -> List[_Guest]:
        with self._lock:
            return list(self._guests.values())

    def _run(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(_POLL_S):
                guest = self._guests.get(key.fileobj)  # type: ignore[call-overload]
                if key.fileobj is self._listener:
                    self._accept()
                elif guest is not None:
                    self._read(guest)
            self._sweep()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError:  # no descriptor is left: who waits longest gives one back
            self._make_room(1)
            self._over.wait(_POLL_S)
            return
        connection.setblocking(False)
        self._sweep()
        self._make_room(MAX_WAITING)
        with self._lock:
            self._guests[connection] = _Guest(connection, time.monotonic() + WAIT_S)
        self._selector.register(connection, selectors.EVENT_READ)

    def _make_room(self, most: int) -> None:
        """End the oldest until there are fewer than so many, the silent ones first."""
        waiting = sorted(self._waiting(), key=lambda guest: (guest.spoke, guest.deadline))
        for guest in waiting[: max(len(waiting) - most + 1, 0)]:
            self._drop(guest)

    def _read(self, guest: _Guest) -> None:
        before = len(guest.head)
        try:
            guest.head += guest.connection.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            pass
        if guest.head.find(_END, max(before - len(_END), 0)) >= 0:
            self._hand_on(guest)
        elif len(guest.head) == before or len(guest.head) > MAX_HEAD:
            self._drop(guest)

    def _hand_on(self, guest: _Guest) -> None:
        self._selector.unregister(guest.connection)
        guest.spoke = True
        guest.connection.settimeout(None)
        try:
            self._take(guest.connection, bytes(guest.head))
        except (OSError, RuntimeError):  # its other end is gone; no more threads
            self._drop(guest)
            guest.connection.close()

    def _sweep(self) -> None:
        """Forget what was answered and closed, and end what waited too long."""
        now = time.monotonic()
        for guest in self._waiting():
            if guest.connection.fileno() < 0:
                self.let_in(guest.connection)
            elif now >= guest.deadline:
                self._drop(guest)

    def _drop(self, guest: _Guest) -> None:
        if not self.let_in(guest.connection):
            return
        try:
            guest.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        if not guest.spoke:  # else who took it closes it
            self._selector.unregister(guest.connection)
            guest.connection.close()
