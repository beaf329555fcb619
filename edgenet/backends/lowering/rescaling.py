"""Tensors that change their scale or become float: QUANTIZE and DEQUANTIZE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onnx import NodeProto

from edgenet.backends.lowering.file import Quantization, Tensor
from edgenet.backends.lowering.scope import Scope

__all__ = [
    "QUANTIZE",
    "dequantized",
    "emit_on_one_scale",
    "in_one_type",
    "lower_dequantize",
    "lower_requantize",
    "on_scale",
    "widened",
]

QUANTIZE = ("QuantizeOptions", dict[str, Any]())
DEQUANTIZE_VERSIONS = {"uint8": 1, "int8": 2, "int16": 3}


def lower_requantize(scope: Scope, node: NodeProto) -> None:
    """uint8 pixels → int8, int8 → int8 on another scale, or float → int8: QUANTIZE.

    From uint8 to int8 with the same scale only the sign bit changes; nothing is rounded. LiteRT's QUANTIZE
    has no vector code for that on x86 (2.3: 0.10 ms for 224x224 pixels); where ``by_float`` is favored, a
    DEQUANTIZE stands before it, and XNNPACK does both in 0.01 ms. On Arm nothing was measured; the one is
    kept.
    """
    source, out = scope.input(node, node.input[0]), scope.output(node, node.output[0])
    by_float = scope.favored.by_float and not scope.unsigned
    if scope.tensor(source).dtype == "int8" or (by_float and scope.tensor(source).dtype == "uint8"):
        rescale(scope, source, out)
    else:
        scope.emit("QUANTIZE", (source,), out, QUANTIZE)


def rescale(scope: Scope, source: int, out: int) -> None:
    """A tensor on another scale, by way of float32: DEQUANTIZE and QUANTIZE.

    That is Q/DQ to the letter. XNNPACK's QUANTIZE alone keeps 8 bits of the scales' ratio, and one number in
    a hundred is a step off.
    """
    scope.emit("QUANTIZE", (dequantized(scope, source),), out, QUANTIZE)


def dequantized(scope: Scope, source: int) -> int:
    """A new float32 tensor with the real values of a whole one: DEQUANTIZE."""
    given = scope.tensor(source)
    real = scope.file.add(Tensor(f"{given.name}/real", given.shape, "float32"))
    scope.emit("DEQUANTIZE", (source,), real, version=DEQUANTIZE_VERSIONS[given.dtype])
    return real


def widened(scope: Scope, source: int) -> int:
    """An int8 tensor as int16 on the same scale, with zero point 0, for kernels of 16 bits: exact.

    By way of float32, for old runtimes' QUANTIZE makes no 16 bits of 8.
    """
    given = scope.tensor(source)
    assert given.quantization is not None
    how = Quantization("int16", given.quantization.scales)
    wide = scope.file.add(Tensor(f"{given.name}/int16", given.shape, "int16", how))
    rescale(scope, source, wide)
    return wide


def lower_dequantize(scope: Scope, node: NodeProto) -> None:
    """int8 → float, for an operator that was left in float: DEQUANTIZE."""
    source = scope.input(node, node.input[0])
    version = DEQUANTIZE_VERSIONS[scope.tensor(source).dtype]
    scope.emit("DEQUANTIZE", (source,), scope.output(node, node.output[0]), version=version)


def in_one_type(scope: Scope, outputs: Sequence[int]) -> list[int]:
    """The outputs of several heads as they are where all are bytes or all float; else all of them float."""
    kinds = [scope.tensor(index).dtype for index in outputs]
    if not {*kinds} & {"float32", "int16"}:
        return list(outputs)
    return [
        dequantized(scope, index) if kind != "float32" else index
        for index, kind in zip(outputs, kinds, strict=True)
    ]


def emit_on_one_scale(
    scope: Scope,
    node: NodeProto,
    name: str,
    code: str,
    inputs: Sequence[int],
    options: tuple[str, dict[str, Any]],
    version: int = 1,
) -> None:
    """Write an operator that TFLite runs only with one scale for input and output.

    Where the graph wants another scale behind it (its tensor ``name``), it is rescaled.
    """
    out = scope.output(node, name)
    given, wanted = scope.tensor(inputs[0]).quantization, scope.tensor(out).quantization
    if given is None or wanted is None or given.same_as(wanted):
        scope.emit(code, inputs, out, options, version)
        return
    between = scope.like(inputs[0], f"{name}/before_rescaling", scope.tensor(out).shape)
    scope.emit(code, inputs, between, options, version)
    rescale(scope, between, out)


def on_scale(scope: Scope, source: int, wanted: Quantization | None, name: str) -> int:
    """A tensor with the wanted quantization: itself, or itself rescaled."""
    given = scope.tensor(source)
    if given.quantization is None or wanted is None or given.quantization.same_as(wanted):
        return source
    index = scope.like(source, name, given.shape)
    scope.tensor(index).quantization = wanted
    rescale(scope, source, index)
    return index
