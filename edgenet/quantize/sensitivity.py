"""Which layer's rounding moves the class probabilities: one source of noise at a time in the float run.

Rounding noise of different sources adds up, nearly, in the divergence of the class probabilities: the effect
of each is measured alone, and their sum predicts what a set of them does together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.steps import Step, subgraph
from edgenet.graph.view import Graph
from edgenet.quantize.pairs import dequantized, quantized, room
from edgenet.quantize.probabilities import divergence
from edgenet.quantize.reconstruct import Reconstruction

__all__ = ["Sources", "sensitivity"]

IMAGES = 32

Values = dict[str, NDArray[Any]]


@dataclass
class Sources:
    """Divergence of the class probabilities that rounding one thing alone causes, by a step's output.

    Attributes:
        weights: The kernel of the step's convolution.
        tensors: The step's output.
    """

    weights: dict[str, float] = field(default_factory=dict)
    tensors: dict[str, float] = field(default_factory=dict)


def sensitivity(
    graph: Graph,
    parts: Sequence[Step],
    images: Sequence[NDArray[np.uint8]],
    result: Reconstruction,
    memory_mb: float,
    progress: Callable[[int, int], None],
) -> Sources:
    """Measure every source of rounding noise.

    A rounded kernel's bias is set anew, so that the mean of its output stays: what is left is noise.

    Args:
        graph: The prepared float graph.
        parts: Its steps.
        images: uint8 [1, H, W, 3] each; as many are used as fit into memory, at most 32.
        result: The scales and weights.
        memory_mb: For the tensors of the float run.
        progress: Told how many steps are done, of how many.
    """
    states: list[Values] = [{graph.input: item} for item in images]
    states = states[: min(IMAGES, *room(graph, parts, memory_mb, len(images)))]
    last = {name: index for index, step in enumerate(parts) for name in step.inputs}
    truth = _scores(graph, graph.nodes, states)
    found, done = Sources(), set[int]()
    for index, step in enumerate(parts):
        exact = _run(graph, step.nodes, states, step.inputs, step.output)
        done |= {id(node) for node in step.nodes}
        rest = [node for node in graph.nodes if id(node) not in done]
        live = [{name: state[name] for name in state if last.get(name, -1) > index} for state in states]
        if (affine := result.tensors.get(step.output)) is not None:
            noisy = [dequantized(quantized(values, affine), affine) for values in exact]
            found.tensors[step.output] = divergence(truth, _after(graph, rest, live, step.output, noisy))
        if step.conv is not None and step.conv.output[0] in result.weights:
            constants = _rounded(graph, step, states, result)
            noisy = _run(graph, step.nodes, states, step.inputs, step.output, constants)
            found.weights[step.output] = divergence(truth, _after(graph, rest, live, step.output, noisy))
        states = [{**kept, step.output: values} for kept, values in zip(live, exact, strict=True)]
        progress(index + 1, len(parts))
    return found


def _rounded(graph: Graph, step: Step, states: Sequence[Values], result: Reconstruction) -> Values:
    """The rounded kernel of a step, and a bias with which the mean of its output is the float run's."""
    conv = step.conv
    assert conv is not None
    weights = result.weights[conv.output[0]]
    kernel = weights.values * weights.scales.reshape(-1, *[1] * (weights.values.ndim - 1))
    nodes = step.nodes[: step.nodes.index(conv) + 1]
    constants = {conv.input[1]: kernel.astype(np.float32)}
    pair = (_run(graph, nodes, states, step.inputs, conv.output[0], values) for values in (None, constants))
    moved = np.mean(
        [(a - b).mean(axis=(0, 2, 3), dtype=np.float64) for a, b in zip(*pair, strict=True)], axis=0
    )
    bias = graph.constants[conv.input[2]] + moved
    return {**constants, conv.input[2]: bias.astype(np.float32)}


def _after(
    graph: Graph, rest: Sequence[NodeProto], live: Sequence[Values], name: str, values: Sequence[NDArray[Any]]
) -> NDArray[Any]:
    """Class scores [images, classes] when a tensor has these values."""
    return _scores(graph, rest, [{**state, name: item} for state, item in zip(live, values, strict=True)])


def _scores(graph: Graph, nodes: Sequence[NodeProto], states: Sequence[Values]) -> NDArray[Any]:
    if not nodes:
        return np.concatenate([state[graph.output].reshape(1, -1) for state in states])
    rows = _run(graph, nodes, states, list(states[0]), graph.output)
    return np.concatenate([row.reshape(1, -1) for row in rows])


def _run(
    graph: Graph,
    nodes: Sequence[NodeProto],
    states: Sequence[Values],
    inputs: Sequence[str],
    output: str,
    constants: Mapping[str, NDArray[Any]] | None = None,
) -> list[NDArray[Any]]:
    session = Evaluator(subgraph(graph, nodes, inputs, [output], constants), [output], lean=True)
    return [session.feed({name: state[name] for name in inputs})[output] for state in states]
