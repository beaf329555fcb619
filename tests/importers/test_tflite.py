"""Strangers' .tflite files: the answers that LiteRT gives, on pictures, where EDGENET_SHARED has them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from edgenet.graph.evaluate import Evaluator
from edgenet.imageset import ImageSet
from edgenet.importers.tflite import read, takes
from edgenet.model import Model
from edgenet.steps.compile import compile
from edgenet.verify.host import run_bundle
from tests.house.tree import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import tflite_files

DATA = Path(os.environ.get("EDGENET_SHARED", "../shared")) / "data"
DETECTORS = ("blazeface", "ssd_mobilenet")
FEW = 12
there = pytest.mark.skipif(not DATA.is_dir(), reason="no strangers' files: set EDGENET_SHARED")


@there
@pytest.mark.parametrize("case", tflite_files.CASES, ids=lambda case: case.file.rpartition("/")[2])
@pytest.mark.parametrize("backend", tflite_files.BACKENDS)
def test_a_strangers_file_answers_as_in_litert(case: tflite_files.Case, backend: str, tmp_path: Path) -> None:
    path = DATA / f"{case.file}.tflite"
    card = tflite_files.card_of(DATA, case, tmp_path)
    model = Model.load(path, card)
    images = ImageSet.load(DATA / case.images).head(FEW)
    pictures = [images.pixels(at, model.preprocessing)[0] for at in range(FEW)]
    theirs = np.stack(list(tflite_files.answers_of(path, pictures, card)))
    made = compile(model, "raspberry-pi-4", backend, model.precision, calibration=images, cache=False)
    ours = run_bundle(made.bundle, pictures)
    if model.precision == "int8":
        apart = np.abs(ours.astype(int) - theirs.astype(int))
        assert (apart == 0).mean() >= 0.9
        assert apart.max() <= 3
    else:
        np.testing.assert_allclose(centered(ours), centered(theirs), atol=1e-4 * np.ptp(theirs))


def centered(scores: np.ndarray) -> np.ndarray:
    return scores - scores.mean(axis=1, keepdims=True)


@there
def test_every_strangers_file_is_read() -> None:
    found = sorted(path for path in DATA.rglob("*.tflite") if path.is_file())
    assert found
    for path in found:
        assert takes(path)
        proto = read(path, (224, 224)).proto
        assert Evaluator(proto, optimize=False)
        assert (len(proto.graph.output) > 1) == any(word in path.name for word in DETECTORS)
