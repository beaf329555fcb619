"""Embedding: rank-1, ROC area and cosine held to small sets made by hand."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgenet.errors import DataError, ModelError
from edgenet.imageset import ImageSet
from edgenet.statistics import roc_area
from edgenet.tasks.embedding import Embedding, identities

TASK = Embedding("embedding")


def vectors(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane."""
    angles = np.radians(np.array(degrees))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def images(*names: str, column: str = "person") -> ImageSet:
    files = tuple(Path(f"{index}.png") for index in range(len(names)))
    return ImageSet(Path("faces"), files, tuple({column: name} for name in names))


# Two people: their gallery pictures lie at 0 and 90 degrees.
WHO = ("ann", "bob", "ann", "bob", "ann")
FLOAT = vectors(0, 90, 10, 80, 40)
BOARD = vectors(0, 90, 12, 80, 50)  # the last one crossed the middle


def test_rank1_by_hand() -> None:
    """Three probes: the float model knows all, the board takes the last for bob."""
    found = TASK.figures(BOARD, FLOAT, WHO)
    assert (found["rank1"], found["rank1_reference"]) == (pytest.approx(2 / 3), 1.0)
    assert found["rank1_delta_pp"] == pytest.approx(-100 / 3)
    assert found["interval_pp"][0] < found["rank1_delta_pp"] < found["interval_pp"][1]
    assert found["mcnemar_p"] == 1.0
    assert found["cosine_median"] == pytest.approx(1.0), "three of five did not move"


def test_the_answer_is_the_nearest_gallery_picture() -> None:
    assert TASK.answers(FLOAT, WHO)[[2, 3, 4]].tolist() == [0, 1, 0]
    assert TASK.same(BOARD, FLOAT, WHO).tolist() == [True, True, False], "of the probes alone"


def test_without_truth_it_is_the_nearest_other_picture() -> None:
    assert TASK.answers(FLOAT, None).tolist() == [2, 3, 0, 1, 2]
    assert TASK.same(FLOAT, FLOAT, None).all()
    assert TASK.figures(FLOAT, FLOAT, None)["rank1"] is None
    assert TASK.answers(vectors(5), None).tolist() == [0], "one picture alone has no other"


def test_roc_area_by_counting_pairs() -> None:
    positive, negative = np.array([0.9, 0.5, 0.4]), np.array([0.5, 0.1])
    pairs = [(a > b) + 0.5 * (a == b) for a, b in itertools.product(positive, negative)]
    assert roc_area(positive, negative) == pytest.approx(sum(pairs) / 6)
    assert TASK.figures(FLOAT, FLOAT, ("x",) * 5)["auc"] is None, "nobody else to be told apart from"


@given(arrays(np.float32, (6, 4), elements=st.floats(-10, 10, width=32)), st.floats(0.01, 100))
def test_length_does_not_count(values: np.ndarray, factor: float) -> None:
    values = values + np.float32(0.1)
    ours, theirs = (TASK.comparable(item, "embedding") for item in (values, values * np.float32(factor)))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_divergence_is_one_less_the_cosine() -> None:
    judge = TASK.divergence(vectors(0, 0))
    assert judge(3 * vectors(60, 0)) == pytest.approx(0.25)
    assert TASK.error(vectors(0), vectors(60))[0] == pytest.approx(0.5)
    assert TASK.expected_loss(FLOAT, vectors(0, 90, 10, 80, 60)) == pytest.approx(0.2)


def test_identities_come_from_whichever_column_there_is() -> None:
    assert identities(images("a", "b", column="identity")) == ("a", "b")
    assert identities(images("3", "4", column="class_index")) == ("3", "4")
    with pytest.raises(DataError, match="does not say who is in each picture"):
        identities(images("a", "", column="person"))


def test_truth_needs_somebody_twice() -> None:
    assert TASK.truth(images("a", "b", "a"), 2) == ("a", "b", "a")
    with pytest.raises(DataError, match="nobody is in two pictures"):
        TASK.truth(images("a", "b"), 2)


def test_gallery_pictures_are_named_by_who_is_in_them_or_by_their_file() -> None:
    assert list(TASK.gallery_names(images("ann", "bob"))) == ["ann", "bob"]
    assert list(TASK.gallery_names(ImageSet(Path("f"), (Path("f/eve.png"),), None))) == ["eve"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"metric": "euclid"}, "metric = 'euclid'"),
        ({"threshold": 2}, "threshold = 2"),
        ({"threshold": "high"}, "threshold"),
        ({"alignment": {"nose": [1]}}, "not a table of points"),
    ],
)
def test_bad_settings_are_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        TASK.read_settings(table, ModelError)
    assert TASK.read_settings({"threshold": 0.4, "metric": "cosine"}, ModelError)["threshold"] == 0.4


def test_nan_agrees_with_nothing() -> None:
    spoilt = BOARD.copy()
    spoilt[3] = np.nan
    assert TASK.same(spoilt, spoilt, WHO).tolist() == [True, False, True]
    assert TASK.quality(spoilt, WHO) < TASK.quality(FLOAT, WHO)
