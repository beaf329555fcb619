"""A chain is refused before a board is asked, and a gallery has each picture once."""

from __future__ import annotations

import functools
import io

import pytest

from edgenet.devices.blobs import Blob
from edgenet.errors import DataError, PlanError
from edgenet.steps.chain import check_chain
from edgenet.steps.demo import DemoOptions, demo
from edgenet.steps.gallery import _once
from edgenet.tasks.classification import Classification
from edgenet.tasks.embedding import Embedding

EYES = {"right_eye": [30, 51], "left_eye": [65, 51]}
FACES = Classification("logits", settings={"detection": {"points": ["right eye", "left eye", "nose"]}})


def test_points_are_the_same_however_they_are_written() -> None:
    check_chain(FACES, Embedding("embedding", settings={"alignment": EYES}))


@pytest.mark.parametrize(
    ("first", "alignment", "words"),
    [
        (Classification("logits"), EYES, "a classifier without points"),
        (FACES, {}, "is aligned by nothing: 0 points are the same"),
        (FACES, {"nose": [1, 2], "chin": [3, 4]}, "1 points are the same"),
    ],
)
def test_others_are_refused(first: Classification, alignment: dict[str, list[int]], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        check_chain(first, Embedding("embedding", settings={"alignment": alignment}))


def test_one_bundle_cannot_both_compare_and_look_closer() -> None:
    with pytest.raises(PlanError, match="leave against= or then= out"):
        demo("a.edgenet", options=DemoOptions(against="b.edgenet", then="c.edgenet"))
    with pytest.raises(PlanError, match="no first bundle"):
        demo(options=DemoOptions(then="c.edgenet"))


def blob(text: bytes) -> Blob:
    return Blob(text.decode(), len(text), functools.partial(io.BytesIO, text))


def test_a_picture_that_is_there_twice_is_enrolled_once() -> None:
    pictures = [("ann", blob(b"1")), ("bob", blob(b"2")), ("ann", blob(b"1")), ("ann", blob(b"3"))]
    assert [(name, item.digest) for name, item in _once(pictures)] == [
        ("ann", "1"),
        ("bob", "2"),
        ("ann", "3"),
    ]


def test_a_picture_with_two_names_is_refused() -> None:
    with pytest.raises(DataError, match="there twice, as ann and as bob"):
        _once([("ann", blob(b"1")), ("bob", blob(b"1"))])
