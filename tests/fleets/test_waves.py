"""Who is tried first, and who follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edgenet.board import Board
from edgenet.errors import LibraryError
from edgenet.fleets.waves import waves


def names(boards, *arguments):
    return [[board.name for board in wave] for wave in waves(boards, *arguments)]


def fleet(count, **more):
    return [Board(f"pi@{number}", name=f"b{number}", **more) for number in range(count)]


def test_fifty_boards_go_in_the_shares_of_what_is_left():
    found = waves(fleet(50), 2)
    assert [len(wave) for wave in found] == [2, 5, 22, 21]


def test_canaries_are_those_with_a_number_in_that_order():
    boards = [Board("a", name="a"), Board("b", name="b", canary=2), Board("c", name="c", canary=1)]
    assert names(boards) == [["c", "b"], ["a"]]
    assert names(boards, 1) == [["c"], ["a"], ["b"]]
    assert names(boards, 0) == [["a"], ["b"], ["c"]]


def test_without_numbers_canaries_are_of_different_kinds():
    kinds = ["pi-4", "pi-4", None, "pi-5", "pi-4"]
    boards = [Board(f"d{n}", name=f"b{n}", target=kind) for n, kind in enumerate(kinds)]
    assert names(boards, 3)[0] == ["b0", "b2", "b3"]
    assert names(boards, 4)[0] == ["b0", "b2", "b3", "b1"]
    assert names(boards)[0] == ["b0"]


def test_what_the_shares_leave_is_a_wave_too():
    assert [len(wave) for wave in waves(fleet(10), 0, (50.0,))] == [5, 5]


@pytest.mark.parametrize("share", [0.0, -1.0, 101.0, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(LibraryError, match="a wave of"):
        waves(fleet(3), 1, (share,))


@given(
    some.lists(
        some.tuples(some.sampled_from([None, "a", "b"]), some.none() | some.integers(1, 3)),
        min_size=1,
        max_size=30,
    ),
    some.none() | some.integers(0, 40),
    some.lists(some.floats(0.1, 100), max_size=4),
)
def test_every_board_is_in_one_wave(kinds, canary, shares):
    boards = [Board(f"d{n}", target=kind, canary=place) for n, (kind, place) in enumerate(kinds)]
    found = waves(boards, canary, shares)
    assert all(found)
    assert sorted(board.device for wave in found for board in wave) == sorted(
        board.device for board in boards
    )
