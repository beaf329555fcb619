"""Where pictures come from: one file a kind, opened by the kind that the host names."""

import importlib
import os
import shutil
import sys

from ...facts import board
from ...failure import Failure
from .base import Lost

# kind: (module, class)
KINDS = {
    "synthetic": ("synthetic", "Synthetic"),
    "picamera2": ("pi", "Picamera"),
    "rpicam": ("pi", "Rpicam"),
    "jetson": ("jetson", "Jetson"),
    "v4l2": ("v4l2", "Camera"),
    "folder": ("folder", "Folder"),
    "video": ("video", "Video"),
    "motion-jpeg": ("video", "MotionJpeg"),
    "network": ("network", "Network"),
    "opencv": ("opencv", "OpenCv"),
    "http": ("network", "HttpJpeg"),
}
SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".bmp", ".webp")


def open_source(options):
    """The open source of ``options["kind"]``.

    Raises:
        Failure: There is none of this kind, or it cannot work here.
    """
    kind = options.get("kind")
    if kind == "camera":
        return _any_camera(options)
    if kind == "files":
        options = _files_of_the_board(options)
    elif kind == "video" and options["paths"][0].lower().endswith((".mjpg", ".mjpeg")):
        options = dict(options, kind="motion-jpeg")
    elif kind == "address":
        options = dict(options, kind="http" if _is_http_camera(options["address"]) else "network")
    return _open(options)


def _open(options):
    options = _possible(options)
    if options.get("kind") not in KINDS:
        raise Failure("source", "the agent has no source {!r}".format(options.get("kind"))[:100])
    module, name = KINDS[options["kind"]]
    source = getattr(importlib.import_module("." + module, __name__), name)(options)
    try:
        source.open()
    except Lost as lost:
        raise Failure("source", str(lost), "see that the camera is connected")
    return source


def _possible(options):
    """The options with OpenCV in place of what this system does not have."""
    from . import opencv, v4l2

    kind = options.get("kind")
    lacks = kind == "v4l2" and not v4l2.possible()
    if kind in ("video", "network") and not (shutil.which("ffmpeg") or shutil.which("gst-launch-1.0")):
        lacks = opencv.library() is not None
    return dict(options, kind="opencv") if lacks else options


def _any_camera(options):
    """The first camera that gives a picture; all reasons where none does."""
    reasons = []
    for kind, paths in cameras():
        try:
            return _open(dict(options, kind=kind, paths=paths))
        except Failure as failure:
            reasons.append(failure.what)
    what = "; ".join(reasons)[:600] or "no camera is connected to the board"
    raise Failure("source", what, "connect one, or look at --source synthetic; edgenet probe lists cameras")


def cameras():
    """What may be a camera here, the likeliest first: ``[(kind, paths) …]``."""
    found = [name for name in board.sources("/") if name not in ("video", "rtsp")]
    named = [("v4l2", [name]) if name.startswith("/") else (name, []) for name in found]
    return named if sys.platform.startswith("linux") else named + [("opencv", [])]


def _files_of_the_board(options):
    # A name as the user wrote it, in UTF-8 on disk, whatever this Python takes names to be in.
    path = os.path.expanduser(os.fsdecode(options["paths"][0].encode("utf-8", "surrogateescape")))
    name = os.path.basename(path)
    if os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if _is_image(os.path.join(path, name)))
        if not names:
            raise Failure("source", "{}: no image in it".format(path), "images end in " + ", ".join(SUFFIXES))
        return dict(options, kind="folder", name=name, paths=[os.path.join(path, name) for name in names])
    if not os.path.isfile(path):
        raise Failure("source", "{}: no such file or folder on the board".format(path), "see its name")
    kind = "motion-jpeg" if path.lower().endswith((".mjpg", ".mjpeg")) else "video"
    return dict(options, kind=kind, name=name, paths=[path])


def _is_image(path):
    """Whether it is a file, and is called as images are; to open a FIFO would wait for its writer."""
    name = os.path.basename(path)
    return name.lower().endswith(SUFFIXES) and not name.startswith(".") and os.path.isfile(path)


def _is_http_camera(address):
    """Whether an address gives JPEGs by itself, so that no program is needed."""
    from .network import gives_jpegs

    return address.startswith("http") and gives_jpegs(address)
