"""How long compiling took on this machine: remembered, so that a dry run can say what to expect."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Self

from edgenet.errors import EdgenetError
from edgenet.files import cache_dir, read_regular, write_atomic
from edgenet.imageset import ImageSet
from edgenet.json_value import Count, Where, Within
from edgenet.locks import locked
from edgenet.model import Model
from edgenet.record import Record
from edgenet.steps.decide import Decision

__all__ = ["Timing", "last_seconds"]

# Runs that are remembered, and the bytes of the file that holds them.
KEPT, MAX_BYTES = 200, 1 << 20
Seconds = Annotated[float, Within(least=0.0, most=1e7)]


@dataclass(frozen=True, kw_only=True)
class Timing(Record):
    """One run of ``compile`` here.

    Attributes:
        model: Digest of the model.
        recipe: Name of the recipe; empty where nothing is quantized.
        backend: Name of the backend.
        images: Calibration images.
        cached: Whether the quantized network was taken from the cache.
        seconds: Wall time; 0 before it is known.
    """

    model: str
    recipe: str
    backend: str
    images: Count
    cached: bool
    seconds: Seconds = 0.0

    @classmethod
    def planned(cls, model: Model, decision: Decision, images: ImageSet | None, cached: bool) -> Self:
        """A run of this."""
        recipe = decision.recipe.name if decision.plan.recipe else ""
        count = len(images) if images is not None and recipe else 0
        return cls(
            model=model.digest,
            recipe=recipe,
            backend=decision.plan.backend,
            images=count,
            cached=cached,
        )

    def remember(self, seconds: float) -> None:
        """Keep how long it took; a cache that cannot be written keeps nothing."""
        with contextlib.suppress(OSError), locked(_path()):
            known = [*_known(), replace(self, seconds=round(seconds, 2))][-KEPT:]
            write_atomic(_path(), json.dumps([asdict(item) for item in known]).encode())


def last_seconds(run: Timing) -> float | None:
    """How long the same run took here the last time, s; ``None`` where it was not run.

    Nothing is inferred from other models: scaled by multiply-adds, their times were up to three times off.
    """
    known = [item.seconds for item in _known() if item.seconds and replace(item, seconds=0.0) == run]
    return known[-1] if known else None


def _path() -> Path:
    return cache_dir() / "timings.json"


def _known() -> Sequence[Timing]:
    """What was remembered; nothing where the file is not there or not ours."""
    where = Where("timings", error=EdgenetError)
    try:
        told = json.loads(read_regular(_path(), MAX_BYTES))
        return [Timing.from_table(item, where) for item in told] if isinstance(told, list) else []
    except (OSError, ValueError, RecursionError, EdgenetError):
        return []
