"""Model + recipe + target → bundle."""

from __future__ import annotations

import time
from pathlib import Path

from edgenet.card import ModelCard
from edgenet.graph.passes.head import LOGITS
from edgenet.imageset import ImageSet
from edgenet.progress import Progress, silent
from edgenet.recipe import Recipe
from edgenet.steps.compiled import Compiled
from edgenet.steps.compiler import Compiler
from edgenet.steps.planning import planned
from edgenet.steps.source import Source
from edgenet.steps.taken import images_of
from edgenet.steps.timings import Timing
from edgenet.target import Target

__all__ = ["Compiled", "compile"]


def compile(  # noqa: PLR0913
    model: Source,
    target: Target | Path | str = "local",
    backend: str | None = None,
    precision: str | None = None,
    recipe: Recipe | Path | str | None = None,
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

    Examples:
        >>> made = edgenet.compile("signs", "local", "onnxruntime", "int8", "int8-minmax", "signs")
        >>> made.bundle.name, made.write("signs.edgenet").name
        ('signs.onnxruntime.int8', 'signs.edgenet')
    """
    began = time.perf_counter()
    how = (target, backend, precision, recipe, head, max_drift)
    decision, source = planned(model, *how, preprocessing, labels)
    compiler = Compiler(source, images_of(calibration, "calib"), progress, cache)
    made = compiler.compile(decision, head)
    cached = made.quantized is not None and (made.quantized is source or made.quantized.cached)
    if cache:
        run = Timing.planned(compiler.original, decision, compiler.images, cached)
        run.remember(time.perf_counter() - began)
    return made
