"""Binary classification: figures and logits held to counts and logarithms made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.agent.tasks.binary import Reader
from edgenet.card import read_card
from edgenet.errors import ModelError
from edgenet.imageset import ImageSet
from edgenet.sigmoids import logits_of
from edgenet.tasks.binary import Binary

NAMES = ("nobody", "person")
TASK = Binary("logits", NAMES)
LN3 = np.log(3)


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32)[:, None]


def test_probabilities_are_compared_as_logits() -> None:
    """3/4 is ln 3, 1/4 is -ln 3; a threshold of 3/4 is where the comparison begins."""
    np.testing.assert_allclose(TASK.comparable(column(0.75, 0.25), "probabilities"), column(LN3, -LN3), 1e-6)
    strict = Binary("logits", NAMES, settings={"threshold": 0.75})
    found = strict.comparable(column(0.75, 0.5), "probabilities")
    np.testing.assert_allclose(found, column(0, -LN3), atol=1e-6)
    np.testing.assert_allclose(strict.comparable(column(LN3, 0), "logits"), found, atol=1e-6)


@given(st.floats(-80, 80), st.sampled_from([0.5, 0.9, 0.1]))
def test_a_sigmoid_tells_the_same_as_its_logit_as_far_as_it_tells_anything(
    z: float, threshold: float
) -> None:
    task = Binary("probabilities", NAMES, settings={"threshold": threshold})
    share = column(1 / (1 + np.exp(-np.float32(z))))
    np.testing.assert_allclose(
        task.comparable(share, "probabilities"), task.comparable(column(z), "logits"), atol=0.02
    )


def test_saturated_probabilities_are_no_infinite_logits() -> None:
    found = logits_of(column(0.0, 1.0), probabilities=True, bounded=True)
    np.testing.assert_array_equal(found, column(-10, 10))


def test_figures_by_hand() -> None:
    """Four images, truth 1 1 0 0: float has all, the board loses one; ROC counts pairs in order."""
    board, reference = column(2, -1, -2, -3), column(2, 1, -2, -3)
    found = TASK.figures(board, reference, (1, 1, 0, 0))
    assert (found["top1"], found["top1_reference"], found["top1_delta_pp"]) == (0.75, 1.0, -25.0)
    assert (found["auc"], found["auc_reference"]) == (1.0, 1.0)
    crossed = TASK.figures(column(2, -2.5, -2, -3), reference, (1, 1, 0, 0))
    assert crossed["auc"] == pytest.approx(3 / 4), "one of four pairs is in the wrong order"
    assert TASK.figures(board, reference, (1, 1, 1, 1))["auc"] is None
    assert TASK.same(board, reference, None).tolist() == [True, False, True, True]
    assert TASK.quality(column(np.nan, 1, -2, -3), (1, 1, 0, 0)) == 0.75


def test_divergence_and_expected_loss_by_hand() -> None:
    """p = 3/4 against 1/2: 3/4 ln (3/2) + 1/4 ln (1/2); an answer that turns from 3/4 loses half of one."""
    judge = TASK.divergence(column(LN3))
    assert judge(column(0)) == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.5), abs=1e-6)
    assert TASK.expected_loss(column(LN3, LN3), column(-1, 5)) == pytest.approx(0.25)


def test_what_fits_and_what_to_write_instead() -> None:
    assert TASK.check(1) is None
    for task, values, word in (
        (TASK, 2, "multilabel"),
        (Binary("logits", ("a",)), 1, "write two"),
        (Binary("logits", NAMES, 1), 1, "label_offset"),
    ):
        assert word in " ".join(task.check(values) or ())
    assert TASK.contradiction("Conv") is None
    assert "probabilities" in (TASK.contradiction("Sigmoid") or ("", ""))[1]
    assert "with a Sigmoid" in (TASK.contradiction("Softmax") or ("", ""))[1]
    with pytest.raises(ModelError, match="threshold = 1"):
        Binary.read_settings({"threshold": 1}, ModelError)


def test_truth_is_a_number_or_one_of_the_two_names() -> None:
    def images(*rows: dict[str, str]) -> ImageSet:
        return ImageSet(Path("p"), tuple(Path(f"{at}.png") for at in range(len(rows))), rows)

    assert TASK.truth(images({"class_name": "person"}, {"class_name": "nobody"}), 1) == (1, 0)
    assert TASK.truth(images({"class_index": "0"}, {"class_index": "1"}), 1) == (0, 1)


CARD = """
task = "classification"
output = "sigmoid"
classes = [{}]
[preprocessing]
size = [32, 32]
color = "rgb"
resize = "stretch"
interpolation = "nearest"
mean = [0, 0, 0]
std = [255, 255, 255]
"""


@pytest.mark.parametrize(
    ("names", "task"), [('"no", "yes"', "binary"), ("", "binary"), ('"a", "b", "c"', "multilabel")]
)
def test_a_classifier_that_ends_in_a_sigmoid_is_one_of_these_tasks(
    tmp_path: Path, names: str, task: str
) -> None:
    (tmp_path / "m.toml").write_text(CARD.format(names))
    card = read_card(tmp_path / "m.toml")
    assert (card.task.name, card.task.output) == (task, "probabilities")


def test_names_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('labels = ["a", "b"]\n' + CARD.format('"a", "b"'))
    with pytest.raises(ModelError, match="labels and classes say the same"):
        read_card(tmp_path / "m.toml")


@pytest.mark.parametrize(
    ("output", "raw"),
    [
        ({"meaning": "logits"}, np.array([LN3], np.float32)),
        ({"meaning": "probabilities"}, np.array([0.75], np.float32)),
        ({"meaning": "logits", "scale": LN3 / 2, "zero_point": 3}, np.array([5], np.int8)),
    ],
)
def test_the_board_reads_it(output: dict[str, Any], raw: np.ndarray) -> None:
    manifest = {"output": output, "labels": list(NAMES), "task": {"settings": {"threshold": 0.7}}}
    assert Reader(manifest).label(raw) == "person"
    assert Reader(manifest).top(raw) == [["person", 0.75, 1], ["nobody", 0.25, 0]]
    manifest["task"] = {"settings": {"threshold": 0.8}}
    assert Reader(manifest).label(raw) == "nobody"
    assert Reader(manifest).top(raw)[0] == ["nobody", 0.25, 0]
    if raw.dtype == np.float32:
        assert Reader(manifest).top(np.array([np.nan], np.float32))[0][0] == "not a number"
