"""Cameras on the network: Motion JPEG over HTTP without any program, all else through ffmpeg or GStreamer.

An address may hold a password. Every user of the board sees the command lines of all, so ffmpeg reads the
address from its stdin; GStreamer cannot.
"""

import re
import shutil
from http.client import HTTPException
from urllib import request
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit

from ... import wire
from ...child import output
from ...failure import Failure
from .base import Lost, Pace, Source
from .piped import NEXT_S, Piped
from .streams import Jpegs, Raws, Y4ms
from .video import ffmpeg, gstreamer, quoted

# What an address may lead to, beside the list on stdin; no files of the board.
PROTOCOLS = "pipe,tcp,udp,rtp,srtp,tls,http,https,httpproxy,crypto"
SNAPSHOT_FPS = 5.0
BROKEN = (OSError, ValueError, HTTPException)
JPEGS = ("multipart/x-mixed-replace", "image/jpeg")


class Network(Piped):
    """What ffmpeg or GStreamer opens on the network: RTSP and the like."""

    def open(self):
        """Start."""
        address = self.options["address"]
        self.name = address.split("://")[0].upper() + " stream"
        self._tcp = address.startswith("rtsp")
        self._secret = wire.redacted(address) != address
        if self._secret and not shutil.which("ffmpeg"):
            self.name += " (GStreamer shows its password to every user of the board: install ffmpeg there)"
        Piped.open(self)

    def command(self):
        """ffmpeg, for a secret address with a list of one entry; else GStreamer."""
        address = self.options["address"]
        before = ["-rtsp_transport", "tcp"] if self._tcp else []
        if self._secret:
            before, address = ["-protocol_whitelist", PROTOCOLS, "-f", "concat", "-safe", "0"], "pipe:0"
        element = "uridecodebin uri=" + quoted(self.options["address"])
        return ffmpeg(before, address, self.wanted()) or gstreamer(element, self.size(), self.name)

    def given(self):
        """ffmpeg's list, a script of its concat demuxer, which knows options from version 5 on."""
        if not self._secret:
            return b""
        script = "file '{}'\n".format(self.options["address"].replace("'", "'\\''"))
        if self._tcp and ffmpeg_version() >= 5:
            script += "option rtsp_transport tcp\n"
        return script.encode("utf-8")

    def reader(self, read):
        """What ``command`` writes."""
        return Y4ms(read) if shutil.which("ffmpeg") else Raws(read, "rgb24", *self.size())

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
        except BROKEN as error:
            raise _no_answer(error)

    def _connect(self):
        self._reply = _open(self.options["address"])
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
        except BROKEN as error:
            raise Lost("{}: {}".format(self.name, error))
        if frame is None:
            raise Lost("the HTTP camera ended its stream")
        return frame

    def reopen(self):
        """Connect again."""
        self.close()
        try:
            self._connect()
        except BROKEN:
            self._reader = None

    def close(self):
        """Hang up."""
        if self._reply is not None:
            self._reply.close()


def ffmpeg_version():
    """The board's major version of ffmpeg; 0 where it is not told, as by builds from its repository."""
    try:
        found = re.match(r"ffmpeg version n?(\d+)\.", output(["ffmpeg", "-version"]))
    except (OSError, ValueError):
        found = None
    return int(found.group(1)) if found else 0


def gives_jpegs(address):
    """Whether an address answers with JPEGs.

    Raises:
        Failure: It does not answer at all.
    """
    try:
        with _open(address) as reply:
            return reply.headers.get("Content-Type", "").startswith(JPEGS)
    except BROKEN as error:
        raise _no_answer(error)


def _open(address):
    """The reply; a name and password in the address answer what the camera asks, by Basic or Digest."""
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    address = urlunsplit(parts._replace(netloc=place))
    known = request.HTTPPasswordMgrWithDefaultRealm()
    known.add_password(None, address, unquote(parts.username or ""), unquote(parts.password or ""))
    opener = request.build_opener(request.HTTPBasicAuthHandler(known), request.HTTPDigestAuthHandler(known))
    try:
        return opener.open(address, timeout=NEXT_S)
    except HTTPError as error:
        error.close()  # it is the reply too; its words stay
        raise


def _no_answer(error):
    return Failure("source", "the address does not answer: {}".format(error), "see that it is right")
