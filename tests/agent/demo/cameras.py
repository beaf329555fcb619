"""What real cameras offer, from ``v4l2-ctl --list-formats-ext``, and a double of a driver that offers it.

A line a format: its code, then a rate and the sizes whose best rate that is.
"""

from __future__ import annotations

import errno
import os
import struct
import time

from edgenet.agent.demo.sources.enumeration import KINDS
from edgenet.agent.demo.sources.modes import Mode

SIZES_C920 = (
    "640x480 160x90 160x120 176x144 320x180 320x240 352x288 432x240 640x360 800x448 800x600 864x480 960x720 "
    "1024x576 1280x720 1600x896 1920x1080"
)
SIZES_C310 = (
    "640x480 160x120 176x144 320x176 320x240 352x288 432x240 544x288 640x360 752x416 800x448 800x600 864x480 "
    "960x544 960x720 1024x576 1184x656 1280x720 1280x960"
)
RECORDED = {
    # github.com/timdrysdale/streamer, README (HD Pro Webcam C920; its H264 is left to those who read it).
    "Logitech C920": f"""
        YUYV 30 640x480 160x90 160x120 176x144 320x180 320x240 352x288 432x240 640x360 800x448
        YUYV 24 800x600 864x480
        YUYV 15 960x720 1024x576
        YUYV 10 1280x720
        YUYV 7.5 1600x896
        YUYV 5 1920x1080
        YUYV 2 2304x1296 2304x1536
        H264 30 {SIZES_C920}
        MJPG 30 {SIZES_C920}""",
    # A C310 on a Raspberry Pi; the MJPG of a C270 is the same: github.com/guysoft/OctoPi/issues/759.
    "Logitech C270, C310": f"""
        YUYV 30 640x480 160x120 176x144 320x176 320x240 352x288 432x240 544x288 640x360
        YUYV 25 752x416
        YUYV 20 800x448 800x600 864x480
        YUYV 15 960x544
        YUYV 10 960x720 1024x576 1184x656
        YUYV 7.5 1280x720 1280x960
        MJPG 30 {SIZES_C310}""",
    # github.com/Motion-Project/motion/issues/940: the Pi's camera through its old driver, any even size.
    "Pi camera, bcm2835-v4l2": """
        YU12 90 32x32-2592x1944/2
        YUYV 90 32x32-2592x1944/2
        RGB3 90 32x32-2592x1944/2
        JPEG 90 32x32-2592x1944/2
        H264 90 32x32-2592x1944/2
        MJPG 90 32x32-2592x1944/2
        YVYU 90 32x32-2592x1944/2""",
    # github.com/ihrapsa/OctoWrt/issues/8, as far as the excerpt shows it: JPEG and nothing else.
    "cheap UVC camera": """
        MJPG 30 1280x720 640x480 352x288""",
    # A USB microscope on a Raspberry Pi ("pi-videocam"): raw pictures at few rates.
    "USB microscope": """
        YUYV 30 640x480 352x288 320x240 176x144 160x120
        YUYV 20 800x600
        YUYV 9 1280x960
        YUYV 5 1600x1200
        MJPG 30 640x480 352x288 320x240 176x144 160x120 800x600 1280x960 1600x1200""",
    # github.com/mxochicale, NVIDIA Holoscan notes: a laptop's camera, and a USB endoscope.
    "laptop": """
        MJPG 30 1280x720 640x480 640x360
        YUYV 10 1280x720
        YUYV 30 640x480 640x360 320x240 320x180 160x120""",
    "endoscope": """
        YUYV 30 640x480 352x288 320x240 176x144 160x120""",
    # github.com/ros-drivers/usb_cam/pull/179: no small JPEG but 320x240, and sizes told twice.
    "industrial": """
        MJPG 30 1920x1080 1280x720 640x480 320x240 1920x1080
        YUYV 30 640x480 320x240 640x480""",
    # Invented, for what none of the recorded ones does.
    "thermal": "YUYV 9 80x60",
    "gray and color": "GREY 30 640x480\n YUYV 30 640x480",
    "gray": "GREY 30 640x480 320x240",
    "silent": "YUYV ? ?",
    "large only": "MJPG 15 2592x1944\n MJPG 30 1920x1080",
}


def formats(name: str) -> dict[bytes, list[tuple[str, float | None]]]:
    """``{code: [(size, rate) …]}`` of a recorded camera, in its order."""
    found: dict[bytes, list[tuple[str, float | None]]] = {}
    for line in RECORDED[name].strip().splitlines():
        code, rate, *sizes = line.split()
        known = None if rate == "?" else float(rate)
        found.setdefault(code.encode(), []).extend((size, known) for size in sizes)
    return found


def modes(name: str) -> list[Mode]:
    """The discrete modes of a recorded camera."""
    return [
        Mode(KINDS[code], tuple(int(side) for side in size.split("x")), rate, code)
        for code, sizes in formats(name).items()
        if code in KINDS
        for size, rate in sizes
    ]


