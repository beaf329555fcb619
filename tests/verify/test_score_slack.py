"""How far scores may be off where a runtime rounds a float layer's input, held to LiteRT itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgenet.backend import load_backend
from edgenet.errors import ModelError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.target import Target
from edgenet.verify.artifact import verify_artifact
from edgenet.verify.score_slack import score_slack
from tests.conftest import smooth_images

PIXELS = [image[None] for image in smooth_images(16, 0, 64, 64)]
FAST = replace(Recipe.load("int8-fast"), rounding_images=8, positions=64, sweeps=2)


def test_scores_are_within_it_and_a_fault_is_not(model: Model, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    made, _ = quantize(prepare(model), replace(FAST, scores="float"), PIXELS)
    slack = score_slack(made, hybrid=True)
    assert slack.shape == (5,)
    assert (slack > 0).all()
    writer = load_backend("tflite")
    artifact = writer.lower(made, Target.load("local"))
    file = tmp_path / artifact.file
    file.write_bytes(artifact.data)
    session, exact = writer.open(file), Evaluator(made.proto, optimize=False)
    answers = np.stack([session.run(item) for item in PIXELS])
    wanted = np.stack([exact.row(item) for item in PIXELS])
    assert (np.abs(answers - wanted) <= slack).all()
    assert (slack < 0.2 * np.ptp(wanted)).all(), "so little that a fault is seen"
    assert verify_artifact("tflite", artifact, made, np.concatenate(PIXELS), answers) > 0
    answers[:, 1] += 2 * slack[1] + 1e-3 * np.ptp(wanted)
    with pytest.raises(ModelError, match="scores are off"):
        verify_artifact("tflite", artifact, made, np.concatenate(PIXELS), answers)


def test_rounded_scores_have_none(model: Model) -> None:
    made, _ = quantize(prepare(model), FAST, PIXELS)
    assert not score_slack(made, hybrid=True).any()


def test_no_hybrid_kernels_no_slack(model: Model) -> None:
    made, _ = quantize(prepare(model), replace(FAST, scores="float"), PIXELS)
    assert not score_slack(made, hybrid=False).any()


def test_scores_of_sixteen_bits_may_be_one_step_off(model: Model) -> None:
    made, _ = quantize(prepare(model), replace(FAST, scores="int16"), PIXELS)
    step = np.unique(score_slack(made, hybrid=False))
    exact = np.stack([Evaluator(made.proto, optimize=False).row(item) for item in PIXELS[:4]])
    assert step.size == 1
    assert np.allclose(exact / step, np.round(exact / step), atol=1e-2)
    assert step < np.ptp(exact) / 5000
