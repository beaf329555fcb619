"""Verification over all pairs: counted by hand, and what the bootstrap of a difference says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.statistics import roc_area
from edgenet.verification import Pairs


def vectors(*degrees: float) -> np.ndarray:
    angles = np.radians(np.array(degrees))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def crowd(people: int, pictures: int, noise: float, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    centers = np.repeat(rng.normal(0, 1, (people, 8)), pictures, axis=0)
    found = centers + rng.normal(0, noise, centers.shape)
    who = [f"p{index // pictures}" for index in range(len(found))]
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32), who


def test_by_hand() -> None:
    """Three of one, two of another; the third of the first stands among the others."""
    pairs = Pairs(["a", "a", "a", "b", "b"])
    assert (pairs.same, pairs.different) == (4, 6)
    found = pairs.judged(vectors(0, 10, 70, 83, 90))
    assert found is not None
    # Same: 10, 70, 60 and 7 degrees apart; different: 83, 90, 73, 80, 13, 20.
    assert found.auc == pytest.approx((6 + 4 + 4 + 6) / 24)
    assert found.accepts == (0.5, 0.5), "nearer than 13 degrees"


@pytest.mark.parametrize("rate_at", [0, 1])
def test_true_accepts_are_those_above_the_share_of_false_ones(rate_at: int) -> None:
    found, who = crowd(25, 4, 0.6)
    pairs = Pairs(who)
    judged = pairs.judged(found)
    assert judged is not None
    near = {True: [], False: []}  # type: ignore[var-annotated]
    for first, second in itertools.combinations(range(len(who)), 2):
        near[who[first] == who[second]].append(
            float(found[first].astype(float) @ found[second].astype(float))
        )
    rate = (0.01, 0.001)[rate_at]
    best = 0.0
    same, apart = np.array(near[True]), np.array(near[False])
    for line in apart:
        if np.mean(apart > line) <= rate:
            best = max(best, float(np.mean(same > line)))
    assert judged.accepts[rate_at] == pytest.approx(best)
    assert judged.auc == pytest.approx(roc_area(same, apart))


@given(st.integers(0, 99), st.integers(1, 4))
def test_ties_count_half(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    found = vectors(*(rng.integers(0, levels, 12) * 30.0))
    who = [str(item) for item in rng.integers(0, 3, 12)]
    pairs = Pairs(who)
    judged = pairs.judged(found)
    if judged is None:
        assert not pairs.same or not pairs.different
        return
    own = found.astype(float)
    near = {
        alike: np.array(
            [own[a] @ own[b] for a, b in itertools.combinations(range(12), 2) if (who[a] == who[b]) == alike]
        )
        for alike in (True, False)
    }
    assert judged.auc == pytest.approx(roc_area(near[True], near[False]))


def test_one_identity_or_nobody_twice_tells_nothing() -> None:
    for who in (["a", "a", "a"], ["a", "b", "c"], ["a"]):
        assert Pairs(who).judged(vectors(*range(len(who)))) is None
        assert Pairs(who).interval(vectors(*range(len(who))), vectors(*range(len(who)))) is None


def test_the_interval_is_paired_and_holds_the_difference() -> None:
    found, who = crowd(20, 5, 0.7)
    worse = found + np.random.default_rng(1).normal(0, 0.2, found.shape).astype(np.float32)
    worse /= np.linalg.norm(worse, axis=1, keepdims=True)
    pairs = Pairs(who)
    assert pairs.interval(found, found) == (0.0, 0.0), "the same vectors do not differ, whatever is drawn"
    first, second, interval = pairs.judged(worse), pairs.judged(found), pairs.interval(worse, found)
    assert first is not None
    assert second is not None
    assert interval is not None
    assert interval[0] < first.auc - second.auc < interval[1]
    assert interval[1] - interval[0] < 0.1


def test_a_vector_that_is_none_is_like_no_other() -> None:
    spoilt = vectors(0, 1, 90, 91)
    spoilt[1] = np.nan
    found = Pairs(["a", "a", "b", "b"]).judged(spoilt)
    assert found is not None
    assert found.auc < 1.0
