"""The embedded detector: it finds the nine road signs of ``edgenet.zoo.signs`` in drawn scenes.

``render`` photographs scenes, ``dataset`` writes image sets, ``train`` makes the model (it needs torch).
"""

from __future__ import annotations

__all__ = ["CLASSES"]

CLASSES = (
    "stop",
    "yield",
    "no entry",
    "priority road",
    "speed limit 30",
    "speed limit 50",
    "turn left",
    "turn right",
    "pedestrian crossing",
)
