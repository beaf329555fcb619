"""A face, or whatever has points, cut out of a picture so that its points lie where a network wants them."""

from typing import Any

import numpy as np

# Points that are too close to each other say nothing of size and turn, in pixels.
CLOSE = 1e-3


def similarity(points: np.ndarray, wanted: np.ndarray) -> Any:
    """The similarity transform that brings points nearest to where they are wanted, by least squares.

    Umeyama, IEEE PAMI 13, 1991, in the plane: with points as complex numbers it is z -> a z + b, and a is
    sum(conj(z) w) / sum(|z|^2) of the centered ones; nothing is mirrored.

    Args:
        points: [n, 2], x and y; at least two.
        wanted: The same.

    Returns:
        Complex ``(a, b)``; ``None`` where the points are one, or none is a number.
    """
    z, w = points[:, 0] + 1j * points[:, 1], wanted[:, 0] + 1j * wanted[:, 1]
    middle, aim = z.mean(), w.mean()
    spread = float((np.abs(z - middle) ** 2).sum())
    if not np.isfinite(spread) or spread < CLOSE:
        return None
    a = ((z - middle).conj() * (w - aim)).sum() / spread
    return None if abs(a) < 1e-6 else (a, aim - a * middle)


def cut(image: np.ndarray, transform: Any, size: Any) -> np.ndarray:
    """The part of a picture that a transform brings to a window, bilinear, black outside of the picture.

    Where it shrinks, blocks of pixels are averaged first, so that nothing is left out.

    Args:
        image: uint8 [rows, columns, 3].
        transform: Of :func:`similarity`; the middle of the first pixel is (0, 0).
        size: (height, width) of the window.

    Returns:
        uint8 [height, width, 3].
    """
    a, b = transform
    height, width = size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    z = (x + 1j * y - b) / a
    left, top = int(np.floor(z.real.min())) - 1, int(np.floor(z.imag.min())) - 1
    right, bottom = int(np.ceil(z.real.max())) + 2, int(np.ceil(z.imag.max())) + 2
    rows, columns = image.shape[:2]
    part = image[max(top, 0) : min(bottom, rows), max(left, 0) : min(right, columns)]
    if not part.size:
        return np.zeros((height, width, 3), np.uint8)
    across, down = z.real - max(left, 0), z.imag - max(top, 0)
    block = max(1, int(1.0 / abs(a)))
    if block > 1:
        part = _averaged(part, block)
        across, down = ((place - (block - 1) / 2.0) / block for place in (across, down))
    return _sampled(part, across, down)


def _averaged(part: np.ndarray, block: int) -> np.ndarray:
    """Means of whole blocks; the last ones are filled with what is at the edge."""
    rows, columns = (-(-side // block) * block for side in part.shape[:2])
    edge = ((0, rows - part.shape[0]), (0, columns - part.shape[1]), (0, 0))
    whole = np.pad(part, edge, "edge").reshape(rows // block, block, columns // block, block, 3)
    return np.asarray(whole.mean(axis=(1, 3)), np.float32)


def _sampled(part: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    rows, columns = part.shape[:2]
    x0, y0 = np.floor(across).astype(np.intp), np.floor(down).astype(np.intp)
    fx, fy = (across - x0)[..., None], (down - y0)[..., None]
    total = np.zeros(across.shape + (3,), np.float64)
    for dy, wy in ((0, 1.0 - fy), (1, fy)):
        for dx, wx in ((0, 1.0 - fx), (1, fx)):
            x, y = x0 + dx, y0 + dy
            inside = ((x >= 0) & (x < columns) & (y >= 0) & (y < rows))[..., None]
            total += wx * wy * inside * part[np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)]
    return np.asarray(np.clip(total + 0.5, 0.0, 255.0), np.uint8)
