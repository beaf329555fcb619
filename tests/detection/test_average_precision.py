"""Average precision is pycocotools' to the last digits.

The numbers were computed once by pycocotools 2.0.11 from ``scenes`` written as COCO JSON (ids of pictures in
their order, ``area`` = width * height): ``COCOeval(truth, truth.loadRes(found), "bbox")``; ``stats[1]``,
``stats[0]``, and ``eval["precision"][..., 0, 2]`` of each class.
"""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.detection.average_precision import Objects, Precision, intersections
from tests.detection.scenes import scenes

GOLDEN = {
    (40, 3, 18): (0.31382153451171657, 0.17044427768027287),
    (25, 1, 5): (0.372214103992739, 0.19473571094786143),
    (6, 2, 7): (0.2856780183512857, 0.16822604994015883),
}
CLASSES = ((0.36677471, 0.188636751), (0.253906253, 0.118570941), (0.320783641, 0.204125141))


def objects(*boxes: tuple[float, ...], scores: object = None, crowd: object = None) -> Objects:
    count = len(boxes)
    return Objects(
        np.zeros(count, np.int64),
        np.asarray(boxes, np.float64).reshape(-1, 4),
        np.zeros(count, bool) if crowd is None else np.asarray(crowd),
        np.ones(count) if scores is None else np.asarray(scores, np.float64),
    )


@pytest.mark.parametrize("case", GOLDEN)
def test_it_is_pycocotools(case: tuple[int, int, int]) -> None:
    judged = Precision(*zip(*scenes(*case), strict=True))
    assert judged.mean() == pytest.approx(GOLDEN[case], abs=1e-12)


def test_each_class_is_pycocotools() -> None:
    judged = Precision(*zip(*scenes(), strict=True))
    assert judged.classes() == [0, 1, 2]
    for index, golden in enumerate(CLASSES):
        own = judged.of_class(index)
        assert (own[0], own.mean()) == pytest.approx(golden, abs=1e-9)
    curve = judged.curve(0)
    assert curve.shape == (101,)
    assert curve[::20] == pytest.approx([1.0, 0.6, 0.535714, 0.0, 0.0, 0.0], abs=1e-6)


def test_it_is_pycocotools_where_that_is_installed() -> None:
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    pictures = scenes(30, 4, 99)
    truth, found = COCO(), []
    entries = [
        (number, int(kind), box.tolist(), int(crowd), own)
        for number, pair in enumerate(pictures)
        for own in pair
        for kind, box, crowd in zip(own.classes, own.boxes, own.crowd, strict=True)
    ]
    truth.dataset = {
        "images": [{"id": number} for number in range(len(pictures))],
        "categories": [{"id": number} for number in range(5)],
        "annotations": [
            {"id": at + 1, "image_id": number, "category_id": kind, "bbox": box, "iscrowd": crowd,
             "area": box[2] * box[3]}
            for at, (number, kind, box, crowd, own) in enumerate(entries) if own is pictures[number][0]
        ],
    }  # fmt: skip
    truth.createIndex()
    for number, (_, own) in enumerate(pictures):
        rows = zip(own.classes, own.boxes, own.scores, strict=True)
        found += [
            {"image_id": number, "category_id": int(k), "bbox": b.tolist(), "score": float(s)}
            for k, b, s in rows
        ]
    judge = COCOeval(truth, truth.loadRes(found), "bbox")
    judge.evaluate(), judge.accumulate(), judge.summarize()
    ours = Precision(*zip(*pictures, strict=True)).mean()
    assert ours == pytest.approx((judge.stats[1], judge.stats[0]), abs=1e-9)


def test_drawing_a_picture_twice_is_having_it_twice() -> None:
    chance = np.random.default_rng(0)
    pictures = [
        (truth, found._replace(scores=found.scores + chance.uniform(0, 1e-6, len(found.scores))))
        for truth, found in scenes(12)  # of equal scores either could be first
    ]
    drawn = np.array([2, 0, 1, 3, 0, 1, 1, 2, 0, 0, 1, 1])
    again = [pair for pair, count in zip(pictures, drawn, strict=True) for _ in range(count)]
    whole = Precision(*zip(*pictures, strict=True)).mean(drawn)
    assert whole == pytest.approx(Precision(*zip(*again, strict=True)).mean(), abs=1e-12)


