"""The embedded detector and its image sets, as they ship."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from edgenet.agent.detection.anchors import anchors_of
from edgenet.agent.detection.coding import Coding
from edgenet.card import read_card
from edgenet.graph.cost import cost
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.model import Model
from edgenet.zoo import EMBEDDED, embedded
from edgenet.zoo.scenes import CLASSES
from edgenet.zoo.scenes.crop import cropped
from edgenet.zoo.scenes.dataset import COUNTS, SEEDS, coco, main, picture, write
from edgenet.zoo.scenes.detector import DETECTOR
from edgenet.zoo.scenes.render import SIZE, Scene, photograph
from edgenet.zoo.scenes.targets import targets
from edgenet.zoo.signs import LABELS
from edgenet.zoo.signs.dataset import SEEDS as SIGNS_SEEDS
from edgenet.zoo.signs.placing import Placed

ARCHIVE = Path(__file__).resolve().parents[2] / "calibration" / "sets" / "scenes.zip"
SPLITS = ("calib", "val")


@cache
def files() -> dict[str, bytes]:
    with zipfile.ZipFile(ARCHIVE) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@cache
def truth(split: str) -> dict[str, Any]:
    return json.loads(files()[f"{split}/annotations.json"])


@cache
def scenes() -> list[Scene]:
    return [photograph((11, index)) for index in range(8)]


def pixels(data: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", SIZE)
    return np.asarray(image, np.float32)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    common = np.maximum(high - low, 0).prod()
    return float(common / ((first[2:] - first[:2]).prod() + (second[2:] - second[:2]).prod() - common))


class TestPictures:
    @pytest.mark.parametrize("split", SPLITS)
    def test_the_first_shipped_pictures_can_be_drawn_again(self, split: str) -> None:
        """Close, not equal: releases of Pillow and libjpeg differ by a few levels."""
        scenes = [picture(split, index) for index in range(4)]
        for index, scene in enumerate(scenes):
            difference = np.abs(pixels(files()[f"{split}/{index:04d}.jpg"]) - pixels(scene.jpeg))
            assert difference.mean() < 2
            assert np.quantile(difference, 0.99) < 12
        again = coco(scenes)["annotations"]
        shipped = truth(split)["annotations"][: len(again)]
        for drawn, item in zip(again, shipped, strict=True):
            assert {**drawn, "bbox": None, "area": None} == {**item, "bbox": None, "area": None}
            np.testing.assert_allclose(drawn["bbox"], item["bbox"], atol=0.1)

    def test_the_same_seed_gives_the_same_pixels(self) -> None:
        first, again, other = photograph((7, 1)), photograph((7, 1)), photograph((7, 2))
        assert first == again
        assert np.abs(pixels(first.jpeg) - pixels(other.jpeg)).mean() > 2

    def test_boxes_are_inside_of_the_picture(self) -> None:
        signs = [sign for scene in scenes() for sign in scene.signs]
        assert len(signs) > 10
        for left, top, right, bottom in (sign.box for sign in signs):
            assert 0 <= left < right <= SIZE[0]
            assert 0 <= top < bottom <= SIZE[1]
            assert min(right - left, bottom - top) > 5

    def test_boxes_lie_on_the_signs(self) -> None:
        """A red square on a gray scene: its pixels and the box of its outline agree."""
        scene, print_ = Image.new("RGB", (400, 300), (90, 90, 90)), Image.new("RGBA", (64, 64))
        print_.paste((255, 0, 0, 255), (16, 8, 48, 56))
        for seed in range(8):
            image, random = scene.copy(), np.random.default_rng(seed)
            placed = Placed.drawn(random, print_, 150, scene.size)
            bare = replace(placed, on_paper=False)
            bare.put_into(random, image, (-100, -100, 500, 400))
            red = np.asarray(image).astype(int)
            rows, columns = np.nonzero(red[..., 0] - red[..., 1] > 60)
            seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            box = np.clip(placed.box(), 0, [400, 300, 400, 300])
            np.testing.assert_allclose(box, seen, atol=2.5)

    def test_signs_hide_little_of_each_other(self) -> None:
        for scene in scenes():
            boxes = [np.array(sign.box) for sign in scene.signs]
            pairs = [(a, b) for number, a in enumerate(boxes) for b in boxes[:number]]
            assert all(overlap(first, second) < 0.5 for first, second in pairs)

    def test_another_size_is_the_cameras(self) -> None:
        assert Image.open(io.BytesIO(photograph((1, 2), (64, 96)).jpeg)).size == (64, 96)


class TestSets:
    @pytest.mark.parametrize("split", SPLITS)
    def test_annotations_are_complete(self, split: str) -> None:
        told = truth(split)
        names = {item["file_name"] for item in told["images"]}
        assert names == {
            name.partition("/")[2] for name in files() if name.endswith(".jpg") and split in name
        }
        assert len(names) == COUNTS[split]
        assert [(item["id"], item["name"]) for item in told["categories"]] == list(enumerate(CLASSES, 1))
        assert LABELS[:-1] == CLASSES
        assert [item["id"] for item in told["annotations"]] == list(range(1, len(told["annotations"]) + 1))
        assert {item["image_id"] for item in told["annotations"]} <= {item["id"] for item in told["images"]}

    def test_scales_and_classes_are_of_all_kinds(self) -> None:
        told = truth("val")["annotations"]
        counts = np.bincount([item["category_id"] for item in told], minlength=10)[1:]
        assert counts.min() > 0.7 * counts.mean()
        heights = np.array([item["bbox"][3] for item in told]) / SIZE[1]
        assert np.quantile(heights, 0.9) > 2.5 * np.quantile(heights, 0.1)
        each = np.bincount([item["image_id"] for item in told], minlength=COUNTS["val"])
        assert each.min() == 0, "scenes without signs"
        assert each.max() >= 6

    def test_no_picture_is_in_two_splits(self) -> None:
        assert len({*SEEDS.values(), *SIGNS_SEEDS.values()}) == 6
        digests = [hashlib.sha256(data).digest() for name, data in files().items() if name.endswith(".jpg")]
        assert len(set(digests)) == len(digests) == sum(COUNTS.values())

    def test_the_manifest_holds(self) -> None:
        manifest = tomllib.loads(files()["manifest.toml"].decode())
        assert (manifest["name"], manifest["licence"]) == ("scenes", "Apache-2.0")
        assert tuple(manifest["classes"]) == CLASSES
        for split in SPLITS:
            held = {name.partition("/")[2]: data for name, data in files().items() if name.startswith(split)}
            lines = "".join(f"{hashlib.sha256(held[name]).hexdigest()}  {name}\n" for name in sorted(held))
            assert manifest[split]["sha256"] == hashlib.sha256(lines.encode()).hexdigest()
            assert manifest[split]["count"] == COUNTS[split]
            assert manifest[split]["signs"] == len(truth(split)["annotations"])

    def test_the_archive_and_the_model_stay_small(self) -> None:
        assert ARCHIVE.stat().st_size < 5_000_000
        assert embedded("scenes").stat().st_size < 1_000_000

    def test_the_same_pictures_give_the_same_archive(self, tmp_path: Path) -> None:
        write(tmp_path / "a.zip", {"calib": 1, "val": 2})
        write(tmp_path / "b.zip", {"calib": 1, "val": 2})
        assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
        with zipfile.ZipFile(tmp_path / "a.zip") as opened:
            assert len(json.loads(opened.read("val/annotations.json"))["images"]) == 2

    def test_the_command_wants_one_file(self) -> None:
        with pytest.raises(ValueError, match="unpack"):
            main([])


class TestTargets:
    ANCHORS, VARIANCES = anchors_of(DETECTOR.settings()["anchors"]), np.array([0.1, 0.1, 0.2, 0.2])

    def test_codes_are_what_the_board_decodes(self) -> None:
        boxes = np.array([[0.1, 0.2, 0.3, 0.5], [0.5, 0.4, 0.95, 0.99], [0.01, 0.0, 0.06, 0.07]])
        wanted, codes = targets(self.ANCHORS, boxes, np.array([3, 7, 1]), self.VARIANCES)
        decoded = Coding(DETECTOR.settings()).boxes(codes, self.ANCHORS)
        for column, box in zip((3, 7, 1), boxes, strict=True):
            assert (wanted == column).any(), "even a box that no anchor fits has one"
            np.testing.assert_allclose(
                decoded[wanted == column], box[None].repeat(sum(wanted == column), 0), atol=1e-6
            )

    def test_anchors_in_between_are_of_nothing(self) -> None:
        box = np.array([[0.3, 0.3, 0.5, 0.6]])
        wanted, _ = targets(self.ANCHORS, box, np.array([2]), self.VARIANCES)
        sides = np.concatenate(
            [self.ANCHORS[:, :2] - self.ANCHORS[:, 2:] / 2, self.ANCHORS[:, :2] + self.ANCHORS[:, 2:] / 2],
            axis=1,
        )
        shared = np.array([overlap(anchor, box[0]) for anchor in sides])
        np.testing.assert_array_equal(wanted[shared < 0.4], 0)
        assert set(wanted[(shared >= 0.4) & (shared < 0.5)]) <= {-1}
        assert set(wanted[shared >= 0.5]) == {2}

    def test_without_boxes_all_is_background(self) -> None:
        wanted, _ = targets(self.ANCHORS, np.zeros((0, 4)), np.zeros(0, np.int64), self.VARIANCES)
        assert not wanted.any()


class TestCrops:
    def test_boxes_go_with_the_pixels(self) -> None:
        picture_ = np.zeros((240, 320, 3), np.uint8)
        picture_[60:180, 100:220] = 255
        box, shapes = np.array([[100.0, 60.0, 220.0, 180.0]]), set()
        for seed in range(20):
            image, boxes, kept = cropped(picture_, box, 192, np.random.default_rng(seed))
            assert image.shape == (192, 192, 3)
            assert kept.all(), "more than half of it is left of any part"
            rows, columns = np.nonzero(image[..., 0] > 127)
            seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            np.testing.assert_allclose(boxes[0] * 192, seen, atol=1.01)
            shapes.add(tuple(seen))
        assert len(shapes) > 10

    def test_what_is_mostly_outside_is_none(self) -> None:
        boxes = np.array([[0.0, 0.0, 8.0, 8.0], [150.0, 110.0, 170.0, 130.0]])
        found = [
            cropped(np.zeros((240, 320, 3), np.uint8), boxes, 96, np.random.default_rng(seed))[2]
            for seed in range(20)
        ]
        assert all(kept[1] for kept in found)
        assert 0 < sum(kept[0] for kept in found) < 20


class TestModel:
    def test_both_embedded_models_are_found(self) -> None:
        assert EMBEDDED == ("scenes", "signs")

    def test_map_on_the_shipped_validation_set(self) -> None:
        """Good enough to show, hard enough that an int8 build has something to lose."""
        model, images = Model.load(embedded("scenes")), ImageSet.load(image_folder("scenes", "val"))
        session = onnxruntime.InferenceSession(str(embedded("scenes")), providers=["CPUExecutionProvider"])
        rows = []
        for seen in images.all_pixels(model.preprocessing):
            inputs = (seen.astype(np.float32).transpose(0, 3, 1, 2) - 127.5) / 127.5
            scores, boxes = session.run(["scores", "boxes"], {"input": inputs})
            rows.append(np.concatenate([scores.ravel(), boxes.ravel()]))
        answers = model.task.comparable(np.stack(rows), model.output)
        told = model.task.truth(images, answers.shape[1])
        assert told is not None
        assert 0.80 <= model.task.quality(answers, told) <= 0.97

    def test_the_layers_are_the_zoos(self) -> None:
        model, built = onnx.load(embedded("scenes")), DETECTOR.model()
        onnx.checker.check_model(model, full_check=True)
        assert list(model.graph.node) == list(built.graph.node)
        assert list(model.graph.output) == list(built.graph.output)
        assert [(t.name, t.dims) for t in model.graph.initializer] == [
            (t.name, t.dims) for t in built.graph.initializer
        ]
        assert cost(model) == cost(built)

    def test_the_weights_are_sound(self) -> None:
        for item in onnx.load(embedded("scenes")).graph.initializer:
            array = onnx.numpy_helper.to_array(item)
            assert np.isfinite(array).all(), item.name
            assert (array >= 0).all() or not item.name.endswith("variance"), item.name

    def test_torch_and_the_shipped_graph_agree(self) -> None:
        torch = pytest.importorskip("torch")
        from edgenet.zoo.in_torch import function

        model = onnx.load(embedded("scenes"))
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        images = np.random.default_rng(0).uniform(-1, 1, (2, 3, 192, 192)).astype(np.float32)
        with torch.no_grad():
            scores, boxes = function(model.graph, ("scores", "boxes"))({}, torch.from_numpy(images))
        for index, image in enumerate(images):
            own = session.run(["scores", "boxes"], {"input": image[None]})
            np.testing.assert_allclose(own[0][0], scores[index], atol=1e-4)
            np.testing.assert_allclose(own[1][0], boxes[index], atol=1e-3)

    def test_the_card_is_the_detectors(self) -> None:
        card = read_card(embedded("scenes").with_suffix(".toml"))
        assert card.task.labels == CLASSES
        assert card.preprocessing.size == (DETECTOR.resolution,) * 2
        told, built = dict(card.task.settings["detection"]), DETECTOR.settings()
        np.testing.assert_array_equal(anchors_of(told.pop("anchors")), anchors_of(built.pop("anchors")))
        assert {key: told[key] for key in built} == built


def test_nothing_but_training_needs_torch() -> None:
    code = """
import sys
sys.modules["torch"] = None
import edgenet.zoo.scenes.dataset, edgenet.zoo.scenes.train
edgenet.zoo.scenes.dataset.picture("val", 0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
