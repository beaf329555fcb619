"""Static shapes, from onnx's own inference without its copies of large weights."""

from __future__ import annotations

import math

import onnx
from onnx import helper

__all__ = ["inferred"]

# Constants of at most so many values may be shapes, axes or pads.
SMALL = 1024


def inferred(proto: onnx.ModelProto, check: bool = False) -> onnx.ModelProto:
    """The model with the shapes of its tensors, and large weights as inputs.

    Their values decide no shape, and onnx would copy them several times.

    Args:
        proto: Not changed.
        check: Whether nodes and types are checked.

    Raises:
        onnx.checker.ValidationError: A node is not as its operator wants it.
        onnx.shape_inference.InferenceError: Shapes contradict each other.
    """
    light = onnx.ModelProto(ir_version=max(proto.ir_version, 4), opset_import=proto.opset_import)
    light.graph.name = proto.graph.name or "graph"
    for field in ("node", "output", "value_info"):
        getattr(light.graph, field).extend(getattr(proto.graph, field))
    weights = {item.name for item in proto.graph.initializer}
    light.graph.input.extend(item for item in proto.graph.input if item.name not in weights)
    for item in proto.graph.initializer:
        if math.prod(item.dims) <= SMALL:
            light.graph.initializer.append(item)
        else:
            light.graph.input.append(helper.make_tensor_value_info(item.name, item.data_type, item.dims))
    if check:
        onnx.checker.check_model(light)
    return onnx.shape_inference.infer_shapes(light, strict_mode=True, data_prop=True)
