"""A Python of a test's board that has packages of its own, as a board's owner would give it some."""

from __future__ import annotations

import site
import sys
from pathlib import Path


def python_with(packages: Path, folder: Path) -> str:
    """The path of a Python that imports from ``packages`` first, then from where this one does.

    Args:
        packages: A folder of modules; its ``sitecustomize`` is run.
        folder: Where the virtual environment is made, or lies already.
    """
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    program = folder / "bin" / "python"
    places = folder / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    if not program.exists():
        places.mkdir(parents=True)
        program.parent.mkdir()
        program.symlink_to(base)
        (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\n")
        (places / "packages.pth").write_text("\n".join([str(packages), *site.getsitepackages()]) + "\n")
    return str(program)
