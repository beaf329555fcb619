"""A detector's answer on the board: codings, suppression, candidates, and what is told of them."""

import math

import numpy as np
import pytest
from edgenet_agent import tasks
from edgenet_agent.detection.coding import Coding, code_count
from edgenet_agent.detection.detector import Detector
from edgenet_agent.detection.row import Row
from edgenet_agent.detection.suppression import hard, overlaps, weighted
from edgenet_agent.failure import Failure

ANCHORS = np.array([[0.5, 0.4, 0.2, 0.1], [0.1, 0.9, 0.4, 0.4]])
CODES = np.array([[0.5, -1.0, 2.0, 1.0], [-0.25, 0.0, -1.0, 0.5]], np.float32)
GRID = {"maps": [4, 2], "sizes": [[0.3, 0.4], [0.7]], "ratios": [1.0, 2.0]}
COUNT = 4 * 4 * 3 + 2 * 2 * 2
FLOAT = {"scale": None, "zero_point": None, "dtype": "float32"}


def settings(**more):
    own = {"coding": "center-size", "background": 0, "anchors": GRID, "columns": 3, "activation": "softmax"}
    return dict(own, **more)


def test_center_size_is_decoded_as_the_object_detection_api_does():
    """FasterRcnnBoxCoder: ycenter = ty / 10 * ha + ya, h = exp(th / 5) * ha; codes ty, tx, th, tw."""
    coding = Coding(
        {"coding": "center-size", "order": ["cy", "cx", "height", "width"], "variances": [0.1, 0.1, 0.2, 0.2]}
    )
    boxes = coding.boxes(CODES, ANCHORS)
    for (ty, tx, th, tw), (xa, ya, wa, ha), box in zip(CODES, ANCHORS, boxes, strict=True):
        y, x = ty / 10 * ha + ya, tx / 10 * wa + xa
        h, w = math.exp(th / 5) * ha, math.exp(tw / 5) * wa
        assert box == pytest.approx([x - w / 2, y - h / 2, x + w / 2, y + h / 2], abs=1e-6)


def test_corner_offsets_move_each_side():
    boxes = Coding({"coding": "corner-offset"}).boxes(CODES, ANCHORS)
    assert boxes[0] == pytest.approx([0.4 + 0.5 * 0.2, 0.35 - 0.1, 0.6 + 2 * 0.2, 0.45 + 0.1])


def test_linear_sizes_and_points_are_mediapipes():
    coding = Coding({"coding": "center-size", "scale": 128.0, "points": ["eye", "nose"]})
    codes = np.array([[12.8, 0, 64, 32, 6.4, -6.4, 0, 12.8]], np.float32)
    anchors = np.array([[0.25, 0.5, 1.0, 1.0]])
    assert code_count({"points": ["eye", "nose"]}) == 8
    assert coding.points(codes, anchors * (1, 1, 2, 4))[0, 0] == pytest.approx([0.35, 0.3])
    assert coding.boxes(codes, anchors)[0] == pytest.approx([0.1, 0.375, 0.6, 0.625])
    assert coding.points(codes, anchors)[0] == pytest.approx(np.array([[0.3, 0.45], [0.25, 0.6]]))


def iou(a, b):
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inside = max(wide, 0) * max(high, 0)
    return inside / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside)


@pytest.mark.parametrize("classes", [1, 3])
def test_suppression_is_the_plain_loop(classes):
    chance = np.random.default_rng(classes)
    corners = chance.uniform(0, 1, (300, 2))
    boxes = np.concatenate([corners, corners + chance.uniform(0.05, 0.4, (300, 2))], axis=1)
    groups = chance.integers(0, classes, 300)
    kept = []
    for own in range(300):
        if all(groups[own] != groups[k] or iou(boxes[own], boxes[k]) <= 0.4 for k in kept):
            kept.append(own)
    assert hard(boxes, groups, 0.4, 300).tolist() == kept
    assert hard(boxes, groups, 0.4, 7).tolist() == kept[:7]
    assert hard(boxes[:0], groups[:0], 0.4, 7).tolist() == []


