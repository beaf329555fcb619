"""Every operator there is, and the walk over the graph."""

from __future__ import annotations

from collections.abc import Callable

from onnx import NodeProto

from edgenet.backends.lowering.activation import (
    CURVES,
    lower_clip,
    lower_curve,
    lower_hard_sigmoid,
    lower_hard_swish,
    lower_prelu,
    lower_softmax,
)
from edgenet.backends.lowering.convolution import lower_conv, lower_gemm
from edgenet.backends.lowering.elementwise import lower_binary
from edgenet.backends.lowering.file import Tensor
from edgenet.backends.lowering.layout import (
    lower_cast,
    lower_concat,
    lower_identity,
    lower_label,
    lower_pad,
    lower_reshape,
    lower_slice,
    lower_transpose,
)
from edgenet.backends.lowering.pooling import lower_global_average, lower_global_maximum, lower_pool
from edgenet.backends.lowering.qdq import DEQUANTIZE, REQUANTIZE, take_qdq
from edgenet.backends.lowering.rescaling import in_one_type, lower_dequantize, lower_requantize
from edgenet.backends.lowering.resize import lower_resize
from edgenet.backends.lowering.scope import ELSEWHERE, Favored, Scope
from edgenet.backends.lowering.unsigned import in_unsigned, wants_unsigned
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.align_scales import align_scales
from edgenet.graph.qparams import Affine, OutputScales
from edgenet.model import Model

__all__ = ["OPERATORS", "to_tflite"]

OPERATORS: dict[str, Callable[[Scope, NodeProto], None]] = {
    "Add": lower_binary,
    "AveragePool": lower_pool,
    "Cast": lower_cast,
    "Clip": lower_clip,
    "Concat": lower_concat,
    "Conv": lower_conv,
    "Div": lower_binary,
    "Dropout": lower_identity,
    "Flatten": lower_reshape,
    "Gemm": lower_gemm,
    "GlobalAveragePool": lower_global_average,
    "GlobalMaxPool": lower_global_maximum,
    "HardSigmoid": lower_hard_sigmoid,
    "HardSwish": lower_hard_swish,
    "Identity": lower_identity,
    "MaxPool": lower_pool,
    "Mul": lower_binary,
    "PRelu": lower_prelu,
    "Pad": lower_pad,
    "Relu": lower_clip,
    "Reshape": lower_reshape,
    "Resize": lower_resize,
    "Slice": lower_slice,
    "Softmax": lower_softmax,
    "Squeeze": lower_reshape,
    "Sub": lower_binary,
    "Transpose": lower_transpose,
    **dict.fromkeys(CURVES, lower_curve),
    DEQUANTIZE: lower_dequantize,
    REQUANTIZE: lower_requantize,
}
# What int8 kernels round otherwise than Q/DQ, or only on scales of their own choice.
INEXACT = ("Clip", "HardSwish", "Relu", "Softmax")


def to_tflite(model: Model, favored: Favored) -> tuple[bytes, OutputScales | None]:
    """A prepared float or quantized model as a TFLite file.

    Input: ``pixels``, uint8 [1, H, W, 3]. Output: [1, classes], float32 or int8, or several such; behind it
    ``label``, int32 [1], where the model asks for it.

    Args:
        model: The model.
        favored: Which writings are faster on the target.

    Returns:
        The file's bytes, and how each output is read; ``None`` where they are float32.

    Raises:
        UnsupportedError: A node cannot be expressed; nothing was written.
    """
    graph = Graph(model.proto)
    if not model.kept_scales:
        align_scales(graph)
    quantization = take_qdq(graph, INEXACT if model.kept_scales else ())
    unsigned = wants_unsigned(graph, quantization)
    half = model.precision == "fp16"
    scope = Scope(graph, quantization, half, favored, unsigned)
    entry = Tensor(graph.input, graph.shape(graph.input), "uint8", scope.quantization.get(graph.input))
    scope.alias(graph.input, scope.file.add(entry))
    for node in graph.nodes:
        if node.output[0] not in scope.fused:
            _lower(scope, node)
    results = [scope.input(graph.nodes[-1], name) for name in graph.outputs]
    results = in_unsigned(scope.file, results) if unsigned else results
    results = in_one_type(scope, results)
    for name, index in zip(graph.outputs, results, strict=True):
        scope.tensor(index).name = name
    labels = [lower_label(scope, results[0])] if model.label else []
    found = [scope.tensor(index).quantization for index in results]
    scales = tuple(Affine(how.scale, how.zero_point) for how in found if how is not None)
    return scope.file.to_bytes([0], results + labels), OutputScales(scales) if scales else None


def _lower(scope: Scope, node: NodeProto) -> None:
    operator = OPERATORS.get(node.op_type)
    if operator is None:
        raise scope.refuse(node, "it has no form in TFLite here", ELSEWHERE)
    operator(scope, node)
