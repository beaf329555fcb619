"""Two runs side by side: what is kept of their tensors between layers, held to whole runs of the network."""

from __future__ import annotations

import numpy as np

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.graph.qdq.insert import activations
from edgenet.graph.qparams import Affine
from edgenet.graph.segments import Step, steps
from edgenet.quantize.rounding.paired_activations import SMALL, Pairs
from tests.backends.tflite_graphs import Net


def network() -> tuple[Graph, list[Step]]:
    net = Net(64, 64)
    wide = net.conv(net.top, 3, 16, pads=[1, 1, 1, 1], clip=None)
    net.classify(net.conv(wide, 16, 8, 1, clip=None), 8)
    graph = Graph(prepare(net.model()).proto)
    return graph, steps(graph, activations(graph))


def advanced(graph: Graph, parts: list[Step], affine: Affine | None) -> tuple[Pairs, Step, str]:
    """The runs behind the first convolution; the step that reads it, and its tensor."""
    pairs = Pairs(graph, parts, images_of(graph))
    pairs.add_images(2, True)
    at = next(index for index, step in enumerate(parts) if step.conv is not None)
    for index in range(at + 1):
        run = pairs.evaluator(parts[index], [parts[index].output])
        pairs.finish(index, affine if index == at else None, run, run)
    name = parts[at].output
    return pairs, next(step for step in parts if name in step.inputs), name


def images_of(graph: Graph) -> list[np.ndarray]:
    shape = graph.shape(graph.input)
    return [np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8) for seed in range(2)]


def test_a_large_tensor_is_within_a_16_bit_step_or_two() -> None:
    graph, parts = network()
    pairs, reader, name = advanced(graph, parts, None)
    truth = Evaluator(graph.proto(), [name])
    for index, pixels in enumerate(images_of(graph)):
        wanted = truth.run(pixels)[name]
        assert wanted.size > SMALL
        for values in pairs.inputs(reader, index):
            step = np.abs(wanted).max() / 32767
            assert 0 < np.abs(values[name] - wanted).max() <= 2 * step, "the centered pixels are kept so, too"
            assert values[name].dtype == np.float32


def test_the_rounded_run_has_the_steps_that_were_chosen() -> None:
    graph, parts = network()
    pairs, reader, name = advanced(graph, parts, Affine(0.25, 3))
    exact, rounded = pairs.inputs(reader, 0)
    steps_of = rounded[name] / 0.25
    assert np.array_equal(steps_of, np.round(steps_of))
    assert np.abs(np.clip(exact[name], -131 * 0.25, 124 * 0.25) - rounded[name]).max() <= 0.126


def test_what_is_beyond_float16_stays_what_it_is() -> None:
    graph, parts = network()
    conv = next(node for node in graph.nodes if node.op_type == "Conv")
    graph.constants[conv.input[1]] = graph.constants[conv.input[1]] * np.float32(1e7)
    pairs, reader, name = advanced(graph, parts, None)
    wanted = Evaluator(graph.proto(), [name]).run(images_of(graph)[0])[name]
    assert np.abs(wanted).max() > 65504
    assert np.allclose(pairs.inputs(reader, 0)[0][name], wanted, rtol=0, atol=np.abs(wanted).max() / 15000)
