"""Prepare a float graph's channels for one int8 range a tensor: dead ones to work, live ones to fill it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.graph.graph import Graph
from edgenet.graph.passes.equalize import ChannelGroup, channel_groups, depthwise, scale_channels
from edgenet.graph.passes.split_channels import (
    DepthwiseChain,
    add_channels,
    depthwise_chains,
    split_into_dead,
)
from edgenet.graph.qparams import STEPS
from edgenet.quantize.calibration.channel_statistics import ChannelStatistics
from edgenet.quantize.rounding.detect_grid import grid_scales
from edgenet.recipe import Recipe

__all__ = [
    "EqualizationResult",
    "balance",
    "equalize",
    "equalize_channels",
    "lanes_to_split",
    "split_channels",
    "watched",
]

# Below this share of the tensor's largest channel a channel counts as zero and is left alone.
NOTHING = 1e-4
ROUNDS = 8
# A lane is filled up where it adds this share of the noise of all that could be; so much is no quiet tensor.
MUCH = 0.05

Array = NDArray[np.float64]


@dataclass
class EqualizationResult:
    """What was done to the channels.

    Attributes:
        limits: Tensor → the upper end that its channels now fill (the int8 range of an activation).
        shifts: Output of a convolution → the share of a step to add to each channel's bias.
        reused: Dead channels that now carry copies.
        equalized: Tensors whose channels were scaled.
        factors: First tensor of a group whose channels fill the range → what they were scaled by.
        curvature: What noise in each channel does to the answers, by tensor, as far as it is known: of the
            channels as they are now.
    """

    limits: dict[str, float] = field(default_factory=dict)
    shifts: dict[str, Array] = field(default_factory=dict)
    reused: int = 0
    equalized: int = 0
    factors: dict[str, Array] = field(default_factory=dict)
    curvature: dict[str, Array] = field(default_factory=dict)

    def follow(self, names: Iterable[str], factors: Array) -> None:
        """Let the curvature follow a scaling of some tensors' channels: [channels], positive."""
        for name in set(names) & set(self.curvature):
            self.curvature[name] = self.curvature[name] / factors**2


def watched(graph: Graph) -> list[str]:
    """The tensors whose channels must be watched: all that lie in a group or a lane."""
    names = {name for group in channel_groups(graph) for name in group.tensors if len(graph.shape(name)) == 4}
    inside = {name for lane in depthwise_chains(graph) for name in (lane.inner, lane.outer)}
    fused = {node.input[0] for group in channel_groups(graph) for node in group.clips}
    fused |= {node.input[0] for node in graph.nodes if node.op_type == "Relu"}
    return [node.output[0] for node in graph.nodes if node.output[0] in (names | inside) - fused]


def equalize_channels(
    graph: Graph,
    seen: Mapping[str, ChannelStatistics],
    recipe: Recipe,
    curvature: Mapping[str, Array] | None = None,
) -> EqualizationResult:
    """Prepare a graph's channels as a recipe says.

    Args:
        graph: The prepared float graph; changed in place.
        seen: Statistics of every watched tensor; they may follow.
        recipe: Says whether dead channels are put to work, and how channels are equalized.
        curvature: What noise in each channel does to the answers, by tensor
            (:mod:`.calibration.curvature`); without it, noise is judged by the weights behind it.
    """
    shaped = EqualizationResult(curvature=dict(curvature or {}))
    noise = {name: float(_rounding_noise(seen[name], kept).sum()) for name, kept in shaped.curvature.items()}
    if recipe.reuse_dead:
        split_channels(graph, seen, shaped, recipe.spare_channels)
    if recipe.equalize == "weights":
        balance(graph, seen, shaped, recipe.balance)
    elif recipe.equalize == "range":
        equalize(graph, seen, shaped, recipe.headroom, recipe.quiet_headroom, noise)
    return shaped


def lanes_to_split(
    graph: Graph, seen: Mapping[str, ChannelStatistics], tile: int = 0
) -> list[DepthwiseChain]:
    """The lanes that have dead channels, or room for more within a multiple of ``tile``."""
    return [
        lane
        for lane in depthwise_chains(graph)
        if lane.inner in seen
        and lane.outer in seen
        and not (dead := _dead(seen[lane.outer])).all()
        and (dead.any() or (tile and len(dead) % tile))
    ]


