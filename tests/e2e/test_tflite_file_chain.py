"""A .tflite file of bytes, as a converter writes one, from its card to the report, on this machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.parity import parity
from edgenet.steps.profile import profile
from edgenet.verify.host import run_bundle
from tests.e2e.test_chain import BRIEF
from tests.importers.tflite_file.nets import litert
from tests.importers.tflite_file.network_of_bytes import CARD, classifier

BACKENDS = ("tflite", "onnxruntime")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("given") / "somebodys.tflite"
    path.write_bytes(classifier())
    path.with_suffix(".toml").write_text(CARD)
    return path


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_whole_way(file: Path, photos: Path, home: Path, backend: str) -> None:
    bundle = compile(file, "local", backend).bundle
    assert bundle.manifest.artifact.output.dtype == "int8"
    deploy(bundle)
    report = profile(bundle, "local", BRIEF, val=photos)
    assert report.drift.stages.kernel.identical
    assert report.drift.agreement == 1.0


def test_the_best_class_is_the_files_own(file: Path, photos: Path) -> None:
    """LiteRT runs the file itself, its Softmax included, on the same pixels."""
    model, images = Model.load(file), ImageSet.load(photos)
    pictures = [images.pixels(at, model.preprocessing)[0] for at in range(len(images))]
    data = file.read_bytes()
    fed = [(item[None].astype(np.int16) - 128).astype(np.int8) for item in pictures]
    theirs = np.concatenate([litert(data, item) for item in fed])
    assert len(set(theirs.argmax(axis=1))) > 1, "the pictures differ"
    for backend in BACKENDS:
        ours = run_bundle(compile(file, "local", backend).bundle, pictures)
        np.testing.assert_array_equal(ours.argmax(axis=1), theirs.argmax(axis=1))


def test_both_builds_give_the_same_integers_to_a_step(file: Path, photos: Path) -> None:
    found = parity(*(compile(file, "local", backend).bundle for backend in BACKENDS), images=photos)
    assert found.largest <= 1
    assert found.identical >= 0.9
    assert found.agreement == 1.0
