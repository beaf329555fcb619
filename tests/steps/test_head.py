"""Builds that give probabilities or a label: what their manifest says, and that every reader honours it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter
from click.testing import CliRunner

from edgenet.bundle import Bundle
from edgenet.cli.main import cli
from edgenet.errors import PlanError
from edgenet.model import Model
from edgenet.protocol import Protocol
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.profile import profile
from tests.conftest import CHEAP

BUILDS = [(name, precision) for name in ("tflite", "onnxruntime") for precision in ("fp32", "fp16", "int8")]
BRIEF = Protocol("brief", "", 0.05, 0.1, 20, 5.0, 1, True, 0.0)


def softmax(logits: np.ndarray) -> np.ndarray:
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("backend", "precision"), BUILDS)
def test_probabilities_are_the_softmax_of_the_logits(
    backend: str, precision: str, model: Model, photos: Path
) -> None:
    """Of the very same build: int8 logits times their scale, through Softmax in float."""
    recipe = CHEAP if precision == "int8" else None
    plain, headed = (
        compile(model, "local", backend, precision, recipe, photos, head=head).bundle
        for head in ("logits", "softmax")
    )
    output = headed.manifest.artifact.output
    assert (output.meaning, output.dtype, output.scale) == ("probabilities", "float32", None)
    before = plain.manifest.artifact.output
    assert before.meaning == "logits"
    got = headed.array("golden/artifact.npy")
    np.testing.assert_allclose(got, softmax(before.values(plain.array("golden/artifact.npy"))), atol=2e-6)
    assert headed.manifest.conversion == plain.manifest.conversion


@pytest.mark.parametrize("backend", ["tflite", "onnxruntime"])
def test_profile_finds_the_same_drift(backend: str, model: Model, photos: Path, home: Path) -> None:
    found = []
    for head in ("logits", "softmax"):
        bundle = compile(model, "local", backend, "int8", CHEAP, photos, head=head).bundle
        deploy(bundle, "local")
        found.append(profile(bundle, "local", BRIEF, val=photos).drift)
    plain, headed = found
    assert headed.stages.kernel.identical
    assert headed.stages.kernel.unit == "probabilities"
    for key in ("agreement", "top1", "top5"):
        assert getattr(headed, key) == getattr(plain, key)
    assert headed.cosine == pytest.approx(plain.cosine, abs=1e-4)
    assert headed.max_abs == pytest.approx(plain.max_abs, rel=0.5)


def raw_outputs(backend: str, artifact: bytes, pixels: np.ndarray) -> list[np.ndarray]:
    """What a user's own program gets, without edgenet."""
    if backend == "onnxruntime":
        session = onnxruntime.InferenceSession(artifact, providers=["CPUExecutionProvider"])
        return session.run(None, {"pixels": pixels})
    interpreter = Interpreter(model_content=artifact)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
    interpreter.invoke()
    return [interpreter.get_tensor(item["index"]) for item in interpreter.get_output_details()]


@pytest.mark.parametrize(("backend", "precision"), BUILDS)
def test_a_label_is_that_of_the_best_score(backend: str, precision: str, model: Model, photos: Path) -> None:
    recipe = CHEAP if precision == "int8" else None
    plain, headed = (
        compile(model, "local", backend, precision, recipe, photos, head=head).bundle
        for head in ("logits", "argmax")
    )
    assert headed.manifest.artifact.output == replace(plain.manifest.artifact.output, label=True)
    assert np.array_equal(headed.array("golden/artifact.npy"), plain.array("golden/artifact.npy"))
    generator, labels = np.random.default_rng(0), set()
    for _ in range(20):
        pixels = generator.integers(0, generator.integers(2, 256), (1, 64, 64, 3)).astype(np.uint8)
        scores, label = raw_outputs(backend, headed.artifact, pixels)
        assert label.shape == (1,)
        assert int(label[0]) == int(scores[0].argmax())
        labels.add(int(label[0]))
    assert labels


@pytest.mark.parametrize("backend", ["tflite", "onnxruntime"])
def test_profile_measures_the_scores_beside_a_label(
    backend: str, model: Model, photos: Path, home: Path
) -> None:
    bundle = compile(model, "local", backend, "int8", CHEAP, photos, head="argmax").bundle
    deploy(bundle, "local")
    layered = replace(BRIEF, layers_s=0.2)
    report = profile(bundle, "local", layered, val=photos)
    assert report.drift.stages.kernel.identical
    assert report.drift.top5 is not None
    assert any(row.name == "label" or row.op in ("ARG_MAX", "ArgMax") for row in report.layers)


def test_the_command_and_inspect(model_file: Path, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "headed.edgenet"
    how = ["--target", "local", "--backend", "tflite", "--precision", "fp32", "--head", "softmax"]
    done = CliRunner().invoke(cli, ["compile", str(model_file), *how, "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert Bundle.load(out).manifest.artifact.output.meaning == "probabilities"
    assert "5 float32 probabilities" in CliRunner().invoke(cli, ["inspect", str(out)]).output


def test_a_backend_that_cannot_says_so(model: Model) -> None:
    with pytest.raises(PlanError, match=r"tensorrt gives no 'softmax': choose one of logits"):
        compile(model, "jetson-orin-nano", "tensorrt", "fp16", head="softmax")
