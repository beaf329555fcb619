"""USB and other cameras of the Linux kernel (V4L2), with nothing but ioctl and mmap.

Motion JPEG is asked for first: USB 2 carries it at rates that raw pictures do not reach. Structures and
numbers: the kernel's include/uapi/linux/videodev2.h, as 64-bit systems lay them out.
"""

import errno
import mmap
import os
import select
import struct
import threading
import time
from typing import Any, List

from ...failure import Failure
from ..frame import Frame
from .base import Damaged, Lost, Source

fcntl: Any = None
try:
    import fcntl
except ImportError:  # Windows
    pass

QUERYCAP, ENUM_FMT, S_FMT, S_PARM = 0x80685600, 0xC0405602, 0xC0D05605, 0xC0CC5616
REQBUFS, QUERYBUF, QBUF, DQBUF = 0xC0145608, 0xC0585609, 0xC058560F, 0xC0585611
STREAMON, STREAMOFF = 0x40045612, 0x40045613
CAPTURE, MMAP, BUFFERS = 1, 1, 4
CAP_CAPTURE, CAP_STREAMING, CAP_DEVICE = 0x1, 0x4000000, 0x80000000
FLAG_ERROR, MONOTONIC_MASK, MONOTONIC = 0x40, 0xE000, 0x2000
FORMATS = ((b"MJPG", "jpeg"), (b"JPEG", "jpeg"), (b"YUYV", "yuyv"), (b"YU12", "yuv420"), (b"RGB3", "rgb24"))
_BUFFER = struct.Struct("=IIIII4xqq16xIIQIII4x")
SIZE, FPS = (640, 480), 30
SILENT_S, PEEK_S = 3.0, 0.2


class Camera(Source):
    """One video device.

    Args:
        options: ``paths``: one, such as "/dev/video0".
    """

    def __init__(self, options):
        Source.__init__(self, options)
        self._path = options["paths"][0]
        self.name = self._path
        self._handle, self._kind = -1, ""
        self._maps: List[Any] = []
        self._lock = threading.Lock()
        self._closed = False

    def open(self):
        """Begin to capture."""
        if fcntl is None or struct.calcsize("P") != 8:
            raise Failure("source", "V4L2 needs a 64-bit Linux", "choose another --source")
        try:
            self._begin()
        except OSError as error:
            self._end()
            busy = error.errno == errno.EBUSY
            remedy = "end the program that uses it" if busy else "see that it is connected: edgenet probe"
            raise Failure("source", "{}: {}".format(self._path, error.strerror or error), remedy)

    def _begin(self):
        self._handle = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        card, able = capabilities(self._handle)
        if not able:
            raise OSError(errno.ENODEV, "it captures no video")
        self.name = "{} ({})".format(card or "camera", self._path)
        self._choose()
        self._ask_rate()
        count = struct.unpack("=I", self._call(REQBUFS, struct.pack("=III8x", BUFFERS, CAPTURE, MMAP))[:4])[0]
        for index in range(count):
            found = _BUFFER.unpack(self._call(QUERYBUF, _buffer(index)))
            offset, length = found[9] & 0xFFFFFFFF, found[10]
            self._maps.append(mmap.mmap(self._handle, length, offset=offset))
            self._call(QBUF, _buffer(index))
        self._call(STREAMON, struct.pack("=I", CAPTURE))

    def _choose(self):
        """The first format that the device has and we read; the size that it makes of the wanted one."""
        offered: List[bytes] = []
        while True:
            try:
                found = self._call(ENUM_FMT, struct.pack("=II56x", len(offered), CAPTURE))
            except OSError:
                break
            offered.append(found[44:48])
        wanted = [(code, kind) for code, kind in FORMATS if code in offered]
        if not wanted:
            names = ", ".join(code.decode("ascii", "replace") for code in offered) or "none"
            raise OSError(errno.EINVAL, "it has no format that edgenet reads ({})".format(names))
        code, self._kind = wanted[0]
        width, height = self.options.get("size") or SIZE
        got = self._call(S_FMT, struct.pack("=I4xII4sI184x", CAPTURE, width, height, code, 1))
        self.options["size"] = list(struct.unpack_from("=II", got, 8))

    def _ask_rate(self):
        self.fps = self.options.get("fps") or FPS
        try:
            got = self._call(S_PARM, struct.pack("=IIIII184x", CAPTURE, 0, 0, 1000, int(self.fps * 1000)))
            numerator, denominator = struct.unpack_from("=II", got, 12)
            self.fps = round(float(denominator) / numerator, 2) if numerator else self.fps
        except OSError:
            pass  # some devices have one rate

    def _call(self, number, data):
        """One ioctl; what the kernel made of the structure."""
        structure = bytearray(data)
        fcntl.ioctl(self._handle, number, structure, True)
        return bytes(structure)

    def read(self):
        """The next picture."""
        deadline = time.monotonic() + SILENT_S
        while not self._closed:
            with self._lock:
                try:
                    if self._handle >= 0 and select.select([self._handle], [], [], PEEK_S)[0]:
                        return self._take()
                except OSError as error:
                    if error.errno != errno.EAGAIN:
                        raise Lost("{}: {}".format(self.name, error.strerror))
            if self._handle < 0 or time.monotonic() > deadline:
                raise Lost("{} gives no picture".format(self.name))
        raise Lost("closed")

    def _take(self):
        found = _BUFFER.unpack(self._call(DQBUF, _buffer(0)))
        index, used, flags = found[0], found[2], found[3]
        arrived = time.perf_counter()
        try:
            if flags & FLAG_ERROR or not used:
                raise Damaged("the driver says so")
            frame = Frame(self._kind, self._maps[index][:used], tuple(self.options["size"]))
        finally:
            self._call(QBUF, _buffer(index))
        frame.taken = time.perf_counter()
        seen = found[5] + found[6] / 1e6
        known = flags & MONOTONIC_MASK == MONOTONIC and 0 <= arrived - seen < 1
        frame.cost = frame.taken - (seen if known else arrived)
        return frame

    def reopen(self):
        """Try to begin again."""
        with self._lock:
            self._end()
            if not self._closed:
                try:
                    self._begin()
                except OSError:
                    self._end()

    def interrupt(self):
        """Whoever waits for a picture goes on."""
        self._closed = True

    def close(self):
        """Let the camera go."""
        self._closed = True
        with self._lock:
            self._end()

    def _end(self):
        maps, self._maps = self._maps, []
        handle, self._handle = self._handle, -1
        if handle >= 0:
            try:
                fcntl.ioctl(handle, STREAMOFF, struct.pack("=I", CAPTURE))
            except OSError:
                pass  # it is gone
        for memory in maps:
            memory.close()
        if handle >= 0:
            os.close(handle)


def capabilities(handle):
    """(the card's name, whether it captures video into mapped buffers) of an open device.

    Raises:
        OSError: It is no video device.
    """
    structure = bytearray(104)
    fcntl.ioctl(handle, QUERYCAP, structure, True)
    card = bytes(structure[16:48]).split(b"\0")[0].decode("utf-8", "replace")
    able, of_device = struct.unpack_from("=II", structure, 84)
    able = of_device if able & CAP_DEVICE else able
    return card, bool(able & CAP_CAPTURE and able & CAP_STREAMING)


def _buffer(index):
    return _BUFFER.pack(index, CAPTURE, 0, 0, 0, 0, 0, 0, MMAP, 0, 0, 0, 0)
