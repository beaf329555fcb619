"""What `compile` would do: everything is read and checked, nothing is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenet.card import ModelCard
from edgenet.graph.passes.head import LOGITS
from edgenet.imageset import ImageSet
from edgenet.progress import Progress, silent
from edgenet.recipe import Recipe
from edgenet.steps.compiled import bundle_file
from edgenet.steps.compiler import Compiler
from edgenet.steps.plan import Plan
from edgenet.steps.planning import planned
from edgenet.steps.source import Source
from edgenet.steps.taken import images_of
from edgenet.steps.timings import Timing, last_seconds
from edgenet.target import Target

__all__ = ["Preview", "preview"]


@dataclass(frozen=True)
class Preview:
    """The result of :func:`preview`.

    Attributes:
        plan: What was decided.
        file: The name of the bundle's file.
        images: Calibration images there are; ``None`` where none were given.
        cached: Whether the quantized network is in the cache; ``None`` where nothing is quantized.
        expected_s: How long it took the last time, s; ``None`` where it was not run here.
    """

    plan: Plan
    file: str
    images: int | None
    cached: bool | None
    expected_s: float | None

    def to_table(self) -> dict[str, Any]:
        """JSON-ready: the plan's fields, and what is known beside them."""
        return {
            **self.plan.to_table(),
            "file": self.file,
            "images": self.images,
            "cached": self.cached,
            "expected_s": self.expected_s,
        }


def preview(  # noqa: PLR0913
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
) -> Preview:
    """Read what :func:`edgenet.compile` would read, and say what it would do.

    Args:
        model: As in :func:`edgenet.compile`, and so are the others.

    Raises:
        DataError, LibraryError, ModelError, PlanError: As :func:`edgenet.compile` does before any work.
    """
    progress("reading the model and the images", 0, None)
    how = (target, backend, precision, recipe, head, max_drift)
    decision, source = planned(model, *how, preprocessing, labels)
    images = images_of(calibration, "calib")
    compiler = Compiler(source, images, progress, cache)
    compiler.check(decision, head)
    cached = compiler.quantized_before(decision)
    timing = Timing.planned(compiler.original, decision, images, bool(cached))
    return Preview(
        plan=decision.plan,
        file=bundle_file(compiler.original.name, decision.plan),
        images=None if images is None else len(images),
        cached=cached,
        expected_s=last_seconds(timing),
    )
