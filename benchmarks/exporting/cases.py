"""The exports of one framework in a folder: each file with the answers it must give, and a list of all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Cases:
    """What is exported, and what could not be.

    Args:
        folder: Where the files go, ``cases.json`` among them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._told = folder, list[dict[str, Any]]()

    def add(self, case: dict[str, Any], file: Path, write: Callable[[], object], answers: Any) -> None:
        """Write one file, or tell why that failed.

        Args:
            case: What to say of it: model, form, mean, std, output.
            file: Its path.
            write: Writes it.
            answers: What it must give, an array.
        """
        case = {**case, "file": file.name}
        try:
            write()
        except Exception as error:
            self._told.append({**case, "failed": f"{type(error).__name__}: {error}".splitlines()[0][:100]})
            return
        np.save(self._folder / f"{file.name}.npy", answers)
        self._told.append(case)

    def save(self) -> None:
        """Write the list."""
        (self._folder / "cases.json").write_text(json.dumps(self._told))
