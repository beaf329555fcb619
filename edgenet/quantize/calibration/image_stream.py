"""Calibration images on their way to the network: decoded ahead in a thread, looked at, counted."""

from __future__ import annotations

import contextlib
import hashlib
import queue
import threading
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import DataError

__all__ = ["FEWEST", "Feed", "Reservoir", "ahead"]

AHEAD = 8
FEWEST = 8
# With half of them int8 loses several times as much (docs/where-int8-loses.md).
PROMISED = 32

Pixels = NDArray[np.uint8]


class Reservoir:
    """At most ``size`` images spread evenly over a stream of unknown length.

    Every image is kept at first; when the room is used up, every second one is let go and from then on only
    every second (fourth, eighth …) image is kept. The same stream gives the same images.
    """

    def __init__(self, size: int) -> None:
        self._size, self._stride, self._seen = size, 1, 0
        self.images: list[Pixels] = []

    def offer(self, pixels: Pixels) -> None:
        """Show it the next image of the stream."""
        if self._seen % self._stride == 0:
            if len(self.images) >= self._size:
                del self.images[1::2]
                self._stride *= 2
            if self._seen % self._stride == 0:
                self.images.append(pixels)
        self._seen += 1


class Feed:
    """Passes images on and judges the set when it has ended.

    Args:
        images: uint8 [1, H, W, 3] each.

    Attributes:
        count: Images passed on so far.
        blank: How many of them were one flat color.
        repeated: How many were the same as an earlier one.
    """

    def __init__(self, images: Iterable[Pixels]) -> None:
        self._images = images
        self._digests: set[bytes] = set()
        self.count = self.blank = self.repeated = 0

    def __iter__(self) -> Iterator[Pixels]:
        """The images, decoded up to eight ahead of the reader.

        Raises:
            DataError: There is none, or what there is says nothing of what the camera will see.
        """
        for pixels in ahead(self._images):
            digest = hashlib.blake2b(np.ascontiguousarray(pixels).tobytes(), digest_size=16).digest()
            self.count += 1
            self.blank += int(np.ptp(pixels) == 0)
            self.repeated += int(digest in self._digests)
            self._digests.add(digest)
            yield pixels
        self._judge()

    def notes(self) -> tuple[str, ...]:
        """What a user should know of the set; one sentence each."""
        said = []
        if self.count < FEWEST:
            said.append(f"only {self.count} calibration images; {FEWEST} are the fewest that say something")
        elif self.count < PROMISED:
            said.append(
                f"only {self.count} calibration images: with fewer than {PROMISED} nothing is promised "
                "of what int8 loses"
            )
        if self.blank:
            said.append(f"{self.blank} of {self.count} calibration images are one flat color")
        if self.repeated:
            said.append(f"{self.repeated} of {self.count} calibration images are repeats of others")
        return tuple(said)

    def _judge(self) -> None:
        if self.count == 0:
            raise DataError("no calibration image", "give --calibration DIR with typical images")
        if self.blank == self.count:
            raise DataError(
                f"all {self.count} calibration images are one flat color", "give images as the camera sees"
            )


def ahead(images: Iterable[Pixels], room: int = AHEAD) -> Iterator[Pixels]:
    """The same images; a thread reads them up to ``room`` ahead. Its exceptions arrive in their place."""
    waiting: queue.Queue[tuple[Pixels | None, BaseException | None]] = queue.Queue(room)
    stopped = threading.Event()

    def put(item: tuple[Pixels | None, BaseException | None]) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                waiting.put(item, timeout=0.1)
                return

    def read() -> None:
        try:
            for pixels in images:
                put((pixels, None))
                if stopped.is_set():
                    return
            put((None, None))
        except BaseException as error:
            put((None, error))

    thread = threading.Thread(target=read, name="calibration images", daemon=True)
    thread.start()
    try:
        while (item := waiting.get())[0] is not None:
            yield item[0]
        if item[1] is not None:
            raise item[1]
    finally:
        stopped.set()
        thread.join()
