"""Heads of 16 bits in TFLite (its 16x8 kernels): what is written, what it computes, and a fault in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgenet.backend import Artifact
from edgenet.backends.lowering.read_back import ReadBack
from edgenet.backends.tflite import backend
from edgenet.errors import LibraryError, ModelError
from edgenet.graph.evaluate import Evaluator
from edgenet.library import Table
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.verify.artifact import verify_artifact
from tests.backends.tflite_graphs import (
    BOARD,
    TYPES,
    Net,
    images,
    lowered,
    operators,
    parsed,
    run,
    v1_like,
    v2_like,
)

RECIPE = replace(Recipe.load("int8-16x8-heads"), rounding_images=8, positions=64, sweeps=1)


def padded() -> Model:
    """A head that a convolution of 3x3 computes, padded as TFLite's own rule does not."""
    net = Net(16, 16)
    top = net.conv(net.top, 3, 8, strides=[2, 2], pads=[0, 0, 1, 1])
    head = net.conv(top, 8, 10, 3, None, strides=[8, 8], pads=[1, 1, 1, 1], name="head")
    net.top = net.node("Flatten", head)
    return net.model()


def depthwise() -> Model:
    """A head that a depthwise convolution computes."""
    net = Net(16, 16)
    top = net.conv(net.top, 3, 8, strides=[2, 2], pads=[0, 0, 1, 1])
    head = net.conv(top, 8, 8, 3, None, group=8, strides=[8, 8], pads=[1, 1, 1, 1], name="head")
    net.top = net.node("Flatten", head)
    return net.model(8)


NETWORKS = {"v1": v1_like, "v2": v2_like, "padded": padded, "depthwise": depthwise}


def wide(model: Model) -> Model:
    return quantize(model, RECIPE, images(model, 8))[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_file_computes_what_the_graph_says(name: str, tmp_path: Path) -> None:
    model = NETWORKS[name]()
    small, shown = wide(model), images(model, 4)
    artifact = backend().lower(small, BOARD)
    assert (artifact.output.dtype, artifact.output.scale) == ("float32", None)
    got = run(small, shown, tmp_path)
    exact = Evaluator(small.proto, optimize=False)
    wanted = np.stack([exact.row(item) for item in shown])
    assert np.abs(got - wanted).max() < 0.02 * np.ptp(wanted), "int8 kernels before it round a few elsewhere"
    assert verify_artifact("tflite", artifact, small, np.concatenate(shown), got) > 0
    again = ReadBack(artifact.data, "model.tflite", 1)
    assert np.abs(np.stack([again.run(item) for item in shown]) - wanted).max() < 0.02 * np.ptp(wanted)


def test_its_operators_and_types() -> None:
    data = lowered(wide(v2_like()))
    assert [item[:2] for item in operators(data)][-5:] == [
        ("DEQUANTIZE", 2),
        ("QUANTIZE", 2),
        ("CONV_2D", 4),
        ("RESHAPE", 1),
        ("DEQUANTIZE", 3),
    ]
    graph = parsed(data).subgraphs[0]
    conv = graph.operators[-3]
    kinds = [TYPES[graph.tensors[index].type] for index in (*conv.inputs, *conv.outputs)]
    assert kinds == ["INT16", "INT8", "INT64", "INT16"]
    for index in (conv.inputs[0], conv.outputs[0]):
        assert graph.tensors[index].quantization.zeroPoint.tolist() == [0]


def test_the_step_to_sixteen_bits_rounds_nothing(tmp_path: Path) -> None:
    """Every int8 number of the tensor before it, in a network that is nothing but a head over its pixels."""
    net = Net(16, 16, mean=0)
    head = net.conv(net.top, 3, 4, 1, None, name="head")
    net.top = net.node("Flatten", net.node("Transpose", head, perm=[0, 2, 3, 1]))
    small = wide(net.model(4 * 256))
    pixels = np.arange(768).reshape(1, 16, 16, 3).astype(np.uint8)
    exact = Evaluator(small.proto, optimize=False).row(pixels)
    got = run(small, [pixels], tmp_path)[0]
    assert np.abs(got - exact).max() <= 2 * np.ptp(exact) / 2**15


def test_a_wrong_bias_is_seen(tmp_path: Path) -> None:
    model = v2_like()
    small, shown = wide(model), images(model, 2)
    artifact = backend().lower(small, BOARD)
    answers = run(small, shown, tmp_path)
    off = Artifact(artifact.data, artifact.file, artifact.output)
    answers[:, 3] += 0.02 * np.ptp(answers)
    with pytest.raises(ModelError, match="scores are off"):
        verify_artifact("tflite", off, small, np.concatenate(shown), answers)


def test_a_recipe_that_rounds_to_nearest_cannot_have_them() -> None:
    own = {"name": "x", "summary": "", "scores": "int16", "rounding": "nearest"}
    with pytest.raises(LibraryError, match="int16 scores work with second-order rounding"):
        Recipe.from_table(Table(own, "x.toml"))
