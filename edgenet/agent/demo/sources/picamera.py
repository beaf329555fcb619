"""The program behind ``Picamera``: picamera2's pictures as PPMs on a descriptor.

It runs on the board's own Python and packages, because picamera2 is built for the system's numpy. What
picamera2 calls BGR888 lies in memory as red, green, blue.
"""

import importlib
import os
import sys


def main(arguments):
    """Write pictures until nobody reads them any more.

    Args:
        arguments: width, height, pictures a second, the descriptor.
    """
    width, height, rate, descriptor = (int(word) for word in arguments)
    camera = importlib.import_module("picamera2").Picamera2()
    try:
        wanted = camera.create_video_configuration(
            main={"size": (width, height), "format": "BGR888"}, controls={"FrameRate": rate}, queue=False
        )
        camera.configure(wanted)
        camera.start()
        with os.fdopen(descriptor, "wb", 0) as out:
            while True:
                picture = camera.capture_array("main")
                rows, columns = picture.shape[:2]
                out.write("P6\n{} {}\n255\n".format(columns, rows).encode("ascii"))
                _write(out, memoryview(picture.tobytes()))
    except (BrokenPipeError, KeyboardInterrupt):
        return 0
    except Exception as error:
        sys.stderr.write("picamera2: {}\n".format(error))
        return 1
    finally:
        camera.close()


def _write(out, view):
    while view:
        view = view[out.write(view) :]
