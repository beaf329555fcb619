"""Model + recipe + images → a quantized model, once for every backend and board."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgenet.cache import Cache
from edgenet.card import ModelCard
from edgenet.errors import DataError, EdgenetError, LibraryError, ModelError
from edgenet.golden import Golden
from edgenet.graph.passes.prepare import prepare
from edgenet.imageset import ImageSet, Skipped
from edgenet.json_value import Where
from edgenet.model import Model, content_digest
from edgenet.pages import page
from edgenet.progress import Progress, silent
from edgenet.quantize.container import AGAIN, pack, unpack
from edgenet.quantize.quantized import Calibration, Quantized
from edgenet.quantize.quantizer import quantize
from edgenet.quantize.result import Quantization
from edgenet.recipe import Recipe
from edgenet.steps.class_names import with_class_names
from edgenet.steps.input_notes import input_notes
from edgenet.steps.plan import default_recipe, limit
from edgenet.steps.source import Source, read_float
from edgenet.steps.taken import images_of, recipe_of
from edgenet.text import plain
from edgenet.verify.golden import choose

__all__ = ["calibration_images", "is_kept", "quantize_model", "quantized"]

QUANTIZED = ("int8", "int8-dynamic")


def quantize_model(
    model: Source,
    recipe: Recipe | Path | str | None = None,
    calibration: ImageSet | Path | str | None = None,
    progress: Progress = silent,
    *,
    max_drift: float | None = None,
    preprocessing: ModelCard | Path | str | None = None,
    labels: Path | str | None = None,
    cache: bool = True,
) -> Quantized:
    """Quantize a model, for whatever backend and board :func:`edgenet.compile` is told later.

    Args:
        model: A loaded model, the path of a model's file with its TOML card beside it, "signs" or "scenes",
            or a model of Keras or PyTorch in memory.
        recipe: How to quantize, by name, path or value; "int8-fast" if ``None``.
        calibration: A folder of typical images, or the name of a set that ships.
        progress: Called for every stage.
        max_drift: Top-1 that may be lost, in percentage points, in place of the recipe's limit.
        preprocessing: Another card than the one beside the file: its path, or what
            :func:`edgenet.card_like` gives.
        labels: A file of class names.
        cache: Whether to take what was made before of the same model, recipe and images, and to keep this.

    Raises:
        DataError: No calibration images where the recipe needs some, or unusable ones.
        DriftError: The model cannot be quantized within the drift limit.
        LibraryError: The recipe is not there, not valid, or does not quantize.
        ModelError: The model file; or it is quantized already.
        PlanError: The recipe cannot work towards a limit.

    Examples:
        >>> made = edgenet.quantize_model("signs", "int8-minmax", calibration="signs")
        >>> made.write("signs.int8.onnx").name
        'signs.int8.onnx'
    """
    recipe = recipe_of(recipe) or default_recipe("int8")
    if recipe.precision not in QUANTIZED:
        raise LibraryError(
            f"recipe {recipe.name!r} makes {recipe.precision}", "let compile write it: nothing is quantized"
        )
    recipe = recipe if max_drift is None else limit(recipe.precision, recipe, max_drift)
    images = calibration_images(calibration, recipe.precision if recipe.needs_images else "")
    found, told = with_class_names(read_float(model, preprocessing, labels), images)
    progress("preparing the graph", 0, None)
    made = quantized(
        found, prepare(found), recipe, images, choose(images, found, cache, progress), progress, cache
    )
    return replace(made, input_notes=(*told, *input_notes(found, images, recipe.images)))


def quantized(
    model: Model,
    prepared: Model,
    recipe: Recipe,
    images: ImageSet | None,
    golden: Golden,
    progress: Progress,
    cache: bool,
) -> Quantized:
    """Quantize a prepared model, or find that this was done before.

    Args:
        model: As the user gave it.
        prepared: The same after :func:`edgenet.graph.passes.prepare.prepare`.
        recipe: How; followed as the model's task asks.
        images: The calibration set; ``None`` without one.
        golden: The golden set.
        progress: Called for every stage.
        cache: Whether to look for it, and to keep it.

    Raises:
        DataError, DriftError, LibraryError, UnsupportedError: As :mod:`edgenet.quantize.quantizer` does.
    """
    recipe = model.task.recipe(recipe)
    used = images.head(recipe.images) if images else None
    digest = used.digest() if used else None
    entry = Cache("quantized", _made_from(model, recipe, digest), cache, progress)
    if (held := entry.get()) is not None:
        with contextlib.suppress(EdgenetError):
            found = _held(held, model, prepared, recipe, golden)
            progress("quantized before: taken from the cache", 0, None)
            return found
        entry.drop()
    fed = Skipped(used, model.preprocessing, recipe.skip_corrupt_percent) if used else None
    int8, account = quantize(prepared, recipe, fed or (), _counted(progress, fed))
    calibration = Calibration(digest=digest or "", skipped=_named(fed)) if fed else None
    made = Quantized(model, int8, recipe, account, calibration, golden)
    entry.put(pack(int8.proto, _facts(made), {}))
    return made


def is_kept(model: Model, recipe: Recipe, images: ImageSet | None, cache: bool) -> bool:
    """Whether the cache holds what :func:`quantized` would make of these."""
    recipe = model.task.recipe(recipe)
    digest = images.head(recipe.images).digest() if images else None
    return cache and Cache("quantized", _made_from(model, recipe, digest)).path.is_file()


def _made_from(model: Model, recipe: Recipe, digest: str | None) -> dict[str, Any]:
    """All that a quantized network depends on; ``digest`` is that of the images."""
    return {
        "model": content_digest(model.proto),
        "task": [model.task_name, model.output],
        "preprocessing": model.preprocessing.to_table(),
        "recipe": recipe.to_table(),
        "images": digest,
    }


def calibration_images(calibration: ImageSet | Path | str | None, needed_for: str) -> ImageSet | None:
    """The set that was named.

    Args:
        calibration: A folder, the name of a set that ships, a set, or nothing.
        needed_for: The precision that needs one; empty where none does.

    Raises:
        DataError: There is none where one is needed, or it cannot be read.
    """
    if calibration is None and needed_for:
        remedy = "give --calibration DIR, or choose --precision fp32 "
        remedy += f"({page('troubleshooting', 'int8-needs-images')})"
        raise DataError(f"{needed_for} needs calibration images", remedy)
    return images_of(calibration, "calib")


def _facts(made: Quantized) -> dict[str, Any]:
    """What a cache keeps beside the graph; the model, the recipe and the golden set are known."""
    calibration = made.calibration.to_table() if made.calibration else None
    return {"account": made.account.to_table(), "calibration": calibration}


def _held(held: bytes, model: Model, prepared: Model, recipe: Recipe, golden: Golden) -> Quantized:
    """What the cache gave.

    Raises:
        EdgenetError: It does not fit.
    """
    proto, facts, _ = unpack(held, "cache")
    where = Where("cache", error=ModelError, remedy=AGAIN)
    account = Quantization.from_table(facts.get("account"), where.at("account"))
    told = facts.get("calibration")
    calibration = None if told is None else Calibration.from_table(told, where.at("calibration"))
    int8 = replace(prepared, proto=proto, precision=recipe.precision)
    return Quantized(model, int8, recipe, account, calibration, golden, cached=True)


def _named(fed: Skipped) -> tuple[str, ...]:
    """The images left out; by their names in the folder, wherever that lies."""
    folder = plain(f"{fed.images.folder}/")
    return tuple(line.removeprefix(folder) for line in fed.files)


def _counted(progress: Progress, fed: Skipped | None) -> Progress:
    """Tell how many images there are where the quantizer does not know it."""
    count = len(fed.images) if fed else 0
    return lambda stage, done, total: progress(stage, done, count if total is None else total)
