"""The search against an oracle that knows every cell: it finds the same answer, and asks for far fewer."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.sweeps.search import ABOVE, BELOW, UNCLEAR, Entry, Estimated, Search, of_rounds, relation

ALPHAS, SIZES = (0.25, 0.5, 0.75, 1.0), (128, 160, 192, 224)


def grid(groups: int = 1) -> tuple[list[Entry], dict[str, float]]:
    """α x ρ in so many groups, and the ms of each: groups differ by a factor."""
    cells = [(g, a, r) for g in range(groups) for a in ALPHAS for r in SIZES]
    keys = [f"{g}:{a}-{r}" for g, a, r in cells]
    inside = relation(
        keys,
        lambda i, j: cells[i][1] <= cells[j][1] and cells[i][2] <= cells[j][2],
        [(g,) for g, _, _ in cells],
    )
    entries = [
        Entry(key, key, 0.3 + 0.2 * a + r / 1000 + 0.001 * g, (g,), within)
        for key, (g, a, r), within in zip(keys, cells, inside, strict=True)
    ]
    return entries, {key: (1 + g) * a**1.7 * r**2 / 400 for key, (g, a, r) in zip(keys, cells, strict=True)}


def played(search: Search, ms: dict[str, float], noise: float = 0.0, seed: int = 0) -> str | None:
    """Run a search on a board that takes so long; the answer."""
    random_, asked = random.Random(seed), 0
    while True:
        if batch := search.batch():
            for key, rounds in batch.items():
                search.timed(key, [ms[key] * math.exp(random_.gauss(0, noise)) for _ in range(rounds)])
        elif key := search.finalist():
            fps = 1e3 / ms[key]
            search.ran(key, Estimated(fps, (fps * 0.999, fps * 1.001)))
        else:
            kept = [e for e in search.entries if e.key in search.times and search.side(e.key) != BELOW]
            return max(kept, key=lambda entry: entry.accuracy or 0.0).key if kept else None
        assert (asked := asked + 1) < 500


def truth(entries: list[Entry], ms: dict[str, float], line: float) -> str | None:
    kept = [entry for entry in entries if 1e3 / ms[entry.key] >= line]
    return max(kept, key=lambda entry: entry.accuracy or 0.0).key if kept else None


@pytest.mark.parametrize("line", [0.5, 5, 12, 24, 60, 1000])
@pytest.mark.parametrize("groups", [1, 3])
def test_it_finds_what_trying_all_finds(groups: int, line: float) -> None:
    entries, ms = grid(groups)
    search = Search(entries, line)
    assert played(search, ms) == truth(entries, ms, line)
    assert len(search.times) <= 8 * groups
    assert set(search.skipped()) | set(search.times) == set(ms)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(5.0, 100.0))
def test_noise_costs_rounds_and_not_the_answer(seed: int, line: float) -> None:
    entries, ms = grid(2)
    search = Search(entries, line)
    found, wanted = played(search, ms, 0.01, seed), truth(entries, ms, line)
    if found != wanted:  # only what lies within the noise of the line may be taken for the other
        pair = [1e3 / ms[key] for key in (found, wanted) if key]
        assert min(abs(fps / line - 1) for fps in pair) < 0.08


def test_brute_force_times_every_cell() -> None:
    entries, ms = grid()
    search = Search(entries, 24, brute=True)
    assert played(search, ms) == truth(entries, ms, 24)
    assert len(search.times) == len(entries)
    assert not search.skipped()


def test_a_finalist_that_fails_when_warm_hands_over_and_brings_back_what_it_decided() -> None:
    """In short rounds all keep the line; run long, the widest does not: what lay within it is open again."""
    entries, ms = grid()
    search = Search(entries, 24)
    fast = dict.fromkeys(ms, 10.0)
    for _ in range(20):
        if batch := search.batch():
            for key, rounds in batch.items():
                search.timed(key, [fast[key]] * rounds)
            continue
        key = search.finalist()
        if key is None:
            break
        fps = 1e3 / ms[key]
        search.ran(key, Estimated(fps, (fps * 0.99, fps * 1.01)))
    kept = [entry.key for entry in entries if entry.key in search.times and search.side(entry.key) != BELOW]
    assert max(kept, key=lambda key: next(e.accuracy or 0 for e in entries if e.key == key)) == truth(
        entries, ms, 24
    )


def test_what_cannot_run_is_no_answer_and_decides_nothing() -> None:
    entries, ms = grid()
    search = Search(entries, 1)
    first = next(iter(search.batch()))
    search.failed(first)
    assert played(search, ms) == truth([entry for entry in entries if entry.key != first], ms, 1)


def test_two_networks_of_one_shape_are_as_fast_and_the_more_accurate_is_still_asked_for() -> None:
    twins = [
        Entry("a", "a", 0.9, ("x",), frozenset({"b"})),
        Entry("b", "b", 0.8, ("x",), frozenset({"a"})),
    ]
    search = Search(twins, 24)
    assert played(search, {"a": 10.0, "b": 10.0}) == "a"
    assert list(search.times) == ["a"]
    search = Search(twins, 24)
    assert played(search, {"a": 100.0, "b": 100.0}) is None
    assert list(search.times) == ["a"]


def test_fps_of_rounds_and_their_interval() -> None:
    """Against numbers of scipy.stats.t.interval on the logarithms."""
    found = of_rounds([40.0, 42.0, 41.0])
    assert found.fps == pytest.approx(24.39508, abs=1e-4)
    assert found.interval == pytest.approx((22.96059, 25.91919), abs=0.02)
    assert of_rounds([40.0]).against(24) == UNCLEAR
    assert of_rounds([10.0, 10.1, 10.0]).against(24) == ABOVE
    assert of_rounds([90.0, 90.1, 91.0]).against(24) == BELOW


@st.composite
def boards(draw: st.DrawFn) -> dict[str, tuple[float | None, str, float]]:
    """Key of :func:`grid` → accuracy, in no order or not known; what fails; how much slower it is warm."""
    accuracies = st.one_of(st.none(), st.sampled_from([0.0, 0.4, 0.5, 0.5, 0.6, 0.7]))
    fates = st.sampled_from(["", "", "", "", "screen", "long"])
    warm = draw(st.sampled_from([1.0, 1.1, 1.5, 3.0]))
    return {key: (draw(accuracies), draw(fates), warm) for key in grid(2)[1]}


@settings(max_examples=100)
@given(
    boards(), st.sampled_from([2.0, 6.0, 12.0, 24.0, 60.0]), st.sampled_from([5.0, 24.0]), st.integers(0, 30)
)
def test_whatever_fails_and_wherever_it_is_taken_up_the_answer_is_that_of_trying_all(
    board: dict[str, tuple[float | None, str, float]], line: float, before: float, steps: int
) -> None:
    """A search for another line is ended after some steps; the next knows what it timed and ran long."""
    entries, ms = grid(2)
    entries = [replace(entry, accuracy=board[entry.key][0]) for entry in entries]

    def step(search: Search) -> bool:
        if batch := search.batch():
            for key, rounds in batch.items():
                search.failed(key) if board[key][1] == "screen" else search.timed(key, [ms[key]] * rounds)
        elif key := search.finalist():
            fps = 1e3 / ms[key] / board[key][2]
            search.failed(key) if board[key][1] == "long" else search.ran(key, Estimated(fps, (fps, fps)))
            sustained[key] = fps
        else:
            return False
        return True

    sustained: dict[str, float] = {}
    first, search = Search(entries, before), Search(entries, line)
    for _ in range(steps):
        step(first)
    for key, rounds in first.times.items():
        search.timed(key, rounds)
    for key, fps in sustained.items():
        if board[key][1] != "long":
            search.ran(key, Estimated(fps, (fps, fps)))
    for _ in range(3 * len(entries)):
        if not step(search):
            break
    else:
        raise AssertionError("asks for ever")
    wanted = [
        accuracy
        for key, (accuracy, fate, warm) in board.items()
        if accuracy is not None and not fate and 1e3 / ms[key] / warm >= line
    ]
    found = [
        accuracy
        for key, fps in sustained.items()
        if not board[key][1] and fps >= line and (accuracy := board[key][0]) is not None
    ]
    assert max(found, default=None) == max(wanted, default=None)


def test_a_finalist_whose_long_run_fails_brings_back_what_lies_within_it() -> None:
    wide = Entry("wide", "wide", 0.8, ("x",), frozenset({"narrow"}))
    search = Search([wide, Entry("narrow", "narrow", 0.7, ("x",), frozenset())], 24)
    search.timed("wide", [10.0] * 3)
    assert search.batch() == {}
    assert search.finalist() == "wide"
    search.failed("wide")
    assert search.batch() == {"narrow": 3}
    assert not search.skipped()


def test_rounds_that_cannot_be_used_are_not_asked_for_again() -> None:
    search = Search([Entry("a", "a", 0.8, ("x",), frozenset())], 24)
    search.timed("a", [35.0, 42.0, 50.0])
    assert search.batch() == {"a": 3}
    search.timed("a", [])
    assert search.batch() == {}
    assert search.finalist() == "a"
