"""Differences between variants, in pairs: against hand-counted tables and a mean of shares."""

from __future__ import annotations

import pytest

from edgenet.sweeps.pairs import against, versus
from edgenet.swept import Cell


def test_right_and_wrong_answers_in_pairs() -> None:
    """Ten more of 100 are right and three others lost: +7 pp, with Newcombe's interval."""
    own = (1.0,) * 70 + (0.0,) * 30
    other = (1.0,) * 67 + (0.0,) * 3 + (1.0,) * 10 + (0.0,) * 20
    found = versus(other, own)
    assert (found.delta_pp, found.images) == (pytest.approx(7.0), 100)
    assert found.interval_pp == pytest.approx((-0.25, 14.3), abs=0.05)
    assert versus(own, other).delta_pp == pytest.approx(-7.0)


def test_shares_of_right_labels_by_bootstrap() -> None:
    own, other = (0.5, 0.75, 1.0, 0.25) * 20, (0.75, 0.75, 1.0, 0.5) * 20
    found = versus(other, own)
    assert found.delta_pp == pytest.approx(12.5)
    assert found.interval_pp[0] > 9
    assert found.interval_pp[1] < 16


def cell(key: str) -> Cell:
    return Cell(
        key=key, model=key, precision="int8", backend="tflite", threads=1, device="local", state="screened"
    )


def test_only_what_answered_the_same_images_is_held_against_the_answer() -> None:
    cells = {key: cell(key) for key in ("a", "b", "c", "d")}
    found = against(cells, {"a": (1.0, 0.0), "b": (1.0, 1.0), "c": (1.0,)}, "a")
    assert found["b"].versus_answer is not None
    assert found["b"].versus_answer.delta_pp == 50.0
    assert all(found[key].versus_answer is None for key in ("a", "c", "d"))
    assert against(cells, {}, "a") == cells
