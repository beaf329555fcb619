"""Add, Div, Mul and Sub, of two activations or of one and a constant."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto

from edgenet.backends.lowering.activation import fused
from edgenet.backends.lowering.scope import ELSEWHERE, Scope, nhwc

__all__ = ["lower_binary"]


def lower_binary(scope: Scope, node: NodeProto) -> None:
    """Add → ADD, Mul → MUL, and in float Div → DIV, Sub → SUB; shapes broadcast as in ONNX.

    An activation behind it is fused into it.
    """
    inputs = [_operand(scope, node, name) for name in node.input]
    name, activation = fused(scope, node)
    code = node.op_type.upper()
    options = (f"{node.op_type}Options", {"fusedActivationFunction": activation})
    scope.emit(code, inputs, scope.output(node, name), options)


def _operand(scope: Scope, node: NodeProto, name: str) -> int:
    rank = len(scope.graph.shape(node.output[0]))
    value = scope.graph.constant(name)
    if value is None:
        if len(scope.graph.shape(name)) != rank:
            raise scope.refuse(node, f"{name!r} has another rank than the result", ELSEWHERE)
        return scope.input(node, name)
    quantization = scope.quantization.get(name)
    if quantization is not None and quantization.scales.size != 1:
        raise scope.refuse(
            node, f"the constant {name!r} has a scale per channel", "quantize the float model with edgenet"
        )
    if value.ndim > rank:
        raise scope.refuse(node, f"the constant {name!r} has more dimensions than the result", ELSEWHERE)
    full = value.reshape((1,) * (rank - value.ndim) + value.shape)
    order = nhwc(range(rank))
    return scope.constant(name, np.ascontiguousarray(full.transpose(order)), quantization)
