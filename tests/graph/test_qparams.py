"""Integers of 8 and 16 bits for real numbers, held to ONNX Runtime's own operators."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from edgenet.graph.qparams import Affine

SCALES = st.floats(2**-20, 2**10, width=32)
REAL = st.floats(-(2**14), 2**14, width=32)


@given(SCALES, st.integers(-128, 127), st.lists(REAL, min_size=1, max_size=20))
def test_half_a_step_within_the_range_and_its_end_beyond(
    scale: float, zero: int, values: list[float]
) -> None:
    for affine in (Affine(scale, zero), Affine(scale, 0, 16)):
        given_ = np.array(values, np.float32)
        steps = affine.quantized(given_)
        assert steps.dtype == affine.dtype
        real = affine.dequantized(steps)
        inside = np.clip(given_.astype(np.float64), affine.low, affine.high)
        slack = 1e-5 * np.abs(inside) + affine.scale * (0.5 + 1e-3)
        assert (np.abs(real - inside) <= slack).all()


@pytest.mark.parametrize(("affine", "low", "high"), [
    (Affine(0.5, -128), 0.0, 127.5),
    (Affine(0.5, 3), -65.5, 62.0),
    (Affine(0.5, 0, 16), -16384.0, 16383.5),
])  # fmt: skip
def test_the_ends_of_a_range(affine: Affine, low: float, high: float) -> None:
    assert (affine.low, affine.high) == (low, high)


@pytest.mark.parametrize("affine", [Affine(0.013, -7), Affine(0.0007, 0, 16)])
def test_the_same_numbers_as_onnx_runtime(affine: Affine) -> None:
    values = np.random.default_rng(3).normal(0, 3, 4000).astype(np.float32)
    parts = {"scale": np.array(affine.scale, np.float32), "zero": np.array(affine.zero_point, affine.dtype)}
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(affine.dtype))
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["steps"], domain=affine.domain),
        helper.make_node("DequantizeLinear", ["steps", "scale", "zero"], ["real"], domain=affine.domain),
    ]
    graph = helper.make_graph(
        nodes,
        "pair",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4000])],
        [
            helper.make_tensor_value_info("steps", kind, [4000]),
            helper.make_tensor_value_info("real", 1, [4000]),
        ],
        [
            helper.make_tensor(name, helper.np_dtype_to_tensor_dtype(v.dtype), [], v.reshape(1))
            for name, v in parts.items()
        ],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    steps, real = session.run(None, {"x": values})
    assert np.array_equal(affine.quantized(values), steps)
    assert np.array_equal(affine.dequantized(steps), real)


def test_constants_tell_the_bits() -> None:
    assert Affine.of(np.float32([0.5]), np.int16([0])) == Affine(0.5, 0, 16)
    assert Affine.of(np.float32(0.5), np.int8(-3)) == Affine(0.5, -3)