def test_sizes_beyond_all_numbers_are_no_boxes():
    huge = row((0, 0, 0.9))
    huge[COUNT * 3 + 2] = 1e30
    assert reader().boxes(huge, (64, 64)) == [["cat", 0.9, 0.0, 0.0, 1.0, 0.275, []]]
    huge[COUNT * 3] = np.inf
    assert reader().label(huge) == "not a number"


def test_overlap_is_intersection_over_union():
    first = np.array([[0.0, 0.0, 2.0, 1.0], [5.0, 5.0, 5.0, 5.0]])
    second = np.array([[1.0, 0.0, 3.0, 3.0], [0.0, 0.0, 2.0, 1.0], [4.0, 4.0, 6.0, 6.0]])
    assert overlaps(first, second) == pytest.approx(np.array([[1 / 7, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    assert overlaps(first / 8, second / 8)[0] == pytest.approx([1 / 7, 1.0, 0.0])


def test_what_overlaps_by_just_the_threshold_stays():
    boxes = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.5]])
    assert hard(boxes, np.zeros(2), 0.5, 9).tolist() == [0, 1]
    kept, _, _ = weighted(boxes, boxes, np.array([0.9, 0.8]), np.zeros(2), 0.5, 9)
    assert kept.tolist() == [0, 1]
    assert len(weighted(boxes, boxes, np.array([0.9, 0.8]), np.zeros(2), 0.5, 1)[0]) == 1


def test_overlapping_boxes_are_averaged_by_their_scores():
    boxes = np.array([[0.0, 0.0, 1.0, 1.0], [0.1, 0.0, 1.1, 1.0], [3.0, 3.0, 4.0, 4.0]])
    points = boxes[:, None, :2]
    kept, made, moved = weighted(boxes, points, np.array([0.9, 0.3, 0.2]), np.zeros(3), 0.3, 10)
    assert kept.tolist() == [0, 2]
    assert made[0] == pytest.approx([0.025, 0.0, 1.025, 1.0])
    assert moved[0, 0] == pytest.approx([0.025, 0.0])


def rows(chance, columns=3):
    """(float row, int8 row, its parts): scores and codes of both maps, each with a scale of its own."""
    counts = (48 * columns, 8 * columns, 48 * 4, 8 * 4)
    raw, real, parts = [], [], []
    for number, count in enumerate(counts):
        scale, zero = 0.03 * (number + 1), 5 * number - 7
        own = chance.integers(-128, 128, count).astype(np.int8)
        raw.append(own)
        real.append((own.astype(np.float32) - np.float32(zero)) * np.float32(scale))
        parts.append({"name": str(number), "values": count, "scale": scale, "zero_point": zero})
    return np.concatenate(real), np.concatenate(raw), parts


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "none"])
@pytest.mark.parametrize("background", [0, 2, "none"])
@pytest.mark.parametrize("threshold", [0.0, 0.01, 0.3, 0.9])
def test_candidates_of_several_int8_outputs_are_those_of_all_probabilities(activation, background, threshold):
    own = None if background == "none" else background
    real, raw, parts = rows(np.random.default_rng(4))
    output = dict(FLOAT, dtype="int8", meaning="logits", parts=parts)
    row = Row(output, (COUNT, 3, 4), activation, own)
    shares = row.probabilities(raw).copy()
    assert shares == pytest.approx(
        Row(dict(FLOAT, meaning="logits"), (COUNT, 3, 4), activation, own).probabilities(real)
    )
    if own is not None:
        shares[:, own] = -1
    wanted = np.nonzero(shares > threshold)
    anchors, columns, scores = row.above(raw, threshold)
    assert (anchors.tolist(), columns.tolist()) == (wanted[0].tolist(), wanted[1].tolist())
    assert np.array_equal(scores, shares[wanted])
    assert row.codes(raw, anchors) == pytest.approx(real[COUNT * 3 :].reshape(COUNT, 4)[anchors])


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "none"])
def test_thresholds_of_all_and_nothing_leave_nothing_and_all(activation):
    found = Row(FLOAT, (COUNT, 3, 4), activation, 0)
    raw = np.random.default_rng(5).normal(size=COUNT * 7).astype(np.float32)
    raw[: COUNT * 3] = np.clip(raw[: COUNT * 3], 0.01, 0.99)
    assert len(found.above(raw, 1.0)[0]) == 0
    assert len(found.above(raw, 0.0)[0]) == 2 * COUNT


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale": 0},
        {"variances": [0.1]},
        {"anchors": {"values": [0]}},
        {"anchors": {"maps": [0], "per_cell": [1]}},
    ],
)
def test_settings_that_cannot_be_read_are_refused_by_name(wrong):
    with pytest.raises(Failure, match="cannot read these answers"):
        reader(**wrong)


