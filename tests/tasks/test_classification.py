"""Classification: figures held to counts made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgenet.errors import DataError
from edgenet.imageset import ImageSet
from edgenet.tasks.classification import METRICS, Classification
from tests.reports import DRIFT, report

TASK = Classification("logits", ("cat", "dog", "owl"))


def images(*rows: dict[str, str]) -> ImageSet:
    return ImageSet(Path("photos"), tuple(Path(f"{index}.png") for index in range(len(rows))), rows)


def test_expected_loss_by_hand() -> None:
    """Softmax of (ln 3, 0) is (3/4, 1/4): a changed answer loses half a right one."""
    truth = np.array([[np.log(3), 0.0], [np.log(3), 0.0]], np.float32)
    got = np.array([[1.0, 2.0], [5.0, 0.0]], np.float32)
    assert TASK.expected_loss(truth, got) == pytest.approx(0.25)
    assert TASK.expected_loss(truth, 7 * truth) == 0
    assert TASK.divergence(truth)(truth) == 0
    by_hand = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)
    assert TASK.divergence(truth)(np.zeros((2, 2))) == pytest.approx(by_hand)


def test_probabilities_are_compared_as_logits_of_mean_zero() -> None:
    logits = np.array([[3.0, 1.0, -1.0]], np.float32)
    shares = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(TASK.comparable(shares, "probabilities"), [[2.0, 0.0, -2.0]], atol=1e-6)
    np.testing.assert_allclose(TASK.matched(logits, "probabilities"), [[2.0, 0.0, -2.0]], atol=1e-6)
    assert TASK.matched(logits, "logits") is logits


def test_probabilities_by_hand() -> None:
    """1/4, 1/4, 1/2 are powers of two -2, -2, -1 with a mean of -5/3; no probability counts as 2**-126."""
    expected = np.array([-1 / 3, -1 / 3, 2 / 3]) * np.log(2)
    raw = np.array([0.25, 0.25, 0.5], np.float32)
    both = TASK.comparable(np.stack([raw, raw[::-1]]), "probabilities")
    np.testing.assert_allclose(both, np.stack([expected, expected[::-1]]), atol=1e-6)
    sure = TASK.comparable(np.array([[1.0, 0.0]], np.float32), "probabilities")
    np.testing.assert_allclose(sure, np.array([[63.0, -63.0]]) * np.log(2), rtol=1e-6)


def test_top5_counts_what_stands_above_the_true_class() -> None:
    values = np.arange(8, dtype=np.float32)[None].repeat(2, axis=0)
    found = Classification("logits").figures(values, values, [3, 2])
    assert (found["top5"], found["top1"]) == (0.5, 0.0), "four classes are above 3, five above 2"
    assert found["top5_reference"] == 0.5
    wide = Classification("logits", (), 1).figures(values, values, [2, 1])
    assert wide["top5"] == 0.5, "behind a background they are 3 and 2 again"


def test_figures_by_hand() -> None:
    """Classes 1 to 3 behind a background: the board has images 0 and 1 right, the float model 0, 1 and 2."""
    task, rows = Classification("logits", ("cat", "dog", "owl"), 1), np.eye(4, dtype=np.float32)
    found = task.figures(rows[[1, 2, 1, 0]], rows[[1, 2, 3, 1]], (0, 1, 2, 2))
    assert (found["top1"], found["top1_reference"]) == (0.5, 0.75)
    assert (found["top5"], found["top5_reference"]) == (1.0, 1.0)
    assert found["top1_delta_pp"] == pytest.approx(-25.0)
    assert found["mcnemar_p"] == 1.0
    assert found["interval_pp"][0] < -25 < found["interval_pp"][1]
    assert set(task.figures(rows, rows, None).values()) == {None}
    assert task.quality(rows[[1, 2, 1, 0]], (0, 1, 2, 2)) == 0.5


def test_the_cosine_is_of_what_differs_from_the_mean() -> None:
    """(1, 0, -1) and (0, 1, -1): 1/2. (-1, -1, 2) twice: 1. What is the same everywhere points nowhere: 0."""
    first = np.array([[6, 5, 4], [2, 2, 5], [7, 7, 7]], np.float32)
    second = np.array([[0, 1, -1], [1, 1, 4], [1, 0, 0]], np.float32)
    assert TASK.cosine(first[:2], second[:2]) == pytest.approx(0.75)
    assert TASK.cosine(first, second) == pytest.approx(0.5)


def test_the_error_of_an_image_is_its_largest() -> None:
    first, second = np.array([[1.0, 2], [3, 4]], np.float32), np.array([[1.0, 5], [2, 4]], np.float32)
    assert TASK.error(first, second).tolist() == [3.0, 1.0]


def test_the_same_answer_is_the_same_best_class() -> None:
    first = np.array([[1, 2, 0], [1, 2, 0], [np.nan, 2, 0], [1, 2, 0]], np.float32)
    second = np.array([[5, 9, 1], [9, 5, 1], [1, 2, 0], [1, np.nan, 0]], np.float32)
    assert TASK.same(first, second, None).tolist() == [True, False, False, False]


def test_the_end_of_a_graph_must_be_what_the_card_says() -> None:
    shares = Classification("probabilities")
    assert TASK.contradiction("Gemm") is None
    assert shares.contradiction("Softmax") is None
    for task, ending, given in ((TASK, "Softmax", "probabilities"), (shares, "Gemm", "logits")):
        what, remedy = task.contradiction(ending) or ("", "")
        assert what == f"which gives {given}, and the card says {task.output!r}"
        assert remedy == f'write output = "{given}" in the card'
    for ending in ("Sigmoid", "HardSigmoid"):
        assert "a probability of its own" in (TASK.contradiction(ending) or ("",))[0]
        assert "multilabel" in (TASK.contradiction(ending) or ("", ""))[1]


def test_logits_of_a_model_of_probabilities_have_a_mean_of_zero() -> None:
    logits = np.array([[3.0, 1.0, -1.0], [5.0, 0.0, 1.0]], np.float32)
    assert TASK.comparable(logits, "logits").tolist() == logits.tolist()
    wide = np.array([[200.0, -50.0, 0.0, 190.0]], np.float32)
    shares = np.exp(wide.astype(np.float64) - 200) / np.exp(wide.astype(np.float64) - 200).sum()
    task = Classification("probabilities")
    ours, theirs = task.comparable(wide, "logits"), task.comparable(shares, "probabilities")
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, err_msg="saturated probabilities tell no more")
    assert Classification("probabilities").comparable(logits, "logits").tolist() == [[2, 0, -2], [3, -2, -1]]


def test_without_labels_there_are_no_rows() -> None:
    blind = report(drift={**DRIFT, "labelled": False, "top1": None})
    assert blind.drift.rows() == []
    assert report().drift.rows()[-1] == ("McNemar p", "0.3000")


def test_a_background_class_is_no_class_of_the_truth() -> None:
    task = Classification("logits", ("cat", "dog"), 1)
    assert task.truth(images({"class_index": "1"}), 3) == (1,)
    with pytest.raises(DataError, match="class_index 2 in labels.csv, the model has 2 classes"):
        task.truth(images({"class_index": "2"}), 3)
    assert task.check(3) is None
    assert (task.check(4) or ("",))[0] == "2 labels for 3 classes"
    assert Classification("logits").check(4) is None
    assert 'task = "binary"' in (Classification("logits").check(1) or ("", ""))[1]


def test_a_report_shows_percent_with_one_decimal_and_points_with_two() -> None:
    shown = [metric.text(report()) for metric in METRICS]
    assert shown == ["70.0", "-0.50", "99.0"]
    assert METRICS[0].cell(report()) == "70.0 %"
    assert [metric.compared for metric in METRICS[:2]] == [True, False]
    (top1, top5, difference, *_) = report().drift.rows()
    assert (top1[1], top5[1]) == ("70.00 % (float 70.50 %)", "90.00 % (float 91.00 %)")
    assert difference[1] == "-0.50 pp"


def test_truth_is_the_class_index() -> None:
    assert TASK.truth(images({"class_index": "2"}, {"class_index": "0"}), 3) == (2, 0)
    assert TASK.truth(ImageSet(Path("p"), (Path("a"),), None), 3) is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"class_index": "3"}, "class_index 3 in labels.csv, the model has 3 classes"),
        ({"class_index": ""}, "1.png has no class_index"),
        ({"class_index": "x"}, "1.png has the class_index 'x', not an integer"),
        ({"class_index": "-1"}, "1.png has the class_index '-1'"),
        ({"class_index": "²"}, "1.png has the class_index '²'"),
        ({"class_index": "1" * 5000}, "not an integer"),
        ({"class_index": "1", "class_name": "owl"}, "of class 1 and called 'owl', which is class 2"),
        ({"person": "1"}, "1.png has no class_index"),
    ],
)
def test_truth_of_another_kind_is_refused(row: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        TASK.truth(images({"class_index": "1"}, row), 3)


def test_names_of_classes_are_those_of_the_models_labels() -> None:
    told = [{"class_name": name} for name in ("owl", " Cat", "dog")]
    assert TASK.truth(images(*told), 3) == (2, 0, 1)
    twins = Classification("logits", ("crane", "dog", "crane", "Dog"))
    assert twins.truth(images({"class_name": "Dog"}, {"class_name": "dog"}), 4) == (3, 1)
    assert TASK.truth(images({"class_index": "", "class_name": "owl"}), 3) == (2,), "an empty column"
    assert TASK.truth(images({"class_index": "1", "class_name": "no label of this model"}), 3) == (1,)


@pytest.mark.parametrize(
    ("labels", "name", "message"),
    [
        (("cat", "dog", "owl"), "dogg", "'dogg' of 1.png: the model has no such label: did you mean 'dog'"),
        (("cat", "dog", "owl"), "", "the model has no such label"),
        (("crane", "dog", "crane"), "crane", "calls 2 classes so (0, 2): write class_index"),
        (("Crane", "dog", "crane"), "CRANE", "calls 2 classes so (0, 2)"),
        ((), "dog", "the model has no labels: compile it again with labels=FILE.* alphabetical order"),
    ],
)
def test_names_that_are_not_clear_are_refused(labels: tuple[str, ...], name: str, message: str) -> None:
    task = Classification("logits", labels)
    with pytest.raises(DataError, match=message.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")):
        task.truth(images({"class_name": "dog"}, {"class_name": name}), 3)


def test_columns_that_say_nothing_of_classes_are_named() -> None:
    with pytest.raises(DataError, match="the columns file, label: name the one with the class class_index"):
        TASK.truth(images({"label": "1"}), 3)


def test_answers_have_the_names_of_their_classes() -> None:
    wide = Classification("logits", ("cat", "dog"), 1)
    assert [wide.answer_name(index, ()) for index in range(4)] == ["output 0", "cat", "dog", "output 3"]
    assert wide.truth_name(1) == "dog"


def test_nan_agrees_with_nothing() -> None:
    """argmax of a row of NaN is 0, on both sides: that was an agreement of 100 %."""
    good, bad = np.array([[2.0, 1.0]], np.float32), np.array([[np.nan, 1.0]], np.float32)
    assert not TASK.same(bad, bad, None)[0]
    assert not TASK.same(good, bad, None)[0]
    assert TASK.same(good, good, None)[0]
    assert TASK.quality(bad, [0]) == 0.0
    assert TASK.quality(good, [0]) == 1.0
