"""Several labels a picture: figures held to counts made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgenet.agent.tasks.multilabel import Reader
from edgenet.errors import DataError, ModelError
from edgenet.imageset import ImageSet
from edgenet.statistics import paired_bootstrap
from edgenet.tasks.multilabel import Multilabel, MultilabelDrift, f1_scores

NAMES = ("hat", "beard", "glasses")
TASK = Multilabel("logits", NAMES)
TRUTH = ((True, False, False), (True, True, False), (False, True, False), (False, False, False))
FLOAT = np.array([[1, -1, -1], [1, 1, -1], [-1, 1, -1], [-1, -1, -1]], np.float32)
BOARD = np.array([[1, -1, -1], [-1, 1, -1], [1, 1, -1], [-1, -1, -1]], np.float32)  # two hats wrong


def images(*rows: dict[str, str]) -> ImageSet:
    return ImageSet(Path("p"), tuple(Path(f"{at}.png") for at in range(len(rows))), rows)


def test_f1_by_hand() -> None:
    """Hats: one hit, one missed, one false: 2 / 4. Nobody wears glasses, so they say nothing."""
    found = TASK.figures(BOARD, FLOAT, TRUTH)
    assert f1_scores(BOARD > 0, np.array(TRUTH)).tolist() == [0.5, 1.0, 1.0]
    assert (found["f1"], found["f1_reference"], found["f1_delta_pp"]) == (0.75, 1.0, -25.0)
    assert found["bits_agree"] == 10 / 12
    worst = found["by_label"][0]
    assert (worst.name, worst.images, worst.f1) == ("hat", 2, 0.5)
    assert (worst.accuracy, worst.accuracy_reference, worst.agreement) == (0.5, 1.0, 0.5)
    assert (found["accuracy"], found["accuracy_reference"]) == (10 / 12, 1.0)
    low, high = found["interval_pp"]
    assert low < -25.0 < high <= 0.0
    assert TASK.same(BOARD, FLOAT, None).tolist() == [True, False, False, True]


def test_nan_agrees_with_nothing() -> None:
    spoilt = FLOAT.copy()
    spoilt[0, 2] = np.nan
    assert TASK.same(spoilt, spoilt, None).tolist() == [False, True, True, True]
    assert TASK.figures(spoilt, spoilt, None)["bits_agree"] == 9 / 12
    labels = {item.name: item for item in TASK.figures(spoilt, FLOAT, TRUTH)["by_label"]}
    assert (labels["glasses"].accuracy, labels["glasses"].agreement) == (0.75, 0.75)
    assert labels["hat"].accuracy == 1.0


def test_labels_stand_in_a_table_the_one_that_lost_most_first() -> None:
    own = TASK.figures(BOARD, FLOAT, TRUTH)
    rest = {"images": 4, "labelled": True, "agreement": 0.5, "cosine": 1.0, "max_abs": 2.0, "stages": None}
    (table,) = MultilabelDrift(**rest, **own).tables()
    assert table.rows[0] == ("hat", "2", "50.00 %", "100.00 %", "50.00 %", "100.00 %", "50.00 %")
    assert [row[0] for row in table.rows] == ["hat", "beard", "glasses"]
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_divergence_and_expected_loss_by_hand() -> None:
    """A label of probability 3/4 that falls costs (3/4 - 1/4), shared by three labels."""
    wanted, got = np.array([[np.log(3), -5, -5]]), np.array([[-0.1, -5, -5]])
    assert TASK.expected_loss(wanted, got) == pytest.approx(0.5 / 3)
    flat = TASK.divergence(wanted)(np.array([[0.0, -5, -5]]))
    assert flat == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.5))


def test_thresholds_are_where_logits_are_counted_from() -> None:
    task = Multilabel("logits", NAMES, settings={"thresholds": [0.5, 0.75, 0.25]})
    found = task.comparable(np.full((1, 3), 0.5, np.float32), "probabilities")
    np.testing.assert_allclose(found, [[0, -np.log(3), np.log(3)]], atol=1e-6)
    assert task.check(3) is None
    two = Multilabel("logits", (), settings={"thresholds": [0.5, 0.5]})
    assert "2 thresholds for 3 outputs" in (two.check(3) or ("",))[0]
    with pytest.raises(ModelError, match="thresholds"):
        Multilabel.read_settings({"thresholds": [0.5, 2]}, ModelError)


def test_truth_is_a_list_of_names_or_a_column_for_each() -> None:
    listed = images({"labels": "hat; beard"}, {"labels": ""}, {"labels": "glasses|hat"})
    assert TASK.truth(listed, 3) == ((True, True, False), (False, False, False), (True, False, True))
    flags = images({"hat": "1", "beard": "-1", "glasses": "0"})
    assert TASK.truth(flags, 3) == ((True, False, False),)
    for rows, message in (
        (images({"labels": "hut"}), "'hut'"),
        (images({"hat": "1", "beard": "0"}), "no column 'glasses'"),
        (images({"hat": "maybe", "beard": "0", "glasses": "0"}), "'maybe' for hat"),
    ):
        with pytest.raises(DataError, match=message):
            TASK.truth(rows, 3)


def test_answers_are_told_by_their_labels() -> None:
    numbers = TASK.answers(FLOAT, None)
    assert [TASK.answer_name(int(item), ()) for item in numbers] == ["hat", "hat, beard", "beard", "none"]
    assert TASK.truth_name(TRUTH[1]) == "hat, beard"


def test_the_graph_says_which_task_it_is() -> None:
    assert "classification" in (TASK.contradiction("Softmax") or ("", ""))[1]
    assert "probabilities" in (TASK.contradiction("Sigmoid") or ("", ""))[1]
    assert "binary" in (TASK.check(1) or ("", ""))[1]


def test_bootstrap_against_the_normal_interval() -> None:
    """Of a mean of many samples the percentile interval is the mean plus and minus 1.96 deviations."""
    values = np.random.default_rng(5).normal(3.0, 2.0, 400)
    low, high = paired_bootstrap(lambda chosen: float(values[chosen].mean()), 400)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)


@pytest.mark.parametrize("meaning", ["logits", "probabilities"])
def test_the_board_reads_them(meaning: str) -> None:
    shares = np.array([0.6, 0.9, 0.2], np.float32)
    raw = shares if meaning == "probabilities" else np.log(shares / (1 - shares))
    manifest: dict[str, Any] = {"output": {"meaning": meaning}, "labels": list(NAMES), "task": {}}
    assert Reader(manifest).label(raw) == "beard, hat"
    assert Reader(manifest).top(raw) == [["beard", 0.9, 1], ["hat", 0.6, 0], ["glasses", 0.2, 2]]
    manifest["task"] = {"settings": {"thresholds": [0.7, 0.95, 0.3]}}
    assert Reader(manifest).label(raw) == "none"
    assert Reader(manifest).top(raw)[0][0] == "none"