def test_a_crowd_takes_any_number_of_boxes_and_none_of_them_counts() -> None:
    truth = objects((0, 0, 100, 100), (200, 0, 100, 100), crowd=[True, False])
    found = objects((10, 10, 20, 20), (40, 40, 20, 20), (200, 0, 100, 100), scores=[0.9, 0.8, 0.7])
    assert Precision([truth], [found]).mean() == pytest.approx((1.0, 1.0))


def test_a_second_box_on_the_same_object_is_wrong() -> None:
    found = objects((0, 0, 10, 10), (0, 0, 10, 10), (50, 50, 10, 10), scores=[0.9, 0.8, 0.7])
    both = Precision([objects((0, 0, 10, 10), (50, 50, 10, 10))], [found])
    assert both.mean()[0] == pytest.approx((51 + 50 * 2 / 3) / 101)


@pytest.mark.parametrize(("first", "left"), [(1.9, (0, 2)), (1.9, (2, 0)), (1.0, (0, 2))])
def test_a_box_is_of_the_object_that_it_overlaps_most_and_of_equals_the_last(
    first: float, left: tuple[int, int]
) -> None:
    truth = objects(*((float(x), 0, 10, 10) for x in left))
    # The second box can only be of the left object.
    found = objects((first, 0, 10, 10), (-2, 0, 10, 10), scores=[0.9, 0.8])
    assert Precision([truth], [found]).mean()[0] == pytest.approx(1.0)


def test_half_of_it_is_enough() -> None:
    half = Precision([objects((0, 0, 10, 10))], [objects((0, 0, 10, 5))])
    assert half.mean() == pytest.approx((1.0, 0.1))
    assert half.curve(0) == pytest.approx(np.ones(101))


def test_intersections_over_unions() -> None:
    found = np.array([[0, 0, 10, 10], [0.0, 0.0, 0.5, 0.5]])
    true = np.array([[5, 0, 10, 10], [10, 0, 10, 10], [0, 20, 10, 10], [0.25, 0.0, 0.5, 0.5]])
    own = intersections(found, true, np.array([False, False, False, True]))
    assert own == pytest.approx(np.array([[1 / 3, 0, 0, 0.25 / 100], [0, 0, 0, 0.5]]))


def test_only_drawn_pictures_with_objects_can_be_judged() -> None:
    other = objects((0, 0, 9, 9))._replace(classes=np.array([1]))
    judged = Precision([objects((0, 0, 9, 9)), other, objects()], [objects()] * 3)
    assert judged.holds(np.array([0, 1, 5]))
    assert judged.holds(np.array([1, 1, 0]))
    assert not judged.holds(np.array([0, 0, 3]))


def test_of_more_than_a_hundred_boxes_the_best_hundred_count() -> None:
    stray = [(500.0 + index % 9, 400.0, 5.0, 5.0) for index in range(10_000)]
    scores = np.linspace(0.9, 0.5, 10_000)
    truth = objects((0, 0, 10, 10))
    late = objects(*stray, (0, 0, 10, 10), scores=[*scores, 0.1])
    assert Precision([truth], [late]).mean() == (0.0, 0.0)
    for count, found in ((99, 1 / 100), (100, 0.0)):
        next_ = objects(*stray[:count], (0, 0, 10, 10), scores=[*scores[:count], 0.1])
        assert Precision([truth], [next_]).mean()[0] == pytest.approx(found)
    first = objects(*stray, (0, 0, 10, 10), scores=[*scores, 0.95])
    assert Precision([truth], [first]).mean() == pytest.approx((1.0, 1.0))


def test_nothing_found_anywhere_is_zero() -> None:
    assert Precision([objects((0, 0, 1, 1)), objects()], [objects(), objects()]).mean() == (0.0, 0.0)
