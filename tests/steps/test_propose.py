"""Labelled images find the card of a network whose right card is known; none is decided silently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from edgenet.card import read_card
from edgenet.errors import DataError, ModelError
from edgenet.model import Model
from edgenet.steps.init import init
from tests.original.files import network
from tests.painted import COLORS, painted, pictures, saved

IMAGENET = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
CAFFE = (103.94, 116.78, 123.68), (58.8235294117647,) * 3
ZERO_ONE = (0.0,) * 3, (255.0,) * 3
ONE_ONE = (127.5,) * 3, (127.5,) * 3
REST = 'resize = "stretch"', 'interpolation = "bilinear"'


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("photos"))


@pytest.mark.parametrize("color", ["rgb", "bgr"])
@pytest.mark.parametrize("numbers", [ONE_ONE, ZERO_ONE, IMAGENET])
def test_order_and_normalization_are_found(
    tmp_path: Path, photos: Path, color: str, numbers: tuple[tuple[float, ...], tuple[float, ...]]
) -> None:
    turn = -1 if color == "bgr" else 1
    mean, std = (list(values)[::turn] for values in numbers)
    card = init(saved(tmp_path, painted(color, mean, std)), images=photos, accept=True)
    lines = card.draft.lines
    assert lines["color"].value == color
    assert lines["mean"].value == pytest.approx(mean)
    assert lines["std"].value == pytest.approx(std)
    assert "chosen by 84 images" in lines["color"].why
    assert card.open == ("resize", "resize_to", "interpolation")  # of one color each, so nothing tells it
    assert card.proposals is not None
    assert card.proposals.share == 1.0


def test_caffes_card_is_found(tmp_path: Path, photos: Path) -> None:
    lines = init(saved(tmp_path, painted("bgr", *CAFFE)), images=photos, accept=True).draft.lines
    assert lines["color"].value == "bgr"
    near = (lines["mean"].value, lines["std"].value)
    assert near[0] == pytest.approx(CAFFE[0], abs=1)  # nearly the same as ImageNet's in blue, green, red
    assert near[1] == pytest.approx(CAFFE[1], abs=2)


def test_without_accept_everything_stays_a_question(tmp_path: Path, photos: Path) -> None:
    card = init(saved(tmp_path, painted("bgr")), images=photos)
    assert {"color", "mean", "std"} <= set(card.open)
    text = card.path.read_text()
    assert "# Proposed by the images: bgr, 100.0 %; the next, rgb, " in text
    assert 'color = "?"' in text
    with pytest.raises(ModelError, match="color is an open question"):
        read_card(card.path)


def test_a_wrong_card_of_the_user_is_told_and_kept(tmp_path: Path, photos: Path) -> None:
    """--like keras of a network that wants BGR: what it says stands, and what the images say beside it."""
    model = saved(tmp_path, painted("bgr"))
    card = init(model, like="keras", images=photos)
    assert card.draft.lines["color"].value == "rgb"
    assert card.proposals is not None
    assert card.proposals.given is not None
    assert card.proposals.given < 0.8 < card.proposals.share
    assert any("as keras says rgb; proposed by the images: bgr, 100.0 %" in note for note in card.notes)
    assert "# Proposed by the images: bgr" in card.path.read_text()
    taken = init(model, like="keras", images=photos, accept=True, force=True)
    assert read_card(taken.path).preprocessing.color == "bgr"
    assert taken.open == ()


def test_a_right_card_of_the_user_is_confirmed(tmp_path: Path, photos: Path) -> None:
    card = init(saved(tmp_path, painted()), like="keras", images=photos)
    assert card.notes == ()
    assert card.proposals is not None
    assert card.proposals.given == 1.0
    assert "roposed" not in card.path.read_text()


@pytest.mark.parametrize("background", [0, 1])
def test_a_background_class_is_read_from_the_number_of_folders(
    tmp_path: Path, photos: Path, background: int
) -> None:
    card = init(saved(tmp_path, painted(background=background)), like="keras", images=photos)
    found = read_card(card.path)
    assert found.task.label_offset == background
    assert found.task.labels == tuple(COLORS)
    assert card.proposals is not None
    assert card.proposals.given == 1.0


def test_shifted_labels_are_told(tmp_path: Path) -> None:
    """Classes that labels.csv counts from 1: nearly all is wrong, and one lower all is right."""
    folder = pictures(tmp_path / "photos")
    rows = [f"{color}/{index}.ppm,{at + 1}" for at, color in enumerate(COLORS) for index in range(12)]
    rows = [row for row in rows if not row.endswith(",7")]
    (folder / "labels.csv").write_text("file,class_index\n" + "\n".join(rows) + "\n")
    card = init(saved(tmp_path, painted()), like="keras", images=folder)
    assert any("shifted by" in note for note in card.notes)


def test_classes_in_another_order_propose_nothing(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "photos", names={name: name[::-1] for name in COLORS})
    card = init(saved(tmp_path, painted()), images=folder, accept=True)
    assert card.proposals is not None
    assert card.proposals.reason
    assert {"color", "mean"} <= set(card.open)
    assert any("with its classes in another order it would be" in note for note in card.notes)


@pytest.mark.parametrize("turned", [False, True])
def test_which_of_two_classes_a_sigmoid_means_is_found(tmp_path: Path, turned: bool) -> None:
    """Folders count alphabetically; where the network counts otherwise, the order is a question."""
    proto = binary(turned)
    folder = pictures(tmp_path / "photos", 30, {"blue": "blue", "red": "red"})
    model = saved(tmp_path, proto)
    card = init(model, like="keras", images=folder)
    assert card.draft.lines["task"].value == "binary"
    assert card.open == (("labels",) if turned else ())
    taken = init(model, like="keras", images=folder, accept=True, force=True)
    assert read_card(taken.path).task.labels == (("red", "blue") if turned else ("blue", "red"))


def binary(turned: bool) -> onnx.ModelProto:
    """The probability of red, or of blue, by which of the two is nearer."""
    seen = (np.array([COLORS["blue"], COLORS["red"]], np.float64) - 127.5) / 127.5
    weight = 2 * (seen[1] - seen[0])[:, None] * (-1 if turned else 1)
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "d"], ["z"], name="dense"),
        helper.make_node("Sigmoid", ["z"], ["y"]),
    ]
    return network(nodes, {"d": weight.astype(np.float32)})


def test_images_without_labels_are_refused(tmp_path: Path, photos: Path) -> None:
    with pytest.raises(DataError, match="have no labels"):
        init(saved(tmp_path, painted()), images=photos / "red")
    assert not (tmp_path / "painted.toml").exists()


def test_some_of_the_classes_need_all_names(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "photos", names={"blue": "blue", "red": "red"})
    model = saved(tmp_path, painted())
    with pytest.raises(DataError, match="are of 2 classes, and the network has 7: give labels=FILE"):
        init(model, images=folder)
    names = tmp_path / "names.txt"
    names.write_text("\n".join(COLORS))
    card = init(model, images=folder, labels=names, accept=True)
    assert card.draft.lines["color"].value == "rgb"
    assert card.draft.lines["labels"].value == list(COLORS)


def test_a_network_of_any_size_is_scored_at_the_size_of_its_preset(tmp_path: Path, photos: Path) -> None:
    """torchvision's size is 224; the network takes any."""
    model = saved(tmp_path, painted("rgb", *IMAGENET, shape=(1, 3, "h", "w")))
    card = init(model, like="torchvision", images=photos)
    assert card.draft.lines["size"].value == [224, 224]
    assert card.proposals is not None
    assert card.proposals.given == 1.0
    assert Model.load(model).preprocessing.size == (224, 224)
