"""Names of classes come from the calibration images' folders where the card has none, and this is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.steps.class_names import with_class_names
from edgenet.steps.init import init
from tests.painted import COLORS, painted, pictures, saved


def bare(folder: Path) -> Model:
    path = saved(folder, painted())
    init(path, like="keras")
    return Model.load(path)


def test_folders_name_the_classes(tmp_path: Path) -> None:
    model, images = bare(tmp_path), ImageSet.load(pictures(tmp_path / "photos", 1))
    named, told = with_class_names(model, images)
    assert named.labels == tuple(COLORS)
    assert told == ("the card has no labels: those of photos are taken (blue, coal, dusk, …)",)
    own = replace(model, labels=tuple("abcdefg"))
    assert with_class_names(own, images) == (own, ())


def test_another_number_of_folders_names_nothing(tmp_path: Path) -> None:
    images = ImageSet.load(pictures(tmp_path / "photos", 1, {"blue": "a", "red": "b"}))
    named, told = with_class_names(bare(tmp_path), images)
    assert named.labels == ()
    assert "photos has 2 for 7 classes: answers are told by number" in told[0]


def test_without_images_numbers_are_told(tmp_path: Path) -> None:
    named, told = with_class_names(bare(tmp_path), None)
    assert named.labels == ()
    assert told[0].startswith("the card has no labels: answers are told by number")
