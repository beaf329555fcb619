"""A layer's settings as Keras saved them, read one by one: nobody vouches for their types and bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from edgenet.errors import ModelError
from edgenet.importers.keras_network.architecture import AGAIN, plain_value

__all__ = ["Config"]

MAX_WHOLE, MAX_NUMBER = 1 << 24, 1e30
# How a model becomes ONNX, by the major version of Keras.
EXPORT = {
    2: "export the model to ONNX: python -m tf2onnx.convert --keras FILE --output model.onnx",
    3: 'export the model to ONNX: model.export("model.onnx", format="onnx")',
}


class Config:
    """The settings of one layer.

    Args:
        values: As saved.
        where: File, layer and class, for messages.
        keras: Major version of the Keras that wrote them.
    """

    def __init__(self, values: Mapping[str, Any], where: str, keras: int) -> None:
        self.values = {key: plain_value(value) for key, value in values.items()}
        self.where, self.keras = where, keras

    def refuse(self, what: str, remedy: str = "") -> ModelError:
        """The error for a layer that cannot be taken; with no remedy given, ONNX is the way."""
        return ModelError(f"{self.where} {what}", remedy or EXPORT[self.keras])

    def part(self, key: str) -> Mapping[str, Any]:
        """A table within the settings; an empty one where there is none."""
        value = self.values.get(key)
        return value if isinstance(value, dict) else {}

    def damaged(self, key: str, wanted: str) -> ModelError:
        """The error for a setting that is not what Keras writes."""
        return self.refuse(f"has {key} = {str(self.values.get(key))[:80]}, not {wanted}", AGAIN)

    def whole(self, key: str, default: int | None = None, least: int = 1) -> int:
        """An integer."""
        value = self.values.get(key, default)
        if type(value) is not int or not least <= value <= MAX_WHOLE:
            raise self.damaged(key, f"an integer from {least}")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_NUMBER:
            raise self.damaged(key, "a number")
        return float(value)

    def maybe(self, key: str) -> float | None:
        """A finite number, or ``None`` where there is none."""
        value = self.values.get(key)
        return None if value is None or value == math.inf else self.number(key)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.damaged(key, "true or false")
        return value

    def choice(self, key: str, default: str, *choices: str) -> str:
        """One of several words; any other is one that edgenet does not know."""
        value = self.values.get(key, default)
        if value not in choices:
            raise self.refuse(f"has {key} = {str(value)[:80]}, which edgenet does not know")
        return str(value)

    def pair(self, key: str, default: int | None = None, least: int = 1) -> tuple[int, int]:
        """Two integers, or one for both."""
        value: Any = self.values.get(key)
        value = default if value is None else value
        pair = [value, value] if type(value) is int else value
        good = isinstance(pair, list) and len(pair) == 2
        if not good or not all(type(side) is int and least <= side <= MAX_WHOLE for side in pair):
            raise self.damaged(key, f"two integers from {least}")
        return int(pair[0]), int(pair[1])
