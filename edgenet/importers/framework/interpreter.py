"""Which Python has a framework: the one that the user names, or the first found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgenet.errors import ModelError
from edgenet.importers.framework import FRAMEWORK_PYTHON

__all__ = ["find_interpreter"]

# To find a module is not to import it; but a Python on a slow disk may take its time.
LOOK_S = 60.0
LOOK = "import importlib.util, sys; sys.exit(any(importlib.util.find_spec(n) is None for n in sys.argv[1:]))"


def find_interpreter(needs: Sequence[str]) -> str | None:
    """A Python that has some modules.

    Args:
        needs: Names of top-level modules.

    Returns:
        The one that ``EDGENET_FRAMEWORK_PYTHON`` names; else the first of this process' own, those of the
        activated environment, and ``python3`` and ``python`` of the PATH that has them all; ``None`` if none.

    Raises:
        ModelError: The one that was named is no Python, or lacks one of them.
    """
    named = os.environ.get(FRAMEWORK_PYTHON)
    if not named:
        return next((python for python in _candidates() if _has(python, needs)), None)
    python = shutil.which(named)
    if python is None:
        raise ModelError(
            f"{named}: no such program", f"name the Python that trained the model in {FRAMEWORK_PYTHON}"
        )
    if not _has(python, needs):
        raise ModelError(
            f"{named} has not all of {', '.join(needs)}", f"run {named} -m pip install {' '.join(needs)}"
        )
    return python


def _candidates() -> Iterator[str]:
    yield sys.executable
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if root := os.environ.get(variable):
            yield from (str(Path(root, part)) for part in ("bin/python", "Scripts/python.exe", "python.exe"))
    for name in ("python3", "python"):
        if found := shutil.which(name):
            yield found


def _has(python: str, needs: Sequence[str]) -> bool:
    if not Path(python).is_file():
        return False
    try:
        done = subprocess.run(
            [python, "-c", LOOK, *needs],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=LOOK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
