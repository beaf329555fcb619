"""The embedded model and its image sets, as they ship."""

from __future__ import annotations

import csv
import hashlib
import io
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from PIL import Image

from edgenet.graph.cost import cost
from edgenet.library import image_folder
from edgenet.packed import unpack
from edgenet.zoo import embedded, mobilenet_v1
from edgenet.zoo.mobilenet_v1 import weight_shapes
from edgenet.zoo.signs import ALPHA, LABELS, RESOLUTION
from edgenet.zoo.signs.dataset import COUNTS, SEEDS, label, picture, write
from edgenet.zoo.signs.faces import face, main
from edgenet.zoo.signs.render import photograph

ARCHIVE = Path(__file__).resolve().parents[2] / "calibration" / "sets" / "signs.zip"
SETS = image_folder("signs", "val").parent
SPLITS = ("calib", "val")


def _rows(split: str) -> list[dict[str, str]]:
    with (SETS / split / "labels.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def _pixels(data: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (128, 128))
    return np.asarray(image, np.float32)


def folder_digest(folder: Path) -> str:
    """As ``LC_ALL=C sha256sum * | sha256sum`` says it inside the folder."""
    files = sorted(folder.iterdir())
    lines = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    """The whole validation set as the network sees it: float32 [n, 3, 96, 96]."""
    images = [
        Image.open(SETS / "val" / row["file"]).resize((RESOLUTION, RESOLUTION), Image.Resampling.BILINEAR)
        for row in _rows("val")
    ]
    return (np.stack([np.asarray(image, np.float32) for image in images]) / 127.5 - 1).transpose(0, 3, 1, 2)


@pytest.fixture(scope="module")
def logits(inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(embedded()), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["logits"], {"input": image[None]})[0] for image in inputs])


@pytest.mark.parametrize("split", SPLITS)
def test_the_first_shipped_pictures_can_be_drawn_again(split: str) -> None:
    """Close, not equal: releases of Pillow and libjpeg differ by a few levels."""
    for index, row in enumerate(_rows(split)[:10]):
        shipped, drawn = _pixels((SETS / split / row["file"]).read_bytes()), _pixels(picture(split, index))
        difference = np.abs(shipped - drawn)
        assert difference.mean() < 2
        assert np.quantile(difference, 0.99) < 12


def test_the_same_seed_gives_the_same_pixels() -> None:
    assert photograph((7, 1), 0) == photograph((7, 1), 0)
    assert np.abs(_pixels(photograph((7, 1), 0)) - _pixels(photograph((7, 2), 0))).mean() > 2


@pytest.mark.parametrize("split", SPLITS)
def test_labels_are_complete_and_balanced(split: str) -> None:
    rows = _rows(split)
    assert list(rows[0]) == ["file", "class_index", "class_name"]
    assert len(rows) == COUNTS[split]
    assert sorted(row["file"] for row in rows) == sorted(p.name for p in (SETS / split).glob("*.jpg"))
    for index, row in enumerate(rows):
        expected = label(split, index)
        assert (int(row["class_index"]), row["class_name"]) == (expected, LABELS[expected])
    counts = np.bincount([int(row["class_index"]) for row in rows], minlength=len(LABELS))
    assert np.ptp(counts) <= 1


def test_no_picture_is_in_two_splits() -> None:
    assert len(set(SEEDS.values())) == len(SEEDS) == 3
    digests = [hashlib.sha256(p.read_bytes()).hexdigest() for s in SPLITS for p in (SETS / s).glob("*.jpg")]
    assert len(set(digests)) == len(digests) == sum(COUNTS.values())


def test_the_manifest_holds() -> None:
    manifest = tomllib.loads((SETS / "manifest.toml").read_text())
    assert manifest["name"] == "signs"
    assert manifest["licence"] == "Apache-2.0"
    assert tuple(manifest["labels"]) == LABELS
    for split in SPLITS:
        table = manifest[split]
        assert (table["count"], table["seed"]) == (COUNTS[split], SEEDS[split])
        assert table["sha256"] == folder_digest(SETS / split)


