"""The embedded detector: it finds the nine road signs of ``edgenet.zoo.signs`` in drawn scenes.

``render`` photographs scenes, ``dataset`` writes image sets, ``train`` makes the model (it needs torch).
"""

from __future__ import annotations

from edgenet.zoo.signs import LABELS

__all__ = ["CLASSES"]

CLASSES = LABELS[:-1]  # all but "no sign"
