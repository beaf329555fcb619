"""What is taken for what, on the board and in float: parts of a classifier's drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from edgenet.json_value import Count, Where, Within
from edgenet.record import Record

__all__ = ["ClassAccuracy", "ConfusionMatrix", "Mistake"]


Share = Annotated[float, Within(least=0.0, most=1.0)]


@dataclass(frozen=True, kw_only=True)
class ClassAccuracy(Record):
    """One class on the board and in float.

    Attributes:
        images: How many there are of it.
        accuracy, accuracy_reference: The share of them that is answered right (the recall).
        precision, precision_reference: The share of the answers of this class that are right; ``None`` where
            there are none.
    """

    name: str
    images: Annotated[int, Within(least=1)]
    accuracy: Share
    accuracy_reference: Share
    precision: Share | None = None
    precision_reference: Share | None = None


@dataclass(frozen=True, kw_only=True)
class Mistake(Record):
    """A class that the board takes for another.

    Attributes:
        label, answer: The names of the class and of what the board says.
        images: How many images of the class it takes so.
        images_reference: How many the float model takes so.
        of_images: How many images of the class there are.
    """

    label: str
    answer: str
    images: Count
    images_reference: Count
    of_images: Count


@dataclass(frozen=True, kw_only=True)
class ConfusionMatrix(Record):
    """Images counted by what is true (rows) and what was answered (columns), in the order of ``names``."""

    names: tuple[str, ...]
    board: tuple[tuple[Count, ...], ...]
    reference: tuple[tuple[Count, ...], ...]

    def check(self, where: Where) -> None:
        """Both are square, of as many rows as names."""
        for name in ("board", "reference"):
            rows = getattr(self, name)
            if len(rows) != len(self.names) or any(len(row) != len(self.names) for row in rows):
                raise where.at(name).refuse(rows, f"{len(self.names)} rows of {len(self.names)} counts")
