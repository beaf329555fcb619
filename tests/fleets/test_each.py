"""The runner: order, bounds, failures, and questions one at a time."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from edgenet.board import Board
from edgenet.errors import ConnectionFailed, DeviceError
from edgenet.fleets.each import each

BOARDS = [Board(f"pi@{number}", name=f"b{number}") for number in range(12)]


class Terminal:
    def isatty(self) -> bool:
        return True


def test_outcomes_come_in_the_boards_order_whatever_ends_first():
    def work(board, progress):
        time.sleep(0.03 if board is BOARDS[0] else 0.0)
        progress("at it", 1, 2)
        return str(board)

    told = []
    found = each(BOARDS, work, lambda board, *stage: told.append((str(board), *stage)))
    assert [item.value for item in found] == [f"b{number}" for number in range(12)]
    assert all(item.exit_code == 0 and item.board.asks for item in found)
    assert sorted(told) == sorted((f"b{number}", "at it", 1, 2) for number in range(12))


def test_no_more_boards_than_asked_are_worked_on_at_once():
    lock, now, most = threading.Lock(), 0, 0

    def work(board, progress):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1

    each(BOARDS, work, at_once=3)
    assert most == 3


def test_one_failure_stops_nobody_and_a_bug_is_raised_when_all_are_done():
    def work(board, progress):
        if board.name == "b1":
            raise ConnectionFailed("b1 does not answer", "switch it on")
        if board.name == "b2":
            raise DeviceError("it is full")
        return 1

    ended = []
    found = each(BOARDS[:4], work, done=lambda outcome: ended.append(outcome.board.name))
    assert [item.exit_code for item in found] == [0, 3, 1, 0]
    assert sorted(ended) == ["b0", "b1", "b2", "b3"]

    def broken(board, progress):
        if board.name == "b0":
            raise ZeroDivisionError
        time.sleep(0.02)
        done.append(board.name)

    done: list[str] = []
    with pytest.raises(ZeroDivisionError):
        each(BOARDS[:3], broken)
    assert sorted(done) == ["b1", "b2"]


def test_questions_are_asked_one_after_another_and_only_where_a_person_sits(monkeypatch):
    lock, asking, most = threading.Lock(), 0, 0

    def work(board, progress):
        nonlocal asking, most
        if board.name in ("b0", "b1", "b2") and not board.asks:
            raise ConnectionFailed("the host key is not known yet", "look", unasked=True)
        if board.asks:
            with lock:
                asking += 1
                most = max(most, asking)
            time.sleep(0.01)
            with lock:
                asking -= 1
        return board.asks

    monkeypatch.setattr(sys, "stdin", Terminal())
    found = each(BOARDS[:5], work)
    assert [item.value for item in found] == [True, True, True, False, False]
    assert most == 1

    monkeypatch.setattr(sys, "stdin", None)
    assert [item.exit_code for item in each(BOARDS[:5], work)] == [3, 3, 3, 0, 0]
