"""The forms in which a model may come beside ONNX, one file each, found by what it says of its suffixes."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from typing import Any

__all__ = ["importer_module", "importer_names"]


def importer_names() -> Sequence[str]:
    """The importers there are, sorted: the modules of this package, not its folders."""
    return sorted(item.name for item in pkgutil.iter_modules(__path__) if not item.ispkg)


def importer_module(name: str) -> Any:
    """The module of an importer: its ``takes(path)`` and ``read(path, size)``."""
    return importlib.import_module(f"{__name__}.{name}")
