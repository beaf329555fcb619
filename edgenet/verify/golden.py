"""The golden set: a few real images inside the bundle, with the answers they must get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.preprocess import decode, encode_ppm, fit
from edgenet.backends.reference import Reference
from edgenet.errors import DataError
from edgenet.files import sha256
from edgenet.imageset import ImageSet
from edgenet.preprocessing import Preprocessing

__all__ = ["Golden", "choose"]

COUNT = 16
# A larger file (a phone's photo) goes in as pixels of the size that the network's crop is cut from.
MAX_ENCODED = 256 * 1024


@dataclass(frozen=True)
class Golden:
    """Encoded images and the network's float answers.

    Attributes:
        source: "calibration", or "synthetic" where no image was given (smooth noise: good for comparing
            arithmetic, worth nothing for accuracy).
        images: File name → encoded image.
        pixels: uint8 [n, H, W, 3], what the network sees on this machine.
        reference: float32 [n, classes], the float model's logits.
    """

    source: str
    images: dict[str, bytes]
    pixels: NDArray[np.uint8]
    reference: NDArray[np.float32]

    def to_table(self) -> dict[str, Any]:
        """What the manifest says of it."""
        listed = [
            {"file": name, "pixels_sha256": sha256(np.ascontiguousarray(pixels).tobytes())}
            for name, pixels in zip(self.images, self.pixels, strict=True)
        ]
        return {"source": self.source, "images": listed}


def choose(images: ImageSet | None, preprocessing: Preprocessing, reference: Reference) -> Golden:
    """Pick up to 16 images, spread over the set, or make synthetic ones, and run the float model on them."""
    encoded = _from_set(images, preprocessing) if images else _synthetic(preprocessing)
    pixels = np.stack([fit(decode(data), preprocessing.fit_spec()) for data in encoded.values()])
    answers = np.stack([reference.run(item[None]) for item in pixels])
    return Golden("calibration" if images else "synthetic", encoded, pixels, answers)


def _from_set(images: ImageSet, preprocessing: Preprocessing) -> dict[str, bytes]:
    chosen = images.head(COUNT)
    encoded, reasons = {}, []
    for index, path in enumerate(chosen.files):
        data, suffix = chosen.read(index), path.suffix.lower()
        try:
            image = decode(data)
            fit(image, preprocessing.fit_spec())
        except ValueError as error:
            reasons.append(f"{path.name}: {error}")
            continue  # calibration counts and names every one
        if len(data) > MAX_ENCODED:
            data, suffix = encode_ppm(_shrunk(image, preprocessing)), ".ppm"
        encoded[f"golden/{index:02d}{suffix}"] = data
    if not encoded:
        raise DataError(
            f"{images.folder}: no readable image, first {reasons[0]}",
            "give JPEG or PNG images of the right size",
        )
    return encoded


def _shrunk(image: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """The whole image at the size from which the network's crop is cut."""
    rows, columns = image.shape[:2]
    size = preprocessing.size
    if preprocessing.resize_to is not None:
        short = preprocessing.resize_to
        size = (max(short, short * rows // columns), max(short, short * columns // rows))
    spec = {"size": size, "resize": "stretch", "interpolation": preprocessing.interpolation}
    return np.asarray(fit(image, spec), np.uint8)


def _synthetic(preprocessing: Preprocessing) -> dict[str, bytes]:
    """Smooth color noise, the same for every model of that size."""
    generator = np.random.Generator(np.random.PCG64(24))
    height, width = preprocessing.size
    spec = {"size": (height, width), "resize": "stretch", "interpolation": "bicubic-antialias"}
    images = {}
    for index in range(COUNT):
        coarse = generator.integers(0, 256, (7, 7, 3), dtype=np.uint8)
        images[f"golden/{index:02d}.ppm"] = encode_ppm(fit(coarse, spec))
    return images