class Kernel:
    """A double of a V4L2 driver, by the offsets of the kernel's structures on 64-bit systems.

    Args:
        name: Which recorded camera it has.
        picture: What every buffer holds.

    Attributes:
        asked: Of the last S_FMT: (code, width, height).
        form: What it makes of that, where it differs: (code, width, height, bytes a line).
        colors: colorspace, ycbcr_enc, quantization.
        narrow: Whether the USB bus has room for nothing but JPEGs.
    """

    def __init__(self, name: str, picture: bytes) -> None:
        self.formats, self.picture = formats(name), picture
        self.queued: list[int] = []
        self.streaming, self.gone, self.changed, self.narrow = False, False, False, False
        self.asked = (b"", 0, 0)
        self.form: tuple[bytes, int, int, int] | None = None
        self.colors, self.rate_asked, self.used = (8, 0, 0), 0.0, len(picture)
        self.reader, self.writer = os.pipe()

    def ioctl(self, handle: int, number: int, data: bytearray, _mutate: bool = True) -> int:
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")
        assert len(data) == (number >> 16) & 0x3FFF, "the structure has the size that its number says"
        names = {0: "cap", 2: "enum", 74: "sizes", 75: "rates", 5: "set_form", 22: "rate", 8: "request"}
        names.update(
            {9: "query", 15: "queue", 17: "dequeue", 18: "on", 19: "off", 90: "subscribe", 89: "event"}
        )
        getattr(self, names[number & 0xFF])(data)
        return 0

    def cap(self, data: bytearray) -> None:
        data[16:24] = b"UVC cam\0"
        struct.pack_into("=II", data, 84, 0x84200001, 0x04200001)

    def enum(self, data: bytearray) -> None:
        data[44:48] = self._item(list(self.formats), data)

    def _item(self, items: list, data: bytearray):
        (index,) = struct.unpack_from("=I", data, 0)
        if index >= len(items):
            raise OSError(errno.EINVAL, "Invalid argument")
        return items[index]

    def sizes(self, data: bytearray) -> None:
        size, _ = self._item([item for item in self.formats[bytes(data[4:8])] if item[0] != "?"], data)
        if "-" in size:
            span, _, step = size.partition("/")
            least, most = (side.split("x") for side in span.split("-"))
            numbers = [int(text) for side in (0, 1) for text in (least[side], most[side], step)]
            struct.pack_into("=7I", data, 8, 3, *numbers)
        else:
            struct.pack_into("=3I", data, 8, 1, *(int(side) for side in size.split("x")))

    def rates(self, data: bytearray) -> None:
        code, width, height = struct.unpack_from("=4sII", data, 4)
        for size, rate in self.formats[code]:
            if rate and (size == f"{width}x{height}" or "-" in size):
                best = self._item([rate, rate / 2], data)
                struct.pack_into("=III", data, 16, 1, 1000, int(1000 * best))
                return
        raise OSError(errno.EINVAL, "Invalid argument")

    def set_form(self, data: bytearray) -> None:
        width, height, code = struct.unpack_from("=II4s", data, 8)
        self.asked = (code, width, height)
        code, width, height, line = self.form or (code, width, height, 0)
        struct.pack_into("=II4s", data, 8, width, height, code)
        space, encoding, full = self.colors
        struct.pack_into("=7I", data, 24, line, self.used, space, 0xFEEDCAFE, 0, encoding, full)

    def rate(self, data: bytearray) -> None:
        self.rate_asked = struct.unpack_from("=I", data, 16)[0] / struct.unpack_from("=I", data, 12)[0]
        struct.pack_into("=II", data, 12, 1, 25)

    def request(self, data: bytearray) -> None:
        struct.pack_into("=I", data, 0, 2)

    def query(self, data: bytearray) -> None:
        struct.pack_into("=I", data, 64, 4096 * struct.unpack_from("=I", data, 0)[0])
        struct.pack_into("=I", data, 72, len(self.picture))

    def queue(self, data: bytearray) -> None:
        self.queued.append(struct.unpack_from("=I", data, 0)[0])
        os.write(self.writer, b"x")

    def dequeue(self, data: bytearray) -> None:
        os.read(self.reader, 1)
        struct.pack_into("=I", data, 0, self.queued.pop(0))
        now = time.perf_counter() - 0.02
        struct.pack_into("=II", data, 8, self.used, 0x2000)
        struct.pack_into("=qq", data, 24, int(now), int(now % 1 * 1e6))

    def on(self, _data: bytearray) -> None:
        if self.narrow and self.asked[0] != b"MJPG":
            raise OSError(errno.ENOSPC, "No space left on device")
        self.streaming = True

    def off(self, _data: bytearray) -> None:
        self.streaming = False

    def subscribe(self, data: bytearray) -> None:
        assert struct.unpack_from("=I", data, 0)[0] == 5

    def event(self, data: bytearray) -> None:
        self.changed = False
        struct.pack_into("=I", data, 0, 5)

    def mmap(self, _handle: int, length: int, offset: int = 0) -> Mapped:
        assert length == len(self.picture)
        assert offset % 4096 == 0
        return Mapped(self.picture)


class Mapped(bytes):
    def close(self) -> None:
        """As a map has."""
