"""A camera's view of a printed sign: one seed, one JPEG.

Order of the light: backdrop, the print (cut out or on paper, held or not) in perspective with its
shadow, something in front of it, light and shade, defocus and motion, the sensor, JPEG.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import cast

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from edgenet.zoo.signs import LABELS
from edgenet.zoo.signs.backdrop import backdrop, color, noise
from edgenet.zoo.signs.faces import face, impostor

__all__ = ["SIZE", "photograph"]

SIZE = 128
SCENE = 2 * SIZE
NO_SIGN = len(LABELS) - 1
HEIGHTS = (0.38, 0.92)  # of a print, over the picture's


def photograph(seed: Sequence[int], label: int) -> bytes:
    """Take one picture.

    Args:
        seed: Entropy for numpy's ``default_rng``; the same seed and label give the same picture.
        label: Index into ``LABELS``.

    Returns:
        A baseline JPEG, 128x128 pixels, RGB.
    """
    random = np.random.default_rng([*seed, label])
    scene = backdrop(random, SCENE)
    if label != NO_SIGN:
        scene = _place(random, scene, face(label), random.uniform(*HEIGHTS))
    elif random.random() < 0.6:
        scene = _place(random, scene, impostor(random), random.uniform(*HEIGHTS))
    pixels = _light(random, np.asarray(scene, np.float32) / 255)
    return _sensor(random, _blur(random, pixels))


def _place(random: np.random.Generator, scene: Image.Image, print_: Image.Image, scale: float) -> Image.Image:
    """Put a print into the scene; ``scale`` is its height over the scene's."""
    card, on_paper = _card(random, print_, round(scale * SCENE * 1.3))
    corners = _corners(random, card.size, scale * SCENE)
    card = card.transform(
        (SCENE, SCENE),
        Image.Transform.PERSPECTIVE,
        _homography(corners, card.size),
        Image.Resampling.BICUBIC,
    )
    dx, dy = (int(v) for v in random.integers(-8, 14, 2))
    shade = ImageChops.offset(card.getchannel("A"), dx, dy).filter(ImageFilter.GaussianBlur(6))
    dark = random.uniform(0.1, 0.6)
    scene = Image.composite(scene.point(lambda v: v * (1 - dark)), scene, shade)
    scene.paste(card, (0, 0), card)
    if on_paper and random.random() < 0.7:
        _fingers(random, scene, corners)
    if random.random() < 0.25:
        _obstruct(random, scene, corners)
    return scene


def _card(random: np.random.Generator, print_: Image.Image, size: int) -> tuple[Image.Image, bool]:
    """The print as an object ``size`` pixels high: cut out, or on paper with a margin; faded, creased."""
    print_ = print_.resize((size, size), Image.Resampling.BOX, reducing_gap=1.5)
    on_paper = random.random() < 0.55
    if on_paper:
        left, top, right, bottom = (random.uniform(0.03, 0.14, 4) * size).astype(int)
        white = int(random.integers(222, 256))
        card = Image.new("RGBA", (size + left + right, size + top + bottom), (white, white, white - 4, 255))
        card.paste(print_, (left, top), print_)
    else:
        card = print_.copy()
    pixels = np.array(card, np.float32)
    ink, fade = random.uniform(0.85, 1.1, 3), random.uniform(0.6, 1.0)
    paper = random.uniform(190, 255)
    crease = noise(random, max(card.size), 3)[: card.height, : card.width, None] * random.uniform(0, 22)
    pixels[..., :3] = (pixels[..., :3] * ink) * fade + paper * (1 - fade) + crease
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), on_paper


