"""``[detection]`` of a card: every key checked and bounded once (docs/detection.md explains them)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from edgenet.agent.detection.coding import BOX, CENTER_SIZE, CORNER_OFFSET, ORDERS
from edgenet.agent.detection.detector import HARD, WEIGHTED
from edgenet.agent.detection.row import NONE, SIGMOID, SOFTMAX
from edgenet.csv_table import shown
from edgenet.detection.anchor_table import MAX_MAPS, read_anchors
from edgenet.detection.values import is_name, is_number, is_whole, listed
from edgenet.errors import EdgenetError

__all__ = ["read_detection"]

ACTIVATIONS = (NONE, SIGMOID, SOFTMAX)
MAX_OUTPUT, MAX_COLUMNS, MAX_POINTS, MAX_DETECTIONS = 64, 10_000, 64, 10_000
CODES = 2 * MAX_POINTS + BOX
LARGEST = 1e6
# Other words for the same.
SYNONYMS = {"centre-size": CENTER_SIZE, "w": "width", "h": "height"}

Check = Callable[[Any], bool]


def _is_output(value: Any) -> bool:
    return is_name(value) or is_whole(value, 0, MAX_OUTPUT)


def _are_outputs(value: Any) -> bool:
    """One output, or one a map."""
    several = listed(value)
    return (
        _is_output(value)
        if several is None
        else 0 < len(several) <= MAX_MAPS and all(map(_is_output, several))
    )


OUTPUT = (
    "write the number of the output in the file, counted from 0, or its name; of several maps, a list of them"
)
BETWEEN = "write a number from 0 to 1"
# key: (whether a value is one, what to write instead).
KEYS: Mapping[str, tuple[Check, str]] = {
    "scores": (_are_outputs, OUTPUT),
    "boxes": (_are_outputs, OUTPUT),
    "anchors_output": (_is_output, OUTPUT),
    "score_activation": (lambda value: value in ACTIVATIONS, f"write one of {', '.join(ACTIVATIONS)}"),
    "background": (
        lambda value: value == NONE or is_whole(value, 0, MAX_COLUMNS),
        'write the column of the scores that is no class, counted from 0, or "none"',
    ),
    "coding": (lambda value: value in ORDERS, f"write one of {', '.join(ORDERS)}"),
    "order": (
        lambda value: any(sorted(value) == sorted(names) for names in ORDERS.values()),
        "write all four of xmin, ymin, xmax, ymax, or of cx, cy, width, height, in the order of the codes",
    ),
    "variances": (
        lambda value: len(value) == BOX and all(is_number(item, 1e-6, LARGEST) for item in value),
        "write four numbers above 0, in the order of the codes",
    ),
    "scale": (lambda value: is_number(value, 1e-6, LARGEST), "write a number above 0"),
    "score_threshold": (lambda value: is_number(value, 0, 1), BETWEEN),
    "show_threshold": (lambda value: is_number(value, 0, 1), BETWEEN),
    "nms_threshold": (lambda value: is_number(value, 0, 1), BETWEEN),
    "nms": (lambda value: value in (HARD, WEIGHTED), f"write {HARD} or {WEIGHTED}"),
    "agnostic": (lambda value: isinstance(value, bool), "write true or false"),
    "max_detections": (
        lambda value: is_whole(value, 1, MAX_DETECTIONS),
        f"write a whole number from 1 to {MAX_DETECTIONS:,}",
    ),
    "points": (
        lambda value: len(value) <= MAX_POINTS and all(map(is_name, value)),
        f"write the names of at most {MAX_POINTS} points, in the order of the codes",
    ),
    "columns": (lambda value: is_whole(value, 1, MAX_COLUMNS), "write how many scores an anchor has"),
    "codes": (lambda value: is_whole(value, BOX, CODES), "write how many codes an anchor has"),
    "activation": (lambda value: value in ACTIVATIONS, f"write one of {', '.join(ACTIVATIONS)}"),
}
LISTS = ("order", "variances", "points")
ANCHORS = "anchors"


def read_detection(table: object, refuse: Callable[[str, str], EdgenetError]) -> Mapping[str, Any]:
    """The table, checked: what it says and no more, in the one form that the board reads.

    No key has to be there: an importer may complete the table (:meth:`edgenet.task.Task.joined`), and the
    task's ``check`` says what is missing then.

    Args:
        table: Of a card, a bundle's manifest or an ``.int8.onnx``.
        refuse: Makes the error for what is wrong, from the reason and the remedy.

    Raises:
        EdgenetError: Made by ``refuse``; it names the key.
    """
    if not isinstance(table, Mapping):
        raise refuse(f"detection = {shown(str(table))} is no table", "write [detection] and its keys below")
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key == ANCHORS:
            found[key] = read_anchors(value, refuse)
        elif key in KEYS:
            found[key] = _read(key, value, refuse)
        else:
            known = [*KEYS, ANCHORS]
            near = difflib.get_close_matches(str(key), known, 1)
            remedy = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(sorted(known))}"
            raise refuse(f"[detection] does not know {shown(str(key))}", remedy)
    _check_together(found, refuse)
    return found


def _read(key: str, value: Any, refuse: Callable[[str, str], EdgenetError]) -> Any:
    holds, remedy = KEYS[key]
    made = listed(value) if key in LISTS else value
    if isinstance(made, list):
        made = [SYNONYMS.get(item, item) if isinstance(item, str) else item for item in made]
    elif isinstance(made, str):
        made = SYNONYMS.get(made, made) if key == "coding" else made
    if (key in LISTS and made is None) or not _holds(holds, made):
        raise refuse(f"[detection] {key} = {shown(str(value))}", remedy)
    return made


def _holds(check: Check, value: Any) -> bool:
    """Whether a value is one; things that cannot be hashed or sorted are none."""
    try:
        return check(value)
    except TypeError:
        return False


def _check_together(found: Mapping[str, Any], refuse: Callable[[str, str], EdgenetError]) -> None:
    """What holds between keys."""
    coding = found.get("coding")
    if "order" in found and coding and sorted(found["order"]) != sorted(ORDERS[coding]):
        raise refuse(
            f"[detection] order = {found['order']} and coding = {coding!r} do not go together",
            f"write {', '.join(ORDERS[coding])} in the order of the codes",
        )
    if "scale" in found and ("variances" in found or coding == CORNER_OFFSET):
        what = "variances" if "variances" in found else "corner offsets"
        raise refuse(f"[detection] has a scale and {what}", "leave scale out")
    if "codes" in found and found["codes"] != BOX + 2 * len(found.get("points", ())):
        count = len(found.get("points", ()))
        raise refuse(
            f"[detection] codes = {found['codes']}, and four of the box with two of each of {count} points "
            f"are {BOX + 2 * count}",
            "name every point in points",
        )
    background, columns = found.get("background"), found.get("columns")
    if is_whole(background, 0, MAX_COLUMNS) and columns is not None and background >= columns:
        raise refuse(
            f"[detection] background = {background}, and the scores have {columns} columns",
            'write a column counted from 0, or "none"',
        )
