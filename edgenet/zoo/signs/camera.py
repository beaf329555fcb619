"""A camera: the light on a scene, its lens, its sensor, the JPEG."""

from __future__ import annotations

import io
import math
from typing import cast

import numpy as np
from PIL import Image, ImageFilter

__all__ = ["take"]


def take(random: np.random.Generator, scene: Image.Image) -> bytes:
    """Take a picture.

    Args:
        random: Decides light, blur, noise and quality.
        scene: RGB, its width and height even.

    Returns:
        A baseline JPEG, RGB, half as wide and half as high.
    """
    pixels = _light(random, np.asarray(scene, np.float32) / 255)
    return _sensor(random, _blur(random, pixels))


def _light(random: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Uneven light, a cast shadow, a reflection, color cast and exposure on float [h, w, 3] in 0..1."""
    height, width = pixels.shape[:2]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    gx, gy = random.uniform(-0.35, 0.35, 2)
    pixels = pixels * (1 + gx * x + gy * y)
    if random.random() < 0.4:
        angle, offset = random.uniform(0, math.tau), random.uniform(-0.5, 0.5)
        side = math.cos(angle) * x + math.sin(angle) * y - offset
        edge = 0.5 + 0.5 * np.tanh(side * random.uniform(3, 30))
        pixels = pixels * (1 - random.uniform(0.3, 0.7) * edge)
    if random.random() < 0.3:
        cx, cy, spread = random.uniform((-0.7, -0.7, 0.1), (0.7, 0.7, 0.35))
        spot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * spread**2))
        pixels = pixels + spot * random.uniform(0.2, 0.8)
    cast_ = 1 + random.normal(0, 0.1, 3)
    exposure = 2 ** np.clip(random.normal(-0.25, 0.5), -1.8, 0.7)
    contrast, black = random.uniform(0.7, 1.1), random.uniform(0, 0.12)
    return cast(np.ndarray, (pixels * cast_ * exposure) * contrast + black).astype(np.float32)


def _blur(random: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Defocus and straight motion, on scene pixels."""
    radius = min(0.5 + random.exponential(1.0), 4.5)
    image = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32)
    if random.random() < 0.35:
        angle, length = random.uniform(0, math.pi), random.uniform(3, 14)
        steps = np.linspace(-length / 2, length / 2, 9)
        shifts = [(round(s * math.sin(angle)), round(s * math.cos(angle))) for s in steps]
        padded = np.pad(blurred, ((12, 12), (12, 12), (0, 0)), mode="edge")
        height, width = blurred.shape[:2]
        windows = [padded[12 + dy : 12 + dy + height, 12 + dx : 12 + dx + width] for dy, dx in shifts]
        blurred = np.mean(windows, axis=0, dtype=np.float32)
    return blurred


def _sensor(random: np.random.Generator, pixels: np.ndarray) -> bytes:
    """Halve the scene, add read and shot noise in the light's own scale, encode."""
    height, width = pixels.shape[:2]
    pixels = pixels.reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
    read, shot = random.exponential(2.0), random.exponential(0.35)
    sigma = np.sqrt(read**2 + shot**2 * np.maximum(pixels, 0))
    pixels = pixels + random.standard_normal(pixels.shape) * sigma
    image = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=int(random.integers(40, 86)), subsampling=2, optimize=True)
    return stream.getvalue()
