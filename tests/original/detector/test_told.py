"""Detectors that decode and pick boxes say how: as TensorFlow's and torchvision's exporters write it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from edgenet.agent.detection.anchors import anchors_of
from edgenet.agent.detection.coding import Coding
from edgenet.errors import ModelError
from edgenet.onnx_file import parse_onnx
from edgenet.original.detector.row import Row, row_of
from tests.original.detector.nets import MAPS, SIDE, Net, fed

PATH = Path("net.onnx")
CLASSES = 2
VARIANCES = [0.1, 0.1, 0.2, 0.2]


def grid(net: Net) -> np.ndarray:
    """float32 [60, 4]: center x, center y, width, height; three sizes a cell."""
    made = []
    for side in MAPS:
        for row in range(side):
            for column in range(side):
                made += [
                    [(column + 0.5) / side, (row + 0.5) / side, 0.8 / side, size / side]
                    for size in (0.5, 1, 2)
                ]
    return np.array(made, np.float32)


def decoded_as_tensorflow(net: Net) -> str:
    """faster_rcnn_box_coder.py of the Object Detection API: y, x, h, w; corners y, x, y, x."""
    anchors = grid(net)
    parts = [net.keep(f"anchor{at}", anchors[:, at]) for at in (1, 0, 3, 2)]
    rows = net.add("Squeeze", ["boxes", net.keep("first", [0], np.int64)], "codes")
    turned = net.add("Transpose", [rows], "turned", perm=[1, 0])
    halves = net.keep("half", 2.0)
    net.nodes.append(
        helper.make_node("Split", [turned], ["ty", "tx", "th", "tw"], name="split", axis=0, num_outputs=4)
    )
    flat = net.keep("flat", [-1], np.int64)
    codes = []
    for at, name in enumerate(("ty", "tx", "th", "tw")):
        own = net.add("Reshape", [name, flat], f"{name}/flat")
        codes.append(net.add("Div", [own, net.keep(f"{name}/scale", 1 / VARIANCES[at])], f"{name}/scaled"))
    ends = []
    for at, axis in enumerate("yx"):
        size = net.add("Mul", [net.add("Exp", [codes[2 + at]], f"{axis}/exp"), parts[2 + at]], f"{axis}/size")
        move = net.add("Mul", [codes[at], parts[2 + at]], f"{axis}/move")
        center = net.add("Add", [move, parts[at]], f"{axis}/center")
        half = net.add("Div", [size, halves], f"{axis}/half")
        ends.append((center, half))
    corners = [
        net.add(kind, [center, half], f"corner{at}{kind}")
        for kind in ("Sub", "Add") for at, (center, half) in enumerate(ends)
    ]  # fmt: skip
    axis = net.keep("one", [1], np.int64)
    columns = [net.add("Unsqueeze", [name, axis], f"{name}/column") for name in corners]
    return net.add("Concat", columns, "decoded", axis=1)


def decoded_as_torchvision(net: Net) -> str:
    """_utils.BoxCoder.decode_single of torchvision: corners x, y, x, y in pixels, limits on sizes."""
    anchors = grid(net) * SIDE
    columns = []
    rows = net.add("Squeeze", ["boxes", net.keep("first", [0], np.int64)], "codes")
    for at in range(4):
        where = [
            net.keep(f"cut{at}{key}", [value], np.int64)
            for key, value in (("begin", at), ("end", at + 1), ("axis", 1))
        ]
        cut = net.add("Slice", [rows, *where], f"cut{at}")
        columns.append(net.add("Mul", [cut, net.keep(f"variance{at}", VARIANCES[at])], f"scaled{at}"))
    limit = net.keep("limit", np.log(1000 / 16))
    ends = []
    for at in range(2):
        own = [net.keep(f"anchor{at}{key}", anchors[:, key : key + 1]) for key in (at, 2 + at)]
        clipped = net.add("Clip", [columns[2 + at], "", limit], f"clipped{at}")
        size = net.add("Mul", [net.add("Exp", [clipped], f"exp{at}"), own[1]], f"size{at}")
        center = net.add("Add", [net.add("Mul", [columns[at], own[1]], f"move{at}"), own[0]], f"center{at}")
        ends.append((center, net.add("Mul", [size, net.keep(f"half{at}", 0.5)], f"half_size{at}")))
    corners = [
        net.add(kind, [center, half], f"corner{at}{kind}")
        for kind in ("Sub", "Add") for at, (center, half) in enumerate(ends)
    ]  # fmt: skip
    return net.add("Concat", corners, "decoded", axis=1)


def picking(decode: Any, ending: str) -> Net:
    """A net that gives the indices of the boxes it picks, and no head."""
    net = Net().joined(ending)
    decoded = net.add("Unsqueeze", [decode(net), net.keep("batch", [0], np.int64)], "batched")
    turned = net.add("Transpose", ["scores"], "by_class", perm=[0, 2, 1])
    numbers = [net.keep("most", [40], np.int64), net.keep("overlap", [0.55]), net.keep("least", [0.05])]
    net.add("NonMaxSuppression", [decoded, turned, *numbers], "picked")
    net.outputs = ["picked"]
    return net


def model(net: Net) -> onnx.ModelProto:
    made = net.model()
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    return made


def completed(proto: onnx.ModelProto, **card: Any) -> Row:
    row = row_of(proto, card, CLASSES, fed(), PATH)
    onnx.checker.check_model(proto, full_check=True)
    return row


@pytest.mark.parametrize(
    ("decode", "ending", "order"),
    [
        (decoded_as_tensorflow, "Sigmoid", ["cy", "cx", "height", "width"]),
        (decoded_as_torchvision, "Softmax", ["cx", "cy", "width", "height"]),
    ],
)
def test_an_empty_card_is_completed_by_the_graph(decode: Any, ending: str, order: list[str]) -> None:
    net = picking(decode, ending)
    proto = model(net)
    own = completed(proto).settings
    assert (own["scores"], own["boxes"], own["background"]) == ("scores", "boxes", 0)
    assert (own["coding"], own["order"], own["variances"]) == ("center-size", order, VARIANCES)
    assert (own["nms_threshold"], own["score_threshold"], own["max_detections"]) == (0.55, 0.05, 40)
    np.testing.assert_allclose(anchors_of(own["anchors"]), grid(net), atol=1e-6)


def test_boxes_are_those_that_the_graph_decodes() -> None:
    net = picking(decoded_as_tensorflow, "Sigmoid")
    whole = model(net)
    image = np.random.default_rng(2).normal(size=(1, 3, SIDE, SIDE)).astype(np.float32)
    kept = onnx.ModelProto.FromString(whole.SerializeToString())
    del kept.graph.output[:]
    kept.graph.output.append(helper.make_tensor_value_info("decoded", TensorProto.FLOAT, None))
    kept.graph.output.append(helper.make_tensor_value_info("boxes", TensorProto.FLOAT, None))
    decoded, codes = ReferenceEvaluator(kept).run(None, {"image": image})
    own = completed(whole).settings
    ours = Coding(own).boxes(codes[0], anchors_of(own["anchors"]))
    np.testing.assert_allclose(ours[:, [1, 0, 3, 2]], decoded, atol=1e-4)


def test_what_the_card_says_stays() -> None:
    own = completed(
        model(picking(decoded_as_tensorflow, "Sigmoid")), nms_threshold=0.4, coding="corner-offset"
    ).settings
    assert own["nms_threshold"] == 0.4
    assert own["coding"] == "corner-offset"
    assert "variances" not in own


def test_anchors_of_a_tensor_are_as_the_codes_are() -> None:
    net = Net().joined()
    corners = np.array([[0.1, 0.2, 0.5, 0.4]] * 60, np.float32)
    net.keep("anchors", corners[None])
    net.outputs.append(net.add("Identity", ["anchors"], "given"))
    card = {"scores": 0, "boxes": 1, "background": 0, "coding": "corner-offset"}
    for more in ({"anchors": {"tensor": "anchors"}}, {"anchors_output": 2}, {"anchors_output": "given"}):
        own = completed(net.model(), **card, **more).settings
        np.testing.assert_allclose(anchors_of(own["anchors"])[7], [0.3, 0.3, 0.4, 0.2], atol=1e-6)
    with pytest.raises(ModelError, match="'scores4' is no constant of anchors"):
        completed(net.model(), **card, anchors={"tensor": "scores4"})


def described(moved: float, sides: tuple[int, ...] = (2,)) -> Any:
    """What is made of a card that describes anchors which the file has too, one number moved."""
    cells = 3
    table = {"maps": list(sides), "per_cell": [cells] * len(sides), "offset": 0.5}
    anchors = anchors_of({"maps": [2], "per_cell": [cells], "offset": 0.5}).astype(np.float32)
    anchors[5, 0] += moved
    net = Net().joined()
    center, half = anchors[:, :2], anchors[:, 2:] / 2
    corners = np.concatenate([center - half, center + half], axis=1)
    net.keep("anchors", corners[None].astype(np.float32))
    net.outputs.append(net.add("Identity", ["anchors"], "given"))
    card = {"scores": 0, "boxes": 1, "background": 0, "coding": "corner-offset", "anchors": table}
    return completed(net.model(), **card, anchors_output=2).settings["anchors"]


def test_the_file_s_own_anchors_count_where_the_card_s_are_the_same_but_for_rounding() -> None:
    exact, rounded = (anchors_of(described(moved)) for moved in (0.0, 0.006))
    assert rounded[5, 0] - exact[5, 0] == pytest.approx(0.006, abs=1e-6)


def test_the_card_s_anchors_are_held_to_the_file_s() -> None:
    with pytest.raises(ModelError, match=r"the card's anchors are off by 0\.2 of the picture"):
        described(0.2)
    with pytest.raises(ModelError, match="15 anchors in the card, 12 in the file"):
        described(0.0, (2, 1))


def test_a_picture_without_a_batch_and_what_is_computed_from_its_size() -> None:
    net = picking(decoded_as_torchvision, "Softmax")
    proto = model(net)
    entry = proto.graph.input[0]
    del entry.type.tensor_type.shape.dim[0]
    before = [
        helper.make_node("Unsqueeze", ["image", "batch"], ["batched_image"]),
        helper.make_node("Shape", ["batched_image"], ["size"]),
        helper.make_node("Gather", ["size", "side_at"], ["side"]),
        helper.make_node("Sub", ["side", "wanted"], ["missing"]),
        helper.make_node("Concat", ["zeros", "missing", "missing"], ["pads"], axis=0),
        helper.make_node("Pad", ["batched_image", "pads"], ["padded"]),
    ]
    for name, value in (("side_at", [2]), ("wanted", [SIDE]), ("zeros", [0] * 6)):
        proto.graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), name))
    for node in proto.graph.node:
        if node.op_type == "Conv":
            node.input[0] = "padded"
    for node in reversed(before):
        proto.graph.node.insert(0, node)
    own = completed(proto).settings
    assert own["variances"] == VARIANCES
    kinds = {node.op_type for node in proto.graph.node}
    assert not kinds & {"Shape", "Pad"}


def test_wires_that_lead_in_a_circle_are_refused() -> None:
    net = picking(decoded_as_tensorflow, "Sigmoid")
    proto = model(net)
    proto.graph.node.append(helper.make_node("Identity", ["round"], ["and"], name="first"))
    proto.graph.node.append(helper.make_node("Identity", ["and"], ["round"], name="second"))
    with pytest.raises(ModelError, match="Identity 'first' reads 'round' before it is made"):
        completed(proto)


def test_joins_of_joins_of_one_tensor_are_followed_once() -> None:
    net = Net().joined()
    last = "scores"
    for at in range(24):
        last = net.add("Concat", [last, last], f"twice{at}", axis=1)
    net.outputs = [last, "boxes"]
    with pytest.raises(ModelError, match="scores of 1,006,632,960 anchors, and boxes of 60"):
        completed(net.model(), scores=0, boxes=1, background=0)


POSTPROCESS = {
    "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0, "num_classes": 2,
    "max_detections": 10, "nms_iou_threshold": 0.6, "nms_score_threshold": 0.1,
}  # fmt: skip


def postprocessed(anchors: np.ndarray, inputs: int = 3, **changes: Any) -> onnx.ModelProto:
    """With TFLite's operator at its end."""
    net = Net().joined("Sigmoid")
    given = ["boxes", "scores", net.keep("anchors", anchors)][:inputs]
    name = "TFLite_Detection_PostProcess"
    net.nodes.append(helper.make_node(name, given, ["found"], domain="TFLITE", **{**POSTPROCESS, **changes}))
    net.outputs = ["found"]
    return net.model()


