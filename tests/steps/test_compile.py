"""Compiling: both backends, both precisions, held to the float model; refusals before any work."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgenet.agent.preprocess import decode, fit
from edgenet.backend import backend_names, load_backend
from edgenet.bundle import Bundle
from edgenet.errors import DataError, ModelError, PlanError
from edgenet.files import sha256
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.steps.compile import compile
from tests.conftest import CHEAP

BUILDS = [(backend, precision) for backend in ("onnxruntime", "tflite") for precision in ("fp32", "int8")]


@pytest.mark.parametrize(("backend", "precision"), BUILDS)
def test_a_bundle_proves_itself(
    model: Model, photos: Path, tmp_path: Path, backend: str, precision: str
) -> None:
    """With the bundle alone: pixels from its images, its artifact in its runtime, its answers."""
    done = compile(model, "local", backend, precision, CHEAP, calibration=photos)
    bundle = Bundle.load(done.write(tmp_path / "b.edgenet"))
    manifest = bundle.manifest
    golden = manifest.golden
    assert golden.source == "calibration"
    assert len(golden.images) == 12
    spec = manifest.preprocessing.to_table()
    pixels = [fit(decode(bundle.files[item.file]), spec) for item in golden.images]
    assert [sha256(item.tobytes()) for item in pixels] == [item.pixels_sha256 for item in golden.images]
    artifact = tmp_path / manifest.artifact.file
    artifact.write_bytes(bundle.artifact)
    session = load_backend(backend).open(artifact)
    raw = np.stack([session.run(item[None]) for item in pixels])
    assert np.array_equal(raw, bundle.array("golden/artifact.npy"))
    output = manifest.artifact.output
    assert raw.dtype.name == output.dtype == ("float32" if precision == "fp32" else "int8")
    real = output.values(raw)
    reference = bundle.array("golden/reference.npy")
    span = np.ptp(reference)
    assert np.abs(real - reference).max() <= (1e-4 if precision == "fp32" else 0.2) * span
    assert manifest.conversion.max_abs <= 1e-4 * span


def test_backends_agree_on_one_set_of_scales(model: Model, photos: Path) -> None:
    """The same int8 model in two runtimes: the same scores, nearly all to the last step."""
    answers = []
    for backend in ("onnxruntime", "tflite"):
        bundle = compile(model, "local", backend, "int8", CHEAP, calibration=photos).bundle
        output = bundle.manifest.artifact.output
        answers.append((output.scale, output.zero_point, bundle.array("golden/artifact.npy").astype(int)))
    assert answers[0][:2] == answers[1][:2]
    difference = np.abs(answers[0][2] - answers[1][2])
    assert difference.max() <= 2
    assert (difference <= 1).mean() >= 0.99


@pytest.mark.parametrize(
    ("backend", "precision", "recipe"),
    [
        ("onnxruntime", "fp32", CHEAP),
        ("onnxruntime", "int8", CHEAP),
        ("tflite", "fp32", CHEAP),
        ("tflite", "int8", "int8-fast"),
    ],
)
def test_same_inputs_same_bytes_in_another_process(
    model_file: Path, photos: Path, tmp_path: Path, backend: str, precision: str, recipe: str
) -> None:
    job = (str(model_file), "raspberry-pi-4", backend, precision, recipe, str(photos))
    here = compile(*job).data
    code = "import sys, edgenet; edgenet.compile(*sys.argv[1:7]).write(sys.argv[7])"
    out = tmp_path / "there.edgenet"
    subprocess.run([sys.executable, "-c", code, *job, str(out)], check=True, capture_output=True)
    assert out.read_bytes() == here


def test_other_images_other_bundle(model: Model, photos: Path, tmp_path: Path) -> None:
    some = compile(model, "local", "onnxruntime", "int8", CHEAP, ImageSet.load(photos).head(5))
    every = compile(model, "local", "onnxruntime", "int8", CHEAP, photos)
    assert some.bundle.digest != every.bundle.digest
    assert some.bundle.manifest.calibration["images"] == 5


def test_float_without_images_gets_a_synthetic_golden_set(model: Model) -> None:
    bundle = compile(model, "local", "onnxruntime", "fp32").bundle
    assert bundle.manifest.golden.source == "synthetic"
    assert bundle.manifest.recipe is None
    assert bundle.manifest.calibration is None


def test_int8_without_images_is_refused_never_invented(model: Model) -> None:
    with pytest.raises(DataError, match="int8 needs calibration images: give calibration=DIR"):
        compile(model, "local", "tflite", "int8")


def test_refused_before_the_model_is_even_read(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="has no tensorrt"):
        compile(tmp_path / "none.onnx", "local", "tensorrt", "fp16")


def test_large_photos_do_not_make_large_bundles(model: Model, tmp_path: Path) -> None:
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (900, 1200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "phone.jpg", quality=95)
    assert (tmp_path / "phone.jpg").stat().st_size > 400_000
    bundle = compile(model, "local", "onnxruntime", "fp32", calibration=tmp_path).bundle
    item = bundle.manifest.golden.images[0]
    image = decode(bundle.files[item.file])
    assert image.shape == (72, 96, 3)
    whole = fit(decode((tmp_path / "phone.jpg").read_bytes()), model.preprocessing.fit_spec())
    assert np.array_equal(fit(image, model.preprocessing.fit_spec()), whole)


def test_a_wrong_conversion_fails_the_compile(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inject a lowering that computes something else: the bundle is not sealed."""
    from edgenet.backends.onnxruntime import OnnxRuntime

    real = OnnxRuntime.lower

    def wrong(self: OnnxRuntime, prepared: Model, target: object) -> object:
        artifact = real(self, prepared, target)  # type: ignore[arg-type]
        return replace(artifact, data=real(self, prepare_black(prepared), target).data)  # type: ignore[arg-type]

    def prepare_black(prepared: Model) -> Model:
        from edgenet.graph.graph import Graph

        graph = Graph(prepared.proto)
        name = next(node for node in graph.nodes if node.op_type == "Conv").input[2]
        graph.constants[name] = graph.constants[name] + 0.5
        return prepared.with_proto(graph.proto())

    monkeypatch.setattr(OnnxRuntime, "lower", wrong)
    with pytest.raises(ModelError, match="the float artifact for onnxruntime differs from the model"):
        compile(model, "local", "onnxruntime", "fp32")


def test_every_backend_has_both_halves() -> None:
    import edgenet.agent.runtimes as there

    board = {path.stem for path in Path(there.__path__[0]).glob("*.py")} - {"__init__", "null"}
    assert set(backend_names()) == board
