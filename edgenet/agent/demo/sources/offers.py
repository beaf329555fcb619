"""What a demo can look at on this board, for its page to choose from, and why it cannot look at the rest."""

import sys

from ...facts import board
from ...wire import redacted
from . import cameras

# kind: what it is called, and what a board without it lacks (the conditions of ``board.sources``).
CAMERAS = {
    "picamera2": ("Raspberry Pi camera (picamera2)", "python3-picamera2 is not installed"),
    "rpicam": ("Raspberry Pi camera (rpicam-vid)", "neither rpicam-vid nor libcamera-vid is installed"),
    "jetson": ("Jetson CSI camera", "not a Jetson, or gst-launch-1.0 is not installed"),
    "v4l2": ("USB camera", "no camera at /dev/video*"),
}
_FIXED = {
    "camera": "first camera that gives a picture",
    "synthetic": "synthetic camera",
    "opencv": "camera (OpenCV)",
}
_FILES = ("another video or folder", "start the demo with --source FILE")
_DECODERS = ("videos and rtsp:// addresses", "neither ffmpeg nor gst-launch-1.0 is installed")


def offers(given):
    """``(offered, lacking)``: ``[(id, name, order) …]`` and ``[(name, reason) …]``.

    Args:
        given: Orders that the host sent: the one that the demo began with, then others.
    """
    found = [(key(order), _called(order), order) for order in given]
    for kind, paths in cameras():
        order = {"kind": kind, "paths": paths, "size": given[0].get("size"), "fps": given[0].get("fps")}
        found.append((key(order), _called(order), order))
    each: dict = {}
    for offer in found:
        each.setdefault(offer[0], offer)
    there = [order["kind"] for _, _, order in found]
    lacking = [told for kind, told in CAMERAS.items() if kind not in there] if _is_linux() else []
    if not {"video", "rtsp"}.intersection(board.sources("/")):
        lacking.append(_DECODERS)
    return list(each.values()), lacking + [_FILES]


def _named(path):
    """A device by the name that its driver gives."""
    names = dict(told.partition(" ")[::2] for told in board.cameras("/"))
    return "{} ({})".format(names.get(path.rpartition("/")[2]) or "camera", path)


def _is_linux():
    return sys.platform.startswith("linux")


def key(order):
    """How the page names an order; never by its address, which may hold a password."""
    paths = order.get("paths") or [""]
    named = order["kind"] in ("v4l2", "opencv")
    return " ".join([order["kind"]] + (list(paths[:1]) if named else []))


def _called(order):
    """An order in words."""
    kind, paths = order["kind"], order.get("paths") or []
    if kind == "v4l2":
        return _named(paths[0])
    if kind == "address":
        return redacted(order["address"])
    fixed = dict(_FIXED, **{name: words for name, (words, _) in CAMERAS.items()})
    return fixed.get(kind) or str(order.get("name") or (paths or [kind])[0])