@pytest.mark.parametrize(
    ("anchors", "changes", "lacking"),
    [
        (np.full((60, 4), 0.5), {}, []),
        (np.full((60, 4), 0.5), {"inputs": 2}, ["anchors"]),
        (np.full((60, 4), np.nan), {}, ["anchors"]),
        (np.full((60, 4), -1.0), {}, ["anchors"]),
        (np.full((60, 3), 0.5), {}, ["anchors"]),
        (np.zeros((0, 4)), {}, ["anchors"]),
        (np.array(1.0), {}, ["anchors"]),
        (np.full((60, 4), 0.5), {"y_scale": "x"}, ["coding"]),
        (np.full((60, 4), 0.5), {"w_scale": 0.0}, ["coding"]),
        (np.full((60, 4), 0.5), {"h_scale": float("nan")}, ["coding"]),
        (np.full((60, 4), 0.5), {"nms_iou_threshold": [1.0, 2.0]}, ["nms_threshold"]),
        (np.full((60, 4), 0.5), {"max_detections": "a"}, ["max_detections"]),
    ],
)
def test_what_a_postprocess_says_wrongly_is_not_taken(
    anchors: np.ndarray, changes: dict[str, Any], lacking: list[str]
) -> None:
    settings = row_of(postprocessed(anchors, **changes), {}, CLASSES, fed(), PATH).settings
    wanted = ("anchors", "coding", "nms_threshold", "max_detections")
    assert [key for key in wanted if key not in settings] == lacking


