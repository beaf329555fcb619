"""The canonical form is held to the graph that was given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from edgenet.errors import ModelError
from edgenet.golden import Golden
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.given.take import take_given
from edgenet.steps.given import check_taken
from tests.graph.given.nets import Style, network, pictures, simulated


def test_the_same_network_passes_and_another_does_not() -> None:
    given, shown = network(Style()), pictures(4)
    golden = Golden("synthetic", {}, np.concatenate(shown), simulated(given, shown))
    taken = take_given(given)
    stage = check_taken(given.task, taken, golden)
    assert (stage["images"], stage["agreement"]) == (4, 1.0)
    assert stage["max_abs"] < 1e-4
    proto = type(taken.proto)()
    proto.CopyFrom(taken.proto)
    for item in proto.graph.initializer:
        if "kernel" in item.name and item.name.endswith("whole"):
            item.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(item), item.name))
    with pytest.raises(ModelError, match="as edgenet reads it differs from the model by .* bug in edgenet"):
        check_taken(given.task, replace(taken, proto=proto), golden)


def test_a_network_that_is_sure_is_compared_as_far_as_its_probabilities_tell() -> None:
    """The given graph ends in a Sigmoid, to which 12 and 15 are one; the canonical form in what it read."""
    given, shown = network(Style()), pictures(4)
    proto = type(given.proto)()
    proto.CopyFrom(given.proto)
    _end_in_sigmoid(proto)
    sure = replace(given, proto=proto, task_name="binary", output="probabilities")
    taken = take_given(sure)
    assert taken.output == "logits"
    answers = simulated(sure, shown)
    assert np.abs(Evaluator(taken.proto).row(shown[0])).max() > 10.0
    golden = Golden("synthetic", {}, np.concatenate(shown), answers)
    assert check_taken(sure.task, taken, golden)["max_abs"] < 1e-3


def _end_in_sigmoid(proto: onnx.ModelProto) -> None:
    """One number of the scores, many times as large as any step, and its Sigmoid."""
    scores = proto.graph.output[0].name
    add = proto.graph.initializer.append
    for name, value in (("scale", np.float32(0.5)), ("zero", np.uint8(0)), ("some", np.array([0], np.int64))):
        add(numpy_helper.from_array(np.asarray(value), f"end/{name}"))
    add(numpy_helper.from_array(np.float32([[30.0]]), "end/times"))
    made = [
        helper.make_node("ReduceMax", [scores], ["end/one"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["end/one", "end/times"], ["end/large"]),
        helper.make_node("QuantizeLinear", ["end/large", "end/scale", "end/zero"], ["end/whole"]),
        helper.make_node("DequantizeLinear", ["end/whole", "end/scale", "end/zero"], ["end/real"]),
        helper.make_node("Sigmoid", ["end/real"], ["sure"]),
    ]
    proto.graph.node.extend(made)
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("sure", 1, [1, 1]))
