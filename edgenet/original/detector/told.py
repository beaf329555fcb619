"""What a file says of its own boxes where it decodes and picks them: heads, coding, anchors, thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto

from edgenet.agent.detection.anchors import anchors_of
from edgenet.detection.anchor_table import written_out
from edgenet.errors import ModelError
from edgenet.original.detector.decoding import read_decoding
from edgenet.original.detector.joins import heads_by_form
from edgenet.original.detector.wiring import MOVES, Wiring, attribute

__all__ = ["completed"]

POSTPROCESS, SUPPRESSION = "TFLite_Detection_PostProcess", "NonMaxSuppression"
NONE, BOX = "none", 4
NUMBERS = "fiu"  # kinds of dtypes
# What 8 bits leave of an anchor, with room; another order or clipping is far more.
GRID = 0.03
MOST_DETECTIONS, MOST_DEPTH, MOST_MOVES = 10_000, 4, 16
MOST_CODES = BOX + 2 * 64  # of a box with points
# Inputs of NonMaxSuppression.
MOST_AT, OVERLAP_AT, SCORE_AT = 2, 3, 4
# Keys that belong together: where a card has one of them, the file's are not taken.
TOGETHER = (
    ("anchors",), ("coding", "order", "variances", "scale"), ("score_threshold",), ("nms_threshold",),
    ("max_detections",), ("background",), ("scores",), ("boxes",), ("points",),
)  # fmt: skip
# A box and its corners, by the coding.
ORDERS = {
    "center-size": ("cx", "cy", "width", "height"),
    "corner-offset": ("xmin", "ymin", "xmax", "ymax"),
}


def completed(
    wiring: Wiring, settings: Mapping[str, Any], classes: int, size: tuple[int, int], opset: int
) -> Mapping[str, Any]:
    """A card's settings with what the file says where they are silent; anchors in the file written out.

    Args:
        wiring: A graph whose constants are folded.
        settings: The card's.
        classes: How many it names; 0 where it names none.
        size: Height and width of the picture.
        opset: Of the graph.

    Raises:
        ModelError: The card names anchors that are none.
    """
    node = next((item for item in wiring.graph.node if item.op_type == POSTPROCESS), None)
    if node is not None:
        found = _of_postprocess(wiring, node)
    else:
        found = _of_form(wiring, settings, classes, size, opset)
    open_keys = {key for group in TOGETHER if not settings.keys() & set(group) for key in group}
    made = {**settings, **{key: value for key, value in found.items() if key in open_keys}}
    return _with_anchors(wiring, made)


def _of_postprocess(wiring: Wiring, node: NodeProto) -> dict[str, Any]:
    """What TFLite's operator is told.

    Source: tensorflow/lite/kernels/detection_postprocess.cc, DecodeCenterSizeBoxes: anchors and codes are
    y, x, height, width, and each code is divided by its scale.
    """
    boxes, scores, anchors = (*node.input, "", "", "")[:3]
    scales = [_number(node, f"{side}_scale") or 0.0 for side in ("y", "x", "h", "w")]
    columns, shape = _number(node, "num_classes"), wiring.shape(scores)
    found: dict[str, Any] = {
        "scores": scores,
        "boxes": boxes,
        **_thresholds(
            *(_number(node, name) for name in ("max_detections", "nms_iou_threshold", "nms_score_threshold"))
        ),
    }
    if all(scales):
        found |= {
            "coding": "center-size",
            "order": ["cy", "cx", "height", "width"],
            "variances": [1 / scale for scale in scales],
        }
    values = wiring.constant(anchors)
    if values is not None and _are_anchors(values):
        found["anchors"] = {"values": written_out(values.reshape(-1, BOX)[:, [1, 0, 3, 2]])}
    if columns and shape:
        found["background"] = 0 if shape[-1] == columns + 1 else NONE
    return found


def _number(node: NodeProto, name: str) -> float | None:
    """A finite number among a node's attributes, 0 or more."""
    value = attribute(node, name)
    return value if isinstance(value, int | float) and 0 <= value < math.inf else None


def _are_anchors(values: NDArray[Any]) -> bool:
    """Whether they are centers and sizes, [..., 4]."""
    if values.dtype.kind not in NUMBERS or values.shape[-1:] != (BOX,) or not values.size:
        return False
    return bool(np.isfinite(values).all() and (values.reshape(-1, BOX)[:, 2:] > 0).all())


