"""Labels beside the points of a drawing, where nothing is in their way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgenet.views.scatter_axes import BOTTOM, HEIGHT, LEFT, TOP, WIDTH, Axes, Mark, Span

__all__ = ["RADIUS", "Label", "labels"]

# Of a mark, and of a letter and a line in a label, in the drawing's units.
RADIUS = 5.0
LETTER, LINE = 6.6, 15
LONGEST = 26

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Label:
    """A text: where it stands, at which of its ends that is, and whether it is the ringed point's."""

    place: Span
    anchor: str
    text: str
    ringed: bool


def labels(marks: Sequence[Mark], axes: Axes) -> list[Label]:
    """Those that there is room for, the ringed one's first."""
    taken = [_around((axes.across(mark.x), axes.up(mark.y))) for mark in marks]
    found = []
    for mark in sorted(marks, key=lambda mark: not mark.ringed):
        text = _shortened(mark.label)
        for place, anchor, box in _places(axes, mark, text) if text else ():
            if not any(_overlap(box, other) for other in taken):
                found.append(Label(place, anchor, text, mark.ringed))
                taken.append(box)
                break
    return found


def _shortened(text: str) -> str:
    """A label without its middle where it is long: files of one kind differ at their ends."""
    half = (LONGEST - 1) // 2
    return text if len(text) <= LONGEST else f"{text[:half]}…{text[-half:]}"


def _places(axes: Axes, mark: Mark, text: str) -> Iterator[tuple[Span, str, Box]]:
    """Where a label can stand: beside it, above it or below it; never outside."""
    x, y, wide = axes.across(mark.x), axes.up(mark.y), LETTER * len(text)
    gap = RADIUS + (7.0 if mark.ringed else 2.0)
    for side, rise in ((1, -6.0), (-1, -6.0), (-1, 14.0), (1, 14.0)):
        at = x + side * gap
        left = at if side > 0 else at - wide
        box = (left, y + rise - LINE + 4, left + wide, y + rise + 4)
        if _inside(box):
            yield (at, y + rise), "start" if side > 0 else "end", box
    for rise in (-gap - 5.0, gap + 14.0):
        box = (x - wide / 2, y + rise - LINE + 4, x + wide / 2, y + rise + 4)
        if _inside(box):
            yield (x, y + rise), "middle", box


def _inside(box: Box) -> bool:
    return box[0] >= LEFT and box[2] <= WIDTH and box[1] >= TOP and box[3] <= HEIGHT - BOTTOM


def _around(place: Span) -> Box:
    x, y = place
    return (x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
