"""A request's body that is read only when there is room for it, or refused."""

import io
import time

# Of a viewer's own picture.
MAX_BYTES = 8 << 20
# What a body's bytes may take to arrive, seconds.
PATIENCE_S = 20.0
_PIECE = 1 << 16


class Refused(Exception):
    """A request that is not answered: an HTTP status, and why in one sentence."""

    def __init__(self, status, why):
        Exception.__init__(self, why)
        self.status = status


class Body(object):
    """Bytes that are on their way.

    Args:
        stream: They come from it.
        size: How many they are.
    """

    def __init__(self, stream, size):
        self.size = self._left = size
        self._stream = stream

    def read(self):
        """All of it.

        Raises:
            ValueError: It did not come, or too slowly.
        """
        data = b"".join(self._pieces())
        if len(data) != self.size:
            raise ValueError("it did not arrive whole")
        return data

    def forget(self):
        """Take in what is left: a browser that is answered while it still sends hears nothing."""
        for _ in self._pieces():
            pass

    def _pieces(self):
        until = time.monotonic() + PATIENCE_S
        while self._left and time.monotonic() < until:
            piece = self._stream.read1(min(self._left, _PIECE))
            if not piece:
                break
            self._left -= len(piece)
            yield piece


class Replay(io.RawIOBase):
    """What comes over a connection, of which the first bytes were read already."""

    def __init__(self, head, connection):
        self._head, self._connection = head, connection

    def readable(self):
        """It is read."""
        return True

    def readinto(self, buffer):
        """What was read before comes first."""
        if not self._head:
            return self._connection.recv_into(buffer)
        count = min(len(self._head), len(buffer))
        buffer[:count], self._head = self._head[:count], self._head[count:]
        return count
