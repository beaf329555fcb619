"""Cameras on the network: Motion JPEG over HTTP without any program, all else through ffmpeg or GStreamer."""

import shutil
from urllib.request import Request, urlopen

from ...failure import Failure
from .base import Lost, Pace, Source
from .piped import NEXT_S, Piped
from .streams import Jpegs, Ppms, Raws
from .video import ffmpeg, gstreamer, quoted

SNAPSHOT_FPS = 5.0
JPEGS = ("multipart/x-mixed-replace", "image/jpeg")


class Network(Piped):
    """What ffmpeg or GStreamer opens on the network: RTSP and the like."""

    def open(self):
        """Start."""
        self.name = self.options["address"].split("://")[0].upper() + " stream"
        Piped.open(self)

    def command(self):
        """ffmpeg, else GStreamer."""
        address = self.options["address"]
        before = ["-rtsp_transport", "tcp"] if address.startswith("rtsp") else []
        element = "uridecodebin uri=" + quoted(address)
        return ffmpeg(before, address, self.options) or gstreamer(element, self.size(), self.name)

    def reader(self, read):
        """What ``command`` writes."""
        return Ppms(read) if shutil.which("ffmpeg") else Raws(read, "rgb24", *self.size())

    def remedy(self):
        """It does not answer, or something else does."""
        return "see that the board reaches the address"


class HttpJpeg(Source):
    """Motion JPEG over HTTP (``multipart/x-mixed-replace``), or one JPEG, asked for again and again."""

    def open(self):
        """Connect."""
        self.name = "HTTP camera"
        self._reply = self._reader = None
        try:
            self._connect()
        except (OSError, ValueError) as error:
            raise Failure("source", "the address does not answer: {}".format(error), "see that it is right")

    def _connect(self):
        self._reply = urlopen(Request(self.options["address"]), timeout=NEXT_S)
        self._single = self._reply.headers.get("Content-Type", "").startswith("image/")
        self._pace = Pace((self.fps or SNAPSHOT_FPS) if self._single else None)
        self._reader = Jpegs(self._reply.read1)

    def read(self):
        """The next picture."""
        try:
            self._pace.wait()
            frame = self._reader and self._reader.next()
            if frame is None and self._reader and self._single:
                self._connect()
                frame = self._reader.next()
        except (OSError, ValueError) as error:
            raise Lost("{}: {}".format(self.name, error))
        if frame is None:
            raise Lost("the HTTP camera ended its stream")
        return frame

    def reopen(self):
        """Connect again."""
        self.close()
        try:
            self._connect()
        except (OSError, ValueError):
            self._reader = None

    def close(self):
        """Hang up."""
        if self._reply is not None:
            self._reply.close()


def gives_jpegs(address):
    """Whether an address answers with JPEGs.

    Raises:
        Failure: It does not answer at all.
    """
    try:
        with urlopen(Request(address), timeout=NEXT_S) as reply:
            return reply.headers.get("Content-Type", "").startswith(JPEGS)
    except (OSError, ValueError) as error:
        raise Failure("source", "the address does not answer: {}".format(error), "see that it is right")
