"""Pictures full of random objects and of detections that are more or less right, the same every time."""

from __future__ import annotations

import numpy as np

from edgenet.detection.average_precision import Objects

WIDE, HIGH = 640, 480


def scenes(count: int = 40, classes: int = 3, seed: int = 18) -> list[tuple[Objects, Objects]]:
    """(truth, found) of each picture: crowds, pictures without objects, equal scores, a class nobody has.

    Every number is a multiple of 1/2 or 1/50, so that boxes and scores are equal now and then.
    """
    chance = np.random.default_rng(seed)
    return [_scene(chance, classes) for _ in range(count)]


def _scene(chance: np.random.Generator, classes: int) -> tuple[Objects, Objects]:
    true = chance.integers(0, 8)
    boxes = _boxes(chance, true)
    kinds = chance.integers(0, classes, true)
    crowd = chance.random(true) < 0.15
    copies = np.repeat(np.arange(true), chance.integers(0, 4, true))
    moved = boxes[copies] + np.round(chance.normal(0, 8, (len(copies), 4)) * 2) / 2
    moved[:, 2:] = np.maximum(moved[:, 2:], 1)
    stray = chance.integers(0, 6)
    found = np.concatenate([moved, _boxes(chance, stray)])
    named = np.concatenate([kinds[copies], chance.integers(0, classes + 1, stray)])
    scores = np.round(chance.uniform(0.02, 1.0, len(found)) * 50) / 50
    return (
        Objects(kinds, boxes, crowd, np.ones(true)),
        Objects(named, found, np.zeros(len(found), bool), scores),
    )


def _boxes(chance: np.random.Generator, count: int) -> np.ndarray:
    sizes = np.round(chance.uniform(10, 200, (count, 2)) * 2) / 2
    corners = np.round(chance.uniform(0, 1, (count, 2)) * (WIDE, HIGH) * 2) / 2
    return np.concatenate([corners, sizes], axis=1)
