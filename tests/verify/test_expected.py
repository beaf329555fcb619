"""The float model's answers, shared between bundles only where they are the same answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.steps.compile import compile
from edgenet.verify.expected import truth


def test_answers_serve_a_bundle_of_the_same_model_fed_in_the_same_way(model: Model, photos: Path) -> None:
    images = ImageSet.load(photos)
    bundle = compile(model, "local", "onnxruntime", "fp32").bundle
    other = compile(model, "local", "tflite", "fp32").bundle
    darker = replace(model, preprocessing=replace(model.preprocessing, mean=(100.0, 100.0, 100.0)))
    fed_otherwise = compile(darker, "local", "tflite", "fp32").bundle
    known = truth(bundle, images)
    assert known.serves(other, images)
    assert not known.serves(fed_otherwise, images)
    assert not known.serves(other, images.head(3))
    assert np.abs(truth(fed_otherwise, images).answers - known.answers).max() > 0
