"""Names of a model's classes where its card has none: those of the calibration images, or numbers."""

from __future__ import annotations

from dataclasses import replace

from edgenet.errors import ModelError
from edgenet.imageset import ImageSet
from edgenet.labels import check_names
from edgenet.model import Model

__all__ = ["with_class_names"]


def with_class_names(model: Model, images: ImageSet | None) -> tuple[Model, tuple[str, ...]]:
    """A model with the names of its classes, as far as anybody has told them.

    Args:
        model: With names of its own, which stay, or without.
        images: Its calibration images; folders of classes count in alphabetical order.

    Returns:
        The model, and what a user should know of where the names are from.
    """
    task = model.task
    classes = task.classes(model.classes)
    if task.labels or not classes:
        return model, ()
    names, told = task.class_names(images) if images is not None else (), ""
    if images is not None and names:
        folder = images.folder.resolve().name
        if len(names) == classes and _fit(names):
            shown = ", ".join(names[:3]) + (", …" if classes > len(names[:3]) else "")
            return replace(model, labels=names), (
                f"the card has no labels: those of {folder} are taken ({shown})",
            )
        told = f", and {folder} has {len(names)} for {classes} classes" if len(names) != classes else ""
    what = f"the card has no labels{told}: answers are told by number"
    return model, (f"{what} (write labels = [...] in it, or give --labels FILE)",)


def _fit(names: tuple[str, ...]) -> bool:
    """Whether they can be shown."""
    try:
        check_names(names, "")
    except ModelError:
        return False
    return True
