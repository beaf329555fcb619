"""Which of ONNX Runtime's int8 kernels compute on this machine what they compute on a board."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import numpy_helper

__all__ = ["kernel_options"]

# Keep int8 activations int8 on x86 too, as Arm does by default: otherwise only some layers are fused, and
# the rest is computed in float and rounded elsewhere.
SIGNED = {"session.qdqisint8allowed": "1"}
# Without VNNI ``vpmaddubsw`` adds pairs of uint8 x int8 products in int16 and saturates; ONNX Runtime then
# takes uint8 weights instead, whose kernels do not. No effect on a processor with VNNI, and none on Arm.
UNSATURATED = {"session.x64quantprecision": "1"}


def kernel_options(proto: onnx.ModelProto) -> Mapping[str, str]:
    """The session options under which a Q/DQ graph gives the same numbers on every host.

    A graph in the form of Arm (int8 activations and weights) runs signed kernels, fused as there; any other
    runs kernels that never saturate. Neither option fits the other's graph: the two together ask for a kernel
    that does not exist. Sources: ``onnxruntime_session_options_config_keys.h``, and the chapter on U8S8
    saturation of ONNX Runtime's page on quantization.

    Args:
        proto: A float or Q/DQ graph; a float graph gets options that change nothing.
    """
    kinds = _activations(proto)
    return SIGNED if kinds == {np.dtype(np.int8)} else UNSATURATED


def _activations(proto: onnx.ModelProto) -> set[np.dtype[np.generic]]:
    """The integer types that convolutions with quantized activations and weights read."""
    real = {node.output[0]: node for node in proto.graph.node if node.op_type == "DequantizeLinear"}
    pairs = [
        (real[node.input[0]], real[node.input[1]])
        for node in proto.graph.node
        if node.op_type == "Conv" and node.input[0] in real and node.input[1] in real
    ]
    wanted = {activation.input[2] for activation, _ in pairs if len(activation.input) > 2}
    zero_points = (item for item in proto.graph.initializer if item.name in wanted)
    return {numpy_helper.to_array(item).dtype for item in zero_points}
