"""Truth in COCO's form beside the images: what is read, what is refused, and where boxes lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from edgenet.agent.detection.detector import Found
from edgenet.detection.coco import find_coco, read_coco
from edgenet.detection.figures import notes
from edgenet.detection.truth import TruePicture, true_pictures
from edgenet.errors import DataError
from edgenet.imageset import ImageSet
from edgenet.preprocessing import Preprocessing

NETWORK = {
    "size": [32, 32], "color": "rgb", "resize": "stretch", "interpolation": "nearest", "mean": [0, 0, 0],
    "std": [1, 1, 1],
}  # fmt: skip


def entry(image: object, box: object, category: object = 1, **more: Any) -> dict[str, Any]:
    return {"image_id": image, "bbox": box, "category_id": category, **more}


def folder(path: Path, *annotations: dict[str, Any], name: str = "annotations.json", **more: Any) -> ImageSet:
    """Two pictures, 40x20 and 20x40, and what is in them."""
    for file, size in (("a.png", (40, 20)), ("b.png", (20, 40))):
        Image.new("RGB", size).save(path / file)
    table = {
        "images": [
            {"id": 7, "file_name": "a.png", "width": 40, "height": 20},
            {"id": 3, "file_name": "b.png"},
        ],
        "categories": [{"id": 1, "name": "Person"}, {"id": 4, "name": "dog"}],
        "annotations": list(annotations),
    }
    (path / name).write_text(json.dumps({**table, **more}))
    return ImageSet.load(path)


def pictures(images: ImageSet, *labels: str) -> tuple[TruePicture, ...]:
    coco = find_coco(images.annotations)
    assert coco is not None
    return true_pictures(images, coco, labels)


def test_classes_are_found_by_their_names_whatever_their_ids(tmp_path: Path) -> None:
    images = folder(tmp_path, entry(7, [1, 2, 3, 4], 4), entry(7, [0, 0, 5, 5], iscrowd=1))
    first, second = pictures(images, "dog", "person")
    assert first.objects.classes.tolist() == [0, 1]
    assert first.objects.boxes.tolist() == [[1, 2, 3, 4], [0, 0, 5, 5]]
    assert first.objects.crowd.tolist() == [False, True]
    assert (first.size, second.size) == ((40, 20), (20, 40)), "of the file where the annotations do not say"
    assert len(second.objects.classes) == 0, "an empty picture is truth too"
    assert sorted([first, second], key=lambda picture: picture.id) == [second, first]
    assert str(first) == str(pictures(images, "dog", "person")[0]) != str(second)


def test_what_the_model_does_not_know_is_told_and_not_judged(tmp_path: Path) -> None:
    boxes = (
        entry(7, [1, 2, 3, 4]),
        entry(7, [0, 0, 9, 9], 4),
        entry(3, [30, 0, 5, 5]),
        entry(3, [1, 1, 0, 5]),
    )
    found = pictures(folder(tmp_path, *boxes), "person", "cat")
    assert [picture.unknown for picture in found] == [("dog",), ()]
    told = notes(found)
    assert told is not None
    assert "1 objects of no class of the model (dog)" in told
    assert "2 objects without an area or outside of their picture" in told


@pytest.mark.parametrize(
    ("boxes", "labels", "told"),
    [
        ([entry(7, [1, 2, 3, 4])], ("cat",), "none of its categories .* is a class of the model"),
        ([entry(7, [1, 2, 3, 4], 4)], ("person",), "there is no object of the model's classes in any of 2"),
        ([], ("person",), "there is no object of the model's classes"),
        (
            [entry(7, [1, 2, 3])],
            ("person",),
            r"annotations\[0\] bbox is '\[1, 2, 3\]', not x, y, width, height",
        ),
        ([entry(7, [1, 2, -3, 4])], ("person",), r"annotations\[0\] bbox"),
        ([entry(7, [1, 2, "x", 4])], ("person",), r"annotations\[0\] bbox"),
        ([entry(7, [1, 2, 3, 4], 9)], ("person",), "category_id is '9', not the id of a category"),
        ([entry(8, [1, 2, 3, 4])], ("person",), "image_id '8', and images lists none such"),
        ([entry(7, [1, 2, 3, 4], iscrowd=2)], ("person",), "iscrowd is '2', not 0 or 1"),
        (["x"], ("person",), r"annotations\[0\] is 'x', not a table"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, boxes: Any, labels: tuple[str, ...], told: str) -> None:
    with pytest.raises(DataError, match=told):
        pictures(folder(tmp_path, *boxes), *labels)


def test_pictures_that_are_not_listed_or_of_another_size_are_refused(tmp_path: Path) -> None:
    images = [{"id": 7, "file_name": "a.png", "width": 80, "height": 40}, {"id": 3, "file_name": "b.png"}]
    with pytest.raises(DataError, match="a.png is 80x40 there, and 40x20 in the folder"):
        pictures(folder(tmp_path, entry(7, [1, 2, 3, 4]), images=images), "person")
    with pytest.raises(DataError, match=r"says nothing of 1 of 2 pictures \(b.png\)"):
        pictures(folder(tmp_path, entry(7, [1, 2, 3, 4]), images=images[:1]), "person")


def test_annotations_are_found_by_their_form(tmp_path: Path) -> None:
    images = folder(tmp_path, entry(7, [1, 2, 3, 4]), name="_annotations.coco.json")
    (tmp_path / "settings.json").write_text("[1, 2]")
    (tmp_path / "broken.json").write_text("{")
    found = find_coco(ImageSet.load(tmp_path).annotations)
    assert found is not None
    assert found.path.name == "_annotations.coco.json"
    assert find_coco(()) is None
    (tmp_path / "more.json").write_bytes((tmp_path / "_annotations.coco.json").read_bytes())
    with pytest.raises(DataError, match=r"_annotations.coco.json, more.json are all annotations"):
        find_coco(ImageSet.load(tmp_path).annotations)
    assert ImageSet.load(tmp_path).left_out == ""
    assert images.truth is None, "no other task takes it for labels"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_any_json_is_read_or_refused(data: st.DataObject, tmp_path: Path) -> None:
    value = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["id", "file_name", "bbox", "image_id", "category_id", "name"]), inner
            )
        ),
        max_leaves=8,
    )
    table = data.draw(st.dictionaries(st.sampled_from(["images", "annotations", "categories"]), value))
    (tmp_path / "any.json").write_text(json.dumps(table))
    try:
        read_coco(tmp_path / "any.json")
    except DataError:
        return


def found_at(*box: float) -> Found:
    return Found(np.array([0]), np.array([0.5]), np.array([box]), np.zeros((1, 0, 2)), np.array([0]))


@pytest.mark.parametrize(
    ("how", "view"),
    [
        ({}, (0, 0, 40, 20)),
        ({"resize": "letterbox", "fill": [0, 0, 0]}, (0, -10, 40, 40)),
        ({"resize": "short-side", "resize_to": 32}, (10, 0, 20, 20)),
    ],
)
def test_fractions_become_pixels_of_the_picture(
    tmp_path: Path, how: dict[str, Any], view: tuple[int, ...]
) -> None:
    picture = pictures(folder(tmp_path, entry(7, [1, 2, 3, 4])), "person")[0]
    seen = picture.seen(Preprocessing.from_table({**NETWORK, **how}, "card"))
    assert seen.view == pytest.approx(view)
    box = seen.judged(found_at(0.25, 0.5, 0.5, 1.0)).boxes[0]
    left, top, wide, high = view
    assert box == pytest.approx([left + 0.25 * wide, top + 0.5 * high, 0.25 * wide, 0.5 * high])


def test_a_picture_that_is_annotated_upright_must_be_seen_so(tmp_path: Path) -> None:
    images = folder(tmp_path, entry(7, [1, 2, 3, 4]))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 40)).save(tmp_path / "a.png", exif=exif)
    picture = pictures(images, "person")[0]
    assert picture.size == (40, 20), "as it is turned"
    with pytest.raises(
        DataError, match='a.png: is turned by its Exif tag, and was annotated upright.*"apply"'
    ):
        picture.seen(Preprocessing.from_table(NETWORK, "card"))
    upright = Preprocessing.from_table({**NETWORK, "orientation": "apply"}, "card")
    assert picture.seen(upright).view == (0, 0, 40, 20)


@pytest.mark.parametrize("told", ["images/a.png", "/somewhere/else/a.png", r"C:\pictures\a.png"])
def test_a_picture_is_found_by_its_name_where_the_annotations_say_more_folders(
    told: str, tmp_path: Path
) -> None:
    listed = [{"id": 7, "file_name": told}, {"id": 3, "file_name": "b.png"}]
    found = pictures(folder(tmp_path, entry(7, [1, 2, 3, 4]), images=listed), "person")
    assert found[0].objects.boxes.tolist() == [[1, 2, 3, 4]]


def test_a_picture_of_another_folder_is_not_it(tmp_path: Path) -> None:
    listed = [{"id": at, "file_name": f"{name}/a.png"} for at, name in enumerate(("train", "val"))]
    coco = read_coco(_written(tmp_path, images=listed))
    assert coco.find("a.png") is None, "there are two"
    assert coco.find("test/a.png") is None
    assert (coco.find("val/a.png") or coco.pictures["train/a.png"]).id == 1
    assert (coco.find("set/val/a.png") or coco.pictures["train/a.png"]).id == 1


def test_categories_are_there_once(tmp_path: Path) -> None:
    path = _written(tmp_path, categories=[{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}])
    with pytest.raises(DataError, match=r"categories\[1\] id is '1', not an id that is there once"):
        read_coco(path)


def test_categories_are_the_classes_of_a_model_without_names_only_if_they_are_as_many(tmp_path: Path) -> None:
    images = folder(tmp_path, entry(7, [1, 2, 3, 4]))
    coco = find_coco(images.annotations)
    assert coco is not None
    assert len(true_pictures(images, coco, (), 2)) == 2
    with pytest.raises(DataError, match="2 categories, and the model has 90 classes without names: write"):
        true_pictures(images, coco, (), 90)


def _written(path: Path, **parts: Any) -> Path:
    made = path / "annotations.json"
    made.write_text(json.dumps({"images": [], "categories": [], "annotations": [], **parts}))
    return made
