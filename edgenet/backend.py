"""What every backend is: says what it can, lowers a model to an artifact, runs the artifact here.

A backend is one module of ``edgenet/backends/`` with a function ``backend()``; it is found by its file name,
which is also the name of its half on the board (``edgenet/agent/runtimes/``). Nothing outside these two asks
for a backend by its name: what one does differently it says here.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edgenet import backends
from edgenet.errors import PlanError
from edgenet.facts import Facts
from edgenet.graph.layers import Layer
from edgenet.graph.passes.head import LOGITS
from edgenet.graph.qparams import OutputScales
from edgenet.manifest import ArtifactSpec, PartSpec, TensorSpec
from edgenet.model import Model
from edgenet.recipe import Recipe
from edgenet.target import Cpu, Target
from edgenet.text import near

__all__ = [
    "Artifact",
    "Backend",
    "Finding",
    "HostSession",
    "Shown",
    "Tap",
    "backend_names",
    "heads",
    "load_backend",
    "sent_backends",
]


@dataclass(frozen=True)
class Artifact:
    """What the board runs or finishes: takes [1, H, W, 3] RGB pixels, gives [1, values] scores, or several.

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


def heads(model: Model, scales: OutputScales | None) -> list[PartSpec]:
    """The outputs of a lowered model by their names, int8 with these scales; float with ``None``."""
    told = (
        [(item.scale, item.zero_point) for item in scales.outputs]
        if scales
        else [(None, None)] * len(model.heads)
    )
    named = [item.name for item in model.proto.graph.output]
    return [
        PartSpec(name=name, values=values, scale=scale, zero_point=zero)
        for name, values, (scale, zero) in zip(named, model.heads, told, strict=True)
    ]


class HostSession(Protocol):
    """An artifact loaded on this machine."""

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """Raw values [values] for uint8 [1, H, W, 3] pixels: its outputs one after another."""


class Shown(NamedTuple):
    """One run of an int8 artifact, looked into: int8 activations NHWC by name, in order.

    ``scores`` are the raw ones of that run; ``None`` where looking does not change them.
    """

    layers: dict[str, NDArray[np.int8]]
    scores: NDArray[Any] | None = None


class Tap(NamedTuple):
    """An inner tensor of an artifact, and how its numbers are read where the runtime does not tell."""

    name: str
    scale: float | None = None
    zero_point: int | None = None


class Finding(NamedTuple):
    """What the preflight finds: "ok", "not" or "unknown", what the board says, and what to do."""

    state: str
    found: str
    remedy: str = ""


class Backend(ABC):
    """One way to run a model on a board.

    Attributes:
        name: The module's name.
        precisions: Those that :meth:`lower` can write.
        mixed: Whether an int8 model may have layers in float.
        heads: What its artifacts can end in, see :mod:`edgenet.graph.passes.head`.
        preferred: What `compile` chooses when not told; ``None``: the target's default.
        sent: Whether edgenet sends the runtime to a board without one; else it comes with the board's system.
        exact: Whether an artifact computes here what its graph says, so that it can be held to it number by
            number; its int8 layers are then shown by :meth:`layers`.
        hybrid: Whether a float layer with int8 weights rounds its input while it runs.
        nhwc: Whether its inner tensors, as the board shows them, have their channels last.
    """

    name: str
    precisions: tuple[str, ...]
    mixed: bool = False
    heads: tuple[str, ...] = (LOGITS,)
    preferred: str | None = None
    sent: bool = True
    exact: bool = False
    hybrid: bool = False
    nhwc: bool = False

    @abstractmethod
    def lower(self, model: Model, target: Target) -> Artifact:
        """Write a prepared (float or quantized) model in the backend's own format.

        Raises:
            UnsupportedError: An operator, attribute or shape cannot be expressed; names the node.
        """

    @abstractmethod
    def open(self, artifact: Path, threads: int = 1) -> HostSession:
        """Load an artifact with the runtime that is installed here."""

    def unsupported_reason(self, target: Target, precision: str) -> str:  # noqa: ARG002
        """Why a board cannot run a precision, beyond what its target file says; empty if it can."""
        return ""

    def recipe(self, recipe: Recipe, target: Target) -> Recipe:  # noqa: ARG002
        """A recipe as it is followed for a board: with what the board's kernels ask of the weights."""
        return recipe

    def unsafe(self, artifact: bytes, precision: str, cpu: Cpu) -> str:  # noqa: ARG002
        """Why a processor would compute an artifact otherwise than it is meant; empty if it would not."""
        return ""

    def notes(self, model: Model, target: Target, precision: str) -> tuple[str, ...]:  # noqa: ARG002
        """What a user should know of a prepared model on a board before measuring it, one sentence each."""
        return ()

    def layers(self, artifact: bytes, pixels: NDArray[np.uint8]) -> Shown:  # noqa: ARG002
        """The int8 layers of an artifact for uint8 [1, H, W, 3] pixels; asked where it is ``exact``."""
        return Shown({})

    def taps(self, artifact: bytes, told: Sequence[str], known: Sequence[Layer]) -> list[Tap]:  # noqa: ARG002
        """The inner tensors that the board may be asked for.

        Args:
            artifact: The file.
            told: Names of the layers as the runtime tells them.
            known: The layers of the user's float model.
        """
        return [Tap(name) for name in told]

    def board_file(self, spec: ArtifactSpec, version: str) -> str:  # noqa: ARG002
        """The bundle's file for a board's own runtime.

        Args:
            spec: The bundle's artifact, one that the board finishes.
            version: The runtime's, as the board tells it.

        Raises:
            DeviceError: The bundle has none for it.
        """
        return spec.file

    def remedy(self, broken: bool) -> str:  # noqa: ARG002
        """What to do on a board whose own runtime is ``broken`` or not there; asked where none is sent."""
        return "install what is missing there, or choose another backend"

    def present(self, facts: Facts) -> bool:  # noqa: ARG002
        """Whether a board with these facts has this runtime or can be sent it."""
        return self.sent

    def examine(self, facts: Facts) -> Finding | None:  # noqa: ARG002
        """The preflight's word on a board's runtime; ``None``: whether one is there or can be sent."""
        return None


def backend_names() -> Sequence[str]:
    """The backends there are, sorted: the modules of ``edgenet/backends/``, not its folders."""
    return sorted(item.name for item in pkgutil.iter_modules(backends.__path__) if not item.ispkg)


def load_backend(name: str) -> Backend:
    """The backend of that name.

    Raises:
        PlanError: There is none.
    """
    if name not in backend_names():
        choice = near(name, backend_names()) or f"choose one of {', '.join(backend_names())}"
        raise PlanError(f"there is no backend {name!r}", choice)
    backend: Backend = importlib.import_module(f"{backends.__name__}.{name}").backend()
    return backend


def sent_backends() -> tuple[str, ...]:
    """The backends whose runtimes edgenet sends to a board that has none."""
    return tuple(name for name in backend_names() if load_backend(name).sent)
