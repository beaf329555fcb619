"""What noise in each channel of a tensor does to a network's answers, from the gradients of a few images.

To second order, noise of power s in a channel adds s/2 x the trace of J' H J to the divergence of the
answers, with H its Hessian there and J the channel's Jacobian. A random vector v of covariance H turns the
trace into the mean of |v' J|^2: one gradient for all channels of all tensors. For a classifier H is that of
the Kullback-Leibler divergence, and the trace the Fisher information, estimated with classes drawn from the
network's own probabilities (Martens, arXiv 1412.1193, section 5; Hutchinson's trace estimator).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from edgenet.graph.evaluate import Evaluator, flat
from edgenet.graph.gradient.differentiate import differentiable, differentiate
from edgenet.graph.gradient.emit import Emitter
from edgenet.graph.graph import Graph
from edgenet.quantize.calibration.calibrate import calibration_threads
from edgenet.task import Task

__all__ = ["channel_curvature"]

IMAGES = 16
# Random vectors for each image.
DRAWS = 2

Array = NDArray[np.float64]


def channel_curvature(
    task: Task, graph: Graph, names: Sequence[str], images: Sequence[NDArray[np.uint8]]
) -> dict[str, Array]:
    """Measure it over at most 16 of some images.

    Args:
        task: What the network is for.
        graph: A prepared float graph; not changed.
        names: Tensors [1, channels, rows, columns].
        images: uint8 [1, H, W, 3] each.

    Returns:
        Tensor → float64 [channels], divergence for each unit of noise power, where all positions of the
        channel have independent noise of that power; empty where an operator has no gradient here, or
        where an answer is no number.
    """
    if not names or not differentiable(graph, names):
        return {}
    threads = calibration_threads()
    plain, gradients = Evaluator(graph.proto(), threads=threads, lean=True), _Gradients(graph, names, threads)
    generator, total = np.random.default_rng(0), dict.fromkeys(names, np.zeros(1))
    chosen = images[:: -(-len(images) // IMAGES)]
    for pixels in chosen:
        answer = task.comparable(plain.row(pixels)[None], task.outputs[0])
        if not np.isfinite(answer).all():
            return {}
        for vector in task.probes(answer, DRAWS, generator):
            for name, power in gradients.powers(pixels, vector).items():
                total[name] = total[name] + power
    return {name: value / (2.0 * DRAWS * len(chosen)) for name, value in total.items()}


class _Gradients:
    """A network that gives the power of a gradient in every channel of some tensors."""

    def __init__(self, graph: Graph, names: Sequence[str], threads: int) -> None:
        copy = graph.copy()
        emit, self._ends = Emitter(copy), {}
        for name in graph.outputs:
            seed = copy.fresh(f"{name}/seed")
            value = onnx.helper.make_tensor_value_info(seed, onnx.TensorProto.FLOAT, graph.shape(name))
            copy.add_graph_input(value)
            self._ends[name] = seed
        found = differentiate(emit, self._ends, names)
        self._powers = {name: emit.sum(emit.times(grad, grad), [0, 2, 3]) for name, grad in found.items()}
        self._input, self._shapes = graph.input, [graph.shape(name) for name in graph.outputs]
        self._session = Evaluator(copy.proto(), list(self._powers.values()), threads, lean=True)

    def powers(self, pixels: NDArray[np.uint8], vector: NDArray[np.float32]) -> Mapping[str, Array]:
        """For a random vector [values] at the answers to an image: tensor → [channels]."""
        sizes = [int(np.prod(shape)) for shape in self._shapes]
        parts = np.split(vector, np.cumsum(sizes)[:-1])
        seeds = [part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)]
        given = self._session.feed(
            {self._input: pixels, **dict(zip(self._ends.values(), seeds, strict=True))}
        )
        return {name: flat([given[power]]).astype(np.float64) for name, power in self._powers.items()}
