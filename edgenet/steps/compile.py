"""Model + recipe + target → bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet import __version__
from edgenet.arrays import array_bytes
from edgenet.backend import Artifact, Backend, load_backend
from edgenet.bundle import Bundle, pack
from edgenet.card import ModelCard
from edgenet.errors import ModelError, PlanError
from edgenet.files import sha256, write_output
from edgenet.golden import Golden
from edgenet.graph.given.take import take_given
from edgenet.graph.passes.head import LOGITS, with_head
from edgenet.graph.passes.prepare import prepare
from edgenet.imageset import ImageSet
from edgenet.measure.drift import conversion
from edgenet.model import Model
from edgenet.progress import Progress, silent
from edgenet.quantize.quantized import Quantized
from edgenet.quantize.result import Quantization
from edgenet.recipe import Recipe
from edgenet.steps.class_names import with_class_names
from edgenet.steps.decide import Decision, check_images, decide
from edgenet.steps.given import check_taken
from edgenet.steps.input_notes import input_notes
from edgenet.steps.plan import Plan
from edgenet.steps.quantize import calibration_images, quantized
from edgenet.steps.source import Source, read_source
from edgenet.target import Target
from edgenet.task import Task
from edgenet.verify.artifact import float_tolerance, verify_artifact
from edgenet.verify.golden import choose
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
        quantized: The quantized model; ``None`` for float.
        notes: What a user should know of the card, the images and the backend, one sentence each.
    """

    bundle: Bundle
    data: bytes
    plan: Plan
    quantized: Quantized | None
    notes: tuple[str, ...] = ()

    @property
    def quantization(self) -> Quantization | None:
        """What quantizing did; ``None`` for float."""
        return self.quantized.account if self.quantized else None

    @property
    def skipped(self) -> tuple[str, ...]:
        """Calibration images left out, with reasons."""
        used = self.quantized.calibration if self.quantized else None
        return used.skipped if used else ()

    @property
    def file(self) -> str:
        """A name for the file: model, board, backend and precision."""
        name, plan = self.bundle.manifest.model.name, self.plan
        return f"{name}.{plan.target}.{plan.backend}.{plan.precision}.edgenet"

    def write(self, path: Path | str) -> Path:
        """Write the bundle, all of it or nothing.

        Raises:
            DataError: It cannot be written.
        """
        return write_output(path, self.data)


def compile(  # noqa: PLR0913
    model: Source,
    target: Target | str = "local",
    backend: str | None = None,
    precision: str | None = None,
    recipe: Recipe | str | None = None,
    calibration: ImageSet | Path | str | None = None,
    progress: Progress = silent,
    head: str = LOGITS,
    *,
    max_drift: float | None = None,
    preprocessing: ModelCard | Path | str | None = None,
    labels: Path | str | None = None,
    cache: bool = True,
) -> Compiled:
    """Quantize and compile a model for one backend on one board.

    Args:
        model: A loaded or quantized model, the path of a model's file in any form with its card beside it,
            "signs" or "scenes", or a ``keras.Model`` or ``torch.nn.Module`` in memory, which needs
            ``preprocessing``. One that is quantized already keeps its scales.
        target: Board, by name, path or value.
        backend: "onnxruntime", "tflite" or "tensorrt"; the target's first choice if ``None``.
        precision: "fp32", "fp16", "int8" or "int8-dynamic"; the recipe's, the backend's or the target's
            default if ``None``.
        recipe: How to quantize; the default of the precision if ``None``.
        calibration: A folder of typical images, or the name of a set that ships; int8 needs one.
        progress: Called for every stage.
        head: "logits"; "softmax" or "sigmoid" for float32 probabilities; "argmax" for a second output with
            the best class.
        max_drift: Top-1 that int8 may lose, in percentage points, in place of the recipe's limit.
        preprocessing: Another card than the one beside the file: its path, or what ``card_like`` gives.
        labels: A file of class names.
        cache: Whether to share quantization and the float model's answers with other calls and processes.

    Raises:
        PlanError: The target cannot run that; nothing was done.
        DataError: int8 without calibration images, or unusable ones.
        DriftError: The model cannot be quantized within the recipe's ``max_drift``.
        UnsupportedError: The backend cannot express the model.
        ModelError: The model file, or an artifact that fails its check.
    """
    decision = decide(model, target, backend, precision, recipe, max_drift)
    _backend(decision.plan, head)
    source = read_source(decision.source or model, preprocessing, labels)
    if isinstance(source, Quantized):
        decision = decide(source, decision.target, backend, precision, recipe, max_drift)
        given = calibration_images(calibration, "")
        check_images(source, given)
        built = _built(source.original, decision, source.golden, head, progress, lambda _: source)
        return _told(built, input_notes(source.original, given, source.recipe.images))
    decision = decide(source, decision.target, backend, precision, recipe, max_drift)
    images = _images(calibration, decision)
    original, told = with_class_names(source, images)
    golden = choose(images, original, cache, progress)
    built = _built(
        *(original, decision, golden, head, progress),
        lambda prepared: quantized(original, prepared, decision.recipe, images, golden, progress, cache),
    )
    return _told(built, (*told, *input_notes(original, images, decision.recipe.images)))


