"""Models that cannot be right, whatever their card says: refused with the tensor or the line to write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgenet.errors import ModelError
from edgenet.model import Model
from tests.conftest import CARD

SIZE = 64


def network(
    tmp_path: Path,
    ending: list[onnx.NodeProto] | None = None,
    output: str = "logits",
    **constants: np.ndarray,
) -> Path:
    """A convolution, clipped and pooled, to four classes ``l`` and whatever follows to ``y``."""
    weights = {
        "w": np.full((4, 3, 3, 3), 0.1),
        "b": np.zeros(4),
        "lo": np.array(0.0),
        "hi": np.array(6.0),
        **constants,
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"]),
        helper.make_node("Clip", ["c", "lo", "hi"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["l"]),
        *(ending or [helper.make_node("Identity", ["l"], ["y"], name="last")]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    path.with_suffix(".toml").write_text(CARD.replace('"logits"', f'"{output}"'))
    return path


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("tensor", ["w", "b"])
def test_a_weight_that_is_no_number_is_named(tmp_path: Path, tensor: str, value: float) -> None:
    weights = {"w": np.full((4, 3, 3, 3), 0.1), "b": np.zeros(4)}[tensor].copy()
    weights.flat[3] = value
    message = rf"tensor '{tensor}' has NaN or infinity in 1 of {weights.size} values: export a checkpoint"
    with pytest.raises(ModelError, match=message):
        Model.load(network(tmp_path, **{tensor: weights}))


def test_a_weight_in_a_node_counts_too(tmp_path: Path) -> None:
    bad = numpy_helper.from_array(np.array([1, np.nan, 1, 1], np.float32))
    ending = [
        helper.make_node("Constant", [], ["k"], value=bad),
        helper.make_node("Mul", ["l", "k"], ["y"]),
    ]
    with pytest.raises(ModelError, match="tensor 'k' has NaN or infinity in 1 of 4 values"):
        Model.load(network(tmp_path, ending))


def test_a_bound_may_be_infinite_and_no_number_never(tmp_path: Path) -> None:
    assert Model.load(network(tmp_path, hi=np.array(np.inf))).classes == 4
    with pytest.raises(ModelError, match="tensor 'hi' has NaN"):
        Model.load(network(tmp_path, hi=np.array(np.nan)))


def ends(kind: str, *moved: str) -> list[onnx.NodeProto]:
    """The operator and, behind it, some that only move its values."""
    nodes, name = [helper.make_node(kind, ["l"], ["s"], name="last")], "s"
    for index, move in enumerate(moved):
        nodes.append(helper.make_node(move, [name], [f"m{index}"]))
        name = f"m{index}"
    nodes[-1].output[0] = "y"
    return nodes


@pytest.mark.parametrize("moved", [(), ("Identity",), ("Flatten", "Identity")])
def test_the_graph_says_what_its_output_is(tmp_path: Path, moved: tuple[str, ...]) -> None:
    with pytest.raises(ModelError, match=r"Softmax 'last', which gives probabilities.*output = \"probab"):
        Model.load(network(tmp_path, ends("Softmax", *moved)))
    assert Model.load(network(tmp_path, ends("Softmax", *moved), "probabilities")).output == "probabilities"
    with pytest.raises(ModelError, match=r"ends in Conv|ends in GlobalAveragePool"):
        Model.load(network(tmp_path, output="probabilities"))
    with pytest.raises(ModelError, match="Sigmoid 'last', which gives each class a probability of its own"):
        Model.load(network(tmp_path, ends("Sigmoid", *moved)))


def test_logarithms_of_probabilities_are_logits(tmp_path: Path) -> None:
    assert Model.load(network(tmp_path, ends("LogSoftmax"))).output == "logits"
