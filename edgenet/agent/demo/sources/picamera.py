"""The program behind ``Picamera``: picamera2's pictures, raw, each with a line before it, on a descriptor.

It runs on the board's own Python and packages, because picamera2 is built for the system's numpy. What
picamera2 calls BGR888 lies in memory as red, green, blue. The models' stream is its ``lores``, which the ISP
scales; ``main``, for people, is fetched from the same moment while a line of stdin says "1".
"""

import importlib
import os
import sys
import threading

from ... import planes

KINDS = {"BGR888": "rgb24", "YUV420": "yuv420", "YUYV": "yuyv"}


def main(arguments):
    """Write pictures until nobody reads them any more.

    Args:
        arguments: width and height of ``main``, those of ``lores``, pictures a second, the descriptor.
    """
    *numbers, descriptor = (int(word) for word in arguments)
    looked_at = threading.Event()
    listener = threading.Thread(target=_listen, args=(looked_at,))
    listener.daemon = True
    listener.start()
    camera = importlib.import_module("picamera2").Picamera2()
    try:
        forms = _configured(camera, *numbers)
        camera.start()
        with os.fdopen(descriptor, "wb", 0) as out:
            while True:
                for piece in _pictures(camera, forms, looked_at.is_set()):
                    _write(out, memoryview(piece))
    except (BrokenPipeError, KeyboardInterrupt):
        return 0
    except Exception as error:
        sys.stderr.write("picamera2: {}\n".format(error))
        return 1
    finally:
        camera.close()


def _listen(looked_at):
    for line in iter(sys.stdin.readline, ""):
        if line.strip() == "1":
            looked_at.set()
        else:
            looked_at.clear()


def _configured(camera, width, height, narrow, low, rate):
    """What each stream is: ``{"main": (kind, color, size, stride), "lores": …}``; a USB camera has one."""
    wanted = {"main": {"size": (width, height), "format": "BGR888"}}
    common = {"controls": {"FrameRate": rate}, "queue": False}
    small = {"size": (narrow, low), "format": "YUV420"}
    try:
        camera.configure(camera.create_video_configuration(lores=small, **dict(wanted, **common)))
    except Exception:
        camera.configure(camera.create_video_configuration(**dict(wanted, **common)))
    found, forms = camera.camera_configuration(), {}
    for name in ("main", "lores"):
        if found.get(name):
            stream = found[name]
            if stream["format"] not in KINDS:
                raise ValueError("it gives {}".format(stream["format"]))
            color = _color(found.get("colour_space"))
            forms[name] = KINDS[stream["format"]], color, tuple(stream["size"]), int(stream["stride"])
    return forms


def _color(space):
    """libcamera's color space (its ColorSpace has an encoding and a range)."""
    encoding, reach = (str(getattr(space, name, "")) for name in ("ycbcrEncoding", "range"))
    return ("bt709" if encoding.endswith("709") else "bt601") + ("-full" if reach.endswith("Full") else "")


def _pictures(camera, forms, looked_at):
    """The next moment's pieces: a line and a picture, for people before those where they look."""
    name = "lores" if "lores" in forms else "main"
    wanted = [("large", "main")] if looked_at and name == "lores" else []
    pieces, request = [], camera.capture_request()
    try:
        for role, stream in wanted + [("picture", name)]:
            kind, color, size, stride = forms[stream]
            line = "P {} {} {} {} {} {}\n".format(role, kind, color, size[0], size[1], stride)
            data = request.make_buffer(stream)[: planes.length(kind, size, stride)]
            pieces += [line.encode("ascii"), data]
    finally:
        request.release()
    return pieces


def _write(out, view):
    while view:
        view = view[out.write(view) :]
