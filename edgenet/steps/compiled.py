"""A bundle that was compiled, and what was decided and done on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenet.bundle import Bundle
from edgenet.figures import size
from edgenet.files import write_output
from edgenet.notebook import Shown
from edgenet.quantize.quantized import Quantized
from edgenet.quantize.result import Quantization
from edgenet.steps.plan import Plan

__all__ = ["Compiled", "bundle_file"]


@dataclass(frozen=True)
class Compiled(Shown):
    """The result of :func:`edgenet.compile`.

    Attributes:
        bundle: The bundle, checked as a reader would.
        data: Its bytes.
        plan: What was decided.
        quantized: The quantized model; ``None`` for float.
        notes: What a user should know of the card, the images and the backend, one sentence each.
    """

    bundle: Bundle
    data: bytes
    plan: Plan
    quantized: Quantized | None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Compiled {self.bundle.name} for {self.plan.target}, {len(self.data):,} bytes>"

    def _title(self) -> str:
        return self.bundle.name

    def _rows(self) -> Mapping[str, Any]:
        return {
            "target": self.plan.target,
            "artifact": size(len(self.bundle.artifact)),
            "bundle": f"{size(len(self.data))}, {self.bundle.digest[:12]}",
            "why": self.plan.why,
            "notes": (*self.notes, *self.skipped),
        }

    @property
    def quantization(self) -> Quantization | None:
        """What quantizing did; ``None`` for float."""
        return self.quantized.account if self.quantized else None

    @property
    def skipped(self) -> tuple[str, ...]:
        """Calibration images left out, with reasons."""
        used = self.quantized.calibration if self.quantized else None
        return used.skipped if used else ()

    @property
    def file(self) -> str:
        """A name for the file: model, board, backend and precision."""
        return bundle_file(self.bundle.manifest.model.name, self.plan)

    def write(self, path: Path | str) -> Path:
        """Write the bundle, all of it or nothing.

        Raises:
            DataError: It cannot be written.
        """
        return write_output(path, self.data)


def bundle_file(name: str, plan: Plan) -> str:
    """A name for the file of a bundle: model, board, backend and precision."""
    return f"{name}.{plan.target}.{plan.backend}.{plan.precision}.edgenet"
