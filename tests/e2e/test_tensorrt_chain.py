"""compile → deploy (the board finishes) → profile with TensorRT, on a board that is a double.

The driver is a small C library and TensorRT the recording double, whose engines run in ONNX Runtime: this
proves that every part of edgenet fits the next one, for each generation's API; it says nothing of a GPU.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgenet.bundle import Bundle
from edgenet.errors import DeviceError, PlanError
from edgenet.model import Model
from edgenet.protocol import Protocol
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.profile import profile
from tests.conftest import CHEAP
from tests.pythons import python_with

HERE = Path(__file__).parent
Board = Callable[..., None]
SHORT = Protocol("short", "No figure counts here", 0.0, 0.0, 2, 5.0, 1, True, 0.0, layers_s=0.1)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``libcuda.so.1`` and ``tensorrt``."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler here to make the double of the driver")
    folder = tmp_path_factory.mktemp("jetson")
    command = [compiler, "-shared", "-fPIC", "-o", str(folder / "libcuda.so.1"), str(HERE / "libcuda.c")]
    subprocess.run(command, check=True)
    shutil.copy(HERE / "tensorrt_board.py", folder / "tensorrt.py")
    shutil.copy(HERE.parent / "agent" / "trt_double.py", folder)
    return folder


@pytest.fixture
def board(parts: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    """Gives this machine a GPU and a TensorRT; called again, an upgrade."""

    def have(version: str, free_mb: int = 4000) -> None:
        monkeypatch.setattr(sys, "executable", python_with(parts, parts / "python"))
        monkeypatch.setenv("LD_LIBRARY_PATH", str(parts))
        monkeypatch.setenv("DOUBLE_TENSORRT", version)
        monkeypatch.setenv("DOUBLE_FREE_MB", str(free_mb))

    return have


def bundle(model: Model, photos: Path, target: str, precision: str) -> Bundle:
    recipe = CHEAP if precision == "int8" else None
    return compile(model, target, "tensorrt", precision, recipe, calibration=photos).bundle


@pytest.mark.parametrize(
    ("version", "target", "precision"),
    [
        ("8.2.1.8", "jetson-nano", "fp16"),
        ("8.5.2.2", "jetson-xavier-nx", "int8"),
        ("8.5.2.2", "jetson-orin-nano", "fp16"),
        ("10.3.0.30", "jetson-orin-nano", "int8"),
        ("10.16.0", "jetson-agx-thor", "fp32"),
        ("11.4.1", "jetson-agx-orin", "fp16"),
    ],
)
def test_the_chain(
    model: Model, photos: Path, board: Board, version: str, target: str, precision: str
) -> None:
    made = bundle(model, photos, target, precision)
    board(version)
    told = []
    done = deploy(made, "local", lambda stage, *_: told.append(stage))
    assert done.runtime == f"tensorrt {version}"
    assert done.finished is not None
    assert (done.finished.cached, done.finished.gpu, done.finished.sm) == (
        False,
        "Double GPU",
        "8.7",
    )
    assert ("building the engine there (steps)" in told) is not version.startswith("8")
    again = deploy(made, "local")
    assert again.finished is not None
    assert again.finished.cached
    report = profile(made, "local", SHORT)
    assert report.memory_mb.gpu == pytest.approx(1.048576, abs=1e-3)
    (layer,) = report.layers
    assert (layer.artifact, layer.op, layer.ms) == ("conv", "Convolution", 0.5)
    kernel = report.drift.stages.kernel
    assert kernel.agreement == 1.0
    assert report.drift.stages.preprocess.identical == 12
    if precision != "fp16":  # generation 8 gets fp16 as a flag, which the double ignores
        assert kernel.max_difference < 1e-3


def test_an_upgrade_between_deploy_and_profile(model: Model, photos: Path, board: Board, home: Path) -> None:
    made = bundle(model, photos, "jetson-xavier-nx", "fp16")
    board("8.2.1.8")
    deploy(made, "local")
    board("8.5.2.2")
    assert profile(made, "local", SHORT).drift.agreement == 1.0
    assert len(list((home / "engines").glob("*.engine"))) == 1
    done = deploy(made, "local")
    assert done.finished is not None
    assert done.finished.cached


def test_too_little_memory_leaves_the_old_deployment(
    model: Model, photos: Path, board: Board, home: Path
) -> None:
    board("8.2.1.8")
    deploy(bundle(model, photos, "jetson-nano", "fp32"), "local")
    before = os.readlink(home / "deployments" / "current")
    board("8.2.1.8", free_mb=100)
    with pytest.raises(DeviceError, match="100 MB are free"):
        deploy(bundle(model, photos, "jetson-nano", "fp16"), "local")
    assert os.readlink(home / "deployments" / "current") == before


@pytest.mark.parametrize("version", ["7.1.3.0", "9.3.0", "12.0.1"])
def test_another_tensorrt_is_refused(model: Model, photos: Path, board: Board, version: str) -> None:
    made = bundle(model, photos, "jetson-nano", "fp16")
    board(version)
    with pytest.raises(DeviceError, match="outside 8.2 to 8.6, 10 and 11"):
        deploy(made, "local")


def test_a_board_of_another_generation(model: Model, photos: Path, board: Board) -> None:
    made = bundle(model, photos, "jetson-nano", "fp16")
    board("10.3.0.30")
    with pytest.raises(DeviceError, match="compiled for TensorRT 8, the board has tensorrt 10.3.0.30"):
        deploy(made, "local")


def test_the_missing_driver_is_named(
    model: Model, photos: Path, board: Board, parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bundle(model, photos, "jetson-nano", "fp16")
    board("8.2.1.8")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    with pytest.raises(DeviceError, match=r"libcuda\.so\.1"):
        deploy(made, "local")


def test_no_tensorrt(model: Model, photos: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bundle(model, photos, "jetson-nano", "fp16")
    with pytest.raises(DeviceError, match=r"has no tensorrt|libcuda\.so\.1"):
        deploy(made, "local")


def test_int8_is_refused_before_any_work(model: Model) -> None:
    with pytest.raises(PlanError, match="int8") as caught:
        compile(model, "jetson-tx2-nx", "tensorrt", "int8")
    assert "fp32 or fp16" in caught.value.remedy
