"""Model + recipe + target → bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet import __version__
from edgenet.backends.base import Artifact, Backend, load_backend
from edgenet.backends.reference import Reference
from edgenet.bundle import Bundle, array_bytes, pack
from edgenet.errors import DataError, ModelError, PlanError
from edgenet.files import sha256, write_atomic
from edgenet.graph.passes.head import LOGITS, with_head
from edgenet.graph.passes.prepare import prepare
from edgenet.imageset import ImageSet, Skipped
from edgenet.library import image_folder
from edgenet.measure.drift import conversion
from edgenet.model import Model
from edgenet.progress import Progress, silent
from edgenet.quantize.quantizer import Quantization, quantize
from edgenet.recipe import Recipe
from edgenet.steps.plan import Plan, default_recipe, plan
from edgenet.target import Target
from edgenet.verify.artifact import FLOAT_TOLERANCE, verify_artifact
from edgenet.verify.golden import Golden, choose
from edgenet.verify.host import run_artifact

__all__ = ["Compiled", "compile"]

REFERENCE = "reference.onnx"


@dataclass(frozen=True)
class Compiled:
    """The result of :func:`compile`.

    Attributes:
        bundle: The bundle, checked as a reader would.
        data: Its bytes.
        plan: What was decided.
        quantization: What quantizing did; ``None`` for float.
        skipped: Calibration images left out, with reasons.
    """

    bundle: Bundle
    data: bytes
    plan: Plan
    quantization: Quantization | None
    skipped: tuple[str, ...]

    def write(self, path: Path | str) -> Path:
        """Write the bundle, all of it or nothing."""
        write_atomic(Path(path), self.data)
        return Path(path)


def compile(
    model: Model | Path | str,
    target: Target | str = "local",
    backend: str | None = None,
    precision: str | None = None,
    recipe: Recipe | str | None = None,
    calibration: ImageSet | Path | str | None = None,
    progress: Progress = silent,
    head: str = LOGITS,
) -> Compiled:
    """Quantize and compile a model for one backend on one board.

    Args:
        model: A loaded model, or the path of an ONNX file with its TOML card beside it.
        target: Board, by name, path or value.
        backend: "onnxruntime", "tflite" or "tensorrt"; the target's first choice if ``None``.
        precision: "fp32", "fp16", "int8" or "int8-dynamic"; the recipe's, the backend's or the target's
            default if ``None``.
        recipe: How to quantize; the default of the precision if ``None``.
        calibration: A folder of typical images, or the name of a set that ships; int8 needs one.
        progress: Told of every stage.
        head: "logits"; "softmax" for float32 probabilities; "argmax" for a second output with the best class.

    Raises:
        PlanError: The target cannot run that; nothing was done.
        DataError: int8 without calibration images, or unusable ones.
        DriftError: The model cannot be quantized within the recipe's ``max_drift``.
        UnsupportedError: The backend cannot express the model.
        ModelError: The model file, or an artifact that fails its check.
    """
    target = target if isinstance(target, Target) else Target.load(target)
    recipe = Recipe.load(recipe) if isinstance(recipe, str) else recipe
    decided = plan(target, backend, precision, recipe)
    lowering = _backend(decided, head)
    recipe = recipe or default_recipe(decided.precision)
    model = model if isinstance(model, Model) else Model.load(model)
    quantized = decided.precision.startswith("int8")
    images = _images(calibration, decided.precision if quantized and recipe.needs_images else "")
    progress("prepare", 0, None)
    prepared = prepare(model)
    golden = choose(images, model.preprocessing, Reference(model.proto, model.preprocessing, model.output))
    artifact, answers, stage = _converted(lowering, prepared, target, golden)
    account, used = None, None
    if quantized:
        used = _usable(images, model, recipe)
        prepared, account = quantize(prepared, recipe, used or (), _counted(progress, used))
    elif decided.precision == "fp16":
        prepared = prepared.with_proto(prepared.proto, precision="fp16")
    final = with_head(prepared, head)
    if decided.precision != "fp32" or final is not prepared:
        progress("lower", 0, None)
        artifact, answers = _held(lowering, final, target, golden)
    manifest = {
        **_about_model(model, artifact, decided),
        **_about_quantization(recipe, used, account),
        "golden": golden.to_table(),
        "conversion": stage,
    }
    data = pack(manifest, _files(model, artifact, golden, answers))
    return Compiled(Bundle.parse(data), data, decided, account, tuple(used.files) if used else ())


def _backend(decided: Plan, head: str) -> Backend:
    """The backend, if its artifacts can end so."""
    lowering = load_backend(decided.backend)
    if head not in lowering.heads:
        raise PlanError(f"{decided.backend} gives no {head!r}", f"choose one of {', '.join(lowering.heads)}")
    return lowering


def _converted(
    lowering: Backend, prepared: Model, target: Target, golden: Golden
) -> tuple[Artifact, NDArray[Any], dict[str, Any]]:
    """The float artifact that gives logits, its answers, and how far they are from the model's own."""
    artifact = lowering.lower(prepared, target)
    answers = run_artifact(lowering.name, artifact.file, artifact.data, golden.pixels)
    stage = conversion(artifact.output.logits(answers), golden.reference).to_table()
    _check_conversion(stage, golden.reference, lowering.name)
    return artifact, answers, stage


