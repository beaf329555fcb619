"""The cells of a sweep before anything is known of them: which network, built how, on which board."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgenet.backend import backend_names, load_backend
from edgenet.cache import made_by
from edgenet.errors import PlanError
from edgenet.files import sha256
from edgenet.recipe import Recipe
from edgenet.steps.plan import default_recipe, plan_for
from edgenet.steps.taken import protocol_of, recipe_of
from edgenet.sweeps.board import Reached
from edgenet.sweeps.candidates import Candidate
from edgenet.sweeps.images import Images
from edgenet.sweeps.plan import SweepPlan
from edgenet.swept import Cell
from edgenet.text import near, plain

__all__ = ["Slot", "images_of", "slots_of"]

# Of a bundle's name: what no file system minds, and digits of its digest.
UNSAFE, LONGEST, DIGITS = re.compile(r"[^A-Za-z0-9._-]"), 80, 16
# What an untrained network is quantized with: its speed does not depend on it, and its answers mean nothing.
UNTRAINED_RECIPE, UNTRAINED_IMAGES, UNTRAINED_SET = "int8-minmax", 8, "signs"


@dataclass(frozen=True)
class Slot:
    """A cell's place.

    Attributes:
        candidate, backend, precision, recipe, threads: What is built, and how it is run.
        reached: The board.
        build_key: What the bundle is called, with a sha256 of all that it depends on: the same for every
            board of one target.
        key: sha256 of all that the figures depend on.
    """

    candidate: Candidate
    backend: str
    precision: str
    recipe: Recipe | None
    threads: int
    reached: Reached
    build_key: str
    key: str

    @property
    def name(self) -> str:
        """For people, and no two of a board share it."""
        threads = f" {self.threads} threads" if self.threads else ""
        return f"{self.candidate.name} {self.backend} {self.precision}{threads}"

    @property
    def group(self) -> tuple[object, ...]:
        """Equal for cells that are built and run in the same way."""
        return self.backend, self.precision, self.threads

    def pending(self) -> Cell:
        """The cell before its turn."""
        network = self.candidate
        return Cell(
            key=self.key,
            model=str(plain(network.name)),
            family=network.family,
            alpha=network.alpha,
            resolution=network.resolution,
            macs=network.macs,
            precision=self.precision,
            recipe=self.recipe.name if self.recipe else None,
            backend=self.backend,
            threads=self.threads or self.reached.facts.cores,
            device=self.reached.device,
            state="pending",
            top1=network.published,
        )


def images_of(plan: SweepPlan) -> tuple[Images | None, Images | None]:
    """Calibration and validation images of a plan.

    Raises:
        DataError: They cannot be read.
        PlanError: Trained models without validation images.
    """
    if plan.files and plan.val is None:
        raise PlanError(
            "there are no images to measure which model is the most accurate",
            "give --val DIR with labels",
        )
    calibration = plan.calibration or (UNTRAINED_SET if plan.families else None)
    val = Images.of(plan.val, "val") if plan.val else None
    return Images.of(calibration, "calib") if calibration else None, val


def slots_of(
    plan: SweepPlan,
    candidates: Sequence[Candidate],
    boards: Sequence[Reached],
    calibration: Images | None,
    val: Images | None,
) -> tuple[Slot, ...]:
    """Every cell of a plan, board by board.

    Raises:
        LibraryError: There is no such recipe.
        PlanError: No backend of the plan is there on a board.
    """
    found = []
    rules = [protocol_of(item).to_table() for item in (plan.screen, plan.long)]
    for reached in boards:
        for backend in _backends(plan, reached):
            builds = [(item, _recipe(plan, item)) for item in _precisions(plan, backend, reached)]
            for candidate in candidates:
                for precision, recipe in builds:
                    fed = calibration if recipe else None
                    build = _build_key(candidate, backend, precision, recipe, reached, fed, val)
                    for threads in plan.threads:
                        key = _key(build, reached, threads, str(plan.frame), rules)
                        found.append(
                            Slot(candidate, backend, precision, recipe, threads, reached, build, key)
                        )
    return tuple(found)


def _backends(plan: SweepPlan, reached: Reached) -> list[str]:
    there = [name for name in reached.target.backends if name in backend_names()]
    wanted = [name for name in plan.backends or there if name in there]
    if unknown := [name for name in plan.backends if name not in backend_names()]:
        raise PlanError(
            f"there is no backend {unknown[0]!r}",
            near(unknown[0], backend_names()) or f"choose one of {', '.join(backend_names())}",
        )
    if not wanted:
        raise PlanError(
            f"{reached.title} ({reached.device}) has none of the backends {', '.join(plan.backends)}",
            f"choose --backend {' or '.join(there)}",
        )
    return wanted


def _precisions(plan: SweepPlan, backend: str, reached: Reached) -> list[str]:
    """The plan's; else int8 and the backend's own kind of float, where the board can run them."""
    usual = ("int8", load_backend(backend).preferred or "fp32")
    return list(plan.precisions) or [item for item in usual if _possible(reached, backend, item)]


def _possible(reached: Reached, backend: str, precision: str) -> bool:
    try:
        plan_for(reached.target, backend, precision)
    except PlanError:
        return False
    return True


def _recipe(plan: SweepPlan, precision: str) -> Recipe | None:
    """How a precision is made; ``None`` where nothing is quantized."""
    if not precision.startswith("int8"):
        return None
    if plan.recipe is not None:
        return recipe_of(plan.recipe)
    if plan.families and precision == "int8":
        return replace(Recipe.load(UNTRAINED_RECIPE), images=UNTRAINED_IMAGES)
    return default_recipe(precision)


def _build_key(
    candidate: Candidate,
    backend: str,
    precision: str,
    recipe: Recipe | None,
    reached: Reached,
    calibration: Images | None,
    val: Images | None,
) -> str:
    digest = _digest(
        {
            "model": candidate.digest,
            "build": [backend, precision, recipe.to_table() if recipe else None],
            "target": dataclasses.asdict(reached.target),
            "images": [item and item.digest for item in (calibration, val)],
            "tool": made_by(),
        }
    )
    return f"{UNSAFE.sub('_', candidate.name)[:LONGEST]}.{backend}.{precision}.{digest[:DIGITS]}"


def _key(build: str, reached: Reached, threads: int, frame: str, rules: Sequence[Mapping[str, Any]]) -> str:
    told = {
        "build": build,
        "board": reached.identity(),
        "threads": threads,
        "frame": frame,
        "rules": rules,
    }
    return _digest(told)


def _digest(told: Mapping[str, Any]) -> str:
    return sha256(json.dumps(told, sort_keys=True, default=str).encode())
