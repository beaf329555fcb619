"""Channels that fill less of their tensor's range, where the weights that read it gain more than it loses.

Equalization lets every channel fill the range: its own noise is then the least. A channel that is multiplied
by t < 1 is rounded to coarser steps, and its noise grows by 1/t^2. The weights that read it grow by 1/t. As
long as they do not become the largest of their rows, the rows keep their scales, and the noise that rounding
these weights adds, times smaller values, falls by t^2. Both kinds of noise add up in the divergence of the
answers, to second order:

    sum_c a_c / t_c^2  +  sum_o g_o (max_c |w_oc| / t_c)^2 sum_c v_c t_c^2

with a_c the noise of channel c, g_o what noise in row o does to the answers (:mod:`.calibration.curvature`),
and v_c the variance of the channel that the others do not explain: second-order rounding leaves no more
(Frantar & Alistarh, arXiv 2208.11580, equation 3). In log t this is convex (a geometric program).
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.equalize import ChannelGroup, channel_groups, depthwise, scale_channels
from edgenet.graph.qdq.insert import activations
from edgenet.graph.qparams import LARGEST_WEIGHT, STEPS
from edgenet.quantize.calibration.calibrate import calibration_threads
from edgenet.quantize.equalization import EqualizationResult
from edgenet.quantize.rounding.second_moments import columns

__all__ = ["Reader", "trade_noise", "traded"]

IMAGES = 16
POSITIONS = 256
# The error of a weight is the same at all positions, so what it does there adds up in part: 2 to 6 times what
# independent noise of that power would do, measured in layers of V1 0.25, V1 0.75 and V2 0.35.
COHERENCE = 4.0
ROUNDS = 60
RATE = 0.15
# Weights this near to the largest of their row, as a logarithm, move with it.
NEAR = 0.01
# What is left of a channel's range at least.
LEAST = 0.05

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Reader:
    """A pointwise kernel that reads a group of channels.

    Attributes:
        weights: Their sizes, [rows, channels].
        rows: Divergence that rounding a weight adds in each row, for an input of variance 1 and a largest
            weight of 1; [rows].
        variance: Of each channel, as far as the others do not explain it; [channels].
    """

    weights: Array
    rows: Array
    variance: Array

    @cached_property
    def logarithms(self) -> Array:
        """Of the weights; of those that are nothing, as good as none."""
        return np.asarray(np.log(np.maximum(self.weights, 1e-9 * self.weights.max() + 1e-30)))


def trade_noise(
    graph: Graph, images: Sequence[NDArray[np.uint8]], shaped: EqualizationResult, damping: float
) -> int:
    """Scale equalized channels down where the answers gain by it.

    Args:
        graph: Its channels are equalized; changed in place. It computes what it computed.
        images: uint8 [1, H, W, 3] each; at most 16 of them are used.
        shaped: What was done to the channels. Behind a ReLU6 none becomes smaller than it was before: it
            would get a higher limit.
        damping: Added to the second moments' diagonal, as a share of its mean.

    Returns:
        How many channels were scaled.
    """
    scaled, known = shaped.factors, shaped.curvature
    places = _places(graph, scaled, known)
    if not places:
        return 0
    seen, found = _Seen(graph, places, images, damping), []
    for place in places:
        own = np.sum([known[name] * seen.step(name) ** 2 / 12 for name in place.tensors], axis=0)
        readers = [
            Reader(
                np.abs(graph.constants[conv.input[1]][:, :, 0, 0].astype(np.float64)),
                known[end] * _coherence(graph, end) / (12 * LARGEST_WEIGHT**2),
                seen.variance(conv.input[0]),
            )
            for conv, end in zip(place.readers, place.ends, strict=True)
        ]
        least = np.full(len(own), LEAST)
        if place.group.clips:
            least = np.maximum(least, 1.0 / np.maximum(scaled[place.group.tensors[0]], 1.0))
        found.append(traded(own, readers, least))
    for place, factors in zip(places, found, strict=True):
        scale_channels(graph, place.group, factors)
        shaped.follow(place.group.tensors, factors)
    return sum(int((factors < 1).sum()) for factors in found)


def traded(own: Array, readers: Sequence[Reader], least: Array) -> Array:
    """The factors of a group's channels with the least noise, by Adam (arXiv 1412.6980).

    Args:
        own: Divergence that rounding each channel adds; [channels].
        readers: The kernels that read them.
        least: [channels], the smallest factors allowed; the largest is 1.

    Returns:
        [channels].
    """
    place, floor = _start(own, readers, least), np.log(least)
    best, found = np.inf, place
    first, second = np.zeros(len(own)), np.zeros(len(own))
    for turn in range(1, ROUNDS + 1):
        noise, slope = _noise(own, readers, place)
        if noise < best:
            best, found = noise, place
        first, second = 0.9 * first + 0.1 * slope, 0.95 * second + 0.05 * slope**2
        step = first / (1 - 0.9**turn) / (np.sqrt(second / (1 - 0.95**turn)) + 1e-30)
        place = np.clip(place - RATE * (1 - turn / (ROUNDS + 1)) * step, floor, 0.0)
    return np.asarray(np.exp(found))


def _noise(own: Array, readers: Sequence[Reader], place: Array) -> tuple[float, Array]:
    """All noise with factors exp(place), and its slope; the largest weights of a row share that row's."""
    power = np.exp(2 * place)
    noise, slope = float((own / power).sum()), -2 * own / power
    for item in readers:
        sizes = item.logarithms - place
        largest = sizes.max(axis=1)
        cost, through = item.rows * np.exp(2 * largest), float(item.variance @ power)
        near = sizes > largest[:, None] - NEAR
        noise += float(cost.sum()) * through
        slope += 2 * cost.sum() * item.variance * power
        slope -= 2 * through * ((cost / near.sum(axis=1)) @ near)
    return noise, slope


