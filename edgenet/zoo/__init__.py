"""Networks edgenet can build from nothing, and the trained models it carries.

A folder ``NAME`` that holds ``NAME.onnx`` is such a model with its card and all that made it; it is imported
only when asked for.
"""

from __future__ import annotations

from pathlib import Path

from edgenet.zoo.mobilenet_v1 import mobilenet_v1
from edgenet.zoo.mobilenet_v2 import mobilenet_v2
from edgenet.zoo.mobilenet_v3 import mobilenet_v3
from edgenet.zoo.ssd import Ssd

__all__ = ["EMBEDDED", "Ssd", "embedded", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3"]

_HERE = Path(__file__).resolve().parent
# Names of the trained models that ship inside the package.
EMBEDDED = tuple(sorted(path.stem for path in _HERE.glob("*/*.onnx") if path.stem == path.parent.name))


def embedded(name: str = "signs") -> Path:
    """A trained model that ships inside the package; its card lies beside it.

    Both are MobileNetV1 of width 0.25, float32, batch normalization not folded: "signs" tells ten road signs
    apart at 96x96 pixels, "scenes" finds them at 192x192.
    """
    return _HERE / name / f"{name}.onnx"
