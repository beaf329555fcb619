"""A Raspberry Pi's camera: picamera2 where the board's Python has it, else its camera program."""

import os
import shutil
import sys

from ... import preprocess
from ...failure import Failure
from ..program import DESCRIPTOR
from .piped import Piped
from .streams import Jpegs, Ppms, Raws

# The demo's archive: this file lies in <archive>/edgenet_agent/demo/sources.
ARCHIVE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


class Rpicam(Piped):
    """A Raspberry Pi's camera through rpicam-vid, or libcamera-vid as it was called before Bookworm."""

    name = "Pi camera (rpicam-vid)"

    def command(self):
        """JPEGs where they can be decoded here, else planar YUV."""
        program = shutil.which("rpicam-vid") or shutil.which("libcamera-vid")
        if program is None:
            raise Failure("source", "the board has no rpicam-vid", "sudo apt install rpicam-apps-lite")
        width, height = self.size()
        codec = ["--codec", "mjpeg", "--quality", "85"] if _decodes() else ["--codec", "yuv420"]
        frame = ["--width", str(width), "--height", str(height), "--framerate", str(self.rate())]
        return [program, "-n", "-t", "0", "--flush"] + codec + frame + ["-o", "-"]

    def reader(self, read):
        """What ``command`` asks for."""
        return Jpegs(read) if _decodes() else Raws(read, "yuv420", *self.size())


class Picamera(Piped):
    """A Raspberry Pi's camera through picamera2, in a process of the board's own Python and packages."""

    name = "Pi camera (picamera2)"

    def command(self):
        """This agent again, as the program of ``picamera.py``."""
        width, height = self.size()
        here = [sys.executable, sys.argv[0], "demo", ARCHIVE, "picamera"]
        return here + [str(width), str(height), str(self.rate()), DESCRIPTOR]

    def reader(self, read):
        """It says its size itself."""
        return Ppms(read)


def _decodes():
    return "jpeg" in preprocess.can_decode()
