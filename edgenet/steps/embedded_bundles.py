"""The embedded model of a task, ready to run: made once, then kept."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from edgenet.bundle import Bundle
from edgenet.cache import Cache
from edgenet.drift import CLASSIFICATION
from edgenet.errors import BundleError
from edgenet.files import file_digest
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.model import Model
from edgenet.progress import Progress, silent
from edgenet.recipe import Recipe
from edgenet.steps.compile import compile
from edgenet.steps.compiled import Compiled
from edgenet.steps.embedded import embedded_name
from edgenet.target import Target
from edgenet.zoo import embedded

__all__ = ["embedded_bundles"]

RECIPE = "int8-minmax"


def embedded_bundles(task: str = CLASSIFICATION, progress: Progress = silent) -> tuple[Bundle, Bundle]:
    """The embedded model of a task for TFLite: int8 by the quickest recipe, and float32.

    Args:
        task: What it is for.
        progress: Called for every stage.

    Raises:
        PlanError: No model of this task travels with edgenet.
    """
    name = embedded_name(task)
    path, images = embedded(name), ImageSet.load(image_folder(name, "calib"))
    made_from = {
        "model": [file_digest(path), file_digest(path.with_suffix(".toml"))],
        "recipe": Recipe.load(RECIPE).to_table(),
        "images": images.digest(),
        "target": str(asdict(Target.load("local"))),
        "litert": _litert(),
    }

    def int8() -> Compiled:
        return compile(Model.load(path), "local", "tflite", "int8", RECIPE, images, progress)

    def fp32() -> Compiled:
        return compile(Model.load(path), "local", "tflite", "fp32", progress=progress)

    return _once({**made_from, "precision": "int8"}, int8), _once({**made_from, "precision": "fp32"}, fp32)


def _litert() -> str:
    """Whose answers the files were held to."""
    with contextlib.suppress(PackageNotFoundError):
        return version("ai-edge-litert")
    return ""


def _once(made_from: Mapping[str, Any], make: Callable[[], Compiled]) -> Bundle:
    """The bundle that was kept, or a new one, kept."""
    entry = Cache("bundles", made_from)
    if (held := entry.get()) is not None:
        with contextlib.suppress(BundleError):
            return Bundle.parse(held)
        entry.drop()
    made = make()
    entry.put(made.data)
    return made.bundle
