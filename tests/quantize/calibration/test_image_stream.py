"""Calibration images on their way: order, errors, judgement, and what is kept of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from edgenet.errors import DataError
from edgenet.quantize.calibration.image_stream import Feed, Reservoir, ahead


def numbered(count: int) -> Iterator[np.ndarray]:
    for index in range(count):
        yield np.full((1, 2, 2, 3), index % 256, np.uint8) + np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)


def test_ahead_keeps_order_and_ends_its_thread() -> None:
    before = threading.active_count()
    assert [int(item[0, 0, 0, 0]) for item in ahead(numbered(30))] == list(range(30))
    assert threading.active_count() == before


def test_a_reader_that_stops_early_stops_the_thread() -> None:
    before = threading.active_count()
    stream = ahead(numbered(1000))
    next(stream)
    stream.close()
    assert threading.active_count() == before


def test_an_error_arrives_in_its_place() -> None:
    def broken() -> Iterator[np.ndarray]:
        yield from numbered(3)
        raise DataError("c.jpg: truncated", "replace it")

    got = []
    with pytest.raises(DataError, match="truncated"):
        got.extend(ahead(broken()))
    assert len(got) == 0 or len(got) == 3


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 100, 1000])
def test_a_reservoir_is_spread_evenly(count: int) -> None:
    kept = Reservoir(8)
    for index in range(count):
        kept.offer(np.full(1, index, np.uint16))
    places = [int(item[0]) for item in kept.images]
    assert len(places) <= 8
    assert len(places) >= min(count, 4)
    assert len(set(np.diff(places))) <= 1, "equal distances"


def test_useless_sets_are_refused_and_odd_ones_named() -> None:
    with pytest.raises(DataError, match="no calibration image"):
        list(Feed([]))
    with pytest.raises(DataError, match="one flat color"):
        list(Feed([np.zeros((1, 4, 4, 3), np.uint8)] * 9))
    feed = Feed([*numbered(5), *numbered(1), np.zeros((1, 2, 2, 3), np.uint8)])
    assert len(list(feed)) == 7
    assert [note.partition(" calibration")[0] for note in feed.notes()] == ["only 7", "1 of 7", "1 of 7"]
    for count, told in ((7, "fewest that say"), (31, "nothing is promised"), (32, "")):
        feed = Feed(numbered(count))
        assert len(list(feed)) == count
        assert (told in " ".join(feed.notes())) if told else feed.notes() == ()
