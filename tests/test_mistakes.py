"""What is taken for what: counted here one image at a time, and by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from edgenet.classifier_drift import ClassificationDrift
from edgenet.confusion_matrix import ClassAccuracy, ConfusionMatrix
from edgenet.errors import ReportError
from edgenet.measure.drift import change
from edgenet.mistakes import taken_for
from edgenet.statistics import paired
from edgenet.tasks.binary import Binary
from edgenet.tasks.classification import Classification
from tests.test_confusion import BOARD, FLOAT, NAMES, STAGES, TASK, TRUTH


def test_by_hand() -> None:
    """cat ×4, dog ×2, owl; the board says dog dog none cat, dog cat, owl."""
    found = TASK.figures(BOARD, FLOAT, TRUTH)
    assert found["matrix"] == ConfusionMatrix(
        names=NAMES,
        board=((1, 2, 0, 1), (1, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 0)),
        reference=((3, 1, 0, 0), (0, 2, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0)),
    )
    told = [(item.name, item.images, item.accuracy, item.accuracy_reference) for item in found["by_class"]]
    assert told == [("cat", 4, 0.25, 0.75), ("dog", 2, 0.5, 1.0), ("owl", 1, 1.0, 0.0)]
    precision = [(item.precision, item.precision_reference) for item in found["by_class"]]
    assert precision == [(1 / 2, 3 / 4), (1 / 3, 2 / 3), (1.0, None)], "float never says owl"
    pairs = [
        (item.label, item.answer, item.images, item.images_reference, item.of_images)
        for item in found["mistakes"]
    ]
    assert pairs == [("cat", "dog", 2, 1, 4), ("cat", "none", 1, 0, 4), ("dog", "cat", 1, 0, 2)]


@pytest.mark.parametrize("offset", [0, 1])
def test_a_thousand_answers_image_by_image(offset: int) -> None:
    """Against a loop over the images; with a background before the classes the numbers are the same."""
    chance = np.random.default_rng(7)
    truth, board, reference = (chance.integers(0, 12, 1000) for _ in range(3))
    names = tuple("abcdefghijkl")
    task = Classification("logits", names, label_offset=offset)
    eye = np.eye(12 + offset, dtype=np.float32)
    found = task.figures(eye[board + offset], eye[reference + offset], tuple(truth.tolist()))
    for rows, given in ((found["matrix"].board, board), (found["matrix"].reference, reference)):
        expected = [[0] * 12 for _ in range(12)]
        for true, answer in zip(truth, given, strict=True):
            expected[true][answer] += 1
        assert [list(row) for row in rows] == expected
    assert found["matrix"].names == names
    right = Counter(int(true) for true, answer in zip(truth, board, strict=True) if true == answer)
    for item in found["by_class"]:
        at = names.index(item.name)
        assert item.images == int((truth == at).sum())
        assert item.accuracy == pytest.approx(right[at] / item.images)
    lost = [item.accuracy - item.accuracy_reference for item in found["by_class"]]
    assert lost == sorted(lost), "the class that lost most stands first"
    counts = [item.images for item in found["mistakes"]]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) == 50


def test_many_classes_have_no_matrix_but_their_accuracy() -> None:
    classes = np.arange(300)
    right = classes % 3 != 0
    answers = np.where(right, classes, 0)
    found = taken_for(classes, (answers, classes), (right | (classes == 0), right | True), str)
    assert found["matrix"] is None
    assert len(found["by_class"]) == 300
    assert found["by_class"][0].name == "3"
    assert found["by_class"][0].accuracy == 0.0


def test_a_yes_or_no_has_a_matrix_too() -> None:
    task = Binary("logits", ("empty", "person"))
    board = np.array([[-1.0], [2.0], [3.0], [-1.0]], np.float32)
    found = task.figures(board, -board, (0, 0, 1, 1))
    assert found["matrix"].names == ("empty", "person")
    assert found["matrix"].board == ((1, 1), (1, 1))
    drift = {"images": 4, "labelled": True, "agreement": 0.0, "cosine": 1.0, "max_abs": 2.0, "stages": STAGES}
    again = task.drift.from_table(task.drift(**drift, **found).to_table())
    assert again.matrix == found["matrix"]


def test_a_report_of_before_reads_as_one_without() -> None:
    rest = {"images": 7, "labelled": True, "agreement": 0.5, "cosine": 1.0, "max_abs": 2.0, "stages": STAGES}
    table = ClassificationDrift(**rest, **TASK.figures(BOARD, FLOAT, TRUTH)).to_table()
    old = {key: value for key, value in table.items() if key not in ("by_class", "mistakes", "matrix")}
    found = ClassificationDrift.from_table(old)
    assert (found.by_class, found.mistakes, found.matrix) == ((), (), None)
    torn = {**table, "matrix": {**table["matrix"], "board": [[1, 2]]}}
    with pytest.raises(ReportError, match=r"matrix\.board is .* not 4 rows of 4 counts"):
        ClassificationDrift.from_table(torn)


def test_a_stage_has_the_interval_of_its_own_pairs() -> None:
    found = change(TASK, BOARD, FLOAT, TRUTH)
    board = np.array([False, False, False, True, True, False, True])
    reference = np.array([True, True, True, False, True, True, False])
    assert found["interval_pp"] == paired(board, reference).interval_pp
    assert "interval_pp" not in change(TASK, BOARD, FLOAT, None)


def test_people_see_the_classes_that_lost_of_many_and_all_of_few() -> None:
    rest = {"images": 7, "labelled": True, "agreement": 0.5, "cosine": 1.0, "max_abs": 2.0, "stages": STAGES}
    drift = ClassificationDrift(**rest, **TASK.figures(BOARD, FLOAT, TRUTH))
    first = drift.tables()[0]
    assert first.caption == "Accuracy of each class, 1 to 4 images each"
    assert first.rows[0] == ("cat", "4", "25.0 %", "75.0 %", "-50.0", "4.6 to 69.9 %", "50.0 %")
    many = tuple(
        ClassAccuracy(name=str(at), images=10, accuracy=0.5, accuracy_reference=0.6 if at < 3 else 0.5)
        for at in range(40)
    )
    lost = replace(drift, by_class=many, classes=40).tables()[0]
    assert lost.caption == "The 3 classes of 40 that lost most, 10 images each"
    assert "precision" not in lost.columns, "nobody counted it"
    none = replace(drift, by_class=many[3:], classes=37).tables()[0]
    assert none.caption == "No class lost anything; the 20 least accurate of 37, 10 images each"
