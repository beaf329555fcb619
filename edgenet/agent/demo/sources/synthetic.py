"""Signs that move over a scene: the same picture for the same number, whatever the machine.

The host draws scenes and signs once and sends them: one JSON line ``{"scenes": [[w, h] …], "signs": [[label,
w, h] …], "together": 1}``, then zlib of the scenes' RGB and the signs' RGBA bytes. As many signs as are shown
together move each in a part of the scene of its own.
"""

import json
import math
import time
import zlib

import numpy as np

from ...failure import Failure
from .base import Pace, Pool, Source

# Frames that the same signs are shown for; at 24 FPS two seconds.
TURN = 48
FPS = 30.0


class Synthetic(Source):
    """Moving signs.

    Args:
        options: ``paths``: one, of the drawings.
    """

    name = "synthetic camera"

    def open(self):
        """Read the drawings."""
        try:
            with open(self.options["paths"][0], "rb") as stream:
                self._scenes, self._signs, self._together = read(stream.read())
        except (OSError, ValueError, KeyError, zlib.error) as error:
            raise Failure("source", "the drawings of the synthetic source: {}".format(error))
        height, width = self._scenes[0].shape[:2]
        self.options["size"] = [width, height]
        self.fps = self.fps or FPS
        self._pool, self._pace = Pool(width, height), Pace(self.fps)
        largest = max(sign[1].size for sign in self._signs)
        self._product = np.empty(largest, np.uint16)
        self._number = 0

    def read(self):
        """The next picture."""
        self._pace.wait()
        begun = time.perf_counter()
        frame = self._pool.frame()
        self.draw(frame.data, self._number)
        self._number += 1
        frame.taken = time.perf_counter()
        frame.cost = frame.taken - begun
        return frame

    def draw(self, image, number):
        """Draw picture ``number`` into uint8 [height, width, 3]; nothing is allocated."""
        turn, side = number // TURN, _side(self._together)
        np.copyto(image, self._scenes[turn % len(self._scenes)])
        height, width = image.shape[0] // side, image.shape[1] // side
        for place in range(self._together):
            top, left = place // side * height, place % side * width
            self._put(image[top : top + height, left : left + width], number, turn * self._together + place)

    def _put(self, image, number, which):
        """Draw one sign into a part of the picture."""
        _, pixels, through = self._signs[which % len(self._signs)]
        rows, columns = pixels.shape[:2]
        phase = number * 2 * math.pi / TURN
        top = int((image.shape[0] - rows) * (0.5 + 0.45 * math.sin(phase * 0.7 + which)))
        left = int((image.shape[1] - columns) * (0.5 + 0.45 * math.sin(phase * 0.43 + 2 * which)))
        under = image[top : top + rows, left : left + columns]
        product = self._product[: rows * columns * 3].reshape(rows, columns, 3)
        np.multiply(under, through, out=product)
        np.add(product, pixels, out=product)
        np.right_shift(product, 8, out=product)
        np.copyto(under, product, casting="unsafe")


def read(data):
    """(scenes, signs, how many signs together) of the host's drawings.

    A scene is uint8 [h, w, 3]; a sign is its label, its RGB times alpha and what shines through, uint16.
    """
    line, _, packed = data.partition(b"\n")
    head, body, offset = json.loads(line.decode("utf-8")), zlib.decompress(packed), 0
    scenes, signs = [], []
    for width, height in head["scenes"]:
        size = width * height * 3
        scenes.append(np.frombuffer(body, np.uint8, size, offset).reshape(height, width, 3))
        offset += size
    for label, width, height in head["signs"]:
        size = width * height * 4
        pixels = np.frombuffer(body, np.uint8, size, offset).reshape(height, width, 4).astype(np.uint16)
        offset += size
        alpha = pixels[:, :, 3:] + (pixels[:, :, 3:] >> 7)  # 0 to 256
        # Three channels of what shines through: numpy multiplies equal shapes twenty times as fast.
        through = np.repeat(256 - alpha, 3, axis=2)
        signs.append((label, pixels[:, :, :3] * alpha + 128, through))
    together = int(head.get("together", 1))
    if not scenes or not signs or together < 1:
        raise ValueError("no scene or no sign")
    side = _side(together)
    for label, pixels, _ in signs:
        if any(pixels.shape[axis] > scene.shape[axis] // side for scene in scenes for axis in (0, 1)):
            raise ValueError("{} is larger than its part of the scene".format(label))
    return scenes, signs, together


def _side(together):
    """Parts of a scene in each direction, so that each sign has one."""
    return int(math.ceil(math.sqrt(together)))
