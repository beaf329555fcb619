"""How the board reads answers: shown names and scores, and what is no answer."""

import numpy as np
import pytest
from edgenet_agent import tasks
from edgenet_agent.failure import Failure

LOGITS = {"dtype": "float32", "scale": None, "zero_point": None, "meaning": "logits"}


def reader(task="classification", settings=None, **output):
    manifest = {"output": dict(LOGITS, **output), "labels": ["cat", "dog"]}
    return tasks.reader(dict(manifest, task={"name": task, "settings": settings or {}}))


def test_logits_and_probabilities_are_shown_alike():
    logits = np.array([0.5, 2.0], np.float32)
    shares = np.exp(logits) / np.exp(logits).sum()
    shown = reader().top(logits)
    assert shown == reader(meaning="probabilities").top(shares)
    assert shown[0] == ["dog", round(float(shares[1]), 4), 1]


def test_int8_is_read_with_its_scale():
    raw = np.array([-10, -6], np.int8)  # 0.0 and 2.0
    (label, share, index), _ = reader(dtype="int8", scale=0.5, zero_point=-10).top(raw)
    assert (label, index) == ("dog", 1)
    assert share == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-4)


def test_a_deployment_without_a_task_is_a_classifiers():
    assert tasks.reader({"output": LOGITS, "labels": ["a", "b"]}).label(np.array([1, 3])) == "b"
    with pytest.raises(Failure, match="no task 'poetry'"):
        reader("poetry")


def test_the_nearest_enrolled_picture_is_the_answer():
    gallery = reader("embedding", {"threshold": 0.8})
    assert gallery.top(np.array([1.0, 0.0])) == []
    assert gallery.label(np.array([1.0, 0.0])) == "2 numbers"
    gallery.enroll("ann", np.array([3.0, 0.0]))
    gallery.enroll("bob", np.array([0.0, 0.1]))
    assert gallery.top(np.array([2.0, 0.2]))[0][0] == "ann"
    assert gallery.top(np.array([2.0, 0.2]))[0][1] == pytest.approx(0.995, abs=1e-3)
    unknown = gallery.top(np.array([1.0, 1.0]))
    assert unknown[0] == ["unknown", pytest.approx(0.7071, abs=1e-4), -1]
    assert unknown[1][0] in ("ann", "bob")


@pytest.mark.parametrize("task", ["classification", "embedding"])
def test_an_answer_with_nan_in_it_is_none(task):
    bad = reader(task)
    if task == "embedding":
        bad.enroll("ann", np.array([1.0, 0.0]))
    top = bad.top(np.array([np.nan, 1.0], np.float32))
    assert top == [["not a number", 0.0, -2]]


@pytest.mark.parametrize(
    ("first", "second", "agreed"),
    [
        ([5, 1, -1], [5, 2, -3], True),
        ([5, 1, -1], [5, -1, -1], False),  # the best label is the same, the others are not
        ([1, 5, -1], [5, 1, -1], True),  # the same labels in another order
        ([-1, -2, -3], [-3, -1, -2], True),  # none holds in either
        ([-1, -2, -3], [-3, 1, -2], False),
    ],
)
def test_of_several_labels_all_must_be_the_same_to_agree(first, second, agreed):
    several = reader("multilabel")
    raws = [np.array(item, np.float32) for item in (first, second)]
    ours, theirs = (tasks.told(several, raw, several.top(raw)) for raw in raws)
    assert (ours == theirs) is agreed
    spoilt = np.array([np.nan, 1, 1], np.float32)
    assert tasks.told(several, spoilt, several.top(spoilt)) is None


def test_other_tasks_agree_on_their_best_answer():
    raw = np.array([0.5, 2.0], np.float32)
    assert tasks.told(reader(), raw, reader().top(raw)) == 1
    assert tasks.told(reader(), raw, None) is None