def _start(own: Array, readers: Sequence[Reader], least: Array) -> Array:
    """The best factors, as logarithms, with which no row's largest weight grows."""
    lost, smallest = np.full(len(own), 1e-30), least
    for item in readers:
        largest = item.weights.max(axis=1) + 1e-30
        lost = lost + (item.rows @ largest**2) * item.variance
        smallest = np.maximum(smallest, (item.weights / largest[:, None]).max(axis=0))
    return np.asarray(np.log(np.clip((own / lost) ** 0.25, smallest, 1.0)))


@dataclass(frozen=True)
class _Place:
    """A group of channels, its rounded tensors, the pointwise kernels that read it, and their outputs."""

    group: ChannelGroup
    tensors: tuple[str, ...]
    readers: tuple[NodeProto, ...]
    ends: tuple[str, ...]


def _places(graph: Graph, scaled: Container[str], known: Container[str]) -> list[_Place]:
    """The equalized groups that pointwise kernels read, where all curvature is known."""
    rounded, found = set(activations(graph)), []
    for group in channel_groups(graph):
        readers = tuple(conv for conv in group.readers if not depthwise(graph, conv))
        ends = tuple(_rounded_end(graph, conv, rounded) for conv in readers)
        tensors = tuple(name for name in group.tensors if name in rounded)
        flat = all(graph.constants[conv.input[1]].shape[2:] == (1, 1) for conv in readers)
        told = all(name in known for name in (*tensors, *ends))
        if group.tensors[0] in scaled and readers and tensors and flat and told:
            found.append(_Place(group, tensors, readers, ends))
    return found


def _rounded_end(graph: Graph, conv: NodeProto, rounded: Container[str]) -> str:
    """Where a convolution's result is rounded: behind the activation that runs with it."""
    name = str(conv.output[0])
    return name if name in rounded else str(graph.consumers(name)[0].output[0])


def _coherence(graph: Graph, name: str) -> float:
    return COHERENCE if np.prod(graph.shape(name)[2:]) > 1 else 1.0


class _Seen:
    """Ranges of tensors and covariances of what kernels read, over a few images."""

    def __init__(
        self, graph: Graph, places: Sequence[_Place], images: Sequence[NDArray[np.uint8]], damping: float
    ) -> None:
        self._damping = damping
        self._ends: dict[str, tuple[float, float]] = {}
        self._sums: dict[str, tuple[Array, Array, int]] = {}
        readers = {conv.input[0]: conv for place in places for conv in place.readers}
        names = sorted({name for place in places for name in place.tensors} | set(readers))
        run = Evaluator(graph.proto(), names, calibration_threads(), lean=True)
        for pixels in images[:: -(-len(images) // IMAGES)]:
            values = run.run(pixels)
            for name in names:
                low, high = self._ends.get(name, (0.0, 0.0))
                self._ends[name] = min(low, float(values[name].min())), max(high, float(values[name].max()))
            for name, conv in readers.items():
                self._add(name, columns(values[name], conv, (1, 1), False, POSITIONS)[0].astype(np.float64))

    def step(self, name: str) -> float:
        """The step of a tensor whose range is what was seen of it."""
        low, high = self._ends[name]
        return (high - low) / STEPS

    def variance(self, name: str) -> Array:
        """Of each channel, as far as the others do not explain it: [channels]."""
        square, total, count = self._sums[name]
        covariance = square / count - np.outer(total, total) / count**2
        covariance += (self._damping * covariance.diagonal().mean() + 1e-30) * np.eye(len(total))
        return np.asarray(1.0 / np.linalg.inv(covariance).diagonal())

    def _add(self, name: str, values: Array) -> None:
        own = values @ values.T, values.sum(axis=1), values.shape[1]
        old = self._sums.get(name)
        self._sums[name] = own if old is None else (old[0] + own[0], old[1] + own[1], old[2] + own[2])
