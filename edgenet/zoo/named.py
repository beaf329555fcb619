"""Networks of the papers by name: "v1-0.75-192", "v3-large-1.0-224"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from edgenet.zoo.mobilenet_v1 import mobilenet_v1
from edgenet.zoo.mobilenet_v1 import weight_shapes as mobilenet_v1_shapes
from edgenet.zoo.mobilenet_v2 import mobilenet_v2
from edgenet.zoo.mobilenet_v2 import weight_shapes as mobilenet_v2_shapes
from edgenet.zoo.mobilenet_v3 import Size, mobilenet_v3
from edgenet.zoo.mobilenet_v3 import weight_shapes as mobilenet_v3_shapes

__all__ = ["FAMILIES", "NamedNetwork", "named"]

SIZES: dict[str, Size] = {"v3-small": "small", "v3-large": "large"}
FAMILIES = ("v1", "v2", *SIZES)
NAME = re.compile(rf"({'|'.join(FAMILIES)})-(\d\.\d{{1,2}}|\d)-(\d{{2,4}})")


@dataclass(frozen=True)
class NamedNetwork:
    """A MobileNet as its paper names it.

    Attributes:
        family: One of ``FAMILIES``.
        alpha: Width multiplier.
        resolution: Height and width of the input in pixels.
    """

    family: str
    alpha: float
    resolution: int

    @property
    def name(self) -> str:
        """ "v1-1.0-224": what :func:`named` reads."""
        return f"{self.family}-{float(self.alpha)}-{self.resolution}"

    def build(self, seed: int = 0) -> onnx.ModelProto:
        """The float graph for the 1,000 classes of ImageNet, its weights drawn and not trained.

        Args:
            seed: Of the drawn weights.

        Raises:
            ModelError: The width or the resolution is out of range.
        """
        return self._built(None, seed)

    def blank(self) -> onnx.ModelProto:
        """The same graph with weights of zero, for what shapes decide alone: built in half the time.

        Raises:
            ModelError: The width or the resolution is out of range.
        """
        shapes = {"v1": mobilenet_v1_shapes, "v2": mobilenet_v2_shapes}.get(self.family)
        found = shapes(self.alpha) if shapes else mobilenet_v3_shapes(SIZES[self.family], self.alpha)
        return self._built({name: np.zeros(shape, np.float32) for name, shape in found.items()}, 0)

    def _built(self, weights: Mapping[str, np.ndarray] | None, seed: int) -> onnx.ModelProto:
        if self.family == "v1":
            return mobilenet_v1(self.alpha, self.resolution, weights=weights, seed=seed)
        if self.family == "v2":
            return mobilenet_v2(self.alpha, self.resolution, weights=weights, seed=seed)
        return mobilenet_v3(SIZES[self.family], self.alpha, self.resolution, weights=weights, seed=seed)


def named(text: str) -> NamedNetwork | None:
    """The network that a name stands for; ``None`` where it is no such name."""
    found = NAME.fullmatch(text)
    return NamedNetwork(found[1], float(found[2]), int(found[3])) if found else None
