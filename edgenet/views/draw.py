"""The strokes of our own drawings: lines, circles and texts of an inline SVG, colored by the page."""

from __future__ import annotations

from xml.etree import ElementTree

from edgenet.text import plain

__all__ = ["Drawing"]

Place = tuple[float, float]


class Drawing:
    """An SVG element of this size in its own units; every text in it is made fit to be shown."""

    def __init__(self, kind: str, width: float, height: float, says: str, role: str = "img") -> None:
        """Begin.

        Args:
            kind: Its class, by which the page colors it.
            width: Of its view box.
            height: Of its view box.
            says: What it shows, for those who cannot see it.
            role: "img", or "group" where it holds links.
        """
        box = f"0 0 {width:g} {height:g}"
        self.root = ElementTree.Element(
            "svg", {"class": kind, "viewBox": box, "role": role, "aria-label": plain(says)}
        )

    def __str__(self) -> str:
        return ElementTree.tostring(self.root, encoding="unicode")

    def line(self, kind: str, begin: Place, end: Place) -> None:
        """A straight line."""
        path = f"M{begin[0]:.1f} {begin[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"
        self.add("path", kind, d=path)

    def box(self, kind: str, left: float, top: float, width: float, height: float) -> ElementTree.Element:
        """A rectangle."""
        where = {"x": left, "y": top, "width": max(width, 0.0), "height": max(height, 0.0)}
        return self.add("rect", kind, **{name: f"{value:.1f}" for name, value in where.items()})

    def circle(self, kind: str, center: Place, radius: float) -> ElementTree.Element:
        """A circle."""
        return self.add("circle", kind, cx=f"{center[0]:.1f}", cy=f"{center[1]:.1f}", r=f"{radius:g}")

    def text(self, place: Place, words: str, anchor: str = "start", kind: str = "") -> ElementTree.Element:
        """A text that begins, ends or has its middle at a place."""
        where = {"x": f"{place[0]:.1f}", "y": f"{place[1]:.1f}", "text-anchor": anchor}
        found = self.add("text", kind, **where)
        found.text = plain(words)
        return found

    def add(self, tag: str, kind: str, **attributes: str) -> ElementTree.Element:
        """Any element."""
        named = {"class": kind, **attributes} if kind else attributes
        return ElementTree.SubElement(self.root, tag, named)

    @staticmethod
    def title(element: ElementTree.Element, words: str) -> None:
        """What a browser shows under the pointer."""
        ElementTree.SubElement(element, "title").text = plain(words)