def test_the_sets_stay_small() -> None:
    assert ARCHIVE.stat().st_size < 5_000_000
    assert embedded().stat().st_size < 1_100_000


def test_writing_a_set(tmp_path: Path) -> None:
    write(tmp_path / "a.zip", {"calib": 3, "val": 11})
    write(tmp_path / "b.zip", {"calib": 3, "val": 11})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    unpack(tmp_path / "a.zip", tmp_path / "a")
    assert len(list((tmp_path / "a" / "val").glob("*.jpg"))) == 11
    assert (tmp_path / "a" / "val" / "labels.csv").read_text().splitlines()[-1] == "0010.jpg,0,stop"
    manifest = tomllib.loads((tmp_path / "a" / "manifest.toml").read_text())
    assert manifest["calib"]["sha256"] == folder_digest(tmp_path / "a" / "calib")


def test_top_1_on_the_shipped_validation_set(logits: np.ndarray) -> None:
    """Easy enough to be right, hard enough that an int8 build has something to lose."""
    truth = np.array([int(row["class_index"]) for row in _rows("val")])
    assert 0.90 <= (logits.argmax(1) == truth).mean() <= 0.98
    for index in range(len(LABELS)):
        assert (logits.argmax(1)[truth == index] == index).mean() > 0.75


def test_the_layers_are_the_zoos() -> None:
    model, built = onnx.load(embedded()), mobilenet_v1(ALPHA, RESOLUTION, len(LABELS))
    onnx.checker.check_model(model, full_check=True)
    assert list(model.graph.node) == list(built.graph.node)
    assert (model.graph.input, model.graph.output) == (built.graph.input, built.graph.output)
    assert [(t.name, t.dims) for t in model.graph.initializer] == [
        (t.name, t.dims) for t in built.graph.initializer
    ]
    assert cost(model) == cost(built)


def test_the_weights_are_sound() -> None:
    weights = {t.name: numpy_helper.to_array(t) for t in onnx.load(embedded()).graph.initializer}
    for name, array in weights.items():
        assert np.isfinite(array).all(), name
        if name.endswith("variance"):
            assert (array >= 0).all(), name


def test_torch_and_the_shipped_graph_agree(inputs: np.ndarray, logits: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    from edgenet.zoo.signs.train import forward

    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(embedded()).graph.initializer}
    weights = {name: torch.from_numpy(stored[name].copy()) for name in weight_shapes(ALPHA, len(LABELS))}
    with torch.no_grad():
        answers = forward(weights, torch.from_numpy((inputs[:100] + 1) * 127.5)).numpy()
    np.testing.assert_allclose(answers, logits[:100], atol=1e-3)


def test_the_card_beside_the_model() -> None:
    card = tomllib.loads(embedded().with_suffix(".toml").read_text())
    assert (card["task"], card["output"], tuple(card["labels"])) == ("classification", "logits", LABELS)
    assert card["preprocessing"] == {
        "size": [RESOLUTION, RESOLUTION],
        "color": "rgb",
        "resize": "stretch",
        "interpolation": "bilinear-antialias",
        "mean": [127.5] * 3,
        "std": [127.5] * 3,
    }


def test_left_and_right_are_mirror_images() -> None:
    left, right = (np.asarray(face(LABELS.index(name))) for name in ("turn left", "turn right"))
    assert np.abs(left.astype(int) - right[:, ::-1]).mean() < 1


def test_faces_can_be_printed(tmp_path: Path) -> None:
    main([str(tmp_path)])
    assert sorted(path.stem.replace("_", " ") for path in tmp_path.iterdir()) == sorted(LABELS[:-1])
    with Image.open(tmp_path / "stop.png") as image:
        assert image.size == (1024, 1024)


def test_nothing_but_training_needs_torch() -> None:
    code = """
import sys
sys.modules["torch"] = None
import edgenet.zoo.signs.dataset, edgenet.zoo.signs.train
edgenet.zoo.signs.dataset.picture("val", 0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
