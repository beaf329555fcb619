"""What many tests share: a small network, a folder of images, a home for the board of this machine."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import settings

from edgenet.agent.preprocess import encode_ppm
from edgenet.model import Model
from edgenet.zoo import mobilenet_v1
from tests.processors import hide_vnni

SIZE = 64
CLASSES = 5
# The recipe of tests that need some int8 build and do not care how good it is.
CHEAP = "int8-minmax"
CARD = """
task = "classification"
output = "logits"

[preprocessing]
size = [64, 64]
color = "rgb"
resize = "short-side"
resize_to = 72
interpolation = "bilinear-antialias"
mean = [127.5, 127.5, 127.5]
std = [127.5, 127.5, 127.5]
"""


def pytest_configure() -> None:
    hide_vnni()
    settings.register_profile(
        "edgenet", deadline=None
    )  # no unit test is timed, on busy machines least of all
    settings.load_profile("edgenet")
    if "EDGENET_CACHE" not in os.environ:  # workers and programs inherit it: nobody's own cache is touched
        os.environ["EDGENET_CACHE"] = folder = tempfile.mkdtemp(prefix="edgenet-tests-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test has a time limit (pyproject.toml), a longer one where it is known to take long."""
    for item in items:
        long = any(item.get_closest_marker(name) for name in ("slow", "pi", "tensorrt", "shared"))
        if long and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(3600))


def lively(proto: onnx.ModelProto, seed: int = 7) -> onnx.ModelProto:
    """Give a network batch-normalization statistics as training leaves them, so that folding is no no-op."""
    generator = np.random.default_rng(seed)
    for item in proto.graph.initializer:
        if item.name.endswith(("gamma", "variance")):
            values = generator.uniform(0.5, 1.5, item.dims)
        elif item.name.endswith(("beta", "mean")):
            values = generator.normal(0.2, 0.3, item.dims)
        else:
            continue
        item.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float32), item.name))
    return proto


def smooth_images(count: int, seed: int = 0, rows: int = 80, columns: int = 96) -> list[np.ndarray]:
    """Colorful smooth images: uint8 [rows, columns, 3]."""
    generator = np.random.default_rng(seed)
    images = []
    for _ in range(count):
        coarse = generator.uniform(0, 255, (6, 6, 3))
        up = np.kron(coarse, np.ones((rows // 6 + 1, columns // 6 + 1, 1)))[:rows, :columns]
        images.append(np.clip(up + generator.normal(0, 12, up.shape), 0, 255).astype(np.uint8))
    return images


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MobileNetV1 0.25 at 64x64 with five classes and its card, as a user's files."""
    folder = tmp_path_factory.mktemp("model")
    path = folder / "tiny.onnx"
    onnx.save(lively(mobilenet_v1(0.25, SIZE, CLASSES, seed=3)), path)
    path.with_suffix(".toml").write_text(CARD)
    return path


@pytest.fixture(scope="session")
def model(model_file: Path) -> Model:
    return Model.load(model_file)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve labelled images."""
    folder = tmp_path_factory.mktemp("photos")
    rows = ["file,class_index,class_name"]
    for index, image in enumerate(smooth_images(12)):
        (folder / f"{index:02d}.ppm").write_bytes(encode_ppm(image))
        rows.append(f"{index:02d}.ppm,{index % CLASSES},c{index % CLASSES}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(autouse=True)
def no_shared_results(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test computes for itself: what one breaks on purpose is no other's result."""
    folder = tmp_path_factory.mktemp("results")
    monkeypatch.setattr("edgenet.cache._folder", lambda: folder)


@pytest.fixture(autouse=True)
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command line said in this process holds for no other test."""
    monkeypatch.delenv("EDGENET_INDEX", raising=False)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ``~/.edgenet`` for the board that this machine is."""
    monkeypatch.setenv("EDGENET_HOME", str(tmp_path / "edgenet-home"))
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "edgenet-home"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "edgenet-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a small file system here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real models and images, where they are."""
    folder = Path(os.environ.get("EDGENET_SHARED", "../shared")).resolve()
    if not (folder / "data" / "models").is_dir():
        pytest.skip("no real models here (EDGENET_SHARED)")
    return folder
