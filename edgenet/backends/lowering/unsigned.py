"""Files in uint8 throughout: the one form in which TFLite takes weights of bytes that have a zero point.

Its int8 kernels know symmetric weights alone, its uint8 kernels (of 2018, one scale a kernel) both. With 128
more in every number and every zero point no real value changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgenet.backends.lowering.file import Operator, Quantization, Tensor, TfliteFile
from edgenet.graph.graph import Graph
from edgenet.graph.qparams import SIGNED

__all__ = ["in_unsigned", "wants_unsigned"]


def wants_unsigned(graph: Graph, quantization: dict[str, Quantization]) -> bool:
    """Whether a convolution has an int8 kernel with a zero point."""
    kernels = [quantization.get(node.input[1]) for node in graph.nodes if node.op_type == "Conv"]
    return any(kernel is not None and kernel.zero_point != 0 for kernel in kernels)


def in_unsigned(file: TfliteFile, outputs: Sequence[int]) -> list[int]:
    """Turn every int8 tensor of a file into uint8, in place.

    Args:
        file: With int8 kernels of one scale each.
        outputs: Indices of its outputs.

    Returns:
        Indices of the outputs, which are int8 as ever where they were that.
    """
    scores = [file.tensors[index] for index in outputs]
    file.tensors = [_shifted(item) for item in file.tensors]
    _drop_steps(file)
    return [_signed(file, index, item) for index, item in zip(outputs, scores, strict=True)]


def _signed(file: TfliteFile, output: int, scores: Tensor) -> int:
    """The int8 form of an output that was of this type."""
    if scores.dtype != "int8":
        return output
    file.tensors[output].name = f"{scores.name}/unsigned"
    made = file.add(replace(scores))
    file.operators.append(Operator("QUANTIZE", 1, (output,), (made,), ("QuantizeOptions", {})))
    return made


def _shifted(tensor: Tensor) -> Tensor:
    how = tensor.quantization
    if tensor.dtype != "int8" or how is None:
        return tensor
    data = None if tensor.data is None else (tensor.data.astype(np.int16) + SIGNED).astype(np.uint8)
    unsigned = replace(how, dtype="uint8", zero_point=how.zero_point + SIGNED)
    return replace(tensor, dtype="uint8", quantization=unsigned, data=data)


def _drop_steps(file: TfliteFile) -> None:
    """The pixels are uint8 already: a QUANTIZE that changes nothing is none."""
    same: dict[int, int] = {}
    kept = []
    for item in file.operators:
        inputs = tuple(same.get(index, index) for index in item.inputs)
        read, made = (file.tensors[index].quantization for index in (inputs[0], item.outputs[0]))
        if item.code == "QUANTIZE" and read is not None and made is not None and read.same_as(made):
            same[item.outputs[0]] = inputs[0]
        else:
            kept.append(replace(item, inputs=inputs))
    file.operators = kept
