"""Class by class: means and pairs counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.classifier_drift import ClassificationDrift
from edgenet.errors import ModelError
from edgenet.tasks.classification import Classification

NAMES = ("cat", "dog", "owl", "none")
TASK = Classification("logits", NAMES, settings={"background": 3})
TRUTH = (0, 0, 0, 0, 1, 1, 2)


def logits(*best: int) -> np.ndarray:
    return np.eye(4, dtype=np.float32)[list(best)]


FLOAT = logits(0, 0, 0, 1, 1, 1, 0)  # the owl is taken for a cat in float too
BOARD = logits(1, 1, 3, 0, 1, 0, 2)


def test_the_mean_of_the_classes_counts_each_class_once() -> None:
    found = TASK.figures(BOARD, FLOAT, TRUTH)
    assert found["class_accuracy"] == pytest.approx((1 / 4 + 1 / 2 + 1) / 3)
    assert found["class_accuracy_reference"] == pytest.approx((3 / 4 + 1 + 0) / 3)
    assert found["classes"] == 3, "nothing here is of the background"
    low, high = found["class_delta_interval_pp"]
    assert low <= 0.0 <= high
    assert found["top1"] == pytest.approx(3 / 7)


def test_confusions_are_of_images_that_the_float_model_knows() -> None:
    found = TASK.figures(BOARD, FLOAT, TRUTH)["confusions"]
    assert [(item.label, item.answer, item.images, item.known) for item in found] == [
        ("cat", "dog", 2, 3),
        ("cat", "none", 1, 3),
        ("dog", "cat", 1, 2),
    ]
    assert TASK.figures(FLOAT, FLOAT, TRUTH)["confusions"] == ()


def test_an_answer_of_nan_is_wrong_and_counted() -> None:
    spoilt = FLOAT.copy()
    spoilt[0] = np.nan
    found = TASK.figures(spoilt, FLOAT, TRUTH)
    assert found["class_accuracy"] < found["class_accuracy_reference"]


def test_the_pairs_stand_in_a_table() -> None:
    rest = {"images": 7, "labelled": True, "agreement": 0.5, "cosine": 1.0, "max_abs": 2.0, "stages": None}
    drift = ClassificationDrift(**rest, **TASK.figures(BOARD, FLOAT, TRUTH))
    table = drift.tables()[-1]
    assert table.rows[0] == ("cat", "dog", "2", "3")
    assert ("lost most often", "cat taken for dog, 2 images") in drift.rows()
    same = ClassificationDrift(**rest, **TASK.figures(FLOAT, FLOAT, TRUTH))
    assert [table.caption for table in same.tables()][-1] == "What is taken for what, most often first"
    again = ClassificationDrift.from_table({**drift.to_table(), "stages": STAGES, "worst": []})
    assert again.confusions == drift.confusions


STAGES = {
    "preprocess": {"images": 7, "identical": 7},
    "conversion": {"images": 7, "agreement": 1.0, "max_abs": 0.0},
    "quantization": {"images": 7, "agreement": 1.0, "max_abs": 0.0},
    "kernel": {
        "images": 7, "agreement": 1.0, "identical": True, "different_outputs": 0, "outputs": 28,
        "max_difference": 0.0, "unit": "logits",
    },
}  # fmt: skip


def test_a_background_is_one_of_the_outputs() -> None:
    assert TASK.check(4) is None
    outside = Classification("logits", NAMES, settings={"background": 4})
    assert "background = 4, and the model has 4 outputs" in (outside.check(4) or ("",))[0]
    for value in (-1, 1.5, True, "last"):
        with pytest.raises(ModelError, match="background"):
            Classification.read_settings({"background": value}, ModelError)
