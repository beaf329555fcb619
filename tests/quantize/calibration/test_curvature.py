"""What noise does to the answers, held to noise that is really there."""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.graph.segments import behind, subgraph
from edgenet.model import Model
from edgenet.quantize.calibration import curvature as curvature_module
from edgenet.quantize.calibration.curvature import channel_curvature
from edgenet.tasks.binary import Binary
from edgenet.tasks.classification import Classification
from edgenet.tasks.multilabel import Multilabel
from tests.conftest import smooth_images
from tests.graph.small import graph, node, random

PIXELS = [image[None] for image in smooth_images(16, 4, 64, 64)]


def disturbed(model: Graph, name: str, power: np.ndarray) -> float:
    """The divergence that noise of a power in each channel causes, averaged over images and draws."""
    task, generator = Classification("logits"), np.random.default_rng(1)
    last = model.producer(model.output)
    assert last is not None
    nodes, _ = behind(model, last, {name})
    before = Evaluator(model.proto(), [name])
    after = Evaluator(subgraph(model, nodes, [name], [model.output]), [model.output])
    found = []
    for pixels in PIXELS:
        value = before.run(pixels)[name]
        judge = task.divergence(after.feed({name: value})[model.output])
        for _ in range(8):
            noise = generator.normal(0, 1, value.shape) * np.sqrt(power)[None, :, None, None]
            moved = after.feed({name: (value + noise).astype(np.float32)})[model.output]
            found.append(judge(moved))
    return float(np.mean(found))


@pytest.mark.parametrize("place", [0, 3, 9])
def test_it_tells_the_divergence_of_noise(model: Model, place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curvature_module, "DRAWS", 40)
    prepared = Graph(prepare(model).proto)
    name = [item.output[0] for item in prepared.nodes if item.op_type in ("Clip", "Relu")][place]
    curvature = channel_curvature(model.task, prepared, [name], PIXELS)[name]
    wide = float(np.ptp(Evaluator(prepared.proto(), [name]).run(PIXELS[0])[name]))
    power = np.full(len(curvature), (0.001 * wide) ** 2)
    assert float((curvature * power).sum()) == pytest.approx(disturbed(prepared, name, power), rel=0.45)


def test_it_tells_channels_apart(model: Model) -> None:
    prepared = Graph(prepare(model).proto)
    name = next(item.output[0] for item in prepared.nodes if item.op_type in ("Clip", "Relu"))
    curvature = channel_curvature(model.task, prepared, [name], PIXELS)[name]
    order = np.argsort(curvature)
    quiet, loud = np.zeros_like(curvature), np.zeros_like(curvature)
    quiet[order[:2]] = loud[order[-2:]] = 1e-4
    assert disturbed(prepared, name, loud) > disturbed(prepared, name, quiet)


def test_without_a_gradient_nothing_is_told() -> None:
    small = graph([node("Exp", ["x"], ["e"]), node("GlobalAveragePool", ["e"], ["y"])])
    assert channel_curvature(Classification("logits"), small, ["x"], []) == {}
    assert channel_curvature(Classification("logits"), small, [], []) == {}


@pytest.mark.parametrize("task", [Classification("logits"), Multilabel("logits"), Binary("logits")])
def test_the_covariance_of_the_probes_is_the_hessian(task: Classification) -> None:
    """A step of size e along v changes the divergence by e squared / 2 x v' H v."""
    values = 1 if isinstance(task, Binary) else 4
    wanted = 2 * random(1, values, seed=8).astype(np.float32)
    probes = task.probes(wanted, 40_000, np.random.default_rng(0)).astype(np.float64)
    assert probes.shape == (40_000, values)
    hessian, step = probes.T @ probes / len(probes), 1e-2
    way = random(1, values, seed=3)
    bent = task.divergence(wanted)(wanted + step * way) / (step**2 / 2)
    assert float((way @ hessian @ way.T).item()) == pytest.approx(bent, rel=0.05)
