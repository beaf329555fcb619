"""Settle what `compile` will do from what a user said, before any work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edgenet.backend import load_backend
from edgenet.errors import PlanError
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.quantize.quantized import SUFFIX, Quantized
from edgenet.recipe import Recipe
from edgenet.steps.plan import Plan, default_recipe, given_plan, limited, plan_for
from edgenet.steps.source import Source, comes_quantized, read_quantized
from edgenet.steps.taken import recipe_of, target_of
from edgenet.target import Target

__all__ = ["Decision", "check_images", "decide"]

SLOWER = (
    "{} was quantized for other CPUs, what could saturate on {} gets slower kernels: give the float model"
)


@dataclass(frozen=True)
class Decision:
    """What will be built and how.

    Attributes:
        target: The board.
        plan: What was chosen, and why.
        recipe: How to quantize.
        source: The model, where it was read already.
    """

    target: Target
    plan: Plan
    recipe: Recipe
    source: Model | Quantized | None


def decide(
    model: Source,
    target: Target | Path | str,
    backend: str | None = None,
    precision: str | None = None,
    recipe: Recipe | Path | str | None = None,
    max_drift: float | None = None,
) -> Decision:
    """Choose what was left open; a model that is quantized decides with it.

    Args:
        model: As in :func:`edgenet.compile`, and so are the others.

    Raises:
        PlanError: The target cannot run it, or a quantized model was made otherwise.
        LibraryError: There is no such target or recipe.
        ModelError: A quantized file cannot be used.
    """
    target, recipe = target_of(target), recipe_of(recipe)
    if isinstance(model, Path | str) and str(model).endswith(SUFFIX):
        model = read_quantized(Path(model)) or model
    if isinstance(model, Quantized):
        return _quantized(model, target, backend, precision, recipe, max_drift)
    if _is_given(model):
        return _given(model, target, backend, precision, recipe, max_drift)
    decided = plan_for(target, backend, precision, recipe)
    if max_drift is not None:
        recipe = limited(decided, recipe, max_drift)
        decided = plan_for(target, decided.backend, decided.precision, recipe)
    recipe = load_backend(decided.backend).recipe(recipe or default_recipe(decided.precision), target)
    return Decision(target, decided, recipe, model if isinstance(model, Model) else None)


def _is_given(model: Source) -> bool:
    if isinstance(model, Model):
        return model.precision == "int8"
    return isinstance(model, Path | str) and comes_quantized(Path(model))


def _given(
    model: Source,
    target: Target,
    backend: str | None,
    precision: str | None,
    recipe: Recipe | None,
    max_drift: float | None,
) -> Decision:
    """As :func:`decide`, for a model whose scales came with it."""
    if recipe is not None or max_drift is not None:
        raise PlanError(
            "the model is int8 already, and its scales are kept: nothing is left for a recipe",
            "leave --recipe and --max-drift out, or give the float model",
        )
    decided = given_plan(target, backend, precision)
    source = model if isinstance(model, Model) else None
    return Decision(target, decided, default_recipe("int8"), source)


def _quantized(
    model: Quantized,
    target: Target,
    backend: str | None,
    precision: str | None,
    recipe: Recipe | None,
    max_drift: float | None,
) -> Decision:
    """As :func:`decide`, for a model whose recipe is behind it."""
    own, name = model.recipe, model.original.name
    if precision not in (None, own.precision):
        raise PlanError(
            f"{name} was quantized to {own.precision}, not {precision}", "give the float model for another"
        )
    told = model.original.task.recipe(recipe) if recipe else own
    if told != own or max_drift not in (None, own.max_drift):
        raise PlanError(
            f"{name} was quantized with recipe {own.name} already",
            "leave --recipe and --max-drift out, or give the float model",
        )
    decided = plan_for(target, backend, own.precision, own)
    if load_backend(decided.backend).recipe(own, target) != own:
        decided = replace(decided, why=(*decided.why, SLOWER.format(name, target.title)))
    return Decision(target, decided, own, model)


def check_images(model: Quantized, images: ImageSet | None) -> None:
    """Refuse other images than those that a model was quantized with.

    Raises:
        PlanError: They are others.
    """
    own = model.calibration.digest if model.calibration else None
    if images is not None and images.head(model.recipe.images).digest() != own:
        raise PlanError(
            f"{model.original.name} was quantized with other images",
            "leave --calibration out, or give the float model",
        )
