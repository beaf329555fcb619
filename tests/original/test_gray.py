"""A network of one channel, fed with colors, answers as it does to Pillow's gray."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgenet.backends import onnxruntime, tflite
from edgenet.errors import ModelError
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.target import Target
from edgenet.verify.host import run_artifact
from edgenet.verify.reference import Reference
from tests.original.files import CARD, CLASSIFIER, WEIGHTS, network, node, random, run

GRAY = {**WEIGHTS, "w": random(4, 1, 3, 3)}
ROWS, COLUMNS = 16, 12


def load(folder: Path, proto: onnx.ModelProto, color: str = '"gray"') -> Model:
    path = folder / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    card = CARD.format(mean=100, std=50).replace('"rgb"', color)
    if "gray" in color or "grey" in color:
        card = card.replace("[100, 100, 100]", "[100]").replace("[50, 50, 50]", "[50]")
    path.with_suffix(".toml").write_text(card)
    return Model.load(path)


def nhwc() -> onnx.ModelProto:
    turned = node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])
    first = node("Conv", ["t", "w", "b"], ["c"], name="conv", pads=[1] * 4)
    return network((turned, first, *CLASSIFIER[1:]), GRAY, (1, ROWS, COLUMNS, 1))


def picture() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (ROWS, COLUMNS, 3), np.uint8)


@pytest.mark.parametrize("form", ["nchw", "nhwc"])
@pytest.mark.parametrize("color", ['"gray"', '"grayscale"'])
def test_colors_are_weighed_as_pillow_does(tmp_path: Path, form: str, color: str) -> None:
    """Pillow rounds the gray, so half a level is the most that the two may differ by."""
    proto = nhwc() if form == "nhwc" else network(CLASSIFIER, GRAY, (1, 1, ROWS, COLUMNS))
    model = load(tmp_path, proto, color)
    gray = np.asarray(Image.fromarray(picture()).convert("L"), np.float32)
    shape = (1, ROWS, COLUMNS, 1) if form == "nhwc" else (1, 1, ROWS, COLUMNS)
    wanted = run(proto, ((gray - 100) / 50).reshape(shape))
    got = Reference(model.proto, model.preprocessing, model.task).run(picture()[None])
    half = np.abs(GRAY["w"]).sum(axis=(1, 2, 3)) * 0.5 / 50  # of the convolution, then the dense layer
    assert np.abs(got - wanted[0]).max() <= (half @ np.abs(GRAY["d"])).max()
    same = np.repeat(gray[:, :, None], 3, axis=2).astype(np.uint8)
    got = Reference(model.proto, model.preprocessing, model.task).run(same[None])
    np.testing.assert_allclose(got, wanted[0], atol=2e-5)


@pytest.mark.parametrize("backend", [onnxruntime, tflite])
def test_both_backends_take_it(tmp_path: Path, backend: object) -> None:
    model = load(tmp_path, nhwc())
    lowering = backend.backend()  # type: ignore[attr-defined]
    artifact = lowering.lower(prepare(model), Target.load("local"))
    got = run_artifact(lowering.name, artifact.file, artifact.data, picture()[None])
    wanted = Reference(model.proto, model.preprocessing, model.task).run(picture()[None])
    np.testing.assert_allclose(got.reshape(-1), wanted, atol=1e-4)


def test_a_network_of_colors_is_not_gray(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"1x3x16x12, and the card says that it is gray.*rgb"):
        load(tmp_path, network())


def test_gray_has_one_mean(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(nhwc().SerializeToString())
    path.with_suffix(".toml").write_text(
        CARD.format(mean=100, std=50).replace('"rgb"', '"gray"').replace("[100, 100, 100]", "[1, 2, 3]")
    )
    with pytest.raises(ModelError, match="write one number"):
        Model.load(path)
