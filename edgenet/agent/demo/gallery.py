"""The gallery's pictures as the page shows them: small."""

import numpy as np

from .. import preprocess
from .pixels import encode

SIDE = 96


def thumbnail(path):
    """``(bytes, "jpeg" or "png")`` of a picture, at most ``SIDE`` pixels a side; ``None`` if it is gone."""
    try:
        with open(path, "rb") as stream:
            image = preprocess.decode(stream.read())
    except (OSError, ValueError):
        return None
    step = -(-max(image.shape[:2]) // SIDE)
    rows, columns = image.shape[0] // step * step, image.shape[1] // step * step
    if not rows or not columns:
        return encode(image[::step, ::step])
    blocks = image[:rows, :columns].reshape(rows // step, step, columns // step, step, 3)
    return encode(np.ascontiguousarray(blocks.mean((1, 3)).round().astype(np.uint8)))
