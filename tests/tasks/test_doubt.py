"""Labels that are not those of a network's outputs show in its answers; right ones and chance never do."""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.task import Answers
from edgenet.tasks.binary import Binary
from edgenet.tasks.classification import Classification

COUNT, CLASSES = 100, 10


def answers(classes: np.ndarray) -> Answers:
    return np.eye(CLASSES, dtype=np.float32)[classes]


@pytest.mark.parametrize(
    ("offset", "by", "remedy"),
    [
        (0, 1, "write label_offset = 1 in the card"),
        (1, -1, "write label_offset = 0 in the card"),
        (0, -1, "number the classes of labels.csv one lower"),
    ],
)
def test_shifted_classes_are_told(offset: int, by: int, remedy: str) -> None:
    truth = np.arange(COUNT) % 8 + 1
    found = Classification("logits", (), offset).doubt(answers(truth + offset + by), truth)
    assert found is not None
    assert found.right == 1.0
    assert (
        f"right on 0.0 % of the images, and with its classes shifted by {by:+d} it would be 100.0"
        in found.told
    )
    assert found.told.endswith(remedy)


def test_another_order_is_told() -> None:
    truth = np.arange(COUNT) % CLASSES
    order = np.random.default_rng(5).permutation(CLASSES)
    found = Classification("logits").doubt(answers(order[truth]), truth)
    assert found is not None
    assert found.right == 1.0
    assert "in another order it would be 100.0 %" in found.told


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("skill", [0.0, 0.3, 1.0])
def test_a_weak_network_with_right_labels_raises_no_doubt(seed: int, skill: float) -> None:
    chance = np.random.default_rng(seed)
    truth = np.arange(COUNT) % CLASSES
    given = np.where(chance.random(COUNT) < skill, truth, chance.integers(0, CLASSES, COUNT))
    assert Classification("logits").doubt(answers(given), truth) is None


def test_exchanged_classes_of_a_sigmoid_are_told() -> None:
    truth = np.arange(COUNT) % 2
    logits = np.where(truth[:, None] == 1, -2.0, 2.0).astype(np.float32)
    found = Binary("logits").doubt(logits, truth)
    assert found is not None
    assert found.told.endswith("exchange the two labels in the card")
    assert Binary("logits").doubt(-logits, truth) is None
    assert Binary("logits").doubt(np.where(truth[:, None] < 2, 1.0, 0.0).astype(np.float32), truth) is None
