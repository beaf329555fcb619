"""The connections of a network beside the list of its layers: a lane for each result that is still needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from edgenet.breakdown import Layer

__all__ = ["LANE", "lanes"]

# Width of a lane, px.
LANE = 14
# The most that are drawn.
MOST = 8


@dataclass(frozen=True)
class _Step:
    """What happens beside one row: its own lane, lanes that come in, pass by and go on, all by number."""

    own: int
    comes: Sequence[int]
    passes: Sequence[int]
    goes: bool


def lanes(rows: Sequence[Layer]) -> tuple[list[str], int]:
    """A drawing a row, to be stretched to its height, and how many lanes they have.

    Reports of older tools do not tell what a layer reads: nothing is drawn then.
    """
    if all(row.reads is None for row in rows):
        return ["" for _ in rows], 0
    steps = _steps(_sources(rows))
    width = 1 + max(max((step.own, *step.comes, *step.passes)) for step in steps)
    return [_drawn(step, width) for step in steps], width


def _sources(rows: Sequence[Layer]) -> list[list[int]]:
    """The rows that each row reads; what only the runtime knows stands after the row before it."""
    last: dict[str, int] = {}
    found: list[list[int]] = []
    begun = False
    for at, row in enumerate(rows):
        before = [at - 1] if at else []
        if row.reads is None or not begun:
            found.append(before)
        else:
            found.append(sorted({last[name] for name in row.reads if name in last}))
        begun = begun or row.reads is not None
        last[row.node or row.name] = at
    return found


def _steps(sources: Sequence[Sequence[int]]) -> list[_Step]:
    """Each result keeps a lane until the last row that reads it."""
    until = {source: at for at, own in enumerate(sources) for source in own}
    held: dict[int, int] = {}
    found = []
    for at, own in enumerate(sources):
        comes = [held[source] for source in own if source in held]
        ended = [held.pop(source) for source in own if source in held and until[source] == at]
        passes = sorted(held.values())
        free = [lane for lane in range(MOST) if lane not in passes]
        lane = min(ended, default=free[0] if free else MOST)
        goes = at in until and lane < MOST
        if goes:
            held[at] = lane
        found.append(_Step(lane, comes, passes, goes))
    return found


def _drawn(step: _Step, width: int) -> str:
    size = {"viewBox": f"0 0 {width * LANE} 100", "width": str(width * LANE), "preserveAspectRatio": "none"}
    root = ElementTree.Element("svg", {"class": "lanes", "aria-hidden": "true", **size})
    x = _middle(step.own)
    paths = [f"M{_middle(lane)} 0V100" for lane in step.passes]
    paths += [f"M{_middle(lane)} 0C{_middle(lane)} 35 {x} 15 {x} 50" for lane in step.comes]
    paths += [f"M{x} 50V100"] if step.goes else []
    ElementTree.SubElement(root, "path", {"class": "lane", "d": "".join(paths) or f"M{x} 50"})
    ElementTree.SubElement(root, "path", {"class": "stop", "d": f"M{x} 50h0.01"})
    return ElementTree.tostring(root, encoding="unicode")


def _middle(lane: int) -> int:
    return lane * LANE + LANE // 2
