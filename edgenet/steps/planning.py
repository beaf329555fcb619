"""Model + target → what `compile` would do, or why it cannot."""

from __future__ import annotations

from pathlib import Path

from edgenet.card import ModelCard
from edgenet.graph.passes.head import LOGITS
from edgenet.model import Model
from edgenet.quantize.quantized import Quantized
from edgenet.recipe import Recipe
from edgenet.steps.compiler import checked_backend
from edgenet.steps.decide import Decision, decide
from edgenet.steps.plan import Plan
from edgenet.steps.source import Source, read_source
from edgenet.target import Target

__all__ = ["plan", "planned"]


def plan(
    model: Source,
    target: Target | Path | str = "local",
    backend: str | None = None,
    precision: str | None = None,
    recipe: Recipe | Path | str | None = None,
    head: str = LOGITS,
    *,
    max_drift: float | None = None,
    preprocessing: ModelCard | Path | str | None = None,
    labels: Path | str | None = None,
) -> Plan:
    """Choose what was left open, and check that the choice can run on the board; nothing is built.

    Args:
        model: As in :func:`edgenet.compile`, and so are the others.

    Raises:
        PlanError: The target cannot run it; says why and what can run instead.
        LibraryError: There is no such target or recipe.
        ModelError: The model cannot be used.

    Examples:
        >>> decided = edgenet.plan("signs", "raspberry-pi-4")
        >>> decided.backend, decided.precision, decided.recipe
        ('tflite', 'int8', 'int8-fast')
        >>> edgenet.plan("signs", "raspberry-pi-4", "tensorrt")
        Traceback (most recent call last):
        edgenet.errors.PlanError: Raspberry Pi 4 Model B has no tensorrt: choose backend="tflite" or ...
    """
    how = (target, backend, precision, recipe, head, max_drift)
    return planned(model, *how, preprocessing, labels)[0].plan


def planned(
    model: Source,
    target: Target | Path | str,
    backend: str | None,
    precision: str | None,
    recipe: Recipe | Path | str | None,
    head: str,
    max_drift: float | None,
    preprocessing: ModelCard | Path | str | None,
    labels: Path | str | None,
) -> tuple[Decision, Model | Quantized]:
    """As :func:`plan`, with the model that was read.

    What the board refuses is refused before a large file is read, and what the model decides after that.
    """
    decision = decide(model, target, backend, precision, recipe, max_drift)
    checked_backend(decision.plan, head)
    source = read_source(decision.source or model, preprocessing, labels)
    return decide(source, decision.target, backend, precision, recipe, max_drift), source
