"""How long compiling took on this machine: remembered, so that a dry run can say what to expect."""

from __future__ import annotations

import contextlib
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Self

from edgenet.errors import EdgenetError, ModelError
from edgenet.files import cache_dir, read_regular, write_atomic
from edgenet.graph.cost import cost
from edgenet.imageset import ImageSet
from edgenet.json_value import Count, Where, Within
from edgenet.locks import locked
from edgenet.model import Model
from edgenet.record import Record
from edgenet.steps.decide import Decision

__all__ = ["Expected", "Timing", "expect"]

# Runs that are remembered, and the bytes of the file that holds them.
KEPT, MAX_BYTES = 200, 1 << 20
# Of a network twice as large or half as large is inferred; further away it would be a guess.
WITHIN = 2.0
Seconds = Annotated[float, Within(least=0.0, most=1e7)]


@dataclass(frozen=True)
class Expected:
    """How long a run will take.

    Attributes:
        seconds: Wall time.
        why: What that is known from.
    """

    seconds: float
    why: str


@dataclass(frozen=True, kw_only=True)
class Timing(Record):
    """One run of ``compile`` here.

    Attributes:
        model: Digest of the model.
        macs: Multiply-adds of the network.
        recipe: Name of the recipe; empty where nothing is quantized.
        backend: Name of the backend.
        images: Calibration images.
        cached: Whether the quantized network was taken from the cache.
        seconds: Wall time; 0 before it is known.
    """

    model: str
    macs: Count
    recipe: str
    backend: str
    images: Count
    cached: bool
    seconds: Seconds = 0.0

    @classmethod
    def planned(cls, model: Model, decision: Decision, images: ImageSet | None, cached: bool) -> Self | None:
        """A run of this; ``None`` for a network whose multiply-adds cannot be counted."""
        try:
            macs = cost(model.proto).macs
        except ModelError:
            return None
        recipe = decision.recipe.name if decision.plan.recipe else ""
        count = len(images) if images is not None and recipe else 0
        return cls(
            model=model.digest,
            macs=macs,
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


def expect(run: Timing) -> Expected | None:
    """How long a run will take: as long as the same did, or as its like did for each multiply-add.

    Returns:
        ``None`` where nothing like it was run here.
    """
    alike = [item for item in _known() if _kind(item) == _kind(run) and item.seconds]
    if same := [item.seconds for item in alike if item.model == run.model and item.images == run.images]:
        return Expected(same[-1], "as the last time with this model")
    near = [item for item in alike if _near(item.macs, run.macs) and _near(item.images, run.images)]
    if not near:
        return None
    each = statistics.median(item.seconds / item.macs for item in near)
    runs = "1 earlier run" if len(near) == 1 else f"{len(near)} earlier runs"
    return Expected(each * run.macs, f"from {runs} here with like models, by multiply-adds")


def _kind(run: Timing) -> tuple[str, str, bool]:
    return run.recipe, run.backend, run.cached


def _near(one: int, other: int) -> bool:
    return one == other or (min(one, other) > 0 and max(one, other) <= WITHIN * min(one, other))


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
