"""Integer operators written as Q/DQ give what ONNX Runtime's integer kernels give; the rest is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgenet.errors import EdgenetError, ModelError, UnsupportedError
from edgenet.graph.given.operators import explicit_qdq
from edgenet.graph.given.take import take_given
from edgenet.model import Model, is_quantized
from edgenet.preprocessing import Preprocessing

RUNTIME = "com.microsoft"
RNG = np.random.default_rng(3)


def graph(
    nodes: list[Any],
    weights: dict[str, Any],
    shape: list[int],
    out: list[int],
    out_kind: int = TensorProto.FLOAT,
    opset: int = 13,
) -> onnx.ModelProto:
    """input → Q → nodes → … → out; the weights by their names."""
    ends = [
        helper.make_tensor_value_info("input", TensorProto.FLOAT, shape),
        helper.make_tensor_value_info("out", out_kind, out),
    ]
    made = [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()]
    body = helper.make_graph(nodes, "given", ends[:1], ends[1:], made)
    sets = [helper.make_opsetid("", opset), helper.make_opsetid(RUNTIME, 1)]
    return helper.make_model(body, opset_imports=sets, ir_version=8)


def node(op: str, inputs: str, out: str, domain: str = "", **options: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), [out], name=f"{op}_{out}", domain=domain, **options)


U8 = {"s": np.float32(0.021), "z": np.uint8(120), "t": np.float32(0.0337), "y": np.uint8(101)}
ENTER, LEAVE = node("QuantizeLinear", "input s z", "x"), node("DequantizeLinear", "r t y", "out")
KERNEL = {
    "w": RNG.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8),
    "ws": RNG.uniform(0.001, 0.01, 4).astype(np.float32),
    "wz": np.zeros(4, np.int8),
    "b": RNG.integers(-900, 900, 4).astype(np.int32),
}
DENSE = {
    "w": RNG.integers(0, 256, (27, 5)).astype(np.uint8),
    "ws": np.float32(0.006),
    "wz": np.uint8(131),
    "b": RNG.integers(-900, 900, 5).astype(np.int32),
}
IMAGE, ROW = [1, 3, 6, 6], [1, 27]

FORMS: dict[str, onnx.ModelProto] = {
    "QLinearConv": graph(
        [ENTER, node("QLinearConv", "x s z w ws wz t y b", "r", pads=[1, 1, 1, 1]), LEAVE],
        U8 | KERNEL, IMAGE, [1, 4, 6, 6],
    ),
    "QLinearConv without bias": graph(
        [ENTER, node("QLinearConv", "x s z w ws wz t y", "r", strides=[2, 2]), LEAVE],
        U8 | KERNEL, IMAGE, [1, 4, 2, 2],
    ),
    "QLinearMatMul": graph(
        [ENTER, node("QLinearMatMul", "x s z w ws wz t y", "r"), LEAVE], U8 | DENSE, ROW, [1, 5]
    ),
    "QGemm": graph(
        [ENTER, node("QGemm", "x s z w ws wz b t y", "r", RUNTIME), LEAVE], U8 | DENSE, ROW, [1, 5]
    ),
    "QGemm to float": graph(
        [ENTER, node("QGemm", "x s z w ws wz b", "out", RUNTIME)], U8 | DENSE, ROW, [1, 5]
    ),
    "QLinearAdd": graph(
        [ENTER, node("QLinearAdd", "x s z x s z t y", "r", RUNTIME), LEAVE], U8, IMAGE, IMAGE
    ),
    "QLinearMul": graph(
        [ENTER, node("QLinearMul", "x s z x s z t y", "r", RUNTIME), LEAVE], U8, IMAGE, IMAGE
    ),
    "QLinearGlobalAveragePool": graph(
        [ENTER, node("QLinearGlobalAveragePool", "x s z t y", "r", RUNTIME, channels_last=0), LEAVE],
        U8, IMAGE, [1, 3, 1, 1],
    ),
    "QLinearAveragePool": graph(
        [ENTER, node("QLinearAveragePool", "x s z t y", "r", RUNTIME, kernel_shape=[3, 3]), LEAVE],
        U8, IMAGE, [1, 3, 4, 4],
    ),
    "QLinearConcat": graph(
        [ENTER, node("QLinearConcat", "t y x s z x s z", "r", RUNTIME, axis=1), LEAVE],
        U8, IMAGE, [1, 6, 6, 6],
    ),
    "QLinearSigmoid": graph([ENTER, node("QLinearSigmoid", "x s z t y", "r", RUNTIME), LEAVE], U8, ROW, ROW),
    "QLinearLeakyRelu": graph(
        [ENTER, node("QLinearLeakyRelu", "x s z t y", "r", RUNTIME, alpha=0.1), LEAVE], U8, ROW, ROW
    ),
    "moved integers": graph(
        [
            ENTER,
            node("MaxPool", "x", "p", kernel_shape=[2, 2], strides=[2, 2]),
            node("Flatten", "p", "f", axis=1),
            node("QLinearMatMul", "f s z w ws wz t y", "r"),
            LEAVE,
        ],
        U8 | DENSE, IMAGE, [1, 5],
    ),
    "an output of integers": graph(
        [ENTER, node("QLinearAdd", "x s z x s z t y", "out", RUNTIME)], U8, ROW, ROW, TensorProto.UINT8
    ),
}  # fmt: skip


def run(proto: onnx.ModelProto, value: np.ndarray, optimize: bool) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, {"input": value})[0])


@pytest.mark.parametrize("form", FORMS)
def test_q_dq_says_what_the_integer_operator_computes(form: str) -> None:
    proto = FORMS[form]
    shape = [dim.dim_value for dim in proto.graph.input[0].type.tensor_type.shape.dim]
    assert is_quantized(proto)
    made = explicit_qdq(proto, "given")
    assert {item.domain for item in made.graph.node} == {""}
    assert not any(item.op_type.startswith("QLinear") for item in made.graph.node)
    onnx.checker.check_model(made, full_check=True)
    assert made.graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT
    value = np.random.default_rng(8).normal(0, 1.2, (1, *shape[1:])).astype(np.float32)
    expected, found = run(proto, value, True), run(made, value, False)
    if expected.dtype == np.uint8:
        expected = (expected.astype(np.float32) - 101) * np.float32(0.0337)
    assert len(np.unique(expected)) > 2
    steps = np.abs(found - expected) / 0.0337
    assert steps.max() < 1.01  # a middle between two steps may go either way
    assert (steps < 1e-3).mean() > 0.97


def test_float_and_plain_q_dq_graphs_are_returned_as_they_are() -> None:
    plain = graph([node("Relu", "input", "out")], {}, ROW, ROW)
    pair = graph([ENTER, node("DequantizeLinear", "x s z", "out")], U8, ROW, ROW)
    assert not is_quantized(plain)
    assert explicit_qdq(plain, "given") is plain
    assert explicit_qdq(pair, "given") is pair


def test_names_that_are_taken_are_left_alone() -> None:
    proto = graph(
        [ENTER, node("QLinearAdd", "x s z x s z t y", "r", RUNTIME),
         node("DequantizeLinear", "r t y", "x/real"),
         node("Relu", "x/real", "r/float"), node("Identity", "r/float", "out")],
        U8, ROW, ROW,
    )  # fmt: skip
    made = explicit_qdq(proto, "given")
    names = [name for item in made.graph.node for name in item.output]
    assert len(set(names)) == len(names)
    onnx.checker.check_model(made, full_check=True)


@pytest.mark.parametrize("op", ["DynamicQuantizeLinear", "ConvInteger", "MatMulInteger"])
def test_dynamic_quantization_is_refused_by_name(op: str) -> None:
    nodes = {
        "DynamicQuantizeLinear": helper.make_node(op, ["input"], ["a", "b", "c"], name="first"),
        "ConvInteger": helper.make_node(op, ["input", "w"], ["out"], name="first"),
        "MatMulInteger": helper.make_node(op, ["input", "w"], ["out"], name="first"),
    }
    proto = graph([nodes[op]], {"w": DENSE["w"]}, ROW, [1, 5])
    assert is_quantized(proto)
    with pytest.raises(ModelError, match=rf"given: {op} 'first' .*while it runs.*give the float model"):
        explicit_qdq(proto, "given")


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([node("QLinearSoftmax", "x s z t y", "r", RUNTIME), node("QLinearWhere", "r", "out", RUNTIME)],
         "QLinearWhere 'QLinearWhere_out': edgenet cannot write it"),
        ([node("Clip", "x", "out")], "Clip 'Clip_out': edgenet cannot write it"),
        ([node("QLinearGlobalAveragePool", "x s z t y", "out", RUNTIME, channels_last=1)], "NHWC tensors"),
        ([node("DequantizeLinear", "x s z", "f"), node("FusedGemm", "f w", "out", RUNTIME)],
         "FusedGemm 'FusedGemm_out': an operator of 'com.microsoft'"),
    ],
)  # fmt: skip
def test_what_q_dq_does_not_say_is_refused_by_name(nodes: list[Any], reason: str) -> None:
    with pytest.raises(UnsupportedError, match=f"given: .*{reason}"):
        explicit_qdq(graph([ENTER, *nodes], U8 | DENSE, ROW, ROW), "given")


def test_scales_by_channel_need_an_opset_that_can_say_so() -> None:
    proto = graph(
        [ENTER, FORMS["QLinearConv"].graph.node[1], LEAVE], U8 | KERNEL, IMAGE, [1, 4, 6, 6], opset=11
    )
    with pytest.raises(UnsupportedError, match=r"'w' has a scale per channel, which opset 11 .*opset 13"):
        explicit_qdq(proto, "given")


def taken(nodes: list[Any], weights: dict[str, Any], opset: int = 13) -> Model:
    proto = graph(nodes, weights, IMAGE, [1, 4], opset=opset)
    how = Preprocessing((6, 6), "rgb", "none", None, "bilinear", (0.0,) * 3, (1.0,) * 3)
    return take_given(Model("given", proto, how, "logits", 0, (), "0" * 64, precision="int8"))


CONV = [
    node("DequantizeLinear", "x s z", "xr"),
    node("DequantizeLinear", "w ws wz", "wr", axis=0),
    node("Conv", "xr wr", "c"),
    node("GlobalAveragePool", "c", "g"),
    node("Flatten", "g", "out", axis=1),
]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"z": np.uint16(9)}, "QuantizeLinear 'QuantizeLinear_x': activations in uint16"),
        ({"s": np.float32(0)}, "its scale is not a positive number"),
        ({"s": np.float32(np.nan)}, "its scale is not a positive number"),
        ({"s": np.ones(3, np.float32), "z": np.zeros(3, np.uint8)}, "an activation with a scale per channel"),
        ({"w": KERNEL["w"].astype(np.int16), "wz": np.zeros(4, np.int16)}, "its integers are int16"),
        ({"w": KERNEL["w"].astype(np.uint8)}, "its integers are uint8"),
        ({"ws": np.ones(3, np.float32), "wz": np.zeros(3, np.int8)}, "3 scales for values of shape"),
        ({"ws": np.ones(3, np.float32)}, "3 scales and 4 zero points"),
    ],
)
def test_types_and_scales_that_have_no_form_are_refused_by_name(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnsupportedError, match=reason):
        taken([ENTER, *CONV], {**U8, **KERNEL, **changes}, opset=21)


def test_a_pair_that_reads_other_than_it_wrote_is_refused() -> None:
    nodes = [ENTER, node("DequantizeLinear", "x t z", "xr"), *CONV[1:]]
    with pytest.raises(UnsupportedError, match="does not dequantize 'x' as it was quantized"):
        taken(nodes, U8 | KERNEL)


def test_scales_in_half_precision_are_refused() -> None:
    nodes = [node("Cast", "input", "h", to=TensorProto.FLOAT16), node("QuantizeLinear", "h s z", "x"),
             node("DequantizeLinear", "x s z", "hr"), node("Cast", "hr", "xr", to=TensorProto.FLOAT),
             *CONV[1:]]  # fmt: skip
    with pytest.raises(UnsupportedError, match="'QuantizeLinear_x': its scale is float16"):
        taken(nodes, {**U8, **KERNEL, "s": np.float16(0.02)}, opset=21)


def test_a_scale_that_is_computed_is_refused() -> None:
    nodes = [node("ReduceMax", "input", "s2", keepdims=0), node("QuantizeLinear", "input s2 z", "x"),
             node("DequantizeLinear", "x s2 z", "xr"), *CONV[1:]]  # fmt: skip
    with pytest.raises(UnsupportedError, match="its scale or zero point is computed while it runs"):
        taken(nodes, U8 | KERNEL)


def test_weights_alone_are_refused() -> None:
    nodes = [CONV[1], node("Conv", "input wr", "c"), *CONV[3:]]
    with pytest.raises(ModelError, match="its weights are quantized and its activations are not"):
        taken(nodes, U8 | KERNEL)


def test_blocks_of_weights_are_refused() -> None:
    scales = np.full((4, 3, 3, 1), 0.01, np.float32)
    nodes = [ENTER, CONV[0], node("DequantizeLinear", "w ws", "wr", axis=3, block_size=3), *CONV[2:]]
    with pytest.raises(UnsupportedError, match="'DequantizeLinear_wr': a scale for each block"):
        taken(nodes, {**U8, **KERNEL, "ws": scales}, opset=21)


def test_zero_points_that_are_left_out_are_zero() -> None:
    """A QuantizeLinear without one makes uint8, a DequantizeLinear reads what is there."""
    nodes = [node("QuantizeLinear", "input s", "x"), node("DequantizeLinear", "x s", "xr"),
             node("DequantizeLinear", "w ws", "wr", axis=0), *CONV[2:]]  # fmt: skip
    made = taken(nodes, U8 | KERNEL)
    zeros = {item.name: numpy_helper.to_array(item) for item in made.proto.graph.initializer}
    found = [zeros[item.input[2]] for item in made.proto.graph.node if item.op_type == "QuantizeLinear"]
    assert [int(value) for value in found] == [-128]


def test_a_bias_beyond_int32_is_refused_by_name_or_fits_where_there_are_no_weights() -> None:
    weights: dict[str, Any] = {**U8, **KERNEL, "fb": np.array([1, 1, 1, 1e9], np.float32)}
    weights["ws"] = np.array([0.01, 0.01, 0.01, 1e-7], np.float32)
    nodes = [ENTER, *CONV[:2], node("Conv", "xr wr fb", "c"), *CONV[3:]]
    with pytest.raises(UnsupportedError, match="Conv 'Conv_c': its bias does not fit into int32"):
        taken(nodes, weights)
    weights["w"] = np.concatenate([KERNEL["w"][:3], np.zeros((1, 3, 3, 3), np.int8)])
    made = taken(nodes, weights)
    value = {item.name: numpy_helper.to_array(item) for item in made.proto.graph.initializer}
    bias = next(item for item in value.values() if item.dtype == np.int32 and item.size == 4 and item.any())
    assert bias[3] == 2**30


def test_every_refusal_is_an_expected_one() -> None:
    """A graph whose integers come from nowhere: no traceback."""
    with pytest.raises(EdgenetError, match="which nothing quantized"):
        taken([node("Cast", "input", "x", to=TensorProto.UINT8), *CONV], U8 | KERNEL)
