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
        name = CAMERAS[kind][0] if kind in CAMERAS else "camera (OpenCV)"
        found.append((key(order), " ".join([name] + paths), order))
    each: dict = {}
    for offer in found:
        each.setdefault(offer[0], offer)
    there = [order["kind"] for _, _, order in found]
    lacking = [told for kind, told in CAMERAS.items() if kind not in there] if _is_linux() else []
    if not {"video", "rtsp"}.intersection(board.sources("/")):
        lacking.append(_DECODERS)
    return list(each.values()), lacking + [_FILES]


def _is_linux():
    return sys.platform.startswith("linux")


def key(order):
    """How the page names an order; never by its address, which may hold a password."""
    paths = order.get("paths") or [""]
    named = order["kind"] in ("v4l2", "opencv")
    return " ".join([order["kind"]] + (list(paths[:1]) if named else []))


def _called(order):
    """An order of the host's in words."""
    kind = order["kind"]
    if kind == "camera":
        return "first camera that gives a picture"
    if kind == "synthetic":
        return "synthetic camera"
    if kind == "address":
        return redacted(order["address"])
    if kind in CAMERAS:
        return " ".join([CAMERAS[kind][0]] + list(order.get("paths") or []))
    return str(order.get("name") or (order.get("paths") or [kind])[0])
