"""The printed faces: nine signs of the Vienna Convention on Road Signs and Signals, and things that are none.

Everything is polygons, arcs and strokes, letters too, so no font of the machine matters.
``python -m edgenet.zoo.signs.faces OUT`` writes the nine as PNG files to print.
"""

from __future__ import annotations

import functools
import io
import itertools
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from edgenet.files import write_atomic
from edgenet.zoo.signs import LABELS

__all__ = ["face", "impostor", "main"]

Points = list[tuple[float, float]]
Color = tuple[int, int, int]

RED, BLUE, YELLOW = (190, 18, 28), (0, 80, 165), (250, 195, 10)
WHITE, BLACK, GREEN, ORANGE = (250, 250, 250), (20, 20, 20), (20, 130, 70), (240, 120, 20)
OVERSAMPLING = 3


class _Pen:
    """Draws in the unit square, x right and y down, on a transparent image."""

    def __init__(self, size: int) -> None:
        self.size = size * OVERSAMPLING
        self.image = Image.new("RGBA", (self.size, self.size), (*WHITE, 0))
        self.draw = ImageDraw.Draw(self.image)

    def polygon(self, points: Points, color: Color) -> None:
        self.draw.polygon([(x * self.size, y * self.size) for x, y in points], fill=color)

    def disc(self, x: float, y: float, radius: float, color: Color) -> None:
        box = [(v * self.size) for v in (x - radius, y - radius, x + radius, y + radius)]
        self.draw.ellipse(box, fill=color)

    def bar(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], color)

    def stroke(self, points: Points, width: float, color: Color) -> None:
        """A line with round ends and round joints."""
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            length = math.hypot(x1 - x0, y1 - y0) or 1.0
            dx, dy = (y1 - y0) / length * width / 2, (x0 - x1) / length * width / 2
            self.polygon(
                [(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)], color
            )
        for x, y in points:
            self.disc(x, y, width / 2, color)

    def text(self, text: str, box: tuple[float, float, float, float], width: float, color: Color) -> None:
        """Glyphs side by side in ``box`` (left, top, right, bottom), two fifths of a glyph apart."""
        left, top, right, bottom = box
        advance = (right - left) / (len(text) * 1.4 - 0.4)
        for index, letter in enumerate(text):
            x = left + index * 1.4 * advance
            for line in _glyph(letter):
                points = [(x + u * advance, top + v * (bottom - top)) for u, v in line]
                self.stroke(points, width, color)

    def done(self) -> Image.Image:
        return self.image.reduce(OVERSAMPLING)


def face(index: int, size: int = 384) -> Image.Image:
    """One sign, cut out along its edge.

    Args:
        index: Of the class in ``LABELS``, 0 to 8; "no sign" has no face.
        size: Width and height in pixels.

    Returns:
        RGBA image, transparent around the sign. Do not change it: it is kept for the next call.
    """
    return _face(index, size)


@functools.cache
def _face(index: int, size: int) -> Image.Image:
    pen = _Pen(size)
    drawers = (_stop, _yield, _no_entry, _priority, _limit_30, _limit_50, _left, _right, _crossing)
    drawers[index](pen)
    return pen.done()


def impostor(random: np.random.Generator, size: int = 384) -> Image.Image:
    """A printed thing that is no sign: text, a chart, a star, a plain disc."""
    pen = _Pen(size)
    palette = (RED, BLUE, YELLOW, GREEN, ORANGE, BLACK)
    first, second = (palette[i] for i in random.permutation(len(palette))[:2])
    drawers = (_page, _chart, _star, _rings, _chequers, _cross)
    drawers[int(random.integers(len(drawers)))](pen, random, first, second)
    return pen.done()


def _regular(corners: int, radius: float, turn: float, x: float = 0.5, y: float = 0.5) -> Points:
    angles = [math.tau * (k + turn) / corners for k in range(corners)]
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]


def _arc(x: float, y: float, rx: float, ry: float, start: float, stop: float) -> Points:
    """Points from ``start`` to ``stop`` degrees, clockwise from the right as the eye sees it."""
    angles = np.radians(np.linspace(start, stop, 24))
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


def _glyph(letter: str) -> Sequence[Points]:
    """Strokes of one letter in the unit square."""
    glyphs: dict[str, Sequence[Points]] = {
        "0": [_arc(0.5, 0.5, 0.46, 0.5, 0, 360)],
        "3": [_arc(0.46, 0.25, 0.42, 0.25, -150, 90), _arc(0.46, 0.74, 0.5, 0.26, -90, 150)],
        "5": [[(0.9, 0.0), (0.16, 0.0), (0.08, 0.46)], _arc(0.44, 0.68, 0.5, 0.32, -145, 145)],
        "S": [_arc(0.5, 0.25, 0.42, 0.25, -25, -270), _arc(0.5, 0.75, 0.46, 0.25, -90, 155)],
        "T": [[(0.0, 0.0), (1.0, 0.0)], [(0.5, 0.0), (0.5, 1.0)]],
        "O": [_arc(0.5, 0.5, 0.46, 0.5, 0, 360)],
        "P": [
            [(0.1, 1.0), (0.1, 0.0), (0.5, 0.0)],
            _arc(0.5, 0.28, 0.44, 0.28, -90, 90),
            [(0.5, 0.56), (0.1, 0.56)],
        ],
    }
    return glyphs[letter]


def _stop(pen: _Pen) -> None:
    pen.polygon(_regular(8, 0.5, 0.5), WHITE)
    pen.polygon(_regular(8, 0.47, 0.5), RED)
    pen.text("STOP", (0.17, 0.38, 0.83, 0.62), 0.055, WHITE)


