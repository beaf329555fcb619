"""Detection: what is the same, what is lost, and what the truth says of it."""

from __future__ import annotations

import base64
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgenet.agent.detection.detector import Found
from edgenet.detection.drift import DetectionDrift
from edgenet.detection.matching import matched
from edgenet.detection.truth import TruePicture
from edgenet.drift import Drift
from edgenet.errors import ModelError
from edgenet.imageset import ImageSet
from edgenet.preprocessing import Preprocessing
from edgenet.task import Answers, Truth
from edgenet.tasks.detection import Detection
from tests.detection.test_truth import NETWORK, entry, folder

ANCHORS = {"maps": [8], "sizes": [[0.2, 0.3]], "ratios": [1.0]}
COUNT, COLUMNS = 8 * 8 * 2, 3
OWN: dict[str, Any] = {
    "coding": "corner-offset",
    "background": 0,
    "anchors": ANCHORS,
    "columns": COLUMNS,
    "codes": 4,
}


def task(labels: tuple[str, ...] = ("cat", "dog"), output: str = "probabilities", **more: Any) -> Detection:
    found = Detection.read_settings({"detection": {**OWN, "activation": "softmax", **more}}, ModelError)
    return Detection(output, labels, 0, found)


TASK = task()


def rows(*images: tuple[tuple[int, int, float], ...], moved: float = 0.0) -> Answers:
    """Comparable answers: of each image (anchor, class, score), its box moved by so much of its side."""
    made = np.zeros((len(images), COUNT, COLUMNS + 4), np.float32)
    made[:, :, 0] = 1.0
    for image, found in zip(made, images, strict=True):
        for anchor, index, score in found:
            image[anchor, [0, index + 1]] = 1 - score, score
            image[anchor, COLUMNS:] = moved
    parts = made[:, :, :COLUMNS], made[:, :, COLUMNS:]
    return np.concatenate([part.reshape(len(images), -1) for part in parts], axis=1)


SOME = rows(((0, 0, 0.9), (60, 1, 0.8)), ((30, 1, 0.7),), ())
LESS = rows(((0, 0, 0.8), (60, 1, 0.4)), ((30, 1, 0.7),), ((90, 0, 0.6),))


def test_anchors_of_the_card_must_be_those_of_the_file() -> None:
    assert TASK.check(SOME.shape[1]) is None
    assert TASK.check(4 * 7) == (
        "128 anchors in the card, 4 in the file",
        "correct [detection.anchors]: maps and sizes of every map that the network has heads on",
    )
    st = task(("person",), anchors={"maps": [24, 12, 6, 3, 1], "per_cell": [5] * 5}, columns=2)
    assert (st.check(3845 * 6) or [""])[0] == "3,830 anchors in the card, 3,845 in the file"
    assert (TASK.check(897) or [""])[0] == "128 anchors in the card, 897 values in the file"
    assert (task(("a",)).check(896) or [""])[0] == "1 classes, and the scores have 3 columns"
    assert (replace(TASK, label_offset=1).check(896) or [""])[0] == "label_offset = 1"
    assert (Detection("logits").check(896) or [""])[0] == "[detection] does not say coding"


def test_columns_and_classes_are_told_apart() -> None:
    assert TASK.classes(SOME.shape[1]) == 2
    assert task(background="none", columns=2).classes(COUNT * 6) == 2


def test_logits_are_compared_as_the_probabilities_that_they_mean() -> None:
    shares = SOME[:, : COUNT * COLUMNS].reshape(3, COUNT, COLUMNS)
    raw = SOME.copy()
    raw[:, : COUNT * COLUMNS] = (np.log(np.maximum(shares, 1e-30)) + 3.0).reshape(3, -1)
    assert TASK.comparable(raw, "logits") == pytest.approx(SOME, abs=1e-6)
    assert np.array_equal(TASK.comparable(SOME, "probabilities"), SOME)


def test_boxes_that_are_kept_lost_and_new() -> None:
    assert TASK.same(LESS, SOME, None).tolist() == [False, True, False]
    found = TASK.figures(LESS, SOME, None)
    assert (found["boxes"], found["boxes_reference"]) == (3, 3)
    assert found["boxes_kept"] == pytest.approx(2 / 3)
    assert found["boxes_lost"] == pytest.approx(1 / 3)
    assert found["boxes_below"] == pytest.approx(1 / 3), "the dog is still seen, below the threshold"
    assert found["boxes_new"] == pytest.approx(1 / 3)
    assert found["mean_iou"] == 1.0
    assert found["score_shift"] == pytest.approx(-0.05)
    assert found["map50"] is None
    assert TASK.error(LESS, SOME) == pytest.approx([0.8, 0.0, 0.6])
    assert TASK.error(SOME, LESS) == pytest.approx([0.8, 0.0, 0.6])


