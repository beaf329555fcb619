"""What every backend does: say what it can, lower a model to an artifact, run the artifact here.

A backend is one module of this folder with a function ``backend()``; it is found by its file name, which
is also the name of its half on the board (``edgenet/agent/runtimes/``).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import PlanError
from edgenet.manifest import TensorSpec
from edgenet.model import Model
from edgenet.target import Target

__all__ = ["Artifact", "Backend", "HostSession", "backend_names", "load_backend"]

HELPERS = ("base", "reference")


@dataclass(frozen=True)
class Artifact:
    """What the board runs or finishes: takes [1, H, W, 3] RGB pixels, gives [1, classes] scores.

    Attributes:
        data: The file's bytes.
        file: Its name in the bundle.
        output: How to read what it gives.
        input_dtype: "uint8", or "float32" where the runtime takes the pixels' values only so.
        build: What the board needs to finish it; ``None`` where it is finished.
        more: Further files of the bundle, by name.
    """

    data: bytes
    file: str
    output: TensorSpec
    input_dtype: str = "uint8"
    build: Mapping[str, Any] | None = None
    more: Mapping[str, bytes] = field(default_factory=dict)


class HostSession(Protocol):
    """An artifact loaded on this machine."""

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """Raw output values [classes] for uint8 [1, H, W, 3] pixels."""


class Backend(Protocol):
    """One way to run a model on a board.

    Attributes:
        name: The module's name.
        precisions: Those that :meth:`lower` can write.
        mixed: Whether an int8 model may have layers in float.
        heads: What its artifacts can end in, see :mod:`edgenet.graph.passes.head`.
        preferred: What `compile` chooses when not told; ``None``: the target's default.
    """

    name: str
    precisions: tuple[str, ...]
    mixed: bool
    heads: tuple[str, ...]
    preferred: str | None

    def unsupported_reason(self, target: Target, precision: str) -> str:
        """Why a board cannot run a precision, beyond what its target file says; empty if it can."""

    def lower(self, model: Model, target: Target) -> Artifact:
        """Write a prepared (float or quantized) model in the backend's own format.

        Raises:
            UnsupportedError: An operator, attribute or shape cannot be expressed; names the node.
        """

    def open(self, artifact: Path, threads: int = 1) -> HostSession:
        """Load an artifact with the runtime that is installed here."""


def backend_names() -> Sequence[str]:
    """The backends there are, sorted."""
    here = [str(Path(__file__).parent)]
    found = (item.name for item in pkgutil.iter_modules(here) if not item.ispkg)
    return sorted(name for name in found if name not in HELPERS)


def load_backend(name: str) -> Backend:
    """The backend of that name.

    Raises:
        PlanError: There is none.
    """
    if name not in backend_names():
        raise PlanError(f"there is no backend {name!r}", f"choose one of {', '.join(backend_names())}")
    backend: Backend = importlib.import_module(f"edgenet.backends.{name}").backend()
    return backend
