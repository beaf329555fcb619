"""Which layer's rounding moves the answers: one source of noise at a time in the float run.

Rounding noise of different sources adds up, nearly, in the divergence that a task measures: the effect
of each is measured alone, and their sum predicts what a set of them does together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.graph.evaluate import Evaluator, flat
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.movers import moved_from
from edgenet.graph.qparams import Affine
from edgenet.graph.segments import Step, behind, subgraph
from edgenet.quantize.memory import malloc_trim
from edgenet.quantize.rounding.layerwise import Reconstruction
from edgenet.quantize.rounding.paired_activations import room
from edgenet.task import Task

__all__ = ["Sources", "sensitivity"]

IMAGES = 32

Values = dict[str, NDArray[Any]]
Run = Callable[[Mapping[str, NDArray[Any]]], NDArray[Any]]
ENDLESS = 1 << 30


@dataclass
class Sources:
    """The task's divergence that rounding one thing alone causes, by a step's output.

    Attributes:
        weights: The kernel of the step's convolution.
        tensors: The step's output.
    """

    weights: dict[str, float] = field(default_factory=dict)
    tensors: dict[str, float] = field(default_factory=dict)


def sensitivity(
    task: Task,
    graph: Graph,
    parts: Sequence[Step],
    images: Sequence[NDArray[np.uint8]],
    result: Reconstruction,
    shifts: Mapping[str, NDArray[np.float64]],
    memory_mb: float,
    progress: Callable[[int, int], None],
) -> Sources:
    """Measure every source of rounding noise.

    A rounded kernel's bias is set anew, so that the mean of its output stays: what is left is noise.

    Args:
        task: What the network is for.
        graph: The prepared float graph.
        parts: Its steps.
        images: uint8 [1, H, W, 3] each; as many are used as fit into memory, at most 32.
        result: The scales and weights.
        shifts: Output of a convolution → shares of a step by which its channels are moved: copies of one
            channel are rounded at different places, and their noise cancels.
        memory_mb: For the tensors of the float run.
        progress: Called with how many steps are done, of how many.
    """
    names = [step.output for step in parts]
    count = min(IMAGES, *room(graph, parts, memory_mb, len(images), names))
    states: list[Values] = [{graph.input: item} for item in images[:count]]
    last = {name: index for index, step in enumerate(parts) for name in step.inputs}
    ends = {moved_from(graph, name, set(names)) or name for name in graph.outputs}
    last |= dict.fromkeys(ends, ENDLESS)  # heads are part of every answer
    given = list(graph.outputs)
    wanted = _answers(_runner(graph, graph.nodes, [graph.input], *given), states)
    divergence = task.divergence(task.comparable(wanted, task.outputs[0]))
    found = Sources()
    for index, step in enumerate(parts):
        exact = _runner(graph, step.nodes, step.inputs, step.output)
        live = [name for name in states[0] if last.get(name, -1) > index]
        after = _runner(graph, _between(graph, {*live, step.output}, given), [*live, step.output], *given)
        for table, noisy in _noises(graph, step, states, result, shifts, exact, found):
            answers = _answers(after, ({**state, step.output: noisy(state)} for state in states))
            table[step.output] = divergence(task.comparable(answers, task.outputs[0]))
        del after  # it holds nearly all weights: gone before the next one is made
        malloc_trim()
        for state in states:
            state[step.output] = exact(state)
            for name in state.keys() - {*live, step.output}:
                del state[name]
        progress(index + 1, len(parts))
    return found


def _noises(
    graph: Graph,
    step: Step,
    states: Sequence[Values],
    result: Reconstruction,
    shifts: Mapping[str, NDArray[np.float64]],
    exact: Run,
    found: Sources,
) -> Iterator[tuple[dict[str, float], Run]]:
    """Where the effect of each source of noise at a step belongs, and the step's output with that noise."""
    affine = result.tensors.get(step.output)
    if affine is not None:
        shift = shifts.get(step.conv.output[0]) if step.conv is not None else None
        yield found.tensors, lambda state: _moved(exact(state), affine, shift)
    if step.conv is not None and step.conv.output[0] in result.weights:
        constants = _rounded(graph, step, states, result)
        yield found.weights, _runner(graph, step.nodes, step.inputs, step.output, constants=constants)


def _moved(
    values: NDArray[np.float32], affine: Affine, shift: NDArray[np.float64] | None
) -> NDArray[np.float32]:
    """Values rounded after a shift by these shares of a step, which is undone; zeros stay."""
    if shift is None:
        return affine.dequantized(affine.quantized(values))
    moves = np.where(values > 0, (shift * affine.scale).reshape(1, -1, 1, 1), 0.0).astype(np.float32)
    return affine.dequantized(affine.quantized(values + moves)) - moves


def _rounded(graph: Graph, step: Step, states: Sequence[Values], result: Reconstruction) -> Values:
    """The rounded kernel of a step, and a bias with which the mean of its output is the float run's."""
    conv = step.conv
    assert conv is not None
    weights = result.weights[conv.output[0]]
    kernel = weights.values * weights.scales.reshape(-1, *[1] * (weights.values.ndim - 1))
    nodes = step.nodes[: step.nodes.index(conv) + 1]
    constants = {conv.input[1]: kernel.astype(np.float32)}
    before, after = (
        _runner(graph, nodes, step.inputs, conv.output[0], constants=values) for values in (None, constants)
    )
    moved = np.mean(
        [(before(state) - after(state)).mean(axis=(0, 2, 3), dtype=np.float64) for state in states], axis=0
    )
    bias = graph.constants[conv.input[2]] + moved
    return {**constants, conv.input[2]: bias.astype(np.float32)}


def _between(graph: Graph, known: set[str], ends: Sequence[str]) -> Sequence[NodeProto]:
    """The nodes that make the ends of known tensors."""
    makers = [node for node in map(graph.producer, ends) if node is not None and node.output[0] not in known]
    found = {id(node): node for last in makers for node in behind(graph, last, known)[0]}
    return graph.ordered(found.values())


def _answers(run: Run, states: Iterable[Values]) -> NDArray[Any]:
    """Answers [images, values]."""
    return np.concatenate([run(state).reshape(1, -1) for state in states])


def _runner(
    graph: Graph,
    nodes: Sequence[NodeProto],
    inputs: Sequence[str],
    *outputs: str,
    constants: Mapping[str, NDArray[Any]] | None = None,
) -> Run:
    """Computes a tensor from those that live, or several as a row; itself where no node is left."""
    if not nodes:
        return lambda state: state[outputs[0]]
    session = Evaluator(subgraph(graph, nodes, inputs, outputs, constants), outputs, lean=True)

    def run(state: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        found = session.feed({name: state[name] for name in inputs})
        return found[outputs[0]] if len(outputs) == 1 else flat(found.values())

    return run
