"""USB and other cameras of the Linux kernel (V4L2), with nothing but ioctl and mmap.

Structures and numbers: the kernel's include/uapi/linux/videodev2.h, as 64-bit systems lay them out.
"""

import errno
import mmap
import os
import select
import struct
import sys
import threading
import time
from typing import Any, List

from ... import planes
from ...failure import Failure
from ..frame import Frame
from . import enumeration
from .base import Damaged, Lost, Source
from .modes import choose
from .need import covers
from .streams import jpeg_size

fcntl: Any = None
try:
    import fcntl
except ImportError:  # Windows
    pass

QUERYCAP, S_FMT, S_PARM = 0x80685600, 0xC0D05605, 0xC0CC5616
REQBUFS, QUERYBUF, QBUF, DQBUF = 0xC0145608, 0xC0585609, 0xC058560F, 0xC0585611
STREAMON, STREAMOFF = 0x40045612, 0x40045613
SUBSCRIBE, DQEVENT, SOURCE_CHANGE = 0x4020565A, 0x80885659, 5
CAPTURE, MMAP, BUFFERS = 1, 1, 4
CAP_CAPTURE, CAP_STREAMING, CAP_DEVICE = 0x1, 0x4000000, 0x80000000
FLAG_ERROR, MONOTONIC_MASK, MONOTONIC = 0x40, 0xE000, 0x2000
# What a format says of its colors: V4L2_MAP_YCBCR_ENC_DEFAULT, V4L2_MAP_QUANTIZATION_DEFAULT.
EXTENDED, BT709, FULL, LIKE_709, LIKE_JPEG = 0xFEEDCAFE, (2, 4), 1, (3, 12), 7
_BUFFER = struct.Struct("=IIIII4xqq16xIIQIII4x")
FPS = 30
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
        self._asked = options.get("size")
        self._handle, self._kind, self._stride, self._color = -1, "", 0, "bt601"
        self._maps: List[Any] = []
        self._free: List[Any] = []
        self._too_wide: List[str] = []
        self._lock = threading.Lock()
        self._closed = False

    def open(self):
        """Begin to capture."""
        try:
            self._begin()
        except OSError as error:
            self._end()
            busy = error.errno == errno.EBUSY
            remedy = "end the program that uses it" if busy else "see that it is connected: edgenet probe"
            if error.errno == errno.ENOSPC:
                remedy = "give it a port of its own, or ask for less with --size and --fps"
            raise Failure("source", "{}: {}".format(self._path, error.strerror or error), remedy)

    def _begin(self):
        """Begin to capture; without the kinds of picture that the USB bus has no room for."""
        while True:
            try:
                return self._begin_with_the_cheapest()
            except OSError as error:
                self._end()
                if error.errno != errno.ENOSPC or self._kind in self._too_wide:
                    raise
                self._too_wide.append(self._kind)

    def _begin_with_the_cheapest(self):
        self._handle = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        card, able = capabilities(self._handle)
        if not able:
            raise OSError(errno.ENODEV, "it captures no video")
        self.name = "{} ({})".format(card or "camera", self._path)
        self._choose()
        self._ask_rate()
        self._subscribe()
        count = struct.unpack("=I", self._call(REQBUFS, struct.pack("=III8x", BUFFERS, CAPTURE, MMAP))[:4])[0]
        for index in range(count):
            found = _BUFFER.unpack(self._call(QUERYBUF, _buffer(index)))
            offset, length = found[9] & 0xFFFFFFFF, found[10]
            self._maps.append(mmap.mmap(self._handle, length, offset=offset))
            self._call(QBUF, _buffer(index))
        self._call(STREAMON, struct.pack("=I", CAPTURE))

    def _choose(self):
        """Ask for the cheapest mode that shows the models everything, and learn what came of it."""
        specs = self.options.get("specs", [])
        modes, codes = enumeration.offered(self._call, specs)
        if not modes:
            names = ", ".join(code.decode("ascii", "replace") for code in codes) or "none"
            raise OSError(errno.EINVAL, "it has no format that edgenet reads ({})".format(names))
        modes = [mode for mode in modes if mode.kind not in self._too_wide]
        if not modes:
            raise OSError(errno.ENOSPC, "its USB bus has no room for its pictures")
        mode = choose(modes, specs, self._asked, self.options.get("fps"))
        width, height = self._asked or mode.size
        got = self._call(S_FMT, struct.pack("=I4xII4sI184x", CAPTURE, width, height, mode.code, 1))
        self._understand(got)
        self.note = "" if covers(self.options["size"], specs) else self.too_small()

    def _understand(self, form):
        """A format as the device has it now."""
        width, height, code, _, stride, _, space, magic, _, encoding, full = struct.unpack_from(
            "=II4s8I", form, 8
        )
        if code not in enumeration.KINDS:
            raise OSError(errno.EINVAL, "it gives {} instead".format(code.decode("ascii", "replace")))
        self.options["size"], self._kind = [width, height], enumeration.KINDS[code]
        self._stride = stride if self._kind != "jpeg" else 0
        if magic != EXTENDED:
            encoding = full = 0
        self._color = "bt709" if encoding in BT709 or (not encoding and space in LIKE_709) else "bt601"
        if full == FULL or (not full and space == LIKE_JPEG):
            self._color += "-full"

    def _ask_rate(self):
        self.fps = self.options.get("fps") or FPS
        try:
            got = self._call(S_PARM, struct.pack("=IIIII184x", CAPTURE, 0, 0, 1000, int(self.fps * 1000)))
            numerator, denominator = struct.unpack_from("=II", got, 12)
            self.fps = round(float(denominator) / numerator, 2) if numerator else self.fps
        except OSError:
            pass  # some devices have one rate

    def _subscribe(self):
        try:
            self._call(SUBSCRIBE, struct.pack("=III20x", SOURCE_CHANGE, 0, 0))
        except OSError:
            pass  # it never changes by itself

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
                    if self._handle >= 0 and self._ready():
                        return self._take()
                except OSError as error:
                    if error.errno != errno.EAGAIN:
                        raise Lost("{}: {}".format(self.name, error.strerror))
            if self._handle < 0 or time.monotonic() > deadline:
                raise Lost("{} gives no picture".format(self.name))
        raise Lost("closed")

    def _ready(self):
        """Whether a picture is there; where the device's signal changed, begin again with what it is now."""
        pictures, _, events = select.select([self._handle], [], [self._handle], PEEK_S)
        if events:
            self._call(DQEVENT, bytes(136))
            self._end()
            self._begin()
            return False
        return bool(pictures)

    def _take(self):
        found = _BUFFER.unpack(self._call(DQBUF, _buffer(0)))
        index, used, flags = found[0], found[2], found[3]
        arrived = time.perf_counter()
        try:
            if flags & FLAG_ERROR or not used:
                raise Damaged("the driver says so")
            with memoryview(self._maps[index]) as whole, whole[:used] as data:
                frame = self._copied(data)
        finally:
            self._call(QBUF, _buffer(index))
        frame.taken = time.perf_counter()
        seen = found[5] + found[6] / 1e6
        known = flags & MONOTONIC_MASK == MONOTONIC and 0 <= arrived - seen < 1
        frame.cost = frame.taken - (seen if known else arrived)
        return frame

    def _copied(self, data):
        """A frame with a copy of the driver's buffer; raw ones use theirs again."""
        if self._kind == "jpeg":
            picture = bytes(data)
            return Frame("jpeg", picture, jpeg_size(picture))
        size = tuple(self.options["size"])
        length = planes.length(self._kind, size, self._stride)
        if len(data) < length:
            raise Damaged("{} of {} bytes came".format(len(data), length))
        frame = self._free.pop() if self._free else Frame(self._kind, bytearray(length), size, self._free)
        frame.stride, frame.color = self._stride, self._color
        memoryview(frame.data)[:] = data[:length]  # a slice of a bytearray would be copied twice
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
        maps, self._maps, self._free = self._maps, [], []
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


def possible():
    """Whether this is a system whose structures are known here."""
    return fcntl is not None and sys.platform.startswith("linux") and struct.calcsize("P") == 8


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
