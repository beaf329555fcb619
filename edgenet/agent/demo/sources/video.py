"""Video files: through ffmpeg or GStreamer, or, where they are JPEGs one after the other, without either."""

import os
import shutil
import time

from ...failure import Failure
from .base import Ended, Pace, Source
from .piped import Piped
from .streams import Jpegs, Raws, Y4ms

FPS = 25.0
NO_DECODER = "sudo apt install ffmpeg there, or give a folder of images, or Motion JPEG (.mjpg)"


class Video(Piped):
    """A video file, at its own pace, through ffmpeg or GStreamer."""

    again = False

    def open(self):
        """Start, or refuse where nothing on the board decodes it."""
        self.name = self.options.get("name") or os.path.basename(self.options["paths"][0])
        Piped.open(self)

    def command(self):
        """ffmpeg to planar YUV of the video's own size; else GStreamer to RGB of the asked size."""
        return ffmpeg(["-re"] + self._loop(), self.options["paths"][0], self.wanted()) or gstreamer(
            "filesrc location=" + quoted(self.options["paths"][0]), self.size(), self.name
        )

    def _loop(self):
        return ["-stream_loop", "-1"] if self.options.get("loop") else []

    def reader(self, read):
        """What ``command`` writes."""
        return Y4ms(read) if shutil.which("ffmpeg") else Raws(read, "rgb24", *self.size())

    def remedy(self):
        """It is damaged, or no video."""
        return "see that it is a video that ffmpeg plays"


class MotionJpeg(Source):
    """A file of JPEGs one after the other: no program is needed."""

    def open(self):
        """Open it."""
        path = self.options["paths"][0]
        self.name = self.options.get("name") or os.path.basename(path)
        self.fps = self.fps or FPS
        self._pace = Pace(self.fps)
        try:
            self._file = open(path, "rb")
        except OSError as error:
            raise Failure("source", "{}: {}".format(self.name, error.strerror))
        self._reader = Jpegs(self._file.read)

    def read(self):
        """The next picture."""
        self._pace.wait()
        began = time.perf_counter()
        frame = self._reader.next()
        if frame is None and self.options.get("loop"):
            self._file.seek(0)
            frame = self._reader.next()
        if frame is None:
            raise Ended()
        frame.cost = frame.taken - began
        return frame

    def close(self):
        """Close it."""
        self._file.close()


def ffmpeg(before, what, options):
    """The command that writes ``what`` as planar YUV of BT.601; ``None`` without ffmpeg."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    filters = ["fps={}".format(options["fps"])] if options.get("fps") else []
    size = "{}:{}:".format(*options["size"]) if options.get("size") else ""
    filters.append("scale=" + size + "out_color_matrix=bt601:out_range=tv")
    form = ["-an", "-sn", "-vf", ",".join(filters), "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe"]
    return [program, "-nostdin", "-loglevel", "error"] + before + ["-i", what] + form + ["pipe:1"]


def gstreamer(element, size, name):
    """The command that writes RGB of one size.

    Raises:
        Failure: There is no GStreamer either.
    """
    program = shutil.which("gst-launch-1.0")
    if program is None:
        raise Failure(
            "source", "{}: the board has neither ffmpeg nor gst-launch-1.0".format(name), NO_DECODER
        )
    form = "video/x-raw,format=RGB,width={},height={}".format(*size)
    decode = [] if element.startswith("uri") else ["!", "decodebin"]
    tail = ["!", "videoconvert", "!", "videoscale", "!", form, "!", "fdsink", "fd=1"]
    return [program, "-q"] + element.split(" ", 1) + decode + tail


def quoted(text):
    """An argument for GStreamer's own parser."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
