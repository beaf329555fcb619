"""Pictures out of a stream of bytes: JPEGs one after the other, PPMs, or raw ones of a known size.

Each reader has ``next()``: the next picture as a :class:`Frame`, or ``None`` at the end of the stream.
"""

import re
import time

from ... import planes
from ..frame import Frame
from .base import Damaged

PIECE = 1 << 16
MAX_PICTURE = 64 << 20
_PPM = re.compile(rb"P6\s+(\d{1,5})\s+(\d{1,5})\s+255\s")


class Stream(object):
    """Bytes with a memory.

    Args:
        read: ``read(count)``: at most so many bytes, none at the end.
    """

    def __init__(self, read):
        self._read = read
        self.data = bytearray()
        self.began = 0.0

    def more(self):
        """Read some more; whether there was any. ``began`` is when the first byte of a picture came."""
        piece = self._read(PIECE)
        if not self.data:
            self.began = time.perf_counter()
        self.data += piece
        return bool(piece)

    def fill(self, target):
        """Fill a bytearray, from memory first; whether there was enough."""
        view, have = memoryview(target), min(len(self.data), len(target))
        if not have:
            self.began = 0.0
        view[:have] = self.data[:have]
        del self.data[:have]
        while have < len(target):
            piece = self._read(min(len(target) - have, 1 << 20))
            if not piece:
                return False
            if not self.began:
                self.began = time.perf_counter()
            view[have : have + len(piece)] = piece
            have += len(piece)
        return True


class Jpegs(object):
    """JPEG after JPEG, whatever lies between them; thumbnails inside one are not mistaken for its end."""

    def __init__(self, read):
        self._stream = Stream(read)

    def next(self):
        """The next picture."""
        stream = self._stream
        while True:
            start = stream.data.find(b"\xff\xd8\xff")
            if start >= 0:
                break
            del stream.data[: max(len(stream.data) - 2, 0)]
            if not stream.more():
                return None
        del stream.data[:start]
        end = self._end()
        if end is None:
            return None
        data = bytes(stream.data[:end])
        del stream.data[:end]
        return _stamped(Frame("jpeg", data), stream)

    def _end(self):
        """Where the picture ends that begins the stream's memory; ``None`` where the stream ends before."""
        data, position = self._stream.data, 2
        while True:
            while len(data) < position + 4:
                if not self._stream.more():
                    return None
            if len(data) > MAX_PICTURE or data[position] != 0xFF:
                del data[:2]
                raise Damaged("a JPEG that is none")
            if data[position + 1] == 0xDA:
                break
            position += 2 + (data[position + 2] << 8 | data[position + 3])
        while True:
            found = data.find(b"\xff\xd9", position)
            if found >= 0:
                return found + 2
            position = max(position, len(data) - 1)
            if len(data) > MAX_PICTURE:
                del data[:2]
                raise Damaged("a JPEG without an end")
            if not self._stream.more():
                return None


class Raws(object):
    """Raw pictures of one size and layout, into buffers that are used again."""

    def __init__(self, read, kind, width, height):
        self._stream, self._kind, self._size = Stream(read), kind, (width, height)
        self._free: list = []

    def next(self):
        """The next picture."""
        frame = self._frame(*self._size)
        if not self._stream.fill(frame.data):
            return None
        return _stamped(frame, self._stream)

    def _frame(self, width, height):
        while self._free:
            frame = self._free.pop()
            if frame.size == (width, height):
                return frame
        data = bytearray(planes.length(self._kind, (width, height)))
        return Frame(self._kind, data, (width, height), self._free)


class Ppms(Raws):
    """Binary PPMs one after the other: raw RGB that says its size."""

    def __init__(self, read):
        Raws.__init__(self, read, "rgb24", 0, 0)

    def next(self):
        """The next picture."""
        stream = self._stream
        while True:
            found = _PPM.match(bytes(stream.data[:32]))
            if found:
                break
            if len(stream.data) >= 32:
                raise Damaged("a picture that is no PPM")
            if not stream.more():
                return None
        began = stream.began
        del stream.data[: found.end()]
        frame = self._frame(int(found.group(1)), int(found.group(2)))
        if not stream.fill(frame.data):
            return None
        stream.began = began
        return _stamped(frame, stream)


def _stamped(frame, stream):
    frame.taken = time.perf_counter()
    frame.cost = max(frame.taken - stream.began, 0.0) if stream.began else 0.0
    if stream.data:
        stream.began = frame.taken  # the next one's first bytes are here already
    return frame