def _held(lowering: Backend, model: Model, target: Target, golden: Golden) -> tuple[Artifact, NDArray[Any]]:
    """The artifact of a model that is not float logits any more, and its answers on this machine."""
    artifact = lowering.lower(model, target)
    answers = run_artifact(lowering.name, artifact.file, artifact.data, golden.pixels)
    if not np.isfinite(answers).all():
        raise ModelError(
            f"in {model.precision} the network computes infinity or NaN", "choose another precision"
        )
    verify_artifact(lowering.name, artifact, model, golden.pixels, answers)
    return artifact, answers


def _usable(images: ImageSet | None, model: Model, recipe: Recipe) -> Skipped | None:
    if images is None:
        return None
    return Skipped(images.head(recipe.images), model.preprocessing, recipe.skip_corrupt_percent)


def _counted(progress: Progress, used: Skipped | None) -> Progress:
    """Tell how many images there are where the quantizer does not know it."""
    count = len(used.images) if used else 0
    return lambda stage, done, total: progress(stage, done, count if total is None else total)


def _images(calibration: ImageSet | Path | str | None, needed_for: str) -> ImageSet | None:
    if calibration is None and needed_for:
        remedy = "give --calibration DIR, or choose --precision fp32"
        raise DataError(f"{needed_for} needs calibration images", remedy)
    if isinstance(calibration, Path | str):
        return ImageSet.load(image_folder(str(calibration), "calib"))
    return calibration


def _check_conversion(stage: Mapping[str, Any], reference: NDArray[np.float32], backend: str) -> None:
    span = float(np.ptp(reference)) or 1.0
    if stage["max_abs"] > FLOAT_TOLERANCE * span:
        raise ModelError(
            f"the float artifact for {backend} differs from the model by {stage['max_abs']:.3g} "
            f"(logits span {span:.3g})",
            "report this as a bug in edgenet with the model",
        )


def _about_model(model: Model, artifact: Artifact, decided: Plan) -> dict[str, Any]:
    height, width = model.preprocessing.size
    return {
        "tool": f"edgenet {__version__}",
        "model": {"name": model.name, "digest": model.digest, "output": model.output},
        "target": decided.target,
        "backend": decided.backend,
        "precision": decided.precision,
        "built": decided.built,
        "artifact": {
            "file": artifact.file,
            "sha256": sha256(artifact.data),
            "size": len(artifact.data),
            "input": {
                "dtype": artifact.input_dtype,
                "layout": "NHWC",
                "color": "rgb",
                "shape": [1, height, width, 3],
            },
            "output": artifact.output.to_table(),
            "build": artifact.build,
        },
        "preprocessing": model.preprocessing.to_table(),
        "labels": list(model.labels),
        "label_offset": model.label_offset,
        "reference": {"file": REFERENCE},
    }


def _about_quantization(recipe: Recipe, used: Skipped | None, account: Quantization | None) -> dict[str, Any]:
    """What a bundle keeps of quantizing; no times, so that the same inputs give the same bytes."""
    if account is None:
        return {"recipe": None, "calibration": None, "quantization": None}
    fed = {"skipped": len(used.files), "digest": used.images.digest()} if used else {}
    return {
        "recipe": recipe.to_table(),
        "calibration": {"images": account.images, **fed} if used else None,
        "quantization": account.facts(),
    }


def _files(model: Model, artifact: Artifact, golden: Golden, answers: NDArray[Any]) -> dict[str, bytes]:
    return {
        artifact.file: artifact.data,
        **artifact.more,
        REFERENCE: model.proto.SerializeToString(deterministic=True),
        "golden/reference.npy": array_bytes(golden.reference),
        "golden/artifact.npy": array_bytes(answers),
        **golden.images,
    }
