"""Cameras, video files and addresses through OpenCV, where a system has nothing of edgenet's own for them.

OpenCV converts colors itself, to BGR of 8 bits. It lists no modes: the usual sizes are asked for in turn.
"""

import importlib
import os
import re
import sys
import threading
import time
from typing import Any

from ... import wire
from ...failure import Failure
from .base import Ended, Lost, Pace, Pool, Source
from .need import SIZE, covers

SIZES = ((320, 240), SIZE, (1280, 720), (1920, 1080))
FPS = 30.0
# For an address to answer, and between two of its pictures, ms.
OPEN_MS, READ_MS = 10000, 5000
PATIENCE_S = 2.0
PRIVACY = "let this terminal use the camera, in the system's privacy settings"


class OpenCv(Source):
    """Whatever OpenCV opens.

    Args:
        options: ``address``, or ``paths``: a video file, or a camera as "/dev/video0"; the first camera where
            there is neither.
    """

    def __init__(self, options):
        Source.__init__(self, options)
        self._asked = options.get("size")
        self._capture: Any = None
        self._picture: Any = None
        self._pool: Any = None
        self._lock = threading.Lock()
        self._closed = False

    def open(self):
        """Open it and wait for its first picture."""
        self._cv2 = library()
        if self._cv2 is None:
            remedy = "python3 -m pip install opencv-python-headless there"
            raise Failure("source", "{} needs OpenCV on this system".format(self._what()), remedy)
        self.name = self._what() + " (OpenCV)"
        self._start()
        ready, picture = self._capture.read()
        if not ready:
            self.close()
            raise Failure("source", "{} gives no picture".format(self.name), self._remedy())
        self.options["size"] = [picture.shape[1], picture.shape[0]]
        told = self._capture.get(self._cv2.CAP_PROP_FPS)
        self.fps = self.options.get("fps") or (round(told, 2) if 0 < told < 1000 else FPS)
        if not covers(self.options["size"], self.options.get("specs", [])):
            self.note = self.too_small()
        self._pace = Pace(self.fps if self._is_file() else None)
        if self._is_file():
            self._rewind()

    def _address(self):
        return self.options.get("address")

    def _path(self):
        return (self.options.get("paths") or ["/dev/video0"])[0]

    def _is_file(self):
        return not self._address() and not self._path().startswith("/dev/")

    def _what(self):
        if self._address():
            return self._address().split("://")[0].upper() + " stream"
        named = self.options.get("name") or os.path.basename(self._path())
        return named if self._is_file() else "camera " + str(self._number())

    def _number(self):
        found = re.search(r"\d+\Z", self._path())
        return int(found.group()) if found else 0

    def _remedy(self):
        if self._address():
            return "see that it answers: {}".format(wire.redacted(self._address()))
        if self._is_file():
            return "see that it is a video"
        return (
            PRIVACY if sys.platform == "darwin" else "see that it is connected and no other program uses it"
        )

    def _start(self):
        cv2 = self._cv2
        if self._address():
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
            self._capture = cv2.VideoCapture(self._address(), cv2.CAP_FFMPEG, limits)
        elif self._is_file():  # by FFmpeg alone: others take a name with % for many files
            self._capture = cv2.VideoCapture(self._path(), cv2.CAP_FFMPEG)
        else:
            self._capture = cv2.VideoCapture(self._number())
            self._ask()

    def _ask(self):
        """The user's size, else the smallest usual one that covers the models."""
        cv2, specs = self._cv2, self.options.get("specs", [])
        sizes = (
            [self._asked] if self._asked else [size for size in SIZES if covers(size, specs)] or SIZES[-1:]
        )
        for width, height in sizes:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
            got = [self._capture.get(name) for name in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
            if covers([int(side) for side in got], specs):
                break
        self._capture.set(cv2.CAP_PROP_FPS, self.options.get("fps") or FPS)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def _rewind(self):
        self._capture.set(self._cv2.CAP_PROP_POS_FRAMES, 0)

    def read(self):
        """The next picture; a file's at its pace."""
        self._pace.wait()
        began = time.perf_counter()
        with self._lock:
            if self._closed:
                raise Ended()
            ready = self._grab()
            if not ready and self._is_file() and self.options.get("loop"):
                self._rewind()
                ready = self._grab()
            if not ready:
                raise Ended() if self._is_file() else Lost("{} gives no picture".format(self.name))
            frame = self._converted()
        frame.taken = time.perf_counter()
        frame.cost = frame.taken - began if self._is_file() else 0.0
        return frame

    def _grab(self):
        if self._capture is None:
            return False
        ready, self._picture = self._capture.read(self._picture)
        return ready

    def _converted(self):
        """The picture as RGB, in a frame that is used again; of another size, if it has changed."""
        size = [self._picture.shape[1], self._picture.shape[0]]
        if self._pool is None or size != self.options["size"]:
            self.options["size"], self._pool = size, Pool(*size)
        frame = self._pool.frame()
        self._cv2.cvtColor(self._picture, self._cv2.COLOR_BGR2RGB, dst=frame.data)
        return frame

    def reopen(self):
        """Open it again."""
        with self._lock:
            if not self._closed:
                self._capture.release()
                self._start()

    def interrupt(self):
        """The next read is the last."""
        self._closed = True

    def close(self):
        """Let it go, unless a read hangs in it."""
        self._closed = True
        if self._lock.acquire(timeout=PATIENCE_S):
            if self._capture is not None:
                self._capture.release()
                self._capture = None
            self._lock.release()


def library():
    """OpenCV, or ``None``."""
    try:
        return importlib.import_module("cv2")
    except ImportError:
        return None
