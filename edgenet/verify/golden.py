"""Choose the golden set: a few real images, and what the float model says of them."""

from __future__ import annotations

import contextlib

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.preprocess import SCALED, decode, encode_jpeg, encode_ppm, fit, geometry, pixels_of
from edgenet.cache import Cache
from edgenet.errors import DataError, ModelError
from edgenet.golden import Golden
from edgenet.imageset import ImageSet
from edgenet.model import Model, content_digest
from edgenet.preprocessing import Preprocessing
from edgenet.progress import Progress, silent
from edgenet.text import cause
from edgenet.verify.reference import Reference

__all__ = ["choose", "shrunk"]

COUNT = 16
# A larger file (a phone's photo) goes in as pixels of the size that the network's crop is cut from.
MAX_ENCODED = 256 * 1024
QUALITY = 90


def choose(images: ImageSet | None, model: Model, cache: bool = True, progress: Progress = silent) -> Golden:
    """Pick up to 16 images, spread over the set, or make synthetic ones, and run the float model on them.

    Args:
        images: The set, if there is one.
        model: The float model as the user gave it.
        cache: Whether to take what was made before, and to keep what is made.
        progress: Called where what was made before is damaged.

    Raises:
        DataError: None of the images can be used.
    """
    made_from = {
        "model": content_digest(model.proto),
        "task": [model.task_name, model.output],
        "preprocessing": model.preprocessing.to_table(),
        "images": images.head(COUNT).digest() if images else None,
    }
    entry = Cache("golden", made_from, cache, progress)
    if (held := entry.get()) is not None:
        with contextlib.suppress(ModelError):
            return Golden.from_bytes(held, model.preprocessing)
        entry.drop()
    made = _made(images, model)
    entry.put(made.to_bytes())
    return made


def _made(images: ImageSet | None, model: Model) -> Golden:
    preprocessing, reference = model.preprocessing, Reference(model.proto, model.preprocessing, model.task)
    encoded = _from_set(images, preprocessing) if images else _synthetic(preprocessing)
    pixels = np.stack([pixels_of(data, preprocessing.fit_spec()) for data in encoded.values()])
    answers = np.stack([reference.run(item[None]) for item in pixels])
    return Golden("calibration" if images else "synthetic", encoded, pixels, answers)


def _from_set(images: ImageSet, preprocessing: Preprocessing) -> dict[str, bytes]:
    chosen = images.head(COUNT)
    encoded, reasons = {}, []
    for index, path in enumerate(chosen.files):
        suffix = path.suffix.lower()
        try:
            data = chosen.read(index)
            image = decode(data, preprocessing.orientation)
            fit(image, preprocessing.fit_spec())
        except (DataError, ValueError) as error:
            reasons.append(f"{chosen.name(index)}: {cause(error)}")
            continue  # calibration counts and names every one
        if len(data) > MAX_ENCODED:
            data, suffix = _smaller(image, preprocessing)
        encoded[f"golden/{index:02d}{suffix}"] = data
    if not encoded:
        raise DataError(
            f"{images.folder}: no readable image, first {reasons[0]}",
            "give JPEG or PNG images of the right size",
        )
    return encoded


def _smaller(image: NDArray[np.uint8], preprocessing: Preprocessing) -> tuple[bytes, str]:
    """A large photo's picture as a file that fits: where JPEGs are decoded scaled, one that still is."""
    if preprocessing.decode == SCALED:
        return encode_jpeg(shrunk(image, preprocessing, 2), QUALITY), ".jpg"
    return encode_ppm(shrunk(image, preprocessing)), ".ppm"


def shrunk(image: NDArray[np.uint8], preprocessing: Preprocessing, times: int = 1) -> NDArray[np.uint8]:
    """The whole image, uint8 [H, W, 3], at ``times`` the size from which it is resized no more."""
    rows, columns = image.shape[:2]
    way = geometry(rows, columns, preprocessing.fit_spec())
    high, wide = (
        min(round(side * times * full / source), side)
        for side, full, source in zip((rows, columns), way.full, way.source[2:], strict=True)
    )
    spec = {"size": (high, wide), "resize": "stretch", "interpolation": preprocessing.interpolation}
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
