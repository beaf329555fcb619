"""What stands behind a sign: streets, rooms, foliage and plain clutter, all drawn."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

__all__ = ["backdrop", "color", "noise"]

Color = tuple[int, int, int]


def backdrop(random: np.random.Generator, size: int) -> Image.Image:
    """Draw a scene without a sign.

    Args:
        random: Decides everything.
        size: Width and height in pixels.

    Returns:
        RGB image, out of focus by a drawn amount.
    """
    scene = (_street, _room, _foliage, _clutter)[int(random.integers(4))]
    image = scene(random, size)
    grain = noise(random, size, 5) * random.uniform(4, 22)
    pixels = np.asarray(image, np.float32) + grain[:, :, None]
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(size / 256 * float(random.gamma(1.5, 1.6))))


def color(random: np.random.Generator, saturation: float = 0.35, value: float = 0.55) -> Color:
    """A color of any hue around a mean saturation and brightness."""
    s = float(np.clip(random.normal(saturation, 0.2), 0, 1))
    v = float(np.clip(random.normal(value, 0.22), 0.04, 1))
    r, g, b = colorsys.hsv_to_rgb(random.random(), s, v)
    return round(r * 255), round(g * 255), round(b * 255)


def _rgb(levels: Sequence[float] | np.ndarray) -> Color:
    red, green, blue = (int(v) for v in levels)
    return red, green, blue


def noise(random: np.random.Generator, size: int, octaves: int) -> np.ndarray:
    """Clouds: float32 [size, size], roughly -1 to 1, each octave twice as fine and half as strong."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        grid = random.uniform(-1, 1, (3 << octave, 3 << octave)).astype(np.float32)
        fine = Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC)
        total += np.asarray(fine) * 0.5**octave
    return total


def _gradient(size: int, top: Color, bottom: Color) -> Image.Image:
    ramp = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    column = np.asarray(top, np.float32) * (1 - ramp) + np.asarray(bottom, np.float32) * ramp
    return Image.fromarray(np.broadcast_to(column, (size, size, 3)).astype(np.uint8))


def _street(random: np.random.Generator, size: int) -> Image.Image:
    sky = _rgb(random.uniform((120, 150, 180), (225, 235, 250)))
    image = _gradient(size, sky, (225, 225, 225))
    draw = ImageDraw.Draw(image)
    horizon = random.uniform(0.45, 0.85) * size
    left = 0.0
    while left < size:
        width = random.uniform(0.12, 0.4) * size
        _building(random, draw, (left, random.uniform(0.0, 0.6) * horizon, left + width, horizon), size)
        left += width * random.uniform(0.9, 1.4)
    grey = int(random.uniform(60, 140))
    draw.rectangle((0, horizon, size, size), fill=(grey, grey, grey + 4))
    vanish = random.uniform(0, size)
    for x in random.uniform(-0.5, 1.5, 3) * size:
        draw.line((vanish, horizon, x, size), fill=(215, 215, 205), width=max(1, size // 60))
    if random.random() < 0.6:
        x = random.uniform(0, size)
        draw.rectangle((x, 0, x + random.uniform(0.01, 0.04) * size, size), fill=color(random, 0.1, 0.4))
    return image


def _building(
    random: np.random.Generator,
    draw: ImageDraw.ImageDraw,
    box: tuple[float, float, float, float],
    size: int,
) -> None:
    left, top, right, bottom = box
    draw.rectangle(box, fill=color(random, 0.25, 0.55))
    window = color(random, 0.15, 0.3)
    step, pane = random.uniform(0.05, 0.1) * size, random.uniform(0.4, 0.7)
    for y in np.arange(top + step / 2, bottom - step, step):
        for x in np.arange(left + step / 3, right - step * pane, step):
            draw.rectangle((x, y, x + step * pane, y + step * pane), fill=window)


def _room(random: np.random.Generator, size: int) -> Image.Image:
    wall = color(random, 0.12, 0.75)
    image = _gradient(size, wall, _rgb([0.8 * v for v in wall]))
    draw = ImageDraw.Draw(image)
    floor = random.uniform(0.6, 1.0) * size
    draw.rectangle((0, floor, size, size), fill=color(random, 0.4, 0.4))
    for shelf in random.uniform(0.1, 1.0, int(random.integers(1, 4))) * size:
        x, end = random.uniform(-0.1, 0.5) * size, random.uniform(0.5, 1.1) * size
        draw.rectangle((x, shelf, end, shelf + 0.025 * size), fill=color(random, 0.4, 0.35))
        while x < end:
            width, height = random.uniform(0.015, 0.06) * size, random.uniform(0.08, 0.2) * size
            draw.rectangle((x, shelf - height, x + width, shelf), fill=color(random, 0.55, 0.55))
            x += width * random.choice((1.05, 1.05, 1.05, 2.0))
    if random.random() < 0.6:
        x, y, w, h = random.uniform((0, 0, 0.15, 0.15), (0.8, 0.5, 0.5, 0.5)) * size
        draw.rectangle((x, y, x + w, y + h), fill=(245, 246, 250), outline=color(random, 0.3, 0.4), width=4)
    return image


def _foliage(random: np.random.Generator, size: int) -> Image.Image:
    base = _rgb(random.uniform((30, 50, 20), (120, 150, 110)))
    image = _gradient(size, (200, 215, 230) if random.random() < 0.4 else base, base)
    draw = ImageDraw.Draw(image)
    dark, light = np.array([25, 45, 15]), np.array([150, 180, 90])
    if random.random() < 0.25:
        dark, light = np.array([60, 35, 15]), np.array([215, 150, 70])
    for x, y, r, mix in random.uniform((0, 0, 0.01, 0), (1, 1, 0.07, 1), (260, 4)):
        leaf = _rgb(dark + (light - dark) * mix)
        squeeze = 0.4 + mix * 0.5
        box = ((x - r) * size, (y - r * squeeze) * size, (x + r) * size, (y + r * squeeze) * size)
        draw.ellipse(box, fill=leaf)
    return image


def _clutter(random: np.random.Generator, size: int) -> Image.Image:
    image = _gradient(size, color(random), color(random))
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(5, 30))):
        x, y = random.uniform(-0.1, 1.0, 2) * size
        w, h = random.uniform(0.03, 0.45, 2) * size
        fill = color(random, 0.45, 0.5)
        kind = int(random.integers(4))
        if kind == 0:
            draw.rectangle((x, y, x + w, y + h), fill=fill)
        elif kind == 1:
            draw.ellipse((x, y, x + w, y + h), fill=fill)
        elif kind == 2:
            draw.line((x, y, x + 2 * w, y - h), fill=fill, width=int(random.integers(1, size // 16)))
        else:
            corners = [tuple(random.uniform((x, y), (x + w, y + h))) for _ in range(3)]
            draw.polygon(corners, fill=fill)
    return image
