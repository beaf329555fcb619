"""The tensors that a card names as a detector's scores and boxes, in whatever order of axes they come."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.errors import ModelError
from edgenet.original.detector.wiring import Wiring, attribute

__all__ = ["Head", "check_columns", "flat", "named_heads"]

IMAGE_RANK = 4
TO_NHWC = [0, 2, 3, 1]
STEPS = 16  # nodes behind a convolution that keep its axes
ROUNDS = ("QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class Head:
    """One tensor among those with scores, or with boxes.

    Attributes:
        name: In the graph.
        shape: For one picture; ``None`` where it is not known.
        told: What the card calls it.
    """

    name: str
    shape: tuple[int, ...] | None
    told: str

    def rows(self, columns: int) -> int | None:
        """How many anchors it is of, where its numbers can be cut into rows of so many."""
        if self.shape is None:
            return None
        count, over = divmod(math.prod(self.shape), columns)
        return None if over or not self.layouts(columns) else count

    def layouts(self, columns: int, cells: tuple[int, int] | None = None) -> tuple[str, ...]:
        """How its axes can be read: "rows", or "nchw" and "nhwc" of a map.

        Rows may have an axis of one before the numbers (TensorFlow's boxes), or be flat (Caffe's).

        Args:
            columns: Numbers of one anchor.
            cells: Height and width of the map, where that is known.
        """
        shape = self.shape or ()
        if len(shape) != IMAGE_RANK:
            is_flat = len(shape) > 1 and math.prod(shape[:-1]) == 1 and shape[-1] % columns == 0
            return ("rows",) if shape and (shape[-1] == columns or is_flat) else ()
        if shape[2:] == (1, columns) and cells != (1, columns):
            return ("rows",)
        found = {"nchw": (shape[1], shape[2:]), "nhwc": (shape[3], shape[1:3])}
        return tuple(
            name
            for name, (channels, sides) in found.items()
            if channels % columns == 0 and cells in (None, sides)
        )


def named_heads(wiring: Wiring, key: str, told: object) -> tuple[Head, ...]:
    """The tensors that a card names.

    Args:
        wiring: The graph.
        key: The card's key, for messages.
        told: The number of one of the file's outputs, the name of an output or of a tensor within, or a list.

    Raises:
        ModelError: There is no such tensor.
    """
    several = told if isinstance(told, list | tuple) else [told]
    return tuple(_head(wiring, key, item) for item in several)


def _head(wiring: Wiring, key: str, told: object) -> Head:
    outputs = wiring.outputs
    if isinstance(told, int) and not isinstance(told, bool):
        if not 0 <= told < len(outputs):
            raise ModelError(
                f"{wiring.path}: {key} = {told}, and the file has {len(outputs)} outputs ({_listed(wiring)})",
                f"write a number from 0 to {len(outputs) - 1}, or a name" if outputs else "write a name",
            )
        name = outputs[told]
    else:
        name = _found(wiring, key, str(told))
    name = _rounded(wiring, name)
    return Head(name, wiring.shape(name), repr(told))


def _found(wiring: Wiring, key: str, told: str) -> str:
    if wiring.has(told):
        return told
    names = list(wiring.makers)
    near = difflib.get_close_matches(told, (*wiring.outputs, *names), 1)
    raise ModelError(
        f'{wiring.path}: {key} = "{told}", and no tensor is called so; its outputs are {_listed(wiring)}',
        f"did you mean {near[0]!r}?" if near else "write the number or the name of an output",
    )


def _rounded(wiring: Wiring, name: str) -> str:
    """The tensor behind its own Q/DQ pair: it is the same one, as the file stores it."""
    for kind in ROUNDS:
        readers = wiring.readers.get(name, [])
        if len(readers) != 1 or readers[0].op_type != kind or name in wiring.outputs:
            return name
        name = readers[0].output[0]
    return name


def _listed(wiring: Wiring) -> str:
    shown = [f"{at}: {name!r} {_text(wiring.shape(name))}" for at, name in enumerate(wiring.outputs[:8])]
    return ", ".join(shown) or "none"


def _text(shape: Sequence[int] | None) -> str:
    return "of unknown shape" if shape is None else "x".join(map(str, shape)) or "one number"


def check_columns(
    wiring: Wiring, key: str, heads: Sequence[Head], columns: int, why: str, others: Sequence[Head]
) -> None:
    """Refuse tensors that are not of so many columns.

    Args:
        wiring: The graph.
        key: The card's key.
        heads: What it names.
        columns: How many numbers an anchor has in them.
        why: Where that number is from.
        others: Those of the other key, which are proposed last.

    Raises:
        ModelError: One is not; the output that would fit is named.
    """
    wrong = next((head for head in heads if head.shape is not None and not head.layouts(columns)), None)
    if wrong is None:
        return
    fits = [
        Head(name, wiring.shape(name), repr(name))
        for name in wiring.outputs
        if name not in {head.name for head in heads}
    ]
    fitting = [head for head in fits if head.layouts(columns)]
    first = next((item for item in fitting if item.name in {head.name for head in others}), None)
    best = first or next(iter(fitting), None)
    remedy = "name the tensor that holds them" if best is None else _exchange(wiring, key, best)
    raise ModelError(
        f"{wiring.path}: {key} = {wrong.told} is {_text(wrong.shape)}, and {key} have {columns} columns "
        f"({why})",
        remedy,
    )


def _exchange(wiring: Wiring, key: str, best: Head) -> str:
    at = wiring.outputs.index(best.name)
    return f"write {key} = {at}, which is {best.name!r} {_text(best.shape)}"


def flat(wiring: Wiring, head: Head, columns: int, cells: tuple[int, int] | None) -> str:
    """A head's numbers in a row, anchor by anchor; the name of that tensor.

    Args:
        wiring: The graph, written to.
        head: The tensor.
        columns: Numbers of one anchor.
        cells: Height and width of its map, where the card says it.

    Raises:
        ModelError: Its map is another, or it cannot be told where its channels are.
    """
    name = head.name
    if len(head.shape or ()) == IMAGE_RANK and _layout(wiring, head, columns, cells) == "nchw":
        name = wiring.add("Transpose", [name], f"{name}/nhwc", perm=TO_NHWC)
    return wiring.add("Reshape", [name, wiring.row_shape()], f"{name}/row")


def _layout(wiring: Wiring, head: Head, columns: int, cells: tuple[int, int] | None) -> str:
    found = head.layouts(columns, cells)
    if not found:
        free = head.layouts(columns)
        raise ModelError(
            f"{wiring.path}: {head.told} is {_text(head.shape)}, and the card's map is {_text(cells)}",
            "correct maps in [detection.anchors]" if free else "name another tensor",
        )
    if len(found) == 1:
        return found[0]
    traced = _traced(wiring, head.name)
    if traced is None:
        raise ModelError(
            f"{wiring.path}: {head.told} is {_text(head.shape)}, which can be read as NCHW and as NHWC",
            "name the output of the convolution before it",
        )
    return traced


def _traced(wiring: Wiring, name: str) -> str | None:
    """How a map's axes stand by what gives it: convolutions are NCHW, and a Transpose says what it makes."""
    for _ in range(STEPS):
        node = wiring.makers.get(name)
        if node is None:
            return None
        if node.op_type in ("Conv", "ConvTranspose"):
            return "nchw"
        if node.op_type == "Transpose":
            perm = list(attribute(node, "perm", []))
            return {(0, 2, 3, 1): "nhwc", (0, 3, 1, 2): "nchw"}.get(tuple(perm))
        if wiring.shape(node.input[0]) != wiring.shape(name):
            return None
        name = node.input[0]
    return None