def _told(built: Compiled, notes: tuple[str, ...]) -> Compiled:
    """With what is known of the card and the images before what is of the backend."""
    return replace(built, notes=(*notes, *built.notes))


def _built(
    original: Model,
    decision: Decision,
    golden: Golden,
    head: str,
    progress: Progress,
    quantize: Callable[[Model], Quantized],
) -> Compiled:
    """The bundle; what a backend cannot express is refused before anything is quantized."""
    lowering, made = _backend(decision.plan, head), None
    _check_head(original.task, head)
    progress("prepare", 0, None)
    if original.precision == "int8":
        prepared = take_given(original)
        final, stage = with_head(prepared, head), check_taken(original.task, prepared, golden)
        artifact, answers = _held(lowering, final, decision.target, golden)
        return _sealed(original, prepared, decision, None, golden, artifact, answers, stage)
    final = prepared = prepare(original)
    artifact, answers, stage = _converted(lowering, original.task, prepared, decision.target, golden)
    if _quantizes(decision):
        made = quantize(prepared)
        final = made.model
    elif decision.plan.precision == "fp16":
        final = prepared.with_proto(prepared.proto, precision="fp16")
    final = with_head(final, head)
    if final is not prepared:
        progress("lower", 0, None)
        artifact, answers = _held(lowering, final, decision.target, golden)
    return _sealed(original, prepared, decision, made, golden, artifact, answers, stage)


def _sealed(
    original: Model,
    prepared: Model,
    decision: Decision,
    made: Quantized | None,
    golden: Golden,
    artifact: Artifact,
    answers: NDArray[Any],
    stage: Mapping[str, Any],
) -> Compiled:
    manifest = {
        **_about_model(original, artifact, decision.plan),
        **_about_quantization(made),
        "golden": golden.to_table(),
        "conversion": stage,
    }
    data = pack(manifest, _files(original, artifact, golden, answers))
    decided = decision.plan
    notes = load_backend(decided.backend).notes(prepared, decision.target, decided.precision)
    return Compiled(Bundle.parse(data), data, decided, made, notes)


def _backend(decided: Plan, head: str) -> Backend:
    """The backend, if its artifacts can end so."""
    lowering = load_backend(decided.backend)
    if head not in lowering.heads:
        raise PlanError(f"{decided.backend} gives no {head!r}", f"choose one of {', '.join(lowering.heads)}")
    return lowering


def _check_head(task: Task, head: str) -> None:
    if head not in task.heads:
        raise PlanError(f"{task.noun} ends in no {head!r}", "leave --head out")


def _converted(
    lowering: Backend, task: Task, prepared: Model, target: Target, golden: Golden
) -> tuple[Artifact, NDArray[Any], dict[str, Any]]:
    """The float artifact that gives logits, its answers, and how far they are from the model's own."""
    artifact = lowering.lower(prepared, target)
    answers = run_artifact(lowering.name, artifact.file, artifact.data, golden.pixels)
    output = artifact.output
    comparable = task.comparable(output.values(answers), output.meaning)
    stage = conversion(task, comparable, golden.reference).to_table()
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


def _quantizes(decision: Decision) -> bool:
    return decision.plan.recipe is not None


def _images(calibration: ImageSet | Path | str | None, decision: Decision) -> ImageSet | None:
    needed = _quantizes(decision) and decision.recipe.needs_images
    return calibration_images(calibration, decision.plan.precision if needed else "")


def _check_conversion(stage: Mapping[str, Any], reference: NDArray[np.float32], backend: str) -> None:
    if not stage["max_abs"] <= float_tolerance(reference):  # NaN is not within it either
        raise ModelError(
            f"the float artifact for {backend} differs from the model by {stage['max_abs']:.3g} "
            f"(its answers span {float(np.ptp(reference)):.3g})",
            "report this as a bug in edgenet with the model",
        )


def _about_model(model: Model, artifact: Artifact, decided: Plan) -> dict[str, Any]:
    height, width = model.preprocessing.size
    return {
        "tool": f"edgenet {__version__}",
        "model": {
            "name": model.name,
            "digest": model.digest,
            "task": model.task_name,
            "output": model.output,
            "settings": dict(model.settings),
        },
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
        "reference": {"file": REFERENCE} | ({"precision": "int8"} if model.precision == "int8" else {}),
    }


def _about_quantization(made: Quantized | None) -> dict[str, Any]:
    """What a bundle keeps of quantizing; no times, so that the same inputs give the same bytes."""
    if made is None:
        return {"recipe": None, "calibration": None, "quantization": None}
    used, account = made.calibration, made.account
    fed = {"skipped": len(used.skipped), "digest": used.digest} if used else {}
    return {
        "recipe": made.recipe.to_table(),
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
