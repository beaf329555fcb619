"""How edgenet decoded and resized up to commit d41f6b1: what its times stand against."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from PIL import Image

PRECISION_BITS = 32 - 8 - 2
PILLOW_FILTERS = {"bilinear-antialias": 2, "bicubic-antialias": 3}


def decode(data: bytes) -> np.ndarray:
    """A JPEG as uint8 [height, width, 3], RGB."""
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"), np.uint8)


def fit(image: np.ndarray, spec: dict[str, Any]) -> np.ndarray:
    """Of "stretch" and "short-side": uint8 [size[0], size[1], 3]; one axis a call, columns first."""
    height, width = spec["size"]
    rows, columns = image.shape[:2]
    if spec["resize"] == "stretch":
        full_rows, full_columns, top, left = height, width, 0, 0
    else:
        short = spec["resize_to"]
        full_rows, full_columns = (
            (short, short * columns // rows) if rows <= columns else (short * rows // columns, short)
        )
        top, left = round((full_rows - height) / 2.0), round((full_columns - width) / 2.0)
    image = _resample(image, 1, full_columns, left, width, spec["interpolation"])
    image = _resample(image, 0, full_rows, top, height, spec["interpolation"])
    return np.ascontiguousarray(image)


def _resample(image: np.ndarray, axis: int, full: int, first: int, count: int, name: str) -> np.ndarray:
    part = [slice(None), slice(None)]
    part[axis] = slice(first, first + count)
    if image.shape[axis] == full:
        return image[tuple(part)]
    if name in PILLOW_FILTERS:
        size = (full, image.shape[0]) if axis else (image.shape[1], full)
        resized = Image.fromarray(np.ascontiguousarray(image)).resize(size, PILLOW_FILTERS[name])
        return np.asarray(resized)[tuple(part)]
    if axis:
        return _columns(image, full, first, count)
    return _columns(image.swapaxes(0, 1), full, first, count).swapaxes(0, 1)


def _columns(image: np.ndarray, full: int, first: int, count: int) -> np.ndarray:
    """ "bilinear" in numpy, without antialias."""
    taps, weights = _taps(image.shape[1], full, first, count)
    total = np.full((image.shape[0], count, image.shape[2]), 1 << (PRECISION_BITS - 1), np.int32)
    for tap in range(taps.shape[1]):
        total += image[:, taps[:, tap]] * weights[None, :, tap, None]
    return np.clip(total >> PRECISION_BITS, 0, 255).astype(np.uint8)


def _taps(size: int, full: int, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    scale = float(size) / full
    center = (np.arange(first, first + count) + 0.5) * scale
    low = np.maximum((center - 1.0 + 0.5).astype(np.int64), 0)
    high = np.minimum((center + 1.0 + 0.5).astype(np.int64), size)
    taps = low[:, None] + np.arange(math.ceil(1.0) * 2 + 1)[None, :]
    inside = taps < high[:, None]
    weights = np.where(inside, np.maximum(0.0, 1.0 - np.abs(taps - center[:, None] + 0.5)), 0.0)
    weights = weights / weights.sum(axis=1)[:, None] * (1 << PRECISION_BITS)
    fixed = (weights + 0.5).astype(np.int32)
    return np.minimum(taps, size - 1), np.where(inside, fixed, 0).astype(np.int32)
