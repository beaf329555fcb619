"""A detector's outputs as one row, whatever form they come in; what does not fit is named with its count."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from edgenet.errors import ModelError
from edgenet.original.detector.row import Row, row_of
from tests.original.detector.nets import MAPS, SIDE, Net, fed

PATH = Path("net.onnx")
CARD = {"scores": 0, "boxes": 1, "background": 0, "anchors": {"maps": list(MAPS)}}
CLASSES = 2


def joined(proto: onnx.ModelProto, card: Mapping[str, Any] = CARD, classes: int = CLASSES) -> Row:
    row = row_of(proto, card, classes, fed(), PATH)
    onnx.checker.check_model(proto, full_check=True)
    return row


def answers(proto: onnx.ModelProto, *names: str) -> list[np.ndarray]:
    image = np.random.default_rng(1).normal(size=(1, 3, SIDE, SIDE)).astype(np.float32)
    return list(ReferenceEvaluator(proto).run(list(names) or None, {"image": image}))


def wanted(net: Net) -> np.ndarray:
    """The row of the two outputs that the net gives by itself."""
    return np.concatenate([part.reshape(1, -1) for part in answers(net.model(), "scores", "boxes")], axis=1)


@pytest.mark.parametrize(("ending", "meaning"), [("Softmax", "softmax"), ("Sigmoid", "sigmoid")])
def test_scores_then_boxes_and_what_the_scores_end_in(ending: str, meaning: str) -> None:
    net = Net().joined(ending)
    proto = net.model()
    row = joined(proto)
    assert (row.meaning, row.settings["activation"]) == ("probabilities", meaning)
    assert (row.settings["columns"], row.settings["codes"]) == (3, 4)
    np.testing.assert_array_equal(answers(proto)[0], wanted(net))


def test_logits_are_activated_as_the_card_says() -> None:
    row = joined(Net().joined().model(), {**CARD, "score_activation": "sigmoid"})
    assert (row.meaning, row.settings["activation"]) == ("logits", "sigmoid")


def test_scores_that_no_activation_is_told_of_are_taken_as_they_are() -> None:
    row = joined(Net().joined().model())
    assert (row.meaning, row.settings["activation"]) == ("probabilities", "none")


def test_an_activation_is_not_applied_twice() -> None:
    row = joined(Net().joined("Sigmoid").model(), {**CARD, "score_activation": "sigmoid"})
    assert (row.meaning, row.settings["activation"]) == ("probabilities", "sigmoid")
    with pytest.raises(ModelError, match=r"behind a sigmoid .* applies softmax to it"):
        joined(Net().joined("Sigmoid").model(), {**CARD, "score_activation": "softmax"})


def test_outputs_go_by_name_too_and_the_rest_is_dropped() -> None:
    net = Net().joined()
    net.outputs = ["other", "boxes", "scores"]
    net.add("Relu", ["scores"], "other")
    proto = net.model()
    joined(proto, {**CARD, "scores": "scores", "boxes": "boxes"})
    np.testing.assert_array_equal(answers(proto)[0], wanted(net))
    assert not [node for node in proto.graph.node if node.op_type == "Relu"]


def test_maps_are_joined_in_the_order_of_the_card_from_channels_first_and_last() -> None:
    net = Net().joined()
    want = wanted(net)
    net.outputs = []
    proto = net.model()
    last = ["boxes4/nhwc", "boxes2/nhwc"]
    proto.graph.output.append(onnx.helper.make_tensor_value_info("scores4", onnx.TensorProto.FLOAT, None))
    joined(proto, {**CARD, "scores": ["scores4", "scores2"], "boxes": last})
    np.testing.assert_array_equal(answers(proto)[0], want)


def test_a_map_that_reads_both_ways_is_read_as_its_convolution_gives_it() -> None:
    net = Net(maps=(8,), anchors=2, columns=4)  # 8 channels of 8x8
    net.joined()
    want = wanted(net)
    for name in ("scores8", "scores8/nhwc"):
        proto = net.model()
        joined(proto, {**CARD, "scores": [name], "boxes": ["boxes8"], "anchors": {"maps": [8]}}, 3)
        np.testing.assert_array_equal(answers(proto)[0], want)


def test_free_batch_and_size_are_the_cards() -> None:
    net = Net().joined()
    proto = net.model("batch", "side")
    joined(proto)
    np.testing.assert_array_equal(answers(proto)[0], wanted(net))


def test_an_output_of_the_other_kind_is_named_with_the_one_that_fits() -> None:
    with pytest.raises(
        ModelError, match=r"scores = 1 is 1x60x4.*3 columns \(2 classes and a background\)"
    ) as e:
        joined(Net().joined().model(), {**CARD, "scores": 1, "boxes": 0})
    assert e.value.remedy == "write scores = 0, which is 'scores' 1x60x3"
    with pytest.raises(ModelError, match="boxes = 0 is 1x60x3") as e:
        joined(Net().joined().model(), {**CARD, "boxes": 0})
    assert e.value.remedy == "write boxes = 1, which is 'boxes' 1x60x4"


@pytest.mark.parametrize(
    ("told", "what", "remedy"),
    [
        (5, "scores = 5, and the file has 2 outputs", "write a number from 0 to 1"),
        ("scoers", "no tensor is called so", "did you mean 'scores'"),
    ],
)
def test_no_such_output(told: object, what: str, remedy: str) -> None:
    with pytest.raises(ModelError, match=what) as error:
        joined(Net().joined().model(), {**CARD, "scores": told})
    assert error.value.remedy.startswith(remedy)


def test_scores_and_boxes_of_other_anchors_are_counted() -> None:
    net = Net().joined()
    card = {**CARD, "boxes": ["boxes4"], "anchors": {}}
    with pytest.raises(ModelError, match="scores of 60 anchors, and boxes of 48"):
        joined(net.model(), card)


def test_maps_in_another_order_are_told() -> None:
    card = {**CARD, "scores": ["scores4", "scores2"], "boxes": ["boxes2", "boxes4"], "anchors": {}}
    with pytest.raises(ModelError, match=r"maps of \[48, 12\] anchors in scores, and of \[12, 48\] in boxes"):
        joined(Net().joined().model(), card)


def test_a_map_of_another_side_than_the_cards() -> None:
    card = {
        **CARD,
        "scores": ["scores4", "scores2"],
        "boxes": ["boxes4", "boxes2"],
        "anchors": {"maps": [5, 2]},
    }
    with pytest.raises(ModelError, match=r"'scores4' is 1x9x4x4, and the card's map is 5x5"):
        joined(Net().joined().model(), card)


def test_a_softmax_over_anchors_is_refused() -> None:
    net = Net().joined()
    net.add("Softmax", ["scores"], "wrong", axis=1)
    net.outputs = ["wrong", "boxes"]
    with pytest.raises(ModelError, match="Softmax 'wrong' is not over the 3 columns"):
        joined(net.model())


def test_rounding_behind_probabilities_is_taken_out() -> None:
    net = Net().joined("Sigmoid")
    parts = [net.keep("scale", 1 / 256), net.keep("zero", -128, np.int8)]
    net.add("QuantizeLinear", ["scores", *parts], "whole")
    net.add("DequantizeLinear", ["whole", *parts], "rounded")
    net.outputs = ["rounded", "boxes"]
    proto = net.model()
    assert joined(proto).meaning == "probabilities"
    np.testing.assert_array_equal(answers(proto)[0], wanted(net))


@pytest.mark.parametrize("anchors", [3, 4])
def test_boxes_with_an_axis_of_one_are_rows(anchors: int) -> None:
    """As TensorFlow's Object Detection API gives them; so many that they could be channels of a map too."""
    net = Net(anchors=anchors).joined("Softmax")
    net.add("Reshape", ["boxes", net.keep("shape", [1, -1, 1, 4], np.int64)], "raw")
    net.outputs = ["scores", "raw"]
    proto, expected = net.model(), wanted(net)
    joined(proto)
    np.testing.assert_array_equal(answers(proto)[0], expected)


def test_flat_outputs_are_rows() -> None:
    """As Caffe's SSD gives them."""
    net = Net().joined("Softmax")
    net.outputs = [net.add("Flatten", [name], f"flat_{name}", axis=1) for name in ("scores", "boxes")]
    proto, expected = net.model(), wanted(net)
    joined(proto)
    np.testing.assert_array_equal(answers(proto)[0], expected)


def test_scores_and_boxes_of_one_shape_that_are_exchanged_are_known_by_the_activation() -> None:
    net = Net(columns=4).joined("Softmax")
    with pytest.raises(ModelError, match="boxes are behind a Softmax in the file, and the scores are not"):
        joined(net.model(), {**CARD, "scores": 1, "boxes": 0}, 3)
    with pytest.raises(ModelError, match="1 is named as scores and as boxes: name two tensors"):
        joined(net.model(), {**CARD, "scores": 1, "boxes": 1}, 3)


def test_columns_of_maps_without_names_are_counted() -> None:
    net = Net()
    net.outputs = [*net.scores, *net.boxes]
    row = joined(net.model(), {**CARD, "scores": [0, 1], "boxes": [2, 3]}, 0)
    assert row.settings["columns"] == 3
