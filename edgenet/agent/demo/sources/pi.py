"""A Raspberry Pi's camera: picamera2 where the board's Python has it, else its camera program."""

import os
import shutil
import sys

from ... import preprocess
from ...failure import Failure
from ..program import DESCRIPTOR
from .need import SIZE, smallest
from .piped import Piped
from .streams import Jpegs, Pictures, Raws

# The demo's archive: this file lies in <archive>/edgenet_agent/demo/sources.
ARCHIVE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
# Widths at which no Pi's ISP leaves a gap between the rows of any plane, pixels.
GAPLESS = 128


class Rpicam(Piped):
    """A Raspberry Pi's camera through rpicam-vid, or libcamera-vid as it was called before Bookworm.

    It writes one stream, so the page shows what the models see: the ISP makes the smallest picture that
    covers them, and planar YUV needs no decoder. The color spaces are those that rpicam-apps ask for.
    """

    name = "Pi camera (rpicam-vid)"

    def size(self):
        """What the user wants, else what covers the models."""
        return tuple(self._asked or smallest(self.options.get("specs", []), SIZE, GAPLESS))

    def command(self):
        """Planar YUV; JPEGs of a width at which its rows would have gaps that it does not tell of."""
        program = shutil.which("rpicam-vid") or shutil.which("libcamera-vid")
        if program is None:
            raise Failure("source", "the board has no rpicam-vid", "sudo apt install rpicam-apps-lite")
        width, height = self.size()
        codec = ["--codec", "yuv420"] if self._is_raw() else ["--codec", "mjpeg", "--quality", "85"]
        frame = ["--width", str(width), "--height", str(height), "--framerate", str(self.rate())]
        return [program, "-n", "-t", "0", "--flush"] + codec + frame + ["-o", "-"]

    def _is_raw(self):
        return self.size()[0] % GAPLESS == 0 or "jpeg" not in preprocess.can_decode()

    def reader(self, read):
        """What ``command`` asks for."""
        width, height = self.size()
        color = "bt709" if width >= 1280 and height >= 720 else "bt601"
        return Raws(read, "yuv420", width, height, color) if self._is_raw() else Jpegs(read)


class Picamera(Piped):
    """A Raspberry Pi's camera through picamera2, in a process of the board's own Python and packages.

    The ISP makes two streams: the smallest that covers the models, and a larger one that is only fetched
    while somebody looks.
    """

    name = "Pi camera (picamera2)"

    def command(self):
        """This agent again, as the program of ``picamera.py``."""
        large = self.size()
        small = smallest(self.options.get("specs", []), large, GAPLESS // 2, large)
        here = [sys.executable, sys.argv[0], "demo", ARCHIVE, "picamera"]
        return here + [str(number) for number in large + small + (self.rate(),)] + [DESCRIPTOR]

    def given(self):
        """Its stdin stays open: it is told whether somebody looks."""

    def reader(self, read):
        """It says its sizes itself."""
        return Pictures(read)

    looked_at = False

    def look(self, wanted):
        """Ask for the larger stream, or for it no more."""
        self.looked_at = wanted
        if self._program is not None:
            self._program.tell(b"1\n" if wanted else b"0\n")

    def _start(self, seconds):
        Piped._start(self, seconds)
        self.look(self.looked_at)
