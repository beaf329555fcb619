"""``[detection.anchors]`` of a card: checked and bounded, and anchors written out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.detection.anchors import ANCHOR, SIDES, count_of, explicit
from edgenet.csv_table import shown
from edgenet.detection.values import is_name, is_number, is_whole, listed
from edgenet.errors import EdgenetError

__all__ = ["MAX_ANCHORS", "MAX_MAPS", "MAX_WRITTEN", "read_anchors", "written_out"]

# One detector has fewer: SSD 300 has 1,917 to 8,732, RetinaNet at 640 76,725. What is written out travels in
# one message to the board.
MAX_ANCHORS = 200_000
MAX_WRITTEN = 32_768
MAX_MAPS = 64
MAX_SIDE, MAX_PER_CELL = 4096, 256
SMALLEST, LARGEST = 1e-6, 100.0
# Bytes of one text, so that each is short enough for a report, a manifest and a card: whole anchors.
CHUNK = 12_288
DEPTH = 3  # lists within each other: maps, anchors of a cell, width and height
# What an anchor table is by: the first that it has, and the keys that belong to it.
FORMS = {
    "values": (),
    "tensor": (),
    "per_cell": ("maps", "offset", "strides", "clip"),
    "cells": ("maps", "offset", "strides", "clip"),
    "sizes": ("maps", "ratios", "offset", "strides", "clip"),
}
FORMS_TOLD = (
    "write maps with sizes and ratios, with cells or with per_cell; or tensor = the name of one in the file"
)

Refuse = Callable[[str, str], EdgenetError]


def read_anchors(table: object, refuse: Refuse) -> Mapping[str, Any]:
    """The table, checked.

    Args:
        table: ``maps`` (a side, or rows and columns, of each) with ``sizes`` (of each map) and ``ratios``
            (of all maps, or of each), with ``cells`` (of each map, width and height of every anchor of a
            cell) or with ``per_cell`` (how many of width and height 1); ``offset``, ``strides``, ``clip``. Or
            ``tensor``, a name; or ``values``, see :func:`written_out`.
        refuse: Makes the error for what is wrong, from the reason and the remedy.

    Raises:
        EdgenetError: Made by ``refuse``; it names the key.
    """
    if not isinstance(table, Mapping):
        raise refuse("[detection] anchors is no table", f"write [detection.anchors]: {FORMS_TOLD}")
    form = next((name for name in FORMS if name in table), None)
    if form is None:
        raise refuse("[detection.anchors] does not say what the anchors are", FORMS_TOLD)
    if over := sorted(set(table) - {form, *FORMS[form]}):
        allowed = " and ".join((form, *FORMS[form]))
        raise refuse(f"[detection.anchors] has {shown(str(over[0]))} beside {form}", f"write {allowed} only")
    made = {key: _deep(value) for key, value in table.items()}
    wrong = _wrong_written(made) if form in ("values", "tensor") else _wrong_maps(made, form)
    if wrong:
        key, remedy = wrong
        raise refuse(f"[detection.anchors] {key} = {shown(str(made.get(key, 'nothing')))}", remedy)
    return {**made, "values": _texts(made["values"])} if form == "values" else made


def written_out(anchors: NDArray[Any]) -> list[str]:
    """Anchors [N, 4] (center x, center y, width, height) as ``values``: base64 of little-endian float32.

    Several texts, none longer than a manifest's texts may be.
    """
    return _texts(base64.b64encode(anchors.astype(ANCHOR).tobytes()).decode("ascii"))


def _texts(values: str | list[str]) -> list[str]:
    data = b"".join(map(base64.b64decode, [values] if isinstance(values, str) else values))
    return [
        base64.b64encode(data[begin : begin + CHUNK]).decode("ascii") for begin in range(0, len(data), CHUNK)
    ]


def _deep(value: Any, depth: int = DEPTH) -> Any:
    """Tuples as lists, all the way down that a table of anchors may go; nothing lies deeper."""
    if not isinstance(value, list | tuple):
        return value
    return [_deep(item, depth - 1) for item in value] if depth else None


def _wrong_written(table: Mapping[str, Any]) -> tuple[str, str] | None:
    if "tensor" in table:
        return None if is_name(table["tensor"]) else ("tensor", "write the name of a tensor in the file")
    values = table["values"]
    texts = [values] if isinstance(values, str) else listed(values)
    remedy = f"write base64 of little-endian float32, four of each of at most {MAX_WRITTEN:,} anchors"
    most = MAX_WRITTEN * SIDES * ANCHOR.itemsize * 4 // 3 + 4
    if not texts or not all(isinstance(item, str) for item in texts) or sum(map(len, texts)) > most:
        return "values", remedy
    try:
        anchors = explicit(texts)
    except ValueError:
        return "values", remedy
    held = (
        np.isfinite(anchors).all() and (anchors[:, 2:] > 0).all() and np.abs(anchors).max(initial=0) < LARGEST
    )
    return None if len(anchors) and held else ("values", remedy)


def _wrong_maps(table: Mapping[str, Any], form: str) -> tuple[str, str] | None:
    maps = listed(table.get("maps"))
    if not maps or len(maps) > MAX_MAPS or not all(map(_is_map, maps)):
        return "maps", "write the side of each map, or its rows and columns: [19, 10, 5, 3, 2, 1]"
    offsets = listed(table.get("offset", 0.5)) or [table.get("offset", 0.5)] * len(maps)
    if len(offsets) != len(maps) or not all(is_number(item, 0.0, 1.0) for item in offsets):
        return "offset", "write 0.5, or a number from 0 to 1, for all maps or one for each"
    strides = listed(table.get("strides", [1.0] * len(maps))) or ()
    if len(strides) != len(maps) or not all(is_number(item, SMALLEST, 1.0) for item in strides):
        return "strides", "write how far cells lie apart in each map, as a fraction of the picture"
    if not isinstance(table.get("clip", False), bool):
        return "clip", "write true or false"
    return _wrong_cells(table, form, len(maps))


def _wrong_cells(table: Mapping[str, Any], form: str, maps: int) -> tuple[str, str] | None:
    own = listed(table[form])
    if own is None or len(own) != maps or not all(map(CELLS[form], own)):
        return form, f"write {TOLD[form]} for each of the {maps} maps"
    if form == "sizes" and not _are_ratios(table.get("ratios"), maps):
        return "ratios", "write the ratios of width to height, for all maps or a list for each"
    if (count := count_of(table)) > MAX_ANCHORS:
        return "maps", f"they have {count:,} anchors, and a detector has at most {MAX_ANCHORS:,}"
    return None


def _is_map(value: Any) -> bool:
    pair = listed(value) or [value, value]
    return len(pair) == 2 and all(is_whole(side, 1, MAX_SIDE) for side in pair)


def _are_sizes(value: Any) -> bool:
    return 0 < len(listed(value) or ()) <= MAX_PER_CELL and all(
        is_number(x, SMALLEST, LARGEST) for x in value
    )


def _are_ratios(value: Any, maps: int) -> bool:
    given = listed(value)
    if given and all(isinstance(item, list) for item in given):
        return len(given) == maps and all(map(_are_sizes, given))
    return _are_sizes(given)


def _are_shapes(value: Any) -> bool:
    shapes = listed(value) or ()
    return 0 < len(shapes) <= MAX_PER_CELL and all(_are_sizes(shape) and len(shape) == 2 for shape in shapes)


CELLS: Mapping[str, Callable[[Any], bool]] = {
    "per_cell": lambda value: is_whole(value, 1, MAX_PER_CELL),
    "cells": _are_shapes,
    "sizes": _are_sizes,
}
TOLD = {
    "per_cell": "how many anchors a cell has",
    "cells": "[width, height] of every anchor of a cell",
    "sizes": "a list of sizes, fractions of the picture,",
}
