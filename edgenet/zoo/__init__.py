"""Networks edgenet can build from nothing, and the one trained model it carries.

``edgenet.zoo.signs`` holds that model and all that made it; it is imported only when asked for.
"""

from __future__ import annotations

from pathlib import Path

from edgenet.zoo.mobilenet_v1 import mobilenet_v1
from edgenet.zoo.mobilenet_v2 import mobilenet_v2
from edgenet.zoo.mobilenet_v3 import mobilenet_v3

__all__ = ["embedded", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3"]


def embedded() -> Path:
    """The trained model that ships inside the package: ``signs.onnx``.

    Its preprocessing and its ten labels lie beside it in ``signs.toml``.
    MobileNetV1, width 0.25, 96x96 pixels; float32, batch normalization not folded.
    """
    return Path(__file__).resolve().parent / "signs" / "signs.onnx"
