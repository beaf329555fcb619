"""The one way in which an artifact runs on this machine: what the same artifact must give on its board."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.backend import load_backend
from edgenet.bundle import Bundle
from edgenet.errors import ModelError
from edgenet.text import cause

__all__ = ["run_artifact", "run_bundle"]


def run_bundle(bundle: Bundle, pixels: Iterable[NDArray[np.uint8]]) -> NDArray[Any]:
    """Raw outputs [n, classes] of a bundle's artifact; see :func:`run_artifact`."""
    return run_artifact(bundle.manifest.backend, bundle.manifest.artifact.file, bundle.artifact, pixels)


def run_artifact(backend: str, file: str, data: bytes, pixels: Iterable[NDArray[np.uint8]]) -> NDArray[Any]:
    """Raw outputs [n, classes] of an artifact in its own runtime on this machine.

    They do not depend on this machine's instruction set: no int8 kernel that saturates is used; an artifact
    for Arm runs the signed, fused kernels that it runs there.

    Args:
        backend: Name of the backend that wrote it.
        file: Name of the artifact; some runtimes read its suffix.
        data: The artifact.
        pixels: uint8 [H, W, 3] each; at least one.

    Raises:
        ModelError: The runtime refuses the artifact.
    """
    with tempfile.TemporaryDirectory(prefix="edgenet-") as folder:
        path = Path(folder) / file
        path.write_bytes(data)
        try:
            session = load_backend(backend).open(path)
            return np.stack([session.run(item[None]) for item in pixels])
        except (RuntimeError, ValueError) as error:
            reason = cause(error)
            raise ModelError(
                f"{backend} refuses the artifact written for it ({reason})",
                "report this as a bug in edgenet with the model",
            ) from None
