"""pygal's drawings as inline SVG: colored by the page, described in words, the same at every run."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pygal
from pygal.style import Style

__all__ = ["OPTIONS", "Numbering", "inline", "pygal"]

# pygal's finder of plugins has no find_spec: every later import of this process would warn of it.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

_SVG = "http://www.w3.org/2000/svg"
_TAG = f"{{{_SVG}}}"
# What pygal leaves for its script, which the page does without.
_SCRIPTED = ("tooltip", "tooltip-overlay")

# The sizes are in the units of the drawing, which a phone shows at three quarters.
_STYLE = Style(font_family="sans-serif", label_font_size=13, major_label_font_size=13, title_font_size=13)
OPTIONS: dict[str, Any] = {
    "style": _STYLE,
    "js": [],
    "width": 460,
    "height": 250,
    "margin": 4,
    "spacing": 6,
    "show_legend": False,
    "disable_xml_declaration": True,
    "truncate_label": 40,
}


class Numbering:
    """Gives every chart of a page an id of its own."""

    def __init__(self) -> None:
        self._numbers: Iterator[int] = itertools.count(1)

    def next(self) -> str:
        """The next id."""
        return f"chart-{next(self._numbers)}"


def inline(chart: Any, says: str, number: str) -> str:
    """A pygal chart as an SVG element.

    Its style sheet is the page's; pygal's values become titles, which a browser shows under the pointer.

    Args:
        chart: Any pygal chart.
        says: What the chart shows, for those who cannot see it.
        number: Id of the element.
    """
    root = ElementTree.fromstring(chart.render(is_unicode=True))  # noqa: S314 (our own drawing)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{_TAG}defs" or child.get("class", "").split(" ")[0] in _SCRIPTED:
                parent.remove(child)
        _title(parent)
        parent.attrib.pop("id", None)
    for title in root.findall(f"{_TAG}title"):
        root.remove(title)
    root.set("id", number)
    root.set("role", "img")
    root.set("aria-label", says)
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _title(group: ElementTree.Element) -> None:
    """The ``desc`` elements of one value as the title of its shape."""
    found = [item for item in group if item.tag == f"{_TAG}desc"]
    words = {item.get("class", ""): item.text or "" for item in found}
    for item in found:
        group.remove(item)
    if not words.get("value"):
        return
    shape = next((item for item in group if "reactive" in item.get("class", "")), None)
    if shape is not None:
        text = " ".join(words[name] for name in ("x_label", "value") if words.get(name))
        ElementTree.SubElement(shape, f"{_TAG}title").text = text
