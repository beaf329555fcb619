"""One model on its way to bundles: what its builds share is made once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from edgenet.backend import Artifact, Backend, load_backend
from edgenet.bundle import Bundle
from edgenet.errors import ModelError, PlanError
from edgenet.golden import Golden
from edgenet.graph.given.take import take_given
from edgenet.graph.passes.head import LOGITS, with_head
from edgenet.graph.passes.prepare import prepare
from edgenet.imageset import ImageSet
from edgenet.measure.drift import conversion
from edgenet.model import Model
from edgenet.progress import Progress, silent
from edgenet.quantize.quantized import Quantized
from edgenet.recipe import Recipe
from edgenet.steps.class_names import with_class_names
from edgenet.steps.compiled import Compiled
from edgenet.steps.decide import Decision, check_images
from edgenet.steps.given import check_taken
from edgenet.steps.input_notes import input_notes
from edgenet.steps.plan import Plan
from edgenet.steps.quantize import calibration_images, is_kept, quantized
from edgenet.steps.sealed import sealed
from edgenet.target import Target
from edgenet.task import Task
from edgenet.verify.artifact import float_tolerance, verify_artifact
from edgenet.verify.golden import choose
from edgenet.verify.host import run_artifact

__all__ = ["Compiler"]

_T = TypeVar("_T")
# A float artifact that gives logits, its answers, and how far they are from the model's own.
Converted = tuple[Artifact, NDArray[Any], dict[str, Any]]


class Compiler:
    """A model and its images, read already, of which any number of bundles are made.

    The golden set, the prepared graph, each backend's float artifact and each recipe's quantization are made
    when the first build needs them, and serve all others; what failed once fails again at once.

    Args:
        source: A float model, one that came quantized, or what :func:`edgenet.quantize_model` made.
        images: The calibration set; ``None`` without one.
        progress: Called for every stage.
        cache: Whether to share quantization and the float model's answers with other processes.

    Raises:
        PlanError: The images are others than those that the model was quantized with.
    """

    def __init__(
        self,
        source: Model | Quantized,
        images: ImageSet | None = None,
        progress: Progress = silent,
        cache: bool = True,
    ) -> None:
        self.images, self.progress, self.cache = images, progress, cache
        self._own = source if isinstance(source, Quantized) else None
        self._told: tuple[str, ...] = ()
        self._shared: list[tuple[object, Any, Exception | None]] = []
        if isinstance(source, Quantized):
            check_images(source, images)
            self.original = source.original
        else:
            self.original, self._told = with_class_names(source, images)

    def compile(self, decision: Decision, head: str = LOGITS) -> Compiled:
        """One build.

        Args:
            decision: What :func:`edgenet.steps.decide.decide` said of this model.
            head: As in :func:`edgenet.compile`.

        Raises:
            DataError, DriftError, ModelError, PlanError, UnsupportedError: As :func:`edgenet.compile` does.
        """
        lowering = self.check(decision, head)
        self.progress("preparing the graph", 0, None)
        given = self.original.precision == "int8"
        built = self._given(lowering, decision, head) if given else self._built(lowering, decision, head)
        recipe = self._own.recipe if self._own else decision.recipe
        told = input_notes(self.original, self.images, recipe.images)
        return replace(built, notes=(*self._told, *told, *built.notes))

    def check(self, decision: Decision, head: str = LOGITS) -> Backend:
        """The backend of a build, when all is there that the build needs.

        Raises:
            DataError: int8 without calibration images.
            PlanError: The network, or the backend's artifacts, cannot end so.
        """
        lowering = checked_backend(decision.plan, head)
        _check_images_given(self.images, decision, self._own)
        _check_head(self.original.task, head)
        return lowering

    def quantized_before(self, decision: Decision) -> bool | None:
        """Whether the quantized network needs no work any more; ``None`` where nothing is quantized."""
        if decision.plan.recipe is None:
            return None
        return self._own is not None or is_kept(self.original, decision.recipe, self.images, self.cache)

    @functools.cached_property
    def golden(self) -> Golden:
        """The golden set, with the float model's answers."""
        if self._own is not None:
            return self._own.golden
        return choose(self.images, self.original, self.cache, self.progress)

    @functools.cached_property
    def prepared(self) -> Model:
        """The graph that quantizer and backends read."""
        return take_given(self.original) if self.original.precision == "int8" else prepare(self.original)

    def _built(self, lowering: Backend, decision: Decision, head: str) -> Compiled:
        """Of a float model; what a backend cannot express is refused before anything is quantized."""
        golden, prepared, made = self.golden, self.prepared, None
        artifact, answers, stage = self._once(
            ("float", lowering.name, decision.target), lambda: self._converted(lowering, decision.target)
        )
        final = prepared
        if decision.plan.recipe is not None:
            made = self._quantized(decision.recipe)
            final = made.model
        elif decision.plan.precision == "fp16":
            final = prepared.with_proto(prepared.proto, precision="fp16")
        final = with_head(final, head)
        if final is not prepared:
            self.progress(f"writing it for {lowering.name}", 0, None)
            artifact, answers = _held(lowering, final, decision.target, golden)
        return self._sealed(decision, made, artifact, answers, stage)

    def _given(self, lowering: Backend, decision: Decision, head: str) -> Compiled:
        """Of a model that came quantized."""
        final = with_head(self.prepared, head)
        task, golden = self.original.task, self.golden
        stage = self._once(("given",), lambda: check_taken(task, self.prepared, golden))
        artifact, answers = _held(lowering, final, decision.target, golden)
        return self._sealed(decision, None, artifact, answers, stage)

    def _quantized(self, recipe: Recipe) -> Quantized:
        if self._own is not None:
            return self._own
        how = (self.original, self.prepared, recipe, self.images, self.golden, self.progress, self.cache)
        return self._once(("quantized", recipe), lambda: quantized(*how))

    def _converted(self, lowering: Backend, target: Target) -> Converted:
        golden, task = self.golden, self.original.task
        artifact = lowering.lower(self.prepared, target)
        answers = run_artifact(lowering.name, artifact.file, artifact.data, golden.pixels)
        output = artifact.output
        comparable = task.comparable(output.values(answers), output.meaning)
        stage = conversion(task, comparable, golden.reference).to_table()
        _check_conversion(stage, golden.reference, lowering.name)
        return artifact, answers, stage

    def _sealed(
        self,
        decision: Decision,
        made: Quantized | None,
        artifact: Artifact,
        answers: NDArray[Any],
        stage: Mapping[str, Any],
    ) -> Compiled:
        decided = decision.plan
        data = sealed(self.original, decided, made, self.golden, artifact, answers, stage)
        notes = load_backend(decided.backend).notes(self.prepared, decision.target, decided.precision)
        return Compiled(Bundle.parse(data), data, decided, made, notes)

    def _once(self, key: object, make: Callable[[], _T]) -> _T:
        """What was made before under an equal key, or the error that it ended with."""
        for known, found, failure in self._shared:
            if known == key:
                if failure is not None:
                    raise failure
                return cast(_T, found)
        try:
            made = make()
        except Exception as error:
            self._shared.append((key, None, error))
            raise
        self._shared.append((key, made, None))
        return made


def checked_backend(decided: Plan, head: str) -> Backend:
    """The backend of a plan.

    Raises:
        PlanError: Its artifacts cannot end so.
    """
    lowering = load_backend(decided.backend)
    if head not in lowering.heads:
        raise PlanError(f"{decided.backend} gives no {head!r}", f"choose one of {', '.join(lowering.heads)}")
    return lowering


def _check_head(task: Task, head: str) -> None:
    if head not in task.heads:
        raise PlanError(f"{task.noun} ends in no {head!r}", "leave --head out")


def _check_images_given(images: ImageSet | None, decision: Decision, own: Quantized | None) -> None:
    needed = own is None and decision.plan.recipe is not None and decision.recipe.needs_images
    calibration_images(images, decision.plan.precision if needed else "")


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


def _check_conversion(stage: Mapping[str, Any], reference: NDArray[np.float32], backend: str) -> None:
    if not stage["max_abs"] <= float_tolerance(reference):  # NaN is not within it either
        raise ModelError(
            f"the float artifact for {backend} differs from the model by {stage['max_abs']:.3g} "
            f"(its answers span {float(np.ptp(reference)):.3g})",
            "report this as a bug in edgenet with the model",
        )
