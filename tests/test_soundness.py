"""Models that cannot be right, whatever their card says: refused with the tensor or the line to write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgenet.errors import ModelError
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.soundness import doubts
from edgenet.steps.compile import compile
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


def test_a_tensor_of_another_size_than_its_shape_is_named(tmp_path: Path) -> None:
    """The fuzzer's: it came out as NumPy's own error from wherever the tensor was read first."""
    path = network(tmp_path)
    proto = onnx.load(path)
    del proto.graph.initializer[0].dims[:]
    onnx.save(proto, path)
    with pytest.raises(ModelError, match="tensor 'w' does not hold what its shape says"):
        Model.load(path)


def test_operators_that_do_not_fit_each_other_are_told(tmp_path: Path) -> None:
    """ONNX Runtime finds it only when it runs, with an exception of its own."""
    path = network(tmp_path, lo=np.zeros(2))
    with pytest.raises(ModelError, match=r"cannot run the graph .*: export the model again"):
        compile(path, "local", "tflite", "fp32", cache=False)


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


def test_logarithms_of_probabilities_are_read_as_probabilities(tmp_path: Path) -> None:
    """Their mean says as little as that of probabilities; the card may call them logits."""
    assert Model.load(network(tmp_path, ends("LogSoftmax"))).output == "probabilities"


def test_a_model_that_still_trains_is_refused(tmp_path: Path) -> None:
    """torch exports Dropout so with ``TrainingMode.TRAINING``: every answer differs from the last."""
    dropped = [helper.make_node("Dropout", ["l", "ratio", "mode"], ["y"], name="drop")]
    path = network(tmp_path, dropped, ratio=np.array(0.5))
    proto = onnx.load(path)
    proto.graph.initializer.append(numpy_helper.from_array(np.array(True), "mode"))
    onnx.save(proto, path)
    with pytest.raises(ModelError, match=r"Dropout 'drop' is in training mode.*model.eval\(\)"):
        Model.load(path)
    proto.graph.initializer[-1].CopyFrom(numpy_helper.from_array(np.array(False), "mode"))
    onnx.save(proto, path)
    assert Model.load(path).classes == 4


def test_a_model_that_draws_lots_is_refused(tmp_path: Path) -> None:
    noise = [
        helper.make_node("RandomNormalLike", ["l"], ["n"], name="noise"),
        helper.make_node("Add", ["l", "n"], ["y"]),
    ]
    with pytest.raises(ModelError, match="RandomNormalLike 'noise' draws random numbers"):
        Model.load(network(tmp_path, noise))


def how(mean: tuple[float, ...], std: tuple[float, ...]) -> Preprocessing:
    return Preprocessing((8, 8), "rgb", "stretch", None, "bilinear", mean, std)  # type: ignore[arg-type]


def reading(*operators: str) -> onnx.ModelProto:
    """A graph that reads its input by these operators, one after the other."""
    nodes, at = [], "x"
    for index, kind in enumerate(operators):
        more = {"Conv": ["w"], "Transpose": []}.get(kind, ["c"])
        nodes.append(helper.make_node(kind, [at, *more], [f"t{index}"], name=f"n{index}"))
        at = f"t{index}"
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info(at, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones((4, 3, 1, 1), np.float32), "w")],
    )
    constant = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.float32(1 / 127.5)))
    graph.node.insert(0, constant)
    return helper.make_model(graph)


def test_a_mean_of_pixels_from_0_to_1_is_doubted() -> None:
    plain = reading("Conv")
    (line,) = doubts(plain, how((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    assert "mean (0.485, 0.456, 0.406) and std (0.229, 0.224, 0.225) look as for pixels from 0 to 1" in line
    assert len(doubts(plain, how((0.0,) * 3, (0.5,) * 3))) == 1
    for mean, std in ((0.0, 1.0), (127.5, 127.5), (0.0, 255.0), (127.5, 1.0), (0.0, 58.0)):
        assert doubts(plain, how((mean,) * 3, (std,) * 3)) == ()


def test_a_normalization_in_the_graph_and_in_the_card_is_doubted() -> None:
    twice = how((127.5,) * 3, (127.5,) * 3)
    for kinds in (("Mul", "Add", "Conv"), ("Transpose", "Sub", "Div", "Transpose", "Conv")):
        (line,) = doubts(reading(*kinds), twice)
        assert "the graph scales its input itself" in line
        assert "write mean = [0, 0, 0] and std = [1, 1, 1]" in line
        assert doubts(reading(*kinds), how((0.0,) * 3, (1.0,) * 3)) == ()
    assert doubts(reading("Conv", "Mul", "Add"), twice) == ()
    assert "(Mul 'n0' and Add 'n1')" in doubts(reading("Mul", "Add", "Conv"), twice)[0]


@pytest.mark.parametrize(
    ("kind", "domain", "message"),
    [
        (
            "FusedConv",
            "com.microsoft",
            "FusedConv 'odd' is of com.microsoft: the file was optimized for",
        ),
        (
            "Conv",
            "com.microsoft.nchwc",
            "is of com.microsoft.nchwc: the file was optimized",
        ),
        ("Mystery", "org.example", "Mystery 'odd' is an operator of the domain 'org.example'.*the layer"),
    ],
)
def test_operators_of_others_are_named(tmp_path: Path, kind: str, domain: str, message: str) -> None:
    odd = [helper.make_node(kind, ["l"], ["y"], name="odd", domain=domain)]
    path = network(tmp_path, odd)
    proto = onnx.load(path)
    proto.opset_import.append(helper.make_opsetid(domain, 1))
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ModelError, match=message):
        Model.load(path)
