"""A print in a scene: cut out or on paper, faded, creased, in perspective, with its shadow, maybe held."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from edgenet.zoo.signs.backdrop import color, noise

__all__ = ["Placed"]

OPAQUE = 128
Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Placed:
    """A print as an object, and where it is in a scene.

    Attributes:
        card: RGBA: the print itself, or paper with the print on it.
        on_paper: Whether it is paper.
        corners: Where the card's corners fall: float [4, 2], x and y in the scene, clockwise from top left.
        outline: Of the print without its paper: float [points, 2], x and y on the card.
    """

    card: Image.Image
    on_paper: bool
    corners: np.ndarray
    outline: np.ndarray

    @classmethod
    def drawn(
        cls, random: np.random.Generator, print_: Image.Image, height: float, size: tuple[int, int]
    ) -> Placed:
        """A print ``height`` pixels high, its paper included, anywhere in a scene of (width, height)."""
        card, on_paper, outline = _card(random, print_, round(height * 1.3))
        return cls(card, on_paper, _corners(random, card.size, height, np.array(size)), outline)

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the print without its paper, in the scene and around it."""
        a, b, c, d, e, f, g, h = _homography(_rectangle(self.card.size), self.corners)
        x, y = self.outline.T
        over = g * x + h * y + 1
        columns, rows = (a * x + b * y + c) / over, (d * x + e * y + f) / over
        return float(columns.min()), float(rows.min()), float(columns.max()), float(rows.max())

    def put_into(self, random: np.random.Generator, scene: Image.Image, window: Box) -> None:
        """Change an RGB scene: the print and its shadow within the window, what is before it anywhere."""
        under = scene.crop(window)
        card = self.card.transform(
            under.size,
            Image.Transform.PERSPECTIVE,
            _homography(self.corners - window[:2], _rectangle(self.card.size)),
            Image.Resampling.BICUBIC,
        )
        dx, dy = (int(v) for v in random.integers(-8, 14, 2))
        shade = ImageChops.offset(card.getchannel("A"), dx, dy).filter(ImageFilter.GaussianBlur(6))
        dark = random.uniform(0.1, 0.6)
        under = Image.composite(under.point(lambda v: v * (1 - dark)), under, shade)
        under.paste(card, (0, 0), card)
        scene.paste(under, window[:2])
        if self.on_paper and random.random() < 0.7:
            _fingers(random, scene, self.corners)
        if random.random() < 0.25:
            _obstruct(random, scene, self.corners)


def _card(
    random: np.random.Generator, print_: Image.Image, size: int
) -> tuple[Image.Image, bool, np.ndarray]:
    """The print as an object ``size`` pixels high, cut out or on paper; whether on paper; its outline."""
    print_ = print_.resize((size, size), Image.Resampling.BOX, reducing_gap=1.5)
    on_paper, outline = bool(random.random() < 0.55), _outline(print_)
    if on_paper:
        left, top, right, bottom = (random.uniform(0.03, 0.14, 4) * size).astype(int)
        white = int(random.integers(222, 256))
        card = Image.new("RGBA", (size + left + right, size + top + bottom), (white, white, white - 4, 255))
        card.paste(print_, (left, top), print_)
        outline += left, top
    else:
        card = print_.copy()
    pixels = np.array(card, np.float32)
    ink, fade = random.uniform(0.85, 1.1, 3), random.uniform(0.6, 1.0)
    paper = random.uniform(190, 255)
    crease = noise(random, max(card.size), 3)[: card.height, : card.width, None] * random.uniform(0, 22)
    pixels[..., :3] = (pixels[..., :3] * ink) * fade + paper * (1 - fade) + crease
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), on_paper, outline


def _outline(print_: Image.Image) -> np.ndarray:
    """Both ends of every row of what is opaque: float [points, 2], x and y."""
    opaque = np.asarray(print_.getchannel("A")) >= OPAQUE
    rows = np.flatnonzero(opaque.any(axis=1))
    first = opaque[rows].argmax(axis=1)
    last = opaque.shape[1] - opaque[rows, ::-1].argmax(axis=1)
    corners = [(x, y) for x in (first, last) for y in (rows, rows + 1)]
    return np.concatenate([np.stack(corner, axis=1) for corner in corners]).astype(float)


def _rectangle(size: tuple[int, int]) -> np.ndarray:
    width, height = size
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], float)


def _corners(
    random: np.random.Generator, size: tuple[int, int], height: float, scene: np.ndarray
) -> np.ndarray:
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
    room = np.maximum(scene / 2 - half, 6.0)
    return cast(np.ndarray, points + scene / 2 + random.uniform(-room, room))


def _homography(here: np.ndarray, there: np.ndarray) -> list[float]:
    """Pillow's eight PERSPECTIVE numbers, from four points here to four points there, float [4, 2]."""
    rows, right = [], []
    for (x, y), (u, v) in zip(here, there, strict=True):
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
    draw, far = ImageDraw.Draw(scene), max(scene.size)
    extent = float(np.ptp(corners, axis=0).max())
    x, y = corners.mean(axis=0) + random.uniform(-0.5, 0.5, 2) * extent
    fill = color(random, 0.3, 0.3)
    if random.random() < 0.5:
        angle = random.uniform(0, math.pi)
        dx, dy = math.cos(angle) * far, math.sin(angle) * far
        draw.line(
            (x - dx, y - dy, x + dx, y + dy), fill=fill, width=round(extent * random.uniform(0.03, 0.1))
        )
    else:
        w, h = random.uniform(0.06, 0.18, 2) * extent
        draw.ellipse((x - w, y - h, x + w, y + h), fill=fill)