def test_a_box_that_moved_is_the_same_up_to_half_of_it() -> None:
    near, far = rows(((0, 0, 0.9),), moved=0.15), rows(((0, 0, 0.9),), moved=0.6)
    here = rows(((0, 0, 0.9),))
    assert TASK.same(near, here, None).all()
    assert TASK.figures(near, here, None)["mean_iou"] == pytest.approx(0.7225 / 1.2775)
    assert TASK.error(near, here) == pytest.approx([1 - 0.7225 / 1.2775])
    assert not TASK.same(far, here, None).any()
    other = rows(((0, 1, 0.9),))
    assert not TASK.same(other, here, None).any(), "of another class"


def found(*boxes: tuple[float, ...]) -> Found:
    count = len(boxes)
    classes, scores = np.zeros(count, np.int64), np.linspace(0.9, 0.6, count)
    return Found(classes, scores, np.asarray(boxes).reshape(-1, 4), np.zeros((count, 0, 2)), np.arange(count))


def test_boxes_are_matched_from_a_half_on_and_each_once() -> None:
    ours, theirs = found((5, 5, 6, 6), (0, 0, 1, 0.5), (0, 0, 1, 1)), found((0, 0, 1, 1), (0, 0, 1, 1))
    both = matched(ours, theirs)
    assert both.pairs.tolist() == [[2, 0], [1, 1]]
    assert both.overlap.tolist() == [1.0, 0.5]
    assert (both.lost.tolist(), both.new.tolist()) == ([], [0])
    none = matched(found(), theirs)
    assert (none.lost.tolist(), none.new.tolist(), none.same) == ([0, 1], [], False)


def test_no_box_anywhere_is_told_and_no_share_of_it_made_up() -> None:
    empty = rows((), ())
    found = TASK.figures(empty, empty, None)
    assert (found["boxes"], found["boxes_reference"]) == (0, 0)
    assert {found[name] for name in ("boxes_kept", "boxes_lost", "boxes_new", "mean_iou", "score_shift")} == {
        None
    }
    assert TASK.same(empty, empty, None).all()
    assert (TASK.expected_loss(empty, empty), TASK.divergence(empty)(empty)) == (0.0, 0.0)


def test_nan_is_no_answer() -> None:
    nan = SOME * np.float32(np.nan)
    assert not TASK.same(nan, SOME, None).any()
    assert TASK.figures(nan, SOME, None)["boxes_kept"] == 0.0


def test_divergence_grows_with_noise_and_sees_scores_and_boxes() -> None:
    judge = TASK.divergence(SOME)
    assert judge(SOME) == pytest.approx(0.0, abs=1e-9)
    small, large = (rows(((0, 0, 0.9), (60, 1, 0.8)), ((30, 1, 0.7),), (), moved=by) for by in (0.01, 0.02))
    assert judge(large) == pytest.approx(4 * judge(small), rel=1e-3), "as the square: sources add up"
    assert judge(LESS) > judge(rows(((0, 0, 0.9), (60, 1, 0.75)), ((30, 1, 0.7),), ())) > 0
    unseen = SOME.copy()
    unseen[:, COUNT * COLUMNS :][:, 40:44] += 5.0
    assert judge(unseen) == pytest.approx(0.0, abs=1e-9), "the box of an anchor that sees nothing"


def test_the_expected_loss_is_of_the_objects_that_only_one_finds() -> None:
    whole = 0.9 + 0.8 + 0.7 + 0.8 + 0.4 + 0.7 + 0.6
    assert TASK.expected_loss(SOME, LESS) == pytest.approx(0.6 / whole)
    assert TASK.told_loss(12.3) == "12.30 % of objects, by probability, in one only"


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    return _truth(tmp_path)


def _truth(path: Path) -> tuple[TruePicture, ...]:
    """A cat at the first anchor of the first picture, a dog at the 30th of the second."""
    boxes = entry(7, [-1.5, -0.75, 8, 4]), entry(3, [16.75, 3.5, 4, 8], 4)
    images = folder(path, *boxes, categories=[{"id": 1, "name": "Cat"}, {"id": 4, "name": "dog"}])
    found = TASK.truth(images, SOME.shape[1])
    assert found is not None
    return tuple(TASK.seen(found, Preprocessing.from_table(NETWORK, "card")))


