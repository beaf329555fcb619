"""The shape of the embedded detector."""

from __future__ import annotations

from edgenet.zoo.scenes import CLASSES
from edgenet.zoo.ssd import Cell, Ssd

__all__ = ["DETECTOR"]

# Pictures of cameras are wider than high: stretched to a square, what was round is narrow.
NARROW = 0.74


def _cell(*heights: float) -> Cell:
    return tuple((round(height * NARROW, 3), height) for height in heights)


DETECTOR = Ssd(
    kind="v1",
    alpha=0.25,
    resolution=192,
    classes=len(CLASSES),
    taps=("block5/pointwise/relu6", "block11/pointwise/relu6", "block13/pointwise/relu6"),
    extras=(),
    cells=(_cell(0.125, 0.175), _cell(0.25, 0.35), _cell(0.5, 0.7)),
    activation="softmax",
)
