"""Points with error bars in both directions, a front and a line to reach, as inline SVG.

pygal draws neither error bars nor marks by kind. Colors are the page's: a point's class names its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree import ElementTree

from edgenet.text import plain
from edgenet.views.draw import Drawing
from edgenet.views.scatter_axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axes, Mark, Span
from edgenet.views.scatter_labels import RADIUS, labels

__all__ = ["scatter", "symbol"]


def scatter(marks: Sequence[Mark], axes: Axes, line: float, titles: tuple[str, str], says: str) -> str:
    """The drawing.

    Args:
        marks: Points; those of the front are joined.
        axes: Around these or more points.
        line: The x to reach.
        titles: Of the axes, x first.
        says: What it shows, for those who cannot see it.
    """
    drawing = Drawing("scatter", WIDTH, HEIGHT, says, "group")
    _axes(drawing, axes, titles)
    _line(drawing, axes, line)
    _front(drawing, axes, [mark for mark in marks if mark.front])
    for mark in marks:
        _bars(drawing, axes, mark)
    for mark in sorted(marks, key=lambda mark: (mark.front, mark.ringed)):
        _mark(drawing.root, axes, mark)
    for label in labels(marks, axes):
        drawing.text(label.place, label.text, label.anchor, "name one" if label.ringed else "name")
    return str(drawing)


def symbol(shape: str, color: int | None = None, filled: bool = True) -> str:
    """One mark alone, for a legend."""
    root = ElementTree.Element("svg", {"class": "symbol", "viewBox": "-8 -8 16 16", "aria-hidden": "true"})
    _shape(root, shape, (0.0, 0.0), _classes(color, filled))
    return ElementTree.tostring(root, encoding="unicode")


def _axes(drawing: Drawing, axes: Axes, titles: tuple[str, str]) -> None:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for mark in axes.y_marks:
        y = axes.up(mark)
        drawing.line("grid", (LEFT, y), (right, y))
        drawing.text((LEFT - 7, y + 4), f"{mark:g}", "end")
    for mark in axes.x_marks:
        x = axes.across(mark)
        drawing.line("grid", (x, TOP), (x, bottom))
        drawing.text((x, bottom + 17), f"{mark:g}", "middle")
    drawing.text(((LEFT + right) / 2, HEIGHT - 6), titles[0], "middle")
    turned = drawing.text((0, 0), titles[1], "middle")
    turned.set("transform", f"translate(12 {(TOP + bottom) / 2:.1f}) rotate(-90)")


def _line(drawing: Drawing, axes: Axes, line: float) -> None:
    x = axes.across(line)
    drawing.box("reached", x, TOP, WIDTH - RIGHT - x, HEIGHT - TOP - BOTTOM)
    drawing.line("line", (x, TOP), (x, HEIGHT - BOTTOM))
    drawing.text((x, TOP - 7), f"{line:g} FPS", "middle", "at")


def _front(drawing: Drawing, axes: Axes, front: Sequence[Mark]) -> None:
    """The stair under which nothing is best: at each speed the best accuracy that is reached."""
    if not front:
        return
    steps = sorted(front, key=lambda mark: -mark.x)
    path = f"M{axes.across(steps[0].x):.1f} {HEIGHT - BOTTOM}"
    for mark in steps:
        path += f"H{axes.across(mark.x):.1f}V{axes.up(mark.y):.1f}"
    drawing.add("path", "front", d=f"{path}H{LEFT}")


def _bars(drawing: Drawing, axes: Axes, mark: Mark) -> None:
    """The intervals, where they reach beyond the mark."""
    x, y = axes.across(mark.x), axes.up(mark.y)
    ends: list[tuple[Span, Span]] = []
    if mark.x_span:
        ends.append(((axes.across(mark.x_span[0]), y), (axes.across(mark.x_span[1]), y)))
    if mark.y_span:
        ends.append(((x, axes.up(mark.y_span[0])), (x, axes.up(mark.y_span[1]))))
    for begin, end in ends:
        if math.dist(begin, (x, y)) > RADIUS or math.dist(end, (x, y)) > RADIUS:
            drawing.line(f"bar c{mark.color}", begin, end)


def _mark(root: ElementTree.Element, axes: Axes, mark: Mark) -> None:
    place = (axes.across(mark.x), axes.up(mark.y))
    # Without a link a notebook's page would be loaded again.
    link = ElementTree.SubElement(root, "a", {"href": mark.link, "tabindex": "-1"} if mark.link else {})
    if mark.ringed:
        _circle(link, place, RADIUS + 5.0, "ring")
    _shape(link, mark.shape, place, _classes(mark.color, mark.filled))
    ElementTree.SubElement(link, "title").text = plain(mark.title)


def _classes(color: int | None, filled: bool) -> str:
    return " ".join(filter(None, ["mark", "" if color is None else f"c{color}", "" if filled else "hollow"]))


def _shape(parent: ElementTree.Element, shape: str, place: Span, classes: str) -> None:
    (x, y), r = place, RADIUS
    if shape == "circle":
        _circle(parent, place, r, classes)
        return
    d = r + 1.5
    outlines = {
        "square": f"M{x - r + 0.5:.1f} {y - r + 0.5:.1f}h{2 * r - 1:g}v{2 * r - 1:g}h-{2 * r - 1:g}z",
        "diamond": f"M{x:.1f} {y - d:.1f}l{d:g} {d:g}l-{d:g} {d:g}l-{d:g}-{d:g}z",
        "triangle": f"M{x:.1f} {y - r - 1:.1f}l{r + 1:g} {2 * r:g}h-{2 * r + 2:g}z",
    }
    cross = f"M{x - r:.1f} {y - r:.1f}l{2 * r:g} {2 * r:g}m0-{2 * r:g}l-{2 * r:g} {2 * r:g}"
    ElementTree.SubElement(parent, "path", {"class": classes, "d": outlines.get(shape, cross)})


def _circle(parent: ElementTree.Element, place: Span, radius: float, classes: str) -> None:
    where = {"cx": f"{place[0]:.1f}", "cy": f"{place[1]:.1f}", "r": f"{radius:g}"}
    ElementTree.SubElement(parent, "circle", {"class": classes, **where})
