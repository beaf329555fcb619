"""The zoo's graphs in torch, node by node, so that what is trained is what is exported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import onnx

if TYPE_CHECKING:
    import torch

__all__ = ["function"]

MOMENTUM = 0.05


def function(graph: onnx.GraphProto, wanted: Sequence[str]) -> Callable[..., list[torch.Tensor]]:
    """The graph as a function.

    Args:
        graph: Of one of the zoo's networks.
        wanted: Names of the tensors that it gives.

    Returns:
        A function of its weights by name, of its input [n, 3, H, W] and of ``training`` (whether to
        normalize by the batch and move means and variances), which returns those tensors, of n images at
        once.
    """

    import torch

    own = {item.name: torch.from_numpy(onnx.numpy_helper.to_array(item).copy()) for item in graph.initializer}

    def run(
        weights: Mapping[str, torch.Tensor], images: torch.Tensor, training: bool = False
    ) -> list[torch.Tensor]:
        values = {**own, **weights, graph.input[0].name: images}
        for node in graph.node:
            inputs = [values[name] for name in node.input]
            options = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
            values[node.output[0]] = _operator(node.op_type, inputs, options, training)
        return [values[name] for name in wanted]

    return run


def _operator(kind: str, inputs: list[torch.Tensor], options: dict[str, Any], training: bool) -> torch.Tensor:
    import torch
    import torch.nn.functional as F

    x = inputs[0]
    if kind == "Conv":
        top, left, bottom, right = options.get("pads", [0, 0, 0, 0])
        bias = inputs[2] if len(inputs) > 2 else None
        equal = len({top, left, bottom, right}) == 1
        padded = x if equal else F.pad(x, (left, right, top, bottom))
        steps, padding, groups = options.get("strides", 1), top if equal else 0, options.get("group", 1)
        return F.conv2d(padded, inputs[1], bias, steps, padding, groups=groups)
    if kind == "BatchNormalization":
        gamma, beta, mean, variance = inputs[1:]
        return F.batch_norm(x, mean, variance, gamma, beta, training, MOMENTUM, options["epsilon"])
    if kind == "Reshape":
        return x.reshape(len(x), *inputs[1][1:].tolist())
    return {
        "Add": lambda *values: values[0] + values[1],
        "Clip": lambda value, low, high: F.hardtanh(value, float(low), float(high)),
        "Concat": lambda *values: torch.cat(values, options["axis"]),
        "Flatten": lambda value: value.flatten(1),
        "GlobalAveragePool": lambda value: value.mean((2, 3), keepdim=True),
        "HardSigmoid": lambda value: (options["alpha"] * value + options["beta"]).clamp(0, 1),
        "HardSwish": F.hardswish,
        "Mul": lambda *values: values[0] * values[1],
        "Relu": F.relu,
        "Sigmoid": lambda value: value.sigmoid(),
        "Softmax": lambda value: value.softmax(options["axis"]),
        "Transpose": lambda value: value.permute(options["perm"]),
    }[kind](*inputs)
