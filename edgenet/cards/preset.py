"""What a framework does to pictures by default: ``calibration/cards/`` answers a card's questions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgenet.detection.settings import read_detection
from edgenet.errors import LibraryError, ModelError
from edgenet.library import Table, names, read_table
from edgenet.preprocessing import Preprocessing

__all__ = ["Preset", "presets"]

# What a preset need not answer, so that the rest can be read as a card is.
ANY = {
    "size": [224, 224], "color": "rgb", "resize": "none", "interpolation": "bilinear",
    "resize_to": 4096, "mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0],
}  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """Answers to some of a card's questions.

    Attributes:
        name: Its name.
        summary: One line for ``--help``.
        note: What a user should know who takes it; may be empty.
        label_offset: Output index of class 0 where that is not clear; ``None`` if it says nothing.
        table: Keys of [preprocessing]; ``resize_to`` is for ``size`` alone.
        crop: Share of the short side that is kept, in place of ``resize_to``; ``None`` without one.
        detection: Keys of [detection] where it is of detectors; else empty.
    """

    name: str
    summary: str
    note: str
    label_offset: int | None
    table: Mapping[str, Any]
    crop: float | None
    detection: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, name: Path | str) -> Preset:
        """Read a preset by name or path.

        Raises:
            LibraryError: Not found, or a value is unknown or out of its range.
        """
        table = read_table("preset", name)
        inner = table.table("preprocessing")
        crop = inner.take("crop", (int, float), None)
        found = cls(
            name=table.take("name", str),
            summary=table.take("summary", str),
            note=table.take("note", str, ""),
            label_offset=table.take("label_offset", int, None),
            table=inner.rest(),
            crop=None if crop is None else float(crop),
            detection=table.take("detection", dict, {}),
        )
        table.done()
        found._check(table)
        return found

    def answers(self, size: tuple[int, int]) -> Mapping[str, Any]:
        """What it answers for a network that sees this height and width: keys of [preprocessing].

        ``resize_to`` is not among them where the preset says it for another size.
        """
        given = {key: value for key, value in self.table.items() if key != "size"}
        if self.crop is not None:
            given["resize_to"] = math.floor(max(size) / self.crop)
        elif "resize_to" in given and list(size) != self.table.get("size"):
            del given["resize_to"]
        return given

    def _check(self, where: Table) -> None:
        if self.crop is not None and not 0.1 <= self.crop <= 1:
            raise LibraryError(f"{where.where}: crop = {self.crop:g}", "write a share from 0.1 to 1")
        if self.label_offset not in (None, 0, 1):
            raise LibraryError(f"{where.where}: label_offset = {self.label_offset}", "write 0 or 1")
        try:
            Preprocessing.from_table({**ANY, **self.table}, where.where)
        except ModelError as error:
            raise LibraryError(error.what, error.remedy) from None
        read_detection(self.detection, lambda what, remedy: LibraryError(f"{where.where}: {what}", remedy))


def presets() -> tuple[Preset, ...]:
    """Those that travel with edgenet, by name."""
    return tuple(Preset.load(name) for name in names("preset"))
