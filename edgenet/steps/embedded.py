"""The trained models that travel with edgenet, by what they are for."""

from __future__ import annotations

from edgenet.card import read_card
from edgenet.drift import CLASSIFICATION
from edgenet.errors import PlanError
from edgenet.zoo import EMBEDDED, embedded

__all__ = ["embedded_name"]


def embedded_name(task: str = CLASSIFICATION) -> str:
    """The name of the model, and of its sets of images, that is of that task.

    Raises:
        PlanError: None is.
    """
    names = {read_card(embedded(name).with_suffix(".toml")).task.name: name for name in EMBEDDED}
    if task not in names:
        remedy = f"choose {' or '.join(sorted(names))}, or give a model of your own to edgenet compile"
        raise PlanError(f"no model of the task {task!r} travels with edgenet", remedy)
    return names[task]
