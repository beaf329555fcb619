"""The tasks that edgenet knows, one file each, found by name; each has a half of that name on the board."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from typing import Any

__all__ = ["task_module", "task_names"]


def task_names() -> Sequence[str]:
    """The tasks there are, sorted."""
    return sorted(item.name for item in pkgutil.iter_modules(__path__))


def task_module(name: str) -> Any:
    """The module of a task: its ``TASK``.

    Raises:
        KeyError: There is none of this name.
    """
    if name not in task_names():
        raise KeyError(name)
    return importlib.import_module(f"{__name__}.{name}")
