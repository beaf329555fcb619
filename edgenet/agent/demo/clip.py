"""The last seconds of what the page was shown, as a video file: the pictures as they are, in an AVI.

AVI: Microsoft, "AVI RIFF File Reference" (AVIMAINHEADER, AVISTREAMHEADER, BITMAPINFOHEADER, AVIOLDINDEX).
"""

import collections
import struct
import threading
from typing import Any

SECONDS, FPS = 10.0, 15.0
# Bytes of pictures that are kept; a camera with large ones leaves fewer seconds.
ROOM = 12 << 20
CODECS = {"jpeg": b"MJPG", "png": b"MPNG"}
_HAS_INDEX = _KEYFRAME = 0x10


class Clip(object):
    """The newest pictures of one size and format, at most so many seconds and bytes of them."""

    def __init__(self):
        self._kept: Any = collections.deque()
        self._bytes, self._form = 0, None
        self._lock = threading.Lock()

    def add(self, when, data, kind, size):
        """One more picture, shown at ``when`` (seconds), unless the last one is too near.

        Args:
            data: Its bytes, of a ``kind`` of ``CODECS`` and a ``size``, (width, height).
        """
        with self._lock:
            if self._kept and 0 <= when - self._kept[-1][0] < 1 / FPS - 0.005:
                return
            if (kind, size) != self._form:  # a video has one size
                self._kept.clear()
                self._bytes, self._form = 0, (kind, size)
            self._kept.append((when, data))
            self._bytes += len(data)
            while self._bytes > ROOM or when - self._kept[0][0] > SECONDS:
                self._bytes -= len(self._kept.popleft()[1])

    def video(self):
        """``(seconds, pieces)`` of an AVI file; ``None`` before there are two pictures."""
        with self._lock:
            kept, form = list(self._kept), self._form
        if len(kept) < 2 or form is None:
            return None
        seconds = (kept[-1][0] - kept[0][0]) * len(kept) / (len(kept) - 1.0)
        return seconds, _avi([data for _, data in kept], form[0], form[1], seconds)


def _avi(pictures, kind, size, seconds):
    """The file's pieces, among them the very pictures: none is copied."""
    chunks, index, offset = [], [], 4
    for data in pictures:
        odd = len(data) % 2
        chunks += [struct.pack("<4sI", b"00dc", len(data)), data, b"\0" * odd]
        index.append(struct.pack("<4sIII", b"00dc", _KEYFRAME, offset, len(data)))
        offset += 8 + len(data) + odd
    head = _list(b"hdrl", _headers(pictures, CODECS[kind], size, seconds))
    table = _chunk(b"idx1", b"".join(index))
    movie = struct.pack("<4sI4s", b"LIST", offset, b"movi")
    total = 4 + len(head) + 8 + offset + len(table)
    return [struct.pack("<4sI4s", b"RIFF", total, b"AVI ") + head + movie] + chunks + [table]


def _headers(pictures, codec, size, seconds):
    """The file's header, then its one stream's, whose rate is told in pictures per 1000 seconds."""
    width, height = size
    count, largest = len(pictures), max(map(len, pictures))
    rate = int(round(1000 * count / seconds))
    most = int(sum(map(len, pictures)) / seconds)
    main = struct.pack(
        "<14I",
        int(1e6 * seconds / count),
        most,
        0,
        _HAS_INDEX,
        count,
        0,
        1,
        largest,
        width,
        height,
        0,
        0,
        0,
        0,
    )
    stream = struct.pack(
        "<4s4sIHH8I4H", b"vids", codec, 0, 0, 0, 0, 1000, rate, 0, count, largest, 0, 0, 0, 0, width, height
    )
    form = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, codec, width * height * 3, 0, 0, 0, 0)
    return _chunk(b"avih", main) + _list(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", form))


def _chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(name, data):
    return _chunk(b"LIST", name + data)