def _yield(pen: _Pen) -> None:
    pen.polygon(_regular(3, 0.56, 0.75, y=0.36), RED)
    pen.polygon(_regular(3, 0.33, 0.75, y=0.36), WHITE)


def _no_entry(pen: _Pen) -> None:
    pen.disc(0.5, 0.5, 0.5, WHITE)
    pen.disc(0.5, 0.5, 0.475, RED)
    pen.bar(0.14, 0.41, 0.86, 0.59, WHITE)


def _priority(pen: _Pen) -> None:
    pen.polygon(_regular(4, 0.5, 0.0), BLACK)
    pen.polygon(_regular(4, 0.485, 0.0), WHITE)
    pen.polygon(_regular(4, 0.34, 0.0), YELLOW)


def _limit(pen: _Pen, text: str) -> None:
    pen.disc(0.5, 0.5, 0.5, RED)
    pen.disc(0.5, 0.5, 0.4, WHITE)
    pen.text(text, (0.235, 0.31, 0.765, 0.69), 0.085, BLACK)


def _limit_30(pen: _Pen) -> None:
    _limit(pen, "30")


def _limit_50(pen: _Pen) -> None:
    _limit(pen, "50")


def _arrow(pen: _Pen, mirror: bool) -> None:
    pen.disc(0.5, 0.5, 0.5, WHITE)
    pen.disc(0.5, 0.5, 0.48, BLUE)
    shape = [(0.14, 0.5), (0.42, 0.24), (0.5, 0.32), (0.4, 0.43), (0.86, 0.43)]
    shape += [(x, 1.0 - y) for x, y in reversed(shape[1:])]
    pen.polygon([(1.0 - x, y) if mirror else (x, y) for x, y in shape], WHITE)


def _left(pen: _Pen) -> None:
    _arrow(pen, mirror=False)


def _right(pen: _Pen) -> None:
    _arrow(pen, mirror=True)


def _crossing(pen: _Pen) -> None:
    pen.bar(0.03, 0.03, 0.97, 0.97, BLUE)
    pen.polygon([(0.5, 0.1), (0.92, 0.85), (0.08, 0.85)], WHITE)
    pen.disc(0.51, 0.33, 0.048, BLACK)
    pen.stroke([(0.5, 0.43), (0.5, 0.58)], 0.085, BLACK)
    pen.stroke([(0.49, 0.58), (0.43, 0.68), (0.36, 0.78)], 0.05, BLACK)
    pen.stroke([(0.51, 0.58), (0.57, 0.67), (0.6, 0.78)], 0.05, BLACK)
    pen.stroke([(0.49, 0.44), (0.41, 0.52), (0.38, 0.58)], 0.036, BLACK)
    pen.stroke([(0.51, 0.44), (0.59, 0.51), (0.65, 0.53)], 0.036, BLACK)
    for x in (0.2, 0.35, 0.5, 0.65):
        pen.bar(x, 0.8, x + 0.09, 0.84, BLACK)


def _page(pen: _Pen, random: np.random.Generator, first: Color, second: Color) -> None:
    pen.bar(0.0, 0.0, 1.0, 1.0, WHITE)
    pen.bar(0.08, 0.07, 0.4 + 0.5 * random.random(), 0.14, first)
    for row in range(10):
        pen.bar(0.08, 0.22 + row * 0.07, 0.55 + 0.37 * random.random(), 0.245 + row * 0.07, BLACK)
    pen.disc(0.8, 0.8, 0.1, second)


def _chart(pen: _Pen, random: np.random.Generator, first: Color, second: Color) -> None:
    pen.bar(0.0, 0.0, 1.0, 1.0, WHITE)
    for column in range(6):
        top = 0.85 - 0.7 * random.random()
        pen.bar(0.1 + column * 0.14, top, 0.19 + column * 0.14, 0.88, (first, second)[column % 2])


def _star(pen: _Pen, random: np.random.Generator, first: Color, second: Color) -> None:
    corners = int(random.integers(4, 9))
    outer, inner = _regular(corners, 0.48, 0.25), _regular(corners, 0.2 + 0.1 * random.random(), 0.75)
    pen.disc(0.5, 0.5, 0.5, second)
    pen.polygon([point for pair in zip(outer, inner, strict=True) for point in pair], first)


def _rings(pen: _Pen, random: np.random.Generator, first: Color, second: Color) -> None:
    step = 0.06 + 0.06 * random.random()
    for ring in range(int(0.5 / step)):
        pen.disc(0.5, 0.5, 0.5 - ring * step, (first, WHITE, second)[ring % 3])


def _chequers(pen: _Pen, random: np.random.Generator, first: Color, second: Color) -> None:
    cells = int(random.integers(2, 7))
    for row in range(cells):
        for column in range(cells):
            box = (column / cells, row / cells, (column + 1) / cells, (row + 1) / cells)
            pen.bar(*box, (first, second)[(row + column) % 2])


def _cross(pen: _Pen, random: np.random.Generator, first: Color, second: Color) -> None:
    pen.bar(0.02, 0.02, 0.98, 0.98, first)
    pen.bar(0.38, 0.14, 0.62, 0.86, WHITE)
    if random.random() < 0.5:
        pen.bar(0.14, 0.38, 0.86, 0.62, second)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the nine faces as ``OUT/<label>.png``, 1024 pixels square."""
    (out,) = sys.argv[1:] if arguments is None else arguments
    for index, label in enumerate(LABELS[:-1]):
        stream = io.BytesIO()
        face(index, 1024).save(stream, "PNG")
        write_atomic(Path(out) / f"{label.replace(' ', '_')}.png", stream.getvalue())


if __name__ == "__main__":
    main()