@pytest.mark.parametrize("wrong", [{"axis": "one"}, {"inputs": []}])
def test_a_node_beside_what_picks_boxes_is_one_of_its_kind(wrong: dict[str, Any]) -> None:
    """Before such a graph is cut, it cannot be checked as a whole."""
    proto = postprocessed(np.full((60, 4), 0.5, np.float32))
    node = next(item for item in proto.graph.node if item.op_type == "Concat")
    if "axis" in wrong:
        node.attribute[0].CopyFrom(helper.make_attribute("axis", wrong["axis"]))
    else:
        node.ClearField("input")
    with pytest.raises(ModelError, match="not a valid ONNX model"):
        parse_onnx(proto.SerializeToString(), "net.onnx", None)


def picked(net: Net, boxes: str) -> Net:
    """With the operator that picks boxes behind some of them."""
    constants = [net.keep("most", 10, np.int64), net.keep("overlap", 0.5), net.keep("least", 0.1)]
    net.add("NonMaxSuppression", [boxes, "scores", *constants], "picked")
    net.outputs = ["picked"]
    return net


@pytest.mark.parametrize("shape", [[], [0], [1, -1, 4], [1, 60, 4, 1], [4, 1 << 40], [1, 1 << 40]])
def test_shapes_that_are_none_of_boxes_are_not_tried(shape: list[int]) -> None:
    """Whatever a damaged graph says of its tensors, it is refused or read; a claim of 2**42 numbers too."""
    net = Net().joined("Softmax")
    net.add("Reshape", ["boxes", net.keep("odd", shape, np.int64)], "moved")
    net.add("Reshape", ["scores", net.keep("odder", shape, np.int64)], "turned")
    proto = picked(net, "moved").model()
    for card in ({}, {"scores": "turned", "boxes": "moved"}):
        with suppress(ModelError):
            row_of(onnx.ModelProto.FromString(proto.SerializeToString()), card, CLASSES, fed(), PATH)
