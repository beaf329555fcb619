"""One call of a layer: what it is told, what it is given, and the graph that it writes into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.importers.keras_network.config import Config
from edgenet.importers.keras_network.saved import WeightScope
from edgenet.importers.keras_network.writer import Tensor, Writer

__all__ = ["Layer", "LayerWriter"]


@dataclass(frozen=True)
class Layer:
    """One call of a layer.

    Attributes:
        name: Its name in the graph, the user's wherever no other layer has it too.
        weights_name: What its weights are called by; the same at every call.
        kind: Its class.
        config: What Keras saved of it.
        args, kwargs: What it is called with, tensors among it.
        inputs: All tensors of the call.
        scope: Where its weights lie.
        keras: Major version of the Keras that wrote the file.
        writer: The graph.
    """

    name: str
    weights_name: str
    kind: str
    config: Config
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    inputs: Sequence[Tensor]
    scope: WeightScope
    keras: int
    writer: Writer

    @property
    def source(self) -> Tensor:
        """The one tensor that it is given.

        Raises:
            ModelError: There are more, or none.
        """
        if len(self.inputs) != 1:
            raise self.config.refuse(f"is given {len(self.inputs)} tensors, one was expected")
        return self.inputs[0]

    @property
    def picture(self) -> Tensor:
        """The one tensor that it is given, a map of (height, width, channels).

        Raises:
            ModelError: It is none, or the layer counts its axes otherwise.
        """
        if not self.source.is_map:
            shown = "x".join(map(str, self.source.shape))
            raise self.config.refuse(f"is given {shown}, no height, width and channels")
        self.check_channels_last()
        return self.source

    def check_channels_last(self) -> None:
        """Refuse a layer that counts its axes otherwise than every other.

        Raises:
            ModelError: It does.
        """
        if self.config.values.get("data_format") == "channels_first":
            raise self.config.refuse("is channels_first, and only channels_last is read")

    def arrays(self, wanted: Mapping[str, tuple[int, ...] | None]) -> dict[str, NDArray[np.float32]]:
        """Its weights, see :meth:`WeightScope.arrays`."""
        return self.scope.arrays(wanted, self.config.where)

    def part(self, name: str) -> str:
        """A free name for one of several operators of this layer."""
        return self.writer.named(f"{self.name}/{name}")

    def weight(self, name: str, values: NDArray[Any]) -> str:
        """A weight of this layer in the graph."""
        return self.writer.weight(f"{self.weights_name}/{name}", values)

    def node(
        self,
        kind: str,
        inputs: Sequence[Tensor | str],
        shape: Sequence[int],
        name: str = "",
        **attributes: Any,
    ) -> Tensor:
        """An operator of this layer, its last one unless it has a name of its own."""
        return self.writer.node(kind, inputs, name or self.name, shape, **attributes)


LayerWriter = Callable[[Layer], Tensor]
