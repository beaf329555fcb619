"""Decide what will be built, and refuse what cannot work before any work is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from edgenet.backend import backend_names, load_backend
from edgenet.errors import PlanError, UnsupportedError
from edgenet.graph.given.take import take_given
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.notebook import Shown
from edgenet.pages import page
from edgenet.recipe import Recipe
from edgenet.target import Target
from edgenet.text import near

__all__ = ["Option", "Plan", "default_recipe", "given_plan", "limit", "limited", "options", "plan_for"]

PRECISIONS = ("fp32", "fp16", "int8", "int8-dynamic")
# What is taken when no recipe is named.
RECIPES = {"int8": "int8-fast", "int8-dynamic": "int8-dynamic", "fp16": "fp16"}
# Either wins there, from MobileNet to MobileNet and backend to backend: docs/quantization.md, Without VNNI.
MEASURE = (
    "without VNNI fp32 may be as fast as int8: give both builds to one edgenet deploy, which keeps the faster"
)


# No Jetson could be measured for its target file, so what needs nothing of the board's own comes first there.
ON_GPU = (
    "{0} runs on the CPU and needs nothing installed; {1} runs on the GPU, and only the board tells which is "
    "faster: compile for both, and give the bundles to one edgenet deploy, which keeps the fastest ({2})"
)


@dataclass(frozen=True)
class Plan(Shown):
    """What `compile` is going to do.

    Attributes:
        target: Name of the board.
        backend: Name of the backend.
        precision: Of the artifact.
        recipe: Name of the recipe, ``None`` where nothing is quantized.
        built: "host" or "device": where the artifact is finished.
        why: One sentence a choice that the user did not make.
    """

    target: str
    backend: str
    precision: str
    recipe: str | None
    built: str
    why: tuple[str, ...]

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True)
class Option(Shown):
    """One way a model could run on a board.

    Attributes:
        backend: Name of the backend.
        precision: Of the artifact.
        possible: Whether `compile` would do it.
        why: The reason and the remedy where it would not; where it would, what to know of it.
    """

    backend: str
    precision: str
    possible: bool
    why: str


def options(target: Target, model: Model | None = None) -> tuple[Option, ...]:
    """Every backend and precision on a board: possible, or refused with the reason.

    Args:
        target: The board.
        model: Also try whether each backend can express this model.
    """
    given = model is not None and model.precision == "int8"
    prepared = None if model is None else take_given(model) if given else prepare(model)
    found = []
    for backend in target.backends:
        unsupported_reason = _cannot_express(backend, prepared, target) if prepared is not None else ""
        for precision in PRECISIONS:
            try:
                given_plan(target, backend, precision) if given else plan_for(target, backend, precision)
                known = "" if unsupported_reason else _known(backend, prepared, target, precision)
                found.append(Option(backend, precision, not unsupported_reason, unsupported_reason or known))
            except PlanError as error:
                found.append(Option(backend, precision, False, error.what))
    return tuple(found)


def _cannot_express(backend: str, prepared: Model, target: Target) -> str:
    if backend not in backend_names():
        return ""
    try:
        load_backend(backend).lower(prepared, target)
    except UnsupportedError as error:
        return error.what
    return ""


def _known(backend: str, prepared: Model | None, target: Target, precision: str) -> str:
    if prepared is None or backend not in backend_names():
        return ""
    return "; ".join(load_backend(backend).notes(prepared, target, precision))


def plan_for(
    target: Target, backend: str | None = None, precision: str | None = None, recipe: Recipe | None = None
) -> Plan:
    """Choose what was left open, and check that the choice can run on the target.

    Raises:
        PlanError: The target cannot run it; says why and what can run instead.
    """
    why = []
    if backend is None:
        backend = next((name for name in target.backends if name in backend_names()), None)
        if backend is None:
            raise PlanError(f"{target.title}: no backend of this edgenet runs there", "see edgenet targets")
        why.append(f"{backend} is the first choice on {target.title}")
        if engines := [name for name in _on_board(target) if name != backend]:
            why.append(ON_GPU.format(backend, engines[0], page("how-to/jetson")))
    if backend not in target.backends:
        load_backend(backend)  # which refuses a name that none has
    support = target.backends.get(backend)
    if support is None:
        raise PlanError(f"{target.title} has no {backend}", _other_backend(target))
    if precision is None and recipe is not None:
        precision = recipe.precision
        why.append(f"{precision} is what recipe {recipe.name} makes")
    elif precision is None:
        precision, reason = _default_precision(target, backend)
        why.append(reason)
        if precision == "int8" and target.cpu.lacks_vnni:
            why.append(MEASURE)
    _check_precision(target, backend, precision)
    if recipe is not None and precision != "fp32":
        _check_recipe(backend, precision, recipe)
    quantized = precision.startswith("int8")
    return Plan(
        target=target.name,
        backend=backend,
        precision=precision,
        recipe=(recipe.name if recipe else RECIPES[precision]) if quantized else None,
        built=support.built,
        why=tuple(why),
    )


def given_plan(target: Target, backend: str | None = None, precision: str | None = None) -> Plan:
    """As :func:`plan_for`, for a model that came quantized: int8 as it is, and no recipe.

    Raises:
        PlanError: Another precision is asked for, or the target cannot run int8.
    """
    if precision not in (None, "int8"):
        raise PlanError(
            f"the model is int8 already, its scales are kept, and {precision} would need its float weights",
            f"choose --precision int8, or give the float model for {precision}",
        )
    made = plan_for(target, backend, "int8")
    return replace(made, recipe=None, why=(*made.why, "int8 is what the model is, with its own scales"))


def default_recipe(precision: str) -> Recipe:
    """The recipe that is taken for a precision when none is named; fp32 needs none and gets that of int8.

    Raises:
        LibraryError: The file is not there or not valid.
    """
    return Recipe.load(RECIPES.get(precision, RECIPES["int8"]))


def limited(decided: Plan, recipe: Recipe | None, max_drift: float) -> Recipe:
    """A recipe with a drift limit, in percentage points; the default of the precision if ``None``.

    Raises:
        PlanError: The precision cannot be worked towards a limit.
    """
    return limit(decided.precision, recipe, max_drift)


def limit(precision: str, recipe: Recipe | None, max_drift: float) -> Recipe:
    """As :func:`limited`, before there is a plan."""
    recipe = recipe or default_recipe(precision)
    if precision != "int8" or recipe.rounding != "second-order":
        raise PlanError(
            f"a drift limit is for int8 with second-order rounding, not for {precision} with recipe "
            f"{recipe.name}",
            f"choose --precision int8 --recipe {RECIPES['int8']}, or leave --max-drift to edgenet profile",
        )
    return replace(recipe, max_drift=max_drift)


def _on_board(target: Target) -> list[str]:
    """The backends of this edgenet whose artifacts the board itself finishes, for its GPU."""
    return [
        name
        for name, support in target.backends.items()
        if support.built == "device" and name in backend_names()
    ]


def _check_recipe(backend: str, precision: str, recipe: Recipe) -> None:
    """Refuse a recipe for another precision, and layers in float where a backend takes int8 as a whole."""
    if recipe.precision != precision:
        raise PlanError(
            f"recipe {recipe.name} makes {recipe.precision}, not {precision}",
            f"choose --precision {recipe.precision}, or --recipe {RECIPES.get(precision, 'of your own')}",
        )
    if recipe.mixed and not load_backend(backend).mixed:
        able = [name for name in backend_names() if load_backend(name).mixed]
        raise PlanError(
            f"{backend} takes whole int8 networks only, and with recipe {recipe.name} some may stay float",
            f"choose --backend {' or '.join(able)}, or --recipe {RECIPES['int8']} without --max-drift",
        )


def _default_precision(target: Target, backend: str) -> tuple[str, str]:
    preferred = load_backend(backend).preferred if backend in backend_names() else None
    if preferred in target.backends[backend].precisions:
        return preferred, f"{preferred} is the default of {backend}"
    return target.default_precision, f"{target.default_precision} is the default on {target.title}"


def _check_precision(target: Target, backend: str, precision: str) -> None:
    """What the board refuses comes first: it will not change with another edgenet."""
    support = target.backends[backend]
    here = load_backend(backend).precisions if backend in backend_names() else ()
    obstacles = {item: _obstacle(target, backend, item) for item in here}
    buildable = [item for item in support.precisions if item in here and not obstacles[item]]
    choice = f"choose --precision {' or '.join(buildable)}" if buildable else _other_backend(target)
    if precision == "auto":
        remedy = "compile each precision, then edgenet deploy FP16 INT8 --device D keeps the faster one"
        raise PlanError("which precision is fastest is measured on the board, not guessed here", remedy)
    if precision not in PRECISIONS:
        raise PlanError(f"there is no precision {precision!r}", near(precision, PRECISIONS) or choice)
    if precision in support.refused:
        raise PlanError(f"{target.title}, {backend}: no {precision}, {support.refused[precision]}", choice)
    if precision not in support.precisions:
        raise PlanError(f"{target.title}: {backend} does not run {precision}", choice)
    if obstacles.get(precision):
        raise PlanError(f"{target.title}, {backend}: no {precision}, {obstacles[precision]}", choice)
    if precision not in buildable:
        raise PlanError(f"this edgenet does not build {precision} for {backend} yet", choice)


def _obstacle(target: Target, backend: str, precision: str) -> str:
    return load_backend(backend).unsupported_reason(target, precision) if backend in target.backends else ""


def _other_backend(target: Target) -> str:
    usable = [name for name in target.backends if name in backend_names()]
    return f"choose --backend {' or '.join(usable)}"
