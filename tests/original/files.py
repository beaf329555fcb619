"""Small ONNX files as exporters write them, and what they compute before edgenet reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgenet.model import Model

node = helper.make_node
CARD = """
output = "logits"
[preprocessing]
size = [16, 12]
color = "rgb"
resize = "stretch"
interpolation = "bilinear"
mean = [{mean}, {mean}, {mean}]
std = [{std}, {std}, {std}]
"""


def random(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    """Normal numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


WEIGHTS = {"w": random(4, 3, 3, 3), "b": random(4, seed=1), "d": random(4, 5, seed=2), "e": random(5, seed=3)}
CLASSIFIER = (
    node("Conv", ["x", "w", "b"], ["c"], name="conv", pads=[1] * 4),
    node("Relu", ["c"], ["r"]),
    node("GlobalAveragePool", ["r"], ["p"]),
    node("Flatten", ["p"], ["f"]),
    node("Gemm", ["f", "d", "e"], ["y"], name="dense"),
)


def network(
    nodes: Sequence[NodeProto] = CLASSIFIER,
    weights: Mapping[str, NDArray[Any]] = WEIGHTS,
    shape: Sequence[int | str | None] = (1, 3, 16, 12),
    kind: int = TensorProto.FLOAT,
    out: int = TensorProto.FLOAT,
    opset: int = 13,
    ir: int = 8,
) -> onnx.ModelProto:
    """A graph from ``x`` to ``y``; the shape of ``y`` is not told."""
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    inputs = [helper.make_tensor_value_info("x", kind, shape)]
    if ir < 4:
        inputs += [helper.make_tensor_value_info(item.name, item.data_type, item.dims) for item in held]
    body = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info("y", out, None)], held)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def load(folder: Path, proto: onnx.ModelProto, mean: float = 127.5, std: float = 127.5) -> Model:
    """What :meth:`Model.load` makes of it."""
    path = folder / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    path.with_suffix(".toml").write_text(CARD.format(mean=mean, std=std))
    return Model.load(path)


def run(proto: onnx.ModelProto, value: NDArray[Any]) -> NDArray[Any]:
    """The answer, by ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    data = proto.SerializeToString()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {proto.graph.input[0].name: value})[0])


def keeps(proto: onnx.ModelProto, model: Model, value: NDArray[Any], tolerance: float = 1e-6) -> None:
    """The file and what was read of it answer the same to one picture."""
    expected = run(proto, value).astype(np.float64).reshape(-1)
    got = run(model.proto, value.astype(np.float32)[:1])
    assert got.shape == (1, got.size)
    assert np.abs(got.reshape(-1) - expected[: got.size]).max() <= tolerance * np.ptp(expected)


def signature(model: Model) -> tuple[list[int], list[int]]:
    """The shapes of a model's input and output."""
    ends = model.proto.graph.input[0], model.proto.graph.output[0]
    first, last = ([dim.dim_value for dim in item.type.tensor_type.shape.dim] for item in ends)
    return first, last
