"""Pictures out of a stream of bytes: JPEGs one after the other, planar YUV, or raw ones of a known size.

Each reader has ``next()``: the next picture as a :class:`Frame`, or ``None`` at the end of the stream.
"""

import re
import struct
import time

from ... import planes
from ..frame import Frame
from .base import Damaged

PIECE = 1 << 16
MAX_PICTURE = 64 << 20
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# In entropy-coded bytes: neither a stuffed 0xFF nor a restart.
_MARKER = re.compile(b"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
MAX_HEADER = 256
_PICTURE = re.compile(rb"P (picture|large) (\w{1,8}) ([\w-]{1,12}) (\d{1,5}) (\d{1,5}) (\d{1,6})\n")
_Y4M = re.compile(rb"(?:YUV4MPEG2 ([ -~]{1,200})|FRAME[ -~]{0,80})\n")


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
        return _stamped(Frame("jpeg", data, jpeg_size(data)), stream)

    def _end(self):
        """Where the picture ends that begins the stream's memory; ``None`` where the stream ends before.

        Markers and the segments behind them are walked as ITU-T T.81, B.1.1 lays them out; between two scans
        of a progressive picture there are more of them. A new picture's beginning is no part of this one.
        """
        position = 2
        while True:
            position = self._marker(position)
            if position is None:
                return None
            code = self._stream.data[position + 1]
            if code == _END:
                return position + 2
            if code == _START:
                del self._stream.data[:position]
                raise Damaged("a JPEG without an end")
            if not self._has(position + 4):
                return None
            data = self._stream.data
            position += 2 + (data[position + 2] << 8 | data[position + 3])
            if code == _SCAN:
                position = self._coded(position)
                if position is None:
                    return None

    def _marker(self, position):
        """Where the marker is that stands here, behind bytes that fill; ``None`` at the stream's end."""
        while self._has(position + 2):
            data = self._stream.data
            if data[position] != 0xFF or not data[position + 1]:
                del data[:2]
                raise Damaged("a JPEG that is none")
            if data[position + 1] != 0xFF:
                return position
            position += 1
        return None

    def _coded(self, position):
        """Where the next marker is behind entropy-coded bytes; ``None`` at the stream's end."""
        while True:
            found = _MARKER.search(self._stream.data, position)
            if found:
                return found.start()
            position = max(position, len(self._stream.data) - 1)
            if not self._has(len(self._stream.data) + 1):
                return None

    def _has(self, count):
        """Whether the stream's memory holds so many bytes, reading some more."""
        data = self._stream.data
        while len(data) < count:
            if len(data) > MAX_PICTURE:
                del data[:2]
                raise Damaged("a JPEG without an end")
            if not self._stream.more():
                return False
        return True


def jpeg_size(data):
    """(width, height) that a JPEG's frame header tells (ITU-T T.81, B.2.2), or ``None``."""
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        code = data[position + 1]
        if code in _FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return (width, height) if width and height else None
        if code == _SCAN:
            break
        position += 1 if code == 0xFF else 2 + (data[position + 2] << 8 | data[position + 3])
    return None


class Raws(object):
    """Raw pictures of one size and layout, into buffers that are used again."""

    def __init__(self, read, kind="", width=0, height=0, color="bt601"):
        self._stream, self._form = Stream(read), (kind, (width, height), 0, color)
        self._free: dict = {}

    def next(self):
        """The next picture."""
        frame = self._frame(*self._form)
        if not self._stream.fill(frame.data):
            return None
        return _stamped(frame, self._stream)

    def _frame(self, *form):
        if form not in self._free and len(self._free) > 3:
            self._free.clear()  # a stream that keeps changing
        free = self._free.setdefault(form, [])
        if free:
            return free.pop()
        kind, size, stride, color = form
        length = planes.length(kind, size, stride)
        if length > MAX_PICTURE:
            raise ValueError("a picture of {} bytes".format(length))
        frame = Frame(kind, bytearray(length), size, free)
        frame.stride, frame.color = stride, color
        return frame

    def _header(self, pattern):
        """What a pattern finds at the stream's beginning, taken out; ``None`` at its end."""
        stream = self._stream
        while True:
            found = pattern.match(bytes(stream.data[:MAX_HEADER]))
            if found:
                del stream.data[: found.end()]
                return found.groups()
            if len(stream.data) >= MAX_HEADER:
                later = pattern.search(bytes(stream.data), 1)
                del stream.data[: later.start() if later else len(stream.data) - MAX_HEADER + 1]
                raise Damaged("a picture without its header")
            if not stream.more():
                return None


class Y4ms(Raws):
    """Planar YUV behind a line before each picture and one before all (yuv4mpeg(5) of mjpegtools).

    A new head in mid-stream is a change of size. The matrix is not told: the program shall write BT.601.
    """

    def next(self):
        """The next picture."""
        while True:
            found = self._header(_Y4M)
            if found is None:
                return None
            if found[0] is None:
                break
            self._form = _y4m_form(found[0].decode("ascii", "replace").split())
        if not self._form[0]:
            raise Damaged("a picture before the stream's head")
        began = self._stream.began
        frame = self._frame(*self._form)
        if not self._stream.fill(frame.data):
            return None
        self._stream.began = began
        return _stamped(frame, self._stream)


def _y4m_form(words):
    """What the head's words say, as of ``Raws``: without a word of its own a picture is 4:2:0."""
    told = {word[:1]: word[1:] for word in words if not word.startswith("X")}
    size = told.get("W", ""), told.get("H", "")
    if not all(side.isdigit() and len(side) < 6 and int(side) for side in size):
        raise ValueError("pictures of {}x{}".format(*size))
    if told.get("C", "420") not in ("420", "420jpeg", "420mpeg2", "420paldv"):
        raise ValueError("pictures in {}".format(told["C"]))
    color = "bt601-full" if "XCOLORRANGE=FULL" in words else "bt601"
    return "yuv420", (int(size[0]), int(size[1])), 0, color


class Pictures(Raws):
    """What ``picamera.py`` writes: raw pictures with a line before each; a larger one may go before one."""

    def next(self):
        """The next picture."""
        large, began = None, None
        while True:
            found = self._header(_PICTURE)
            if found is None:
                return None
            began = self._stream.began if began is None else began
            name, kind, color = (word.decode("ascii") for word in found[:3])
            width, height, stride = (int(word) for word in found[3:])
            if kind not in planes.LAYOUTS or color not in planes.COLORS:
                raise ValueError("pictures in {}, {}".format(kind, color))
            frame = self._frame(kind, (width, height), stride, color)
            if not self._stream.fill(frame.data):
                return None
            if name == "picture":
                break
            large = frame
        frame.large = large and large.hold()
        self._stream.began = began
        return _stamped(frame, self._stream)


def _stamped(frame, stream):
    frame.taken = time.perf_counter()
    frame.cost = max(frame.taken - stream.began, 0.0) if stream.began else 0.0
    if stream.data:
        stream.began = frame.taken  # the next one's first bytes are here already
    return frame