def test_int8_boxes_are_the_float_ones():
    real, raw, parts = rows(np.random.default_rng(1))
    board = Detector(settings(), dict(FLOAT, dtype="int8", meaning="logits", parts=parts)).all(raw)
    host = Detector(settings(), dict(FLOAT, meaning="logits")).all(real)
    assert len(board.scores) == 100 or len(board.scores) == len(host.scores)
    for ours, theirs in zip(board, host, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6)


def test_an_output_that_ends_within_an_anchor_is_refused():
    parts = [{"name": "a", "values": 7, "scale": 1.0, "zero_point": 0}]
    manifest = {"output": dict(FLOAT, dtype="int8", meaning="logits", parts=parts), "labels": []}
    with pytest.raises(Failure, match="cannot read these answers"):
        tasks.reader(dict(manifest, task={"name": "detection", "settings": {"detection": settings()}}))


def reader(resize="stretch", **more):
    return tasks.reader(
        {
            "output": dict(FLOAT, meaning="probabilities"),
            "labels": ["cat", "dog"],
            "task": {"name": "detection", "settings": {"detection": settings(**more)}},
            "preprocessing": {"size": [64, 64], "resize": resize},
        }
    )


def row(*found):
    """Probabilities and codes of nothing but these (anchor, class, score): each is its anchor."""
    scores = np.zeros((COUNT, 3), np.float32)
    for anchor, index, score in found:
        scores[anchor, index + 1] = score
    return np.concatenate([scores.reshape(-1), np.zeros(COUNT * 4, np.float32)])


def test_the_best_object_is_told_and_how_many_others():
    raw = row((0, 1, 0.8), (9, 0, 0.9), (50, 1, 0.45))
    assert reader().label(raw) == "cat 0.90 +1 more"
    assert reader().top(raw) == [["cat", 0.9, 0], ["dog", 0.8, 1]]
    assert reader().told(raw) == [0, 1]
    assert reader(show_threshold=0.4).label(raw) == "cat 0.90 +2 more"
    assert reader().label(row((0, 1, 0.8))) == "dog 0.80"


def test_nothing_and_nan_are_told_apart():
    empty, nan = row(), row() * np.nan
    assert (reader().label(empty), reader().top(empty), reader().boxes(empty, (9, 9))) == (
        "nothing",
        [["nothing", 0.0, -1]],
        [],
    )
    assert reader().top(nan) == tasks.NONE
    assert reader().label(nan) == "not a number"
    assert reader().boxes(nan, (9, 9)) == []


def test_boxes_are_fractions_of_the_picture_not_of_the_letterbox():
    raw = row((0, 0, 0.9))  # the first anchor: center 1/8, side 0.3
    assert reader().boxes(raw, (640, 320)) == [["cat", 0.9, 0.0, 0.0, 0.275, 0.275, []]]
    boxed = reader("letterbox").boxes(raw, (640, 320))[0]
    assert boxed[2:6] == pytest.approx([0.0, 0.0, 0.275, 2 * (0.275 - 0.25)], abs=1e-4)


def test_ten_thousand_boxes_are_suppressed_and_the_best_are_told():
    big = dict(
        settings(), anchors={"maps": [100], "sizes": [[0.005]], "ratios": [1.0]}, max_detections=10_000
    )
    raw = np.concatenate([np.tile(np.float32([0.1, 0.8, 0.1]), 10_000), np.zeros(40_000, np.float32)])
    assert len(Detector(big, dict(FLOAT, meaning="probabilities")).all(raw).scores) == 10_000


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_a_threshold_of_one_is_met_by_none_and_of_zero_by_all(activation):
    row = np.random.RandomState(4).normal(size=COUNT * 7).astype(np.float32)
    found = Detector(settings(activation=activation, nms_threshold=1.0, max_detections=500), FLOAT)
    assert len(found.find(row, 1).scores) == 0
    assert len(found.find(row, 0).scores) == 2 * COUNT