def _corners(random: np.random.Generator, size: tuple[int, int], height: float) -> np.ndarray:
    """Where the card's corners fall: float [4, 2], x and y in the scene, clockwise from top left."""
    yaw, pitch = random.normal(0, 0.42), random.normal(0, 0.32)
    yaw, pitch, roll = (
        np.clip(yaw, -1.0, 1.0),
        np.clip(pitch, -0.8, 0.8),
        np.clip(random.normal(0, 0.14), -0.4, 0.4),
    )
    aspect = size[0] / size[1]
    x, y = np.array([-1, 1, 1, -1]) * aspect / 2, np.array([-1, -1, 1, 1]) / 2
    x, y = x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)
    depth = x * math.sin(yaw) + y * math.sin(pitch)
    perspective = 1 / (1 + depth / random.uniform(1.8, 5.0))
    points = np.stack([x * math.cos(yaw) * perspective, y * math.cos(pitch) * perspective], axis=1) * height
    half = np.abs(points).max(axis=0) * random.uniform(0.72, 1.0)
    room = np.maximum(SCENE / 2 - half, 6.0)
    return cast(np.ndarray, points + SCENE / 2 + random.uniform(-room, room))


def _homography(corners: np.ndarray, size: tuple[int, int]) -> list[float]:
    """Pillow's eight PERSPECTIVE numbers, from scene pixels back to card pixels."""
    width, height = size
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    rows, right = [], []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return [float(v) for v in np.linalg.solve(np.array(rows), np.array(right))]


def _fingers(random: np.random.Generator, scene: Image.Image, corners: np.ndarray) -> None:
    """Two to four fingertips over one edge of the paper."""
    draw = ImageDraw.Draw(scene)
    edge = int(random.integers(1, 4))
    start, end = corners[edge], corners[(edge + 1) % 4]
    inward = corners.mean(axis=0) - (start + end) / 2
    skin = np.array([214, 164, 132]) * random.uniform(0.35, 1.15)
    width = float(np.hypot(*(end - start))) * 0.11
    first = random.uniform(0.1, 0.6)
    for finger in range(int(random.integers(2, 5))):
        tip = start + (end - start) * (first + finger * 0.12) + inward * random.uniform(0.1, 0.26)
        root = tip - inward * 1.2
        tone = tuple(int(v) for v in np.clip(skin * random.uniform(0.9, 1.05), 0, 255))
        draw.line((*tip, *root), fill=tone, width=max(2, round(width)))
        draw.ellipse((*(tip - width / 2), *(tip + width / 2)), fill=tone)


def _obstruct(random: np.random.Generator, scene: Image.Image, corners: np.ndarray) -> None:
    """A twig, a pole or a blot across the print, at most about a quarter of it."""
    draw = ImageDraw.Draw(scene)
    extent = float(np.ptp(corners, axis=0).max())
    x, y = corners.mean(axis=0) + random.uniform(-0.5, 0.5, 2) * extent
    fill = color(random, 0.3, 0.3)
    if random.random() < 0.5:
        angle = random.uniform(0, math.pi)
        dx, dy = math.cos(angle) * SCENE, math.sin(angle) * SCENE
        draw.line(
            (x - dx, y - dy, x + dx, y + dy), fill=fill, width=round(extent * random.uniform(0.03, 0.1))
        )
    else:
        w, h = random.uniform(0.06, 0.18, 2) * extent
        draw.ellipse((x - w, y - h, x + w, y + h), fill=fill)


def _light(random: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Uneven light, a cast shadow, a reflection, color cast and exposure on float [h, w, 3] in 0..1."""
    axis = np.linspace(-1, 1, SCENE, dtype=np.float32)
    x, y = axis[None, :, None], axis[:, None, None]
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
        windows = [padded[12 + dy : 12 + dy + SCENE, 12 + dx : 12 + dx + SCENE] for dy, dx in shifts]
        blurred = np.mean(windows, axis=0, dtype=np.float32)
    return blurred


def _sensor(random: np.random.Generator, pixels: np.ndarray) -> bytes:
    """Halve the scene to 128 pixels, add read and shot noise in the light's own scale, encode."""
    pixels = pixels.reshape(SIZE, 2, SIZE, 2, 3).mean(axis=(1, 3))
    read, shot = random.exponential(2.0), random.exponential(0.35)
    sigma = np.sqrt(read**2 + shot**2 * np.maximum(pixels, 0))
    pixels = pixels + random.standard_normal(pixels.shape) * sigma
    image = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=int(random.integers(40, 86)), subsampling=2, optimize=True)
    return stream.getvalue()