def split_channels(
    graph: Graph,
    seen: Mapping[str, ChannelStatistics],
    shaped: EqualizationResult,
    tile: int = 0,
) -> None:
    """Let dead channels carry copies of the noisiest live ones, in every lane; see ``reuse_dead``.

    The statistics of the copies become those of what they copy; each of n copies has the n-th part of the
    gradient.

    Args:
        graph: Changed in place; it computes what it computed.
        seen: Statistics of every watched tensor.
        shaped: Takes the shifts; its curvature is used, and follows.
        tile: Lanes with much of all noise are filled up to a multiple of it first; 0: none.
    """
    lanes, curvature = lanes_to_split(graph, seen, tile), shaped.curvature
    noises = [_noise(graph, lane, seen[lane.inner], seen[lane.outer], curvature) for lane in lanes]
    whole = sum(float(noise.sum()) for noise in noises)
    for lane, noise in zip(lanes, noises, strict=True):
        inner, outer = seen[lane.inner], seen[lane.outer]
        missing = -len(noise) % tile if tile and curvature and noise.sum() > MUCH * whole else 0
        if missing:
            add_channels(graph, lane, missing)
            inner.extend(missing)
            outer.extend(missing)
        dead = _dead(outer)
        if not dead.any():
            continue
        made = split_into_dead(graph, lane, dead, np.pad(noise, (0, missing)))
        inner.take(made.source)
        outer.take(made.source)
        copies = np.bincount(made.source, minlength=len(made.source))[made.source]
        for name in {lane.inner, lane.outer} & set(curvature):
            curvature[name] = np.pad(curvature[name], (0, missing))[made.source] / copies**2
        shaped.shifts[lane.enter.output[0]] = shaped.shifts[lane.filters.output[0]] = made.shift
        shaped.reused += int((made.source != np.arange(len(made.source))).sum())


def equalize(
    graph: Graph,
    seen: Mapping[str, ChannelStatistics],
    shaped: EqualizationResult,
    headroom: float = 0.0,
    quiet_headroom: float = 0.0,
    noise: Mapping[str, float] | None = None,
) -> None:
    """Scale the channels of every group so that each fills the tensor's range, but for some headroom.

    A group that is read by a kernel with its weights on a grid is left alone: other factors for its columns
    would take them off. Rows may have factors, so what depthwise kernels read is scaled all the same.

    Args:
        graph: Changed in place; below its limits it computes what it computed.
        seen: Statistics of every watched tensor.
        shaped: Takes the limits and factors; its curvature follows.
        headroom: The share by which a channel may exceed what was seen of it.
        quiet_headroom: The same in groups without much of all noise, if that is more.
        noise: What rounding a tensor adds, in any unit; as far as it is known.
    """
    noise = noise or {}
    whole = sum(noise.values())
    for group in channel_groups(graph):
        known = [name for name in group.tensors if name in seen]
        if not known or any(_on_grid(graph, conv) for conv in group.readers):
            continue
        largest = np.max([np.maximum(seen[name].high, -seen[name].low) for name in known], axis=0)
        own = [noise[name] for name in known if name in noise]
        quiet = bool(own) and max(own) < MUCH * whole
        largest = largest * (1.0 + max(headroom, quiet_headroom if quiet else 0.0))
        limit = group.limit(graph)
        if group.clips:
            largest = np.minimum(largest, limit)
        target = limit if np.isfinite(limit) else float(largest.max())
        live = largest > NOTHING * target
        factors = np.where(live, target / np.where(live, largest, 1.0), 1.0)
        scale_channels(graph, group, factors)
        shaped.factors[group.tensors[0]] = factors
        shaped.follow(group.tensors, factors)
        shaped.equalized += len(known)
        if group.clips:
            shaped.limits.update({node.output[0]: limit for node in group.clips})


def _on_grid(graph: Graph, conv: NodeProto) -> bool:
    """Whether factors for its inputs would take most weights of a kernel off an int8 grid."""
    return not depthwise(graph, conv) and bool((grid_scales(graph.constants[conv.input[1]]) > 0).mean() > 0.5)


