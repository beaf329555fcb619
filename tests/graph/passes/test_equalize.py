"""Passes over channels keep the float function, or say where it ends."""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.equalize import channel_groups, depthwise, scale_channels
from edgenet.graph.passes.prepare import prepare
from edgenet.graph.passes.split_channels import depthwise_chains, split_into_dead
from edgenet.graph.qdq.insert import activations
from edgenet.graph.segments import steps, subgraph
from edgenet.model import Model
from edgenet.quantize.calibration.calibrate import channel_statistics
from edgenet.quantize.calibration.channel_statistics import ChannelStatistics
from edgenet.quantize.equalization import EqualizationResult, balance, equalize, split_channels, watched
from edgenet.quantize.rounding.detect_grid import grid_scales
from tests.conftest import smooth_images

IMAGES = [image[None] for image in smooth_images(10, 3, 64, 64)]


@pytest.fixture
def graph(model: Model) -> Graph:
    return Graph(prepare(model).proto)


def seen_of(graph: Graph, names: list[str]) -> dict[str, ChannelStatistics]:
    (seen,) = channel_statistics(graph, names, IMAGES)
    return seen


def answers(graph: Graph) -> np.ndarray:
    session = Evaluator(graph.proto())
    return np.stack([session.row(pixels) for pixels in IMAGES])


def test_groups_of_a_mobilenet(graph: Graph) -> None:
    groups = channel_groups(graph)
    assert len(groups) == 27, "every convolution but the classifier writes into one"
    assert all(len(group.makers) == len(group.readers) == 1 for group in groups)
    assert groups[-1].tensors[-1] != graph.output
    assert sum(depthwise(graph, group.makers[0]) for group in groups) == 13


def test_scaling_below_the_limit_changes_nothing(graph: Graph) -> None:
    before = answers(graph)
    seen = seen_of(graph, watched(graph))
    generator = np.random.default_rng(0)
    for group in channel_groups(graph):
        top = max(float(seen[name].high.max()) for name in group.tensors if name in seen)
        if top >= group.limit(graph):
            continue
        factors = generator.uniform(0.5, 1.0, len(graph.constants[group.makers[0].input[2]]))
        scale_channels(graph, group, factors)
    assert np.abs(answers(graph) - before).max() < 1e-4 * np.ptp(before)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_balancing_keeps_the_float_function(graph: Graph, weight: float) -> None:
    before, seen = answers(graph), seen_of(graph, watched(graph))
    balance(graph, seen, EqualizationResult(), weight)
    assert np.abs(answers(graph) - before).max() < 1e-3 * np.ptp(before)


def test_filling_the_range_keeps_the_float_function(graph: Graph) -> None:
    before, shaped = answers(graph), EqualizationResult()
    equalize(graph, seen_of(graph, watched(graph)), shaped)
    assert np.abs(answers(graph) - before).max() < 1e-3 * np.ptp(before)
    again = seen_of(graph, list(shaped.limits))
    for name, limit in shaped.limits.items():
        live = again[name].high > 0.001
        assert again[name].high[live] == pytest.approx(limit, rel=1e-3), (
            "every live channel ends at the limit"
        )


def test_balancing_does_not_blow_up_a_network_without_limits(graph: Graph) -> None:
    """Eight rounds, each of which let every tensor grow, left the range of half precision."""
    for node in graph.nodes:
        if node.op_type == "Clip":
            node.op_type = "Relu"
            del node.input[1:]
    before, seen = answers(graph), seen_of(graph, watched(graph))
    largest = {name: float(item.high.max()) for name, item in seen.items()}
    balance(graph, seen, EqualizationResult(), 0.8)
    assert np.abs(answers(graph) - before).max() < 1e-3 * np.ptp(before)
    again = seen_of(graph, list(largest))
    for name, value in largest.items():
        assert float(again[name].high.max()) < 2 * value


def test_what_a_kernel_on_a_grid_reads_is_left_alone(graph: Graph) -> None:
    """Depthwise kernels keep their grid, for a factor is a channel's; pointwise ones would lose it."""
    for conv in (node for node in graph.nodes if node.op_type == "Conv"):
        kernel = graph.constants[conv.input[1]]
        scales = np.abs(kernel).max(axis=(1, 2, 3), keepdims=True) / 100
        grid = (np.round(kernel / scales) * scales).astype(np.float32)
        graph.set_input(conv, 1, graph.add_constant("grid", grid))
    shaped = EqualizationResult()
    equalize(graph, seen_of(graph, watched(graph)), shaped)
    kernels = [graph.constants[node.input[1]] for node in graph.nodes if node.op_type == "Conv"]
    assert all((grid_scales(kernel) > 0).all() for kernel in kernels)
    assert shaped.equalized == 13, "what the depthwise kernels read"


def dead_channel(graph: Graph, lane: int, channel: int) -> None:
    """Let a channel of a lane never leave zero."""
    conv = depthwise_chains(graph)[lane].filters
    kernel, bias = (graph.constants[name].copy() for name in conv.input[1:3])
    kernel[channel], bias[channel] = 0, -1
    graph.set_input(conv, 1, graph.add_constant("dead/kernel", kernel))
    graph.set_input(conv, 2, graph.add_constant("dead/bias", bias))


def test_dead_channels_carry_copies(graph: Graph) -> None:
    assert len(depthwise_chains(graph)) == 13
    dead_channel(graph, 0, 2)
    dead_channel(graph, 0, 5)
    before, shaped = answers(graph), EqualizationResult()
    seen = seen_of(graph, watched(graph))
    split_channels(graph, seen, shaped, {})
    assert shaped.reused >= 2
    assert np.abs(answers(graph) - before).max() < 1e-4 * np.ptp(before)
    shift = shaped.shifts[depthwise_chains(graph)[0].filters.output[0]]
    assert set(np.round(shift, 3)) <= {0.0, 0.5, 0.333, 0.667}
    assert shift.any()


def test_without_noise_nothing_is_copied(graph: Graph) -> None:
    lane = depthwise_chains(graph)[0]
    before = answers(graph)
    dead_channel(graph, 0, 1)
    expected = answers(graph)
    dead = np.zeros(8, bool)
    dead[1] = True
    made = split_into_dead(graph, lane, dead, np.zeros(8))
    assert made.source.tolist() == list(range(8))
    assert not made.shift.any()
    assert np.abs(answers(graph) - expected).max() < 1e-4 * np.ptp(before)


def test_steps_put_together_are_the_graph(graph: Graph) -> None:
    rounded = activations(graph)
    parts = steps(graph, rounded)
    assert [part.output for part in parts] == rounded
    values = {graph.input: IMAGES[0]}
    for part in parts:
        session = Evaluator(subgraph(graph, part.nodes, part.inputs, [part.output]), [part.output], lean=True)
        values.update(session.feed({name: values[name] for name in part.inputs}))
    whole = Evaluator(graph.proto(), rounded).run(IMAGES[0])
    for name in rounded:
        assert values[name] == pytest.approx(whole[name], abs=1e-4)