def _of_form(
    wiring: Wiring, settings: Mapping[str, Any], classes: int, size: tuple[int, int], opset: int
) -> dict[str, Any]:
    """What the graph itself shows: its heads, what decodes them, the constants of what picks boxes."""
    found: dict[str, Any] = {}
    for node in _nodes(wiring.graph):
        if node[0].op_type == SUPPRESSION:
            found |= _of_suppression(*node)
            break
    columns = classes + (settings["background"] != NONE) if classes and "background" in settings else 0
    heads = heads_by_form(wiring, columns) or _outputs_by_shape(wiring, columns)
    if heads is None:
        return found
    found |= {"scores": _as_output(wiring, heads[0]), "boxes": _as_output(wiring, heads[1])}
    shape, codes = wiring.shape(heads[0]), (wiring.shape(heads[1]) or (BOX,))[-1]
    if BOX < codes <= MOST_CODES and "points" not in settings:
        found["points"] = [f"point {number}" for number in range(1, (codes - BOX) // 2 + 1)]
    if classes and shape and shape[-1] - classes in (0, 1):
        found["background"] = 0 if shape[-1] > classes else NONE
    named = settings.get("boxes", heads[1])
    decoding = read_decoding(wiring, heads[1], size, opset) if named == heads[1] else None
    if decoding is not None:
        found |= {**decoding.settings, "anchors": {"values": written_out(decoding.anchors)}}
    return found


def _outputs_by_shape(wiring: Wiring, columns: int) -> tuple[str, str] | None:
    """Two of the file's outputs, [1, N, C] and [1, N, 4], where no others can be scores and boxes.

    Boxes with points have more numbers than four, two for each point.
    """
    moving = {name: wiring.shape(name) or () for name in wiring.outputs if wiring.constant(name) is None}
    pairs = {
        (scores, boxes): other[-1]
        for scores, own in moving.items()
        for boxes, other in moving.items()
        if scores != boxes and len(own) == len(other) == len(("batch", "anchors", "columns"))
        if own[1] == other[1] and other[-1] >= BOX and other[-1] % 2 == 0 and own[-1] == (columns or own[-1])
    }
    sure = [pair for pair, codes in pairs.items() if codes == BOX] or list(pairs)
    return sure[0] if len(sure) == 1 else None


def _as_output(wiring: Wiring, name: str) -> str:
    """The file's output that gives a tensor as it is; the tensor itself where none does."""
    for output in wiring.outputs:
        made = output
        for _ in range(MOST_MOVES):
            node = wiring.makers.get(made)
            if made == name or node is None or node.op_type not in MOVES:
                break
            made = str(node.input[0])
        if made == name and wiring.shape(output) == wiring.shape(name):
            return output
    return name


def _of_suppression(node: NodeProto, held: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    def number(at: int) -> float | None:
        value = held.get(node.input[at]) if at < len(node.input) else None
        if value is None or value.size != 1 or value.dtype.kind not in NUMBERS:
            return None
        return float(value.reshape(-1)[0])

    return _thresholds(number(MOST_AT), number(OVERLAP_AT), number(SCORE_AT))


def _thresholds(most: float | None, overlap: float | None, score: float | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if most is not None and 1 <= most <= MOST_DETECTIONS:
        found["max_detections"] = int(most)
    if overlap is not None and 0 < overlap <= 1:
        found["nms_threshold"] = round(float(overlap), 6)
    if score is not None and 0 <= score <= 1:
        found["score_threshold"] = round(float(score), 6)
    return found


def _nodes(
    graph: onnx.GraphProto, held: Mapping[str, NDArray[Any]] | None = None, depth: int = 0
) -> Iterator[tuple[NodeProto, Mapping[str, NDArray[Any]]]]:
    """All nodes, those of graphs within among them, each with the constants that it sees."""
    small = {item.name: item for item in graph.initializer if len(item.dims) <= 1}
    own = {**(held or {}), **{name: onnx.numpy_helper.to_array(item) for name, item in small.items()}}
    for node in graph.node:
        value = attribute(node, "value") if node.op_type == "Constant" else None
        if isinstance(value, onnx.TensorProto) and len(value.dims) <= 1:
            own[node.output[0]] = onnx.numpy_helper.to_array(value)
        yield node, own
        for item in node.attribute:
            if item.type == AttributeProto.GRAPH and depth < MOST_DEPTH:
                yield from _nodes(item.g, own, depth + 1)


def _with_anchors(wiring: Wiring, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the anchors of a tensor that the card names, written out.

    Where the card describes them too, the file's own numbers count, for its publisher decodes with those:
    files of int8 have them on a grid of 8 bits. A branch of the graph that computes them is not read.
    """
    anchors = settings.get("anchors")
    described = anchors is not None and "tensor" not in anchors
    told = settings.get("anchors_output") if described or anchors is None else anchors["tensor"]
    if told is None:
        return settings
    found = _anchors_at(wiring, told, settings)
    if found is None and described:
        return settings
    if found is None:
        raise ModelError(
            f"{wiring.path}: {told!r} is no constant of anchors, [N, 4]",
            "write maps, sizes and ratios in [detection.anchors]",
        )
    if described and anchors is not None:
        _check_alike(wiring, found, anchors_of(anchors))
    return {**settings, "anchors": {"values": written_out(found)}}


def _anchors_at(wiring: Wiring, told: Any, settings: Mapping[str, Any]) -> NDArray[np.float64] | None:
    """Anchors that stand in a file in the form of its codes: float64 [N, 4] of center, width and height."""
    outputs = wiring.outputs
    name = outputs[told] if isinstance(told, int) and told < len(outputs) else str(told)
    values = wiring.constant(name)
    coding = settings.get("coding", "")
    if values is None or values.size % BOX or values.shape[-1] != BOX or coding not in ORDERS:
        return None
    given = list(settings.get("order", ORDERS[coding]))
    ordered = values.reshape(-1, BOX).astype(np.float64)[:, [given.index(key) for key in ORDERS[coding]]]
    if coding == "corner-offset":
        low, high = ordered[:, :2], ordered[:, 2:]
        ordered = np.concatenate([(low + high) / 2, high - low], axis=1)
    return ordered


def _check_alike(wiring: Wiring, found: NDArray[np.float64], told: NDArray[np.float64]) -> None:
    """The card's anchors are those of the file, but for their rounding."""
    if len(found) != len(told):
        what = f"{len(told):,} anchors in the card, {len(found):,} in the file"
    elif (apart := float(np.abs(found - told).max())) > GRID:
        what = f"the card's anchors are off by {apart:.3g} of the picture from those in the file"
    else:
        return
    raise ModelError(
        f"{wiring.path}: {what}", "leave [detection.anchors] out, or correct maps, sizes and ratios there"
    )
