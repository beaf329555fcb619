"""The page's server on the board's loopback: who may look, and how many."""

import hmac
import os
import socket
import threading
from secrets import token_urlsafe
from typing import Any

from .gate import Gate
from .handler import Handler

# Connections of those who have the key; a page uses up to three. tunnel.MAX_STREAMS has room for them and for
# what waits at the gate.
MAX_VIEWERS = 48
# Clips on their way: each keeps its pictures in memory, clip.ROOM bytes of them, until its viewer has them.
MAX_CLIPS = 2


class Keys(object):
    """Who may see the page: one-time tokens, and the key of this run."""

    def __init__(self):
        self.key = token_urlsafe(24)
        self._tokens: Any = set()
        self._lock = threading.Lock()

    def token(self):
        """A new one-time token."""
        token = token_urlsafe(24)
        with self._lock:
            self._tokens.add(token)
        return token

    def spend(self, token):
        """Whether a token was good; it is not any more."""
        with self._lock:
            good = token in self._tokens
            self._tokens.discard(token)
        return good

    def knows(self, key):
        """Whether this is the run's key."""
        return hmac.compare_digest(key.encode("utf-8", "replace"), self.key.encode("utf-8"))


class Server(object):
    """Answers on 127.0.0.1, a thread a connection that has spoken.

    Args:
        demo: ``page`` (bytes), ``state()``, ``metrics()``, ``picture()``, ``act(name, values)``,
            ``pipeline``, ``over`` (an event).
        port: On loopback; 0 for any free one.

    Attributes:
        port: Which one it is.
        keys: Who may look.
        clips: Taken by each clip on its way.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, demo, port=0):
        listener = socket.socket()
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(64)
        except OSError:
            listener.close()
            raise
        self.port, self.keys = int(listener.getsockname()[1]), Keys()
        self._handler = type("DemoHandler", (Handler,), {"demo": demo, "keys": self.keys})
        self._gate = Gate(listener, self._take)
        self.clips = threading.BoundedSemaphore(MAX_CLIPS)
        self._viewers: Any = set()
        self._lock = threading.Lock()

    def start(self):
        """Begin to answer."""
        self._gate.start()

    def let_in(self, connection):
        """Whether there is room for a connection of one who has the key; it stays until it ends."""
        with self._lock:
            if connection not in self._viewers:
                if len(self._viewers) >= MAX_VIEWERS or not self._gate.let_in(connection):
                    return False
                self._viewers.add(connection)
            return True

    def _take(self, connection, head):
        thread = threading.Thread(target=self._answer, args=(connection, head), name="viewer")
        thread.daemon = True
        thread.start()

    def _answer(self, connection, head):
        try:
            self._handler(connection, head, self)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # a broken connection is the browser's own business
        finally:
            with self._lock:
                self._viewers.discard(connection)
            connection.close()

    def stop(self):
        """Answer no more."""
        self._gate.close()
