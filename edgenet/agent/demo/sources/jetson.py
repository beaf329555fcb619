"""A Jetson's CSI camera."""

import shutil

from ...failure import Failure
from ..program import DESCRIPTOR
from .need import smallest
from .piped import Piped
from .streams import Raws

# Of nvarguscamerasrc's pictures unless it is asked otherwise; nvvidconv would squeeze another.
SHAPE = 16, 9
WHOLE_WORDS = 64


class Jetson(Piped):
    """A Jetson's CSI camera through GStreamer; its driver chatters on stdout, so pictures go elsewhere.

    The converter's hardware scales to the smallest picture of the sensor's shape that covers the models; the
    page shows it too, for a pipeline that runs takes no second stream.
    """

    name = "Jetson camera (nvarguscamerasrc)"

    def size(self):
        """What the user wants, else what covers the models."""
        return tuple(self._asked or smallest(self.options.get("specs", []), SHAPE, WHOLE_WORDS))

    def command(self):
        """BGRx from NVIDIA's converter."""
        program = shutil.which("gst-launch-1.0")
        if program is None:
            raise Failure("source", "the board has no gst-launch-1.0", "sudo apt install gstreamer1.0-tools")
        width, height = self.size()
        sensor = "video/x-raw(memory:NVMM),format=NV12,framerate={}/1".format(self.rate())
        picture = "video/x-raw,format=BGRx,width={},height={}".format(width, height)
        stages = ["nvarguscamerasrc", sensor, "nvvidconv", picture, "fdsink fd=" + DESCRIPTOR + " sync=false"]
        return [program, "-q"] + " ! ".join(stages).split(" ")

    def reader(self, read):
        """Raw."""
        return Raws(read, "bgrx", *self.size())

    def remedy(self):
        """The daemon hangs after a program that crashed."""
        return "see that the camera is connected; sudo systemctl restart nvargus-daemon helps after a crash"
