"""SSD and SSDLite against the figures that their authors published.

Sources: Howard et al., arXiv 1704.04861, Table 13; Sandler et al., arXiv 1801.04381, Table 6 (Table 5 says
"80 classes"); Howard et al., arXiv 1905.02244, Table 6; torchvision's ``ssdlite320_mobilenet_v3_large``: its
``SSDLite320_MobileNet_V3_Large_Weights`` say 3,440,060 parameters and 0.583 billion multiply-adds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from edgenet.errors import ModelError
from edgenet.graph.cost import cost
from edgenet.model import Model
from edgenet.zoo import Ssd
from edgenet.zoo.ssd import Kind

# (network, alpha, resolution, classes): million parameters, billion multiply-adds.
PUBLISHED = {
    ("v1", 1.0, 300, 90): (6.8, 1.2),
    ("v2", 1.0, 320, 80): (4.3, 0.8),
    ("v2", 0.5, 320, 90): (1.54, 0.27),
    ("v2", 0.35, 320, 90): (0.93, 0.16),
    ("v3-large", 1.0, 320, 90): (4.97, 0.62),
    ("v3-large-reduced", 1.0, 320, 90): (3.22, 0.51),
    ("v3-small", 1.0, 320, 90): (2.49, 0.21),
    ("v3-small-reduced", 1.0, 320, 90): (1.77, 0.16),
}
CARD = """task = "detection"
output = "probabilities"
classes = ["a", "b", "c"]
[preprocessing]
size = [96, 96]
color = "rgb"
resize = "stretch"
interpolation = "bilinear"
mean = [127.5, 127.5, 127.5]
std = [127.5, 127.5, 127.5]
[detection]
{detection}
"""
CELL = tuple((0.1 * side, 0.1) for side in range(1, 7))


def count(table: dict[str, Any]) -> int:
    return sum(side**2 * len(cell) for side, cell in zip(table["maps"], table["cells"], strict=True))


@pytest.mark.parametrize(("kind", "alpha", "resolution", "classes"), PUBLISHED)
def test_parameters_and_multiply_adds_of_the_published_detectors(
    kind: Kind, alpha: float, resolution: int, classes: int
) -> None:
    """Parameters within 2 %: no paper says whether it counts batch normalization. Multiply-adds as rounded.

    Rounded means half a unit of V1's and V2's one digit, and a unit of V3's two, some of which are cut off.
    Where a paper does not say with how many classes, it is the 90 of the Object Detection API's files.
    """
    parameters, macs = PUBLISHED[kind, alpha, resolution, classes]
    figures = cost(Ssd(kind, alpha, resolution, classes).model())
    assert figures.parameters / 1e6 == pytest.approx(parameters, rel=0.02)
    assert figures.macs / 1e9 == pytest.approx(macs, abs=0.05 if macs >= 0.8 else 0.01)


def test_trained_parameters_and_multiply_adds_are_torchvisions() -> None:
    """Its first map has six anchors a cell, like all others."""
    figures = cost(Ssd("v3-large-reduced", 1.0, 320, 90, cells=(CELL,) * 6).model())
    assert figures.parameters == 3_440_060
    assert round(figures.macs / 1e9, 3) == 0.583


def test_maps_and_anchors_are_those_of_the_object_detection_api() -> None:
    """1,917 anchors of SSD 300; the sizes are those of its test, ``anchor_generator_builder_test.py``."""
    table = Ssd("v1").settings()["anchors"]
    assert table["maps"] == [19, 10, 5, 3, 2, 1]
    assert count(table) == 1917
    scales = [[(width * height) ** 0.5 for width, height in cell] for cell in table["cells"]]
    assert scales[0] == pytest.approx([0.1, 0.2, 0.2])
    pairs = [(0.35, 0.418), (0.5, 0.570), (0.65, 0.721), (0.8, 0.871), (0.95, 0.974)]
    for found, (first, between) in zip(scales[1:], pairs, strict=True):
        assert found == pytest.approx([first] * 5 + [between], abs=1e-3)
    ratios = [width / height for width, height in table["cells"][1]]
    assert ratios == pytest.approx([1, 2, 0.5, 3, 1 / 3, 1])


@pytest.mark.parametrize("kind", ["v1", "v2", "v3-small"])
def test_it_runs_and_the_seed_decides_the_bytes(kind: Kind) -> None:
    detector = Ssd(kind, 0.35, 96, 3)
    first, again, other = (detector.model(seed=seed) for seed in (3, 3, 4))
    data = first.SerializeToString(deterministic=True)
    assert data == again.SerializeToString(deterministic=True)
    assert data != other.SerializeToString(deterministic=True)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 96, 96)).astype(np.float32)
    scores, boxes = session.run(["scores", "boxes"], {"input": image})
    anchors = count(detector.settings()["anchors"])
    assert (scores.shape, boxes.shape) == ((1, anchors, 4), (1, anchors, 4))
    assert scores.std() > 1e-3
    assert boxes.std() > 1e-3


def test_rows_follow_maps_then_pixels_then_the_anchors_of_a_cell() -> None:
    """A head that answers with its bias alone says which anchor of a cell a row is of."""
    detector = Ssd("v1", 0.25, 64, 1, taps=("block11/pointwise/relu6",), extras=(), cells=(CELL[:3],))
    weights = {name: np.zeros(shape) for name, shape in detector.weight_shapes().items()}
    weights["head1/scores/bias"] = np.arange(6.0)
    weights["head1/boxes/bias"] = np.arange(12.0)
    weights |= {name: np.ones(array.shape) for name, array in weights.items() if name.endswith("variance")}
    session = onnxruntime.InferenceSession(
        detector.model(weights).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    image = np.zeros((1, 3, 64, 64), np.float32)
    scores, boxes = session.run(["scores", "boxes"], {"input": image})
    logits = np.arange(6.0).reshape(3, 2)
    np.testing.assert_allclose(scores[0], np.tile(1 / (1 + np.exp(-logits)), (16, 1)), atol=1e-6)
    np.testing.assert_array_equal(boxes[0], np.tile(np.arange(12).reshape(3, 4), (16, 1)))


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_its_settings_are_a_cards(tmp_path: Path, activation: str) -> None:
    detector = Ssd("v2", 0.35, 96, 3, activation=activation)
    onnx.save(detector.model(), tmp_path / "d.onnx")
    settings = detector.settings()
    anchors = settings.pop("anchors")
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    lines += ["[detection.anchors]", *(f"{key} = {json.dumps(value)}" for key, value in anchors.items())]
    card = CARD.format(detection="\n".join(lines))
    (tmp_path / "d.toml").write_text(card)
    model = Model.load(tmp_path / "d.onnx")
    assert model.settings["detection"]["activation"] == activation
    assert model.classes == count(anchors) * (4 + 4)


def test_softmax_is_over_the_columns_of_a_row() -> None:
    model = Ssd("v1", 0.25, 64, 4, activation="softmax").model()
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (scores,) = session.run(["scores"], {"input": np.ones((1, 3, 64, 64), np.float32)})
    np.testing.assert_allclose(scores.sum(axis=2), 1, atol=1e-6)


def test_ssdlite_has_no_wide_kernel_but_depthwise_ones() -> None:
    for name, shape in Ssd("v2", 0.35, 96, 3).weight_shapes().items():
        if name.startswith(("extra", "head")) and name.endswith("kernel"):
            assert shape[2:] == (1, 1) or shape[1] == 1, name


def test_out_of_range() -> None:
    with pytest.raises(ModelError, match="no SSD on 'v4'"):
        Ssd("v4").model()  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="0 classes"):
        Ssd("v1", classes=0).model()
    with pytest.raises(ModelError, match="6 maps and anchors of 1"):
        Ssd("v1", cells=(CELL,)).settings()
    with pytest.raises(ModelError, match="width multiplier"):
        Ssd("v2", 5.0).weight_shapes()
    with pytest.raises(ModelError, match="no tensor 'block99'"):
        Ssd("v1", taps=("block99", "last")).model()
    with pytest.raises(ModelError, match="softmax"):
        Ssd("v1", activation="tanh").model()
