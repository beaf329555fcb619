"""What a plan of a sweep takes: its models and images are read by workers, so each must have a path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from edgenet.errors import PlanError
from edgenet.imageset import ImageSet

__all__ = ["file_of", "folder_of", "named"]


def file_of(model: object) -> str:
    """The path or name of a model.

    Raises:
        PlanError: It is in memory.
    """
    if isinstance(model, str | os.PathLike):
        return str(model)
    what = f"a {type(model).__name__} in memory: a sweep reads every model from its file"
    raise PlanError(what, "give the path of the model")


def folder_of(images: ImageSet | Path | str) -> str:
    """The folder or name of images.

    Raises:
        PlanError: They are a part of a folder.
    """
    if not isinstance(images, ImageSet):
        return str(images)
    if ImageSet.load(images.folder).files != images.files:
        raise PlanError(f"{images.folder}: a part of its images", "give a folder of those alone")
    return str(images.folder)


def named(value: Any) -> Any:
    """A path as text; a name or a value as it is."""
    return str(value) if isinstance(value, os.PathLike) else value
