"""The trained models that travel with edgenet, by what they are for."""

from __future__ import annotations

from edgenet.card import read_card
from edgenet.drift import CLASSIFICATION
from edgenet.errors import PlanError
from edgenet.text import near
from edgenet.zoo import EMBEDDED, embedded

__all__ = ["embedded_name", "embedded_tasks"]


def embedded_tasks() -> dict[str, str]:
    """The tasks of the embedded models, and the name of the model of each."""
    return {read_card(embedded(name).with_suffix(".toml")).task.name: name for name in EMBEDDED}


def embedded_name(task: str = CLASSIFICATION) -> str:
    """The name of the model, and of its sets of images, that is of that task.

    Raises:
        PlanError: None is.
    """
    found = embedded_tasks()
    if task not in found:
        choice = f"choose {' or '.join(sorted(found))}, or give a model of your own to edgenet compile"
        raise PlanError(f"no model of the task {task!r} travels with edgenet", near(task, found) or choice)
    return found[task]
