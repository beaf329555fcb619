"""The embedded model: ten road signs, drawn, trained on and shipped by this project alone.

``faces`` draws the signs, ``backdrop`` and ``render`` photograph them, ``dataset`` writes image
sets, ``train`` makes the model (the only module that needs torch).
"""

from __future__ import annotations

__all__ = ["ALPHA", "LABELS", "RESOLUTION"]

LABELS = (
    "stop",
    "yield",
    "no entry",
    "priority road",
    "speed limit 30",
    "speed limit 50",
    "turn left",
    "turn right",
    "pedestrian crossing",
    "no sign",
)
ALPHA = 0.25
RESOLUTION = 96