def balance(
    graph: Graph, seen: Mapping[str, ChannelStatistics], shaped: EqualizationResult, weight: float = 1.0
) -> None:
    """Scale channels so that the weights on both sides get equal ranges: for one scale a kernel.

    The factor of a channel is sqrt(r2 / r1), with r1 and r2 its largest weight where it is made and where it
    is read (Nagel et al., arXiv 1906.04721, equation 11), repeated because a depthwise kernel belongs to two
    groups. Behind a ReLU6 a channel is never scaled beyond the limit, and not at all if it meets it.

    Args:
        graph: Changed in place; below its limits it computes what it computed.
        seen: Statistics of every watched tensor; they follow the scaling.
        shaped: Called with the limits.
        weight: 1 balances the weights; 0 fills the activations' range.
    """
    for _ in range(ROUNDS):
        for group in channel_groups(graph):
            known = [seen[name] for name in group.tensors if name in seen]
            if known:
                factors = _balancing(graph, group, known, weight)
                scale_channels(graph, group, factors)
                for item in known:
                    item.scale(factors)
    for group in channel_groups(graph):
        limit = group.limit(graph)
        shaped.equalized += sum(name in seen for name in group.tensors)
        shaped.limits.update({node.output[0]: limit for node in group.clips if np.isfinite(limit)})


def _balancing(graph: Graph, group: ChannelGroup, known: Sequence[ChannelStatistics], weight: float) -> Array:
    largest = np.max([np.maximum(item.high, -item.low) for item in known], axis=0)
    limit = group.limit(graph)
    target = limit if np.isfinite(limit) else float(largest.max())
    live = largest > NOTHING * target
    made = np.max([_ranges(graph, conv, 0) for conv in group.makers], axis=0)
    read = np.max(
        [_ranges(graph, conv, 0 if depthwise(graph, conv) else 1) for conv in group.readers], axis=0
    )
    live &= (made > 0) & (read > 0)
    if not live.any():
        return np.ones(len(live))
    room = np.where(live, target / np.where(live, largest, 1.0), 1.0)
    wanted = np.sqrt(np.where(live, read, 1.0) / np.where(live, made, 1.0))
    level = np.exp(np.log(room[live] / wanted[live]).mean())
    mixed = room ** (1 - weight) * (level * wanted) ** weight
    if group.clips:  # scaled down, a channel that meets its limit would get a higher one
        mixed = np.where(room > 1, np.minimum(mixed, room), 1.0)
    if not np.isfinite(limit):  # nothing else keeps the tensor from growing
        mixed = mixed * (target / (largest * mixed)[live].max())
    return np.where(live, mixed, 1.0)


def _ranges(graph: Graph, conv: NodeProto, axis: int) -> Array:
    """The largest weight of every channel along an axis of a kernel."""
    kernel = np.abs(graph.constants[conv.input[1]].astype(np.float64))
    return np.asarray(kernel.max(axis=tuple(index for index in range(kernel.ndim) if index != axis)))


def _dead(outer: ChannelStatistics) -> NDArray[np.bool_]:
    """Which channels are zero at a lane's end on every image."""
    return np.asarray((outer.high <= 0) & (outer.low >= 0))


def _rounding_noise(seen: ChannelStatistics, curvature: Array) -> Array:
    """What rounding each channel to 8 bits of its own range does to the answers."""
    spread = np.maximum(seen.high, 0.0) - np.minimum(seen.low, 0.0)
    return np.asarray(curvature * (spread / STEPS) ** 2 / 12)


def _noise(
    graph: Graph,
    lane: DepthwiseChain,
    inner: ChannelStatistics,
    outer: ChannelStatistics,
    curvature: Mapping[str, Array],
) -> Array:
    """What rounding each channel to 8 bits adds behind the lane, were its range its own.

    In the answers' divergence where the curvature is known, else in power of the next layer's output.
    """
    if lane.inner in curvature and lane.outer in curvature:
        return _rounding_noise(inner, curvature[lane.inner]) + _rounding_noise(outer, curvature[lane.outer])
    mixing = np.square(graph.constants[lane.leave.input[1]].astype(np.float64)).sum(axis=(0, 2, 3))
    filters = np.square(graph.constants[lane.filters.input[1]].astype(np.float64)).sum(axis=(1, 2, 3))
    return np.asarray(mixing * (outer.high**2 + filters * inner.high**2))