def test_precision_against_the_truth(truth: Truth) -> None:
    right = rows(((0, 0, 0.9),), ((30, 1, 0.7),))
    assert TASK.truth_name(truth[0]) == "1 cat"
    found = TASK.figures(rows(((0, 0, 0.9),), ()), right, truth)
    assert (found["map50"], found["map50_reference"]) == pytest.approx((0.5, TASK.quality(right, truth)))
    assert found["interval_pp"][0] <= 100 * found["map50_delta"] <= found["interval_pp"][1] <= 0
    worst = found["by_class"][0]
    assert (worst.name, worst.objects, worst.ap50) == ("dog", 1, 0.0)
    assert len(found["curve"]) == 101


def test_its_drift_is_read_as_it_is_written(truth: Truth) -> None:
    right = rows(((0, 0, 0.9),), ((30, 1, 0.7),))
    stage = {"images": 2, "agreement": 1.0, "max_abs": 0.0}
    table = {
        "task": "detection", "images": 2, "labelled": True, "agreement": 1.0, "cosine": 1.0, "max_abs": 0.0,
        **{key: value.to_table() if hasattr(value, "to_table") else value
           for key, value in TASK.figures(right, right, truth).items()},
        "stages": {"preprocess": {"images": 2, "identical": 2}, "conversion": stage,
                   "quantization": {**stage, "cosine": 1.0},
                   "kernel": {**stage, "identical": True, "different_outputs": 0, "outputs": 9,
                              "max_difference": 0.0, "unit": "steps"}},
    }  # fmt: skip
    table["by_class"] = [item.to_table() for item in table["by_class"]]
    read = Drift.from_table(table, "report.json")
    assert isinstance(read, DetectionDrift)
    assert (read.delta_pp, read.lost().name, read.best) == (0.0, "mAP@0.5 lost (pp)", read.map50)
    assert Drift.from_table(read.to_table(), "again") == read
    words = dict(read.rows())
    assert words["boxes that are kept"] == "100.00 % of 2"


@pytest.mark.shared
def test_an_integer_twin_has_the_precision_that_was_measured_of_it(shared: Path) -> None:
    """24.3 %, by pycocotools, with the anchors of the file itself (../shared/data/detection/README.md)."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    data = shared / "data/detection"
    network = interpreter.Interpreter(str(data / "models/st_ssd_mobilenet_v1_025_192_int8.tflite"))
    network.allocate_tensors()
    images = ImageSet.load(data / "coco_val")
    how = Preprocessing.from_table({**NETWORK, "size": [192, 192]}, "card")
    answers, outputs = [], [item["index"] for item in network.get_output_details()]
    for pixels in images.all_pixels(how):
        network.set_tensor(network.get_input_details()[0]["index"], pixels)
        network.invoke()
        answers.append(np.concatenate([network.get_tensor(index).reshape(-1) for index in outputs[:2]]))
    corners = network.get_tensor(outputs[2])[0]
    anchors = np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)
    text = base64.b64encode(anchors.astype("<f4").tobytes()).decode()
    person = task(("person",), anchors={"values": text}, columns=2, activation="none")
    truth = person.truth(images, answers[0].size)
    assert truth is not None
    assert 100 * person.quality(np.stack(answers), person.seen(truth, how)) == pytest.approx(24.3, abs=0.3)


def test_ten_thousand_boxes_are_matched_in_little_memory() -> None:
    """Not all pairs at once, which are gigabytes."""
    count = 10_000
    low = np.random.default_rng(0).random((count, 2))
    boxes = np.concatenate([low, low + 1e-3], axis=1)
    many = Found(np.zeros(count, int), np.ones(count), boxes, None, np.arange(count))
    few = Found(many.classes[:50], many.scores[:50], many.boxes[:50], None, many.anchors[:50])
    tracemalloc.start()
    both = matched(many, few)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert both.pairs.tolist() == [[at, at] for at in range(50)]
    assert most < 4 << 20


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"boxes_reference": 0, "labelled": False, "map50_reference": None}, "shows no box on any image"),
        ({"boxes_reference": 0}, None),  # what is judged may be too faint to be shown
        ({"map50_reference": 0.0}, "finds no object at an IoU of 0.5 either"),
        ({}, None),
    ],
)
def test_where_nothing_could_be_lost_a_drift_says_so(changes: dict[str, Any], told: str | None) -> None:
    names = {"boxes_reference": 10, "labelled": True, "map50_reference": 0.5, **changes}
    said = DetectionDrift.of(**names).nothing
    assert said is None if told is None else told in (said or "")
