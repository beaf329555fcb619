"""Passes keep what a network computes: held to the network as the user gave it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.fold_normalization import fold_normalization
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.verify.reference import Reference
from tests.conftest import smooth_images

IMAGENET = {"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)}


def small(nodes: list, weights: dict[str, np.ndarray], preprocessing: Preprocessing, classes: int) -> Model:
    """A model around some nodes from ``x`` [1, 3, H, W] to ``y`` [1, classes]."""
    height, width = preprocessing.size
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, height, width])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, classes])],
        [
            numpy_helper.from_array(value if value.dtype == np.int64 else value.astype(np.float32), name)
            for name, value in weights.items()
        ],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return Model("small", proto, preprocessing, "logits", 0, (), "0" * 64)


def settings_for(size: tuple[int, int], color: str = "rgb", **how: tuple[float, ...]) -> Preprocessing:
    how = how or {"mean": (127.5,) * 3, "std": (127.5,) * 3}
    return Preprocessing(size, color, "stretch", None, "bilinear-antialias", **how)  # type: ignore[arg-type]


def same(model: Model, tolerance: float = 2e-5) -> Model:
    """Prepare a model and check that it computes what it computed, on noise with extreme pixels."""
    prepared = prepare(model)
    reference = Reference(model.proto, model.preprocessing, model.task)
    evaluator = Evaluator(prepared.proto)
    generator = np.random.default_rng(0)
    for _ in range(3):
        pixels = generator.integers(0, 256, (1, *model.preprocessing.size, 3), dtype=np.uint8)
        expected, got = reference.run(pixels), evaluator.row(pixels)
        assert np.abs(expected - got).max() <= tolerance * max(1.0, np.ptp(expected))
    return prepared


def test_a_whole_mobilenet(model: Model) -> None:
    prepared = same(model)
    kinds = Counter(node.op_type for node in prepared.proto.graph.node)
    assert kinds == {
        "Transpose": 1, "Cast": 1, "Add": 1, "Conv": 28, "Clip": 27, "GlobalAveragePool": 1, "Flatten": 1,
    }  # fmt: skip
    entry = prepared.proto.graph.input[0]
    assert entry.name == "pixels"
    assert entry.type.tensor_type.elem_type == TensorProto.UINT8


@given(
    st.integers(4, 10),
    st.integers(4, 10),
    st.sampled_from([1, 2]),
    st.tuples(*[st.integers(0, 1)] * 4),
    st.sampled_from(["rgb", "bgr"]),
    st.sampled_from([{}, IMAGENET]),
)
@settings(max_examples=40)
def test_normalization_folds_with_its_borders(
    height: int, width: int, stride: int, pads: tuple[int, ...], color: str, how: dict
) -> None:
    """The padded border is where folding goes wrong: a padded zero means the mean color, not black."""
    generator = np.random.default_rng(height * 100 + width)
    weights = {"w": generator.normal(size=(4, 3, 3, 3)), "b": generator.normal(size=4)}
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], strides=[stride] * 2, pads=list(pads)),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    same(small(nodes, weights, settings_for((height, width), color, **how), 4))


def test_mean_goes_into_the_bias_without_padding() -> None:
    weights = {"w": np.ones((2, 3, 3, 3)), "b": np.zeros(2)}
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    prepared = same(small(nodes, weights, settings_for((8, 8)), 2))
    assert "Add" not in {node.op_type for node in prepared.proto.graph.node}


def test_folding_by_hand() -> None:
    """A pixel of 100 is (100 - 20) / 40 = 2: a weight of 3 makes 6 of it, and so does 0.075 * 100 - 1.5."""
    weights = {"w": np.full((1, 3, 1, 1), 3.0), "b": np.array([5.0])}
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], name="entry"),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    how = {"mean": (20.0, 10.0, 0.0), "std": (40.0, 30.0, 1.0)}
    for color, kernel in (("rgb", [0.075, 0.1, 3.0]), ("bgr", [3.0, 0.1, 0.075])):
        model = small(nodes, weights, settings_for((8, 12), color, **how), 1)
        graph = Graph(model.proto)
        assert fold_normalization(graph, model.preprocessing) == 1
        assert graph.constants["entry/kernel_of_pixels"].reshape(-1).tolist() == pytest.approx(kernel)
        assert graph.constants["entry/bias_of_pixels"].tolist() == [5.0 - 1.5 - 1.0]
        assert [node.op_type for node in graph.nodes[:3]] == ["Transpose", "Cast", "Conv"]
        for name in ("pixels/planes", "pixels/float"):
            assert graph.shape(name) == (1, 3, 8, 12)


def test_a_channel_whose_mean_is_zero_does_not_keep_the_others_from_theirs() -> None:
    weights = {"w": np.random.default_rng(0).normal(size=(4, 3, 3, 3)), "b": np.zeros(4)}
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1] * 4),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    model = small(nodes, weights, settings_for((8, 8), mean=(0.0, 80.0, 90.0), std=(1.0, 60.0, 70.0)), 4)
    prepared = same(model)
    graph = Graph(model.proto)
    fold_normalization(graph, model.preprocessing)
    assert graph.constants["pixels/centered/by"].reshape(-1).tolist() == [0.0, -80.0, -90.0]
    assert graph.shape("pixels/centered") == (1, 3, 8, 8)
    assert "first/kernel_of_pixels" in graph.constants
    assert "Mul" not in {node.op_type for node in prepared.proto.graph.node}


@pytest.mark.parametrize("readers", [1, 2])
def test_an_nhwc_input_is_turned_before_it_is_normalized(readers: int) -> None:
    kinds = ["Relu"] if readers == 1 else ["Transpose", "Relu"]
    nodes = [helper.make_node(kind, ["x"], [f"t{number}"], name=kind) for number, kind in enumerate(kinds)]
    nodes.append(helper.make_node("Flatten", ["t0"], ["y"]))
    shape = [1, 8, 8, 3]
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    out = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    opset = [helper.make_opsetid("", 13)]
    proto = helper.make_model(helper.make_graph(nodes, "g", ends, out, []), opset_imports=opset)
    with pytest.raises(ValueError, match="to_nchw was not run"):
        fold_normalization(Graph(proto), settings_for((8, 8)))


@pytest.mark.parametrize("pads", [(0, 0), (1, 0), (1, 1)])
@pytest.mark.parametrize("color", ["rgb", "bgr"])
def test_every_reader_of_the_input_is_normalized(pads: tuple[int, int], color: str) -> None:
    """Two branches begin at the input: folded into one alone, the other read raw pixels and was off by 99."""
    generator = np.random.default_rng(4)
    weights = {name: generator.normal(size=(4, 3, 3, 3)) for name in ("v", "w")}
    nodes = [
        helper.make_node("Conv", ["x", "v"], ["a"], pads=[pads[0]] * 4),
        helper.make_node("Conv", ["x", "w"], ["b"], pads=[pads[1]] * 4),
        helper.make_node("GlobalAveragePool", ["a"], ["pa"]),
        helper.make_node("GlobalAveragePool", ["b"], ["pb"]),
        helper.make_node("Add", ["pa", "pb"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    same(small(nodes, weights, settings_for((8, 8), color, **IMAGENET), 4))


def test_an_input_that_something_else_reads_too_keeps_its_normalization() -> None:
    weights = {"w": np.random.default_rng(5).normal(size=(3, 3, 1, 1))}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("GlobalAveragePool", ["a"], ["pa"]),
        helper.make_node("GlobalAveragePool", ["x"], ["px"]),
        helper.make_node("Add", ["pa", "px"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    same(small(nodes, weights, settings_for((8, 8), **IMAGENET), 3))
    same(small(nodes, weights, settings_for((8, 8), "bgr", **IMAGENET), 3))


@pytest.mark.parametrize("moved", [["Transpose", "Flatten"], ["Identity", "Flatten"], ["Squeeze"]])
def test_logits_behind_a_softmax_are_centered_whatever_moves_them(moved: list[str]) -> None:
    weights = {"w": np.random.default_rng(6).normal(3, 1, (4, 3, 1, 1)), "axes": np.array([2, 3])}
    nodes, name = (
        [helper.make_node("GlobalAveragePool", ["x"], ["p"]), helper.make_node("Conv", ["p", "w"], ["c"])],
        "c",
    )
    for index, kind in enumerate(moved):
        how = {"perm": [0, 2, 3, 1]} if kind == "Transpose" else {}
        inputs = [name, "axes"] if kind == "Squeeze" else [name]
        nodes.append(helper.make_node(kind, inputs, [f"m{index}"], **how))
        name = f"m{index}"
    nodes.append(helper.make_node("Softmax", [name], ["y"], axis=1))
    model = small(nodes, weights, settings_for((8, 8)), 4)
    same(replace(model, output="probabilities"))


def test_first_layer_that_is_no_convolution() -> None:
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["p"]), helper.make_node("Flatten", ["p"], ["y"])]
    same(small(nodes, {}, settings_for((8, 8), **IMAGENET), 3))
    same(small(nodes, {}, settings_for((8, 8), "bgr", **IMAGENET), 3))


@pytest.mark.parametrize("kind", ["Gemm", "Gemm-transposed", "MatMul", "MatMul-Add"])
@pytest.mark.parametrize("pool", ["GlobalAveragePool", "ReduceMean", "ReduceMean-flat"])
def test_heads_of_every_exporter(kind: str, pool: str) -> None:
    generator = np.random.default_rng(1)
    weights = {"w": generator.normal(size=(6, 3, 3, 3)), "d": generator.normal(size=(6, 4))}
    weights["e"] = generator.normal(size=4)
    flat = pool == "ReduceMean-flat"
    name = "f" if flat else "p"
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1])]
    if pool == "GlobalAveragePool":
        nodes.append(helper.make_node(pool, ["c"], ["p"]))
    else:
        nodes.append(helper.make_node("ReduceMean", ["c"], [name], axes=[2, 3], keepdims=0 if flat else 1))
    if not flat:
        nodes.append(helper.make_node("Flatten", ["p"], ["f"]))
    if kind == "Gemm":
        nodes.append(helper.make_node("Gemm", ["f", "d", "e"], ["y"], alpha=0.5, beta=2.0))
    elif kind == "Gemm-transposed":
        weights["d"] = weights["d"].T.copy()
        nodes.append(helper.make_node("Gemm", ["f", "d", "e"], ["y"], transB=1))
    elif kind == "MatMul":
        nodes.append(helper.make_node("MatMul", ["f", "d"], ["y"]))
    else:
        nodes += [helper.make_node("MatMul", ["f", "d"], ["m"]), helper.make_node("Add", ["e", "m"], ["y"])]
    prepared = same(small(nodes, weights, settings_for((8, 8)), 4))
    kinds = [node.op_type for node in prepared.proto.graph.node]
    assert kinds[-3:] == ["GlobalAveragePool", "Conv", "Flatten"]


def test_zero_padding_joins_the_convolution() -> None:
    weights = {"w": np.random.default_rng(2).normal(size=(4, 3, 3, 3)), "z": np.zeros(())}
    nodes = [
        helper.make_node("Pad", ["x", "pads", "z"], ["q"]),
        helper.make_node("Conv", ["q", "w"], ["c"], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    model = small(nodes, weights, settings_for((8, 8)), 4)
    model.proto.graph.initializer.append(
        numpy_helper.from_array(np.array([0, 0, 0, 0, 0, 0, 1, 1], np.int64), "pads")
    )
    assert "Pad" not in {node.op_type for node in same(model).proto.graph.node}


def test_softmax_is_left_to_the_reader() -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Softmax", ["f"], ["y"], axis=1),
    ]
    weights = {"w": np.random.default_rng(4).normal(size=(4, 3, 3, 3))}
    model = replace(small(nodes, weights, settings_for((8, 8)), 4), output="probabilities")
    prepared = same(model, 1e-4)
    assert prepared.output == "logits"
    assert "Softmax" not in {node.op_type for node in prepared.proto.graph.node}


def test_nhwc_input_of_tensorflow_exports() -> None:
    weights = {"w": np.random.default_rng(5).normal(size=(4, 3, 3, 3))}
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "w"], ["c"], pads=[0, 0, 1, 1], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    model = small(nodes, weights, settings_for((8, 6)), 4)
    dims = model.proto.graph.input[0].type.tensor_type.shape.dim
    for dim, value in zip(dims, [1, 8, 6, 3], strict=True):
        dim.dim_value = value
    same(model)


def test_batch_normalization_after_something_else_is_a_product_and_a_sum() -> None:
    weights = {"w": np.ones((3, 3, 1, 1))} | {name: np.ones(3) for name in ("g", "o", "m", "v")}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("BatchNormalization", ["r", "g", "o", "m", "v"], ["n"]),
        helper.make_node("GlobalAveragePool", ["n"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    prepared = same(small(nodes, weights, settings_for((4, 4)), 3))
    kinds = {node.op_type for node in prepared.proto.graph.node}
    assert "BatchNormalization" not in kinds
    assert kinds >= {"Mul", "Add"}


def test_the_users_model_is_not_touched(model: Model) -> None:
    before = model.proto.SerializeToString(deterministic=True)
    prepare(model)
    assert model.proto.SerializeToString(deterministic=True) == before


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["mobilenet_v1_025_224", "mobilenet_v2_035_224_flowers5", "vww_mobilenet_v1_025_96"]
)
def test_real_models(shared: Path, name: str) -> None:
    same(Model.load(shared / "data" / "models" / f"{name}.onnx"), 1e-5 if "vww" not in name else 1e-4)


def test_identities_disappear_and_the_output_keeps_its_name() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Identity", ["a"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Identity", ["c"], ["y"]),
    ]
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy"]
    proto = helper.make_model(
        helper.make_graph(nodes, "g", info[:1], info[1:]), opset_imports=[helper.make_opsetid("", 13)]
    )
    graph = Graph(proto)
    assert [(n.op_type, list(n.input), list(n.output)) for n in graph.proto().graph.node] == [
        ("Relu", ["x"], ["a"]),
        ("Relu", ["a"], ["y"]),
    ]
    onnx.checker.check_model(graph.proto())


def test_images_helper_makes_images() -> None:
    assert all(image.dtype == np.uint8 and image.std() > 20 for image in smooth_images(3))


@pytest.mark.parametrize("nhwc", [False, True])
def test_keras_rescaling_layer_is_read_as_docs_preprocessing_says(nhwc: bool) -> None:
    """MobileNetV3's own preprocessing, with either layout: it becomes part of the first layer."""
    weights = {
        "scale": np.array(1 / 127.5),
        "offset": np.array(-1.0),
        "w": np.random.default_rng(0).normal(0, 0.3, (4, 3, 3, 3)),
    }
    turn = [helper.make_node("Transpose", ["b"], ["c"], perm=[0, 3, 1, 2])] if nhwc else []
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["a"]),
        helper.make_node("Add", ["a", "offset"], ["b"]),
        *turn,
        helper.make_node("Conv", ["c" if nhwc else "b", "w"], ["d"]),
        helper.make_node("GlobalAveragePool", ["d"], ["e"]),
        helper.make_node("Flatten", ["e"], ["y"]),
    ]
    model = small(nodes, weights, settings_for((8, 8), mean=(0.0,) * 3, std=(1.0,) * 3), 4)
    if nhwc:
        shape = model.proto.graph.input[0].type.tensor_type.shape
        for dim, side in zip(shape.dim, (1, 8, 8, 3), strict=True):
            dim.dim_value = side
    same(model)
