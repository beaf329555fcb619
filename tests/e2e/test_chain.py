"""The main job end to end: compile → deploy → profile, here and through a real sshd."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenet.bundle import Bundle
from edgenet.devices.connect import connect
from edgenet.errors import ConnectionFailed, ConnectionLost, DeviceError
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.protocol import Protocol
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.profile import profile
from tests import sshd
from tests.conftest import CHEAP

BRIEF = Protocol("brief", "", 0.05, 0.1, 20, 5.0, 1, True, 0.0)
BUILDS = [(backend, precision) for backend in ("onnxruntime", "tflite") for precision in ("fp32", "int8")]


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sshd.Board]:
    """A board behind a real ssh server, whose Python is this one (so it has both runtimes)."""
    if reason := sshd.missing():
        pytest.skip(reason)
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    with sshd.start(tmp_path / "board", {"EDGENET_PYTHON": sys.executable}) as running:
        monkeypatch.setenv("EDGENET_SSH", running.ssh)
        yield running


@pytest.mark.parametrize(("backend", "precision"), BUILDS)
def test_through_ssh(board: sshd.Board, model: Model, photos: Path, backend: str, precision: str) -> None:
    bundle = compile(model, "local", backend, precision, CHEAP, calibration=photos).bundle
    done = deploy(bundle, sshd.ALIAS)
    assert done.changed
    assert done.bytes_sent > len(bundle.artifact)
    report = profile(bundle, sshd.ALIAS, BRIEF, val=photos)
    stages = report.drift.stages
    assert (stages.preprocess.images, stages.preprocess.identical) == (12, 12)
    assert stages.kernel.identical, "the board is this machine: its answers must be the host's"
    assert report.device.name == sshd.ALIAS
    assert report.bundle.digest == bundle.digest
    assert report.fps.model > report.fps.pipeline > 0
    if precision == "fp32":
        assert report.drift.agreement == 1.0
    again = deploy(bundle, sshd.ALIAS)
    assert not again.changed
    assert again.bytes_sent <= 4096, "an unchanged bundle must cost messages only"


def test_local_and_ssh_give_the_same_answers(
    board: sshd.Board, home: Path, model: Model, photos: Path
) -> None:
    bundle = compile(model, "local", "tflite", "int8", CHEAP, calibration=photos).bundle
    figures = []
    for device in ("local", sshd.ALIAS):
        deploy(bundle, device)
        drift = profile(bundle, device, BRIEF, val=photos).drift
        figures.append((drift.top1, drift.agreement, drift.cosine, drift.max_abs, drift.worst))
    assert figures[0] == figures[1]


def test_a_second_bundle_becomes_current_and_the_first_stays(
    board: sshd.Board, model: Model, photos: Path
) -> None:
    first = compile(model, "local", "onnxruntime", "fp32", calibration=photos).bundle
    second = compile(model, "local", "onnxruntime", "int8", CHEAP, calibration=photos).bundle
    deploy(first, sshd.ALIAS)
    deploy(second, sshd.ALIAS)
    with connect(sshd.ALIAS) as agent:
        found = agent.deployments()
    assert found.current == second.digest
    assert {item.digest for item in found.deployments} == {first.digest, second.digest}
    profile(first, sshd.ALIAS, BRIEF)


def test_a_cut_while_profiling_is_one_clear_error_and_the_next_works(
    board: sshd.Board, model: Model, photos: Path
) -> None:
    bundle = compile(model, "local", "onnxruntime", "int8", CHEAP, calibration=photos).bundle
    deploy(bundle, sshd.ALIAS)
    long = Protocol("long", "", 0.1, 30.0, 20, 60.0, 1, False, 0.0)

    def cut() -> None:
        for process in board.sessions():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)

    timer = threading.Timer(2.0, cut)
    timer.start()
    with pytest.raises((ConnectionLost, ConnectionFailed)) as caught:
        profile(bundle, sshd.ALIAS, long)
    timer.join()
    assert caught.value.exit_code == 3
    assert caught.value.remedy
    assert profile(bundle, sshd.ALIAS, BRIEF).fps.model


def bare_python() -> str | None:
    """A Python of this machine that has none of the runtimes."""
    folders = [Path.home() / ".pyenv" / "versions"]
    found = [str(path) for folder in folders for path in sorted(folder.glob("3.1[0-3]*/bin/python3"))]
    found += [path for name in ("python3.11", "python3.12", "python3.13") if (path := shutil.which(name))]
    for python in found:
        probe = subprocess.run(
            [python, "-I", "-c", "import numpy"], capture_output=True, check=False, timeout=60
        )
        if probe.returncode == 1:
            return python
    return None


@pytest.mark.network
@pytest.mark.parametrize("backend", ["onnxruntime", "tflite"])
def test_a_board_without_any_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Model, photos: Path, backend: str
) -> None:
    """Nothing on the board but ssh and a bare Python: the runtime comes as wheels, unpacked without pip."""
    python = bare_python()
    if reason := sshd.missing():
        pytest.skip(reason)
    if python is None:
        pytest.skip("no Python without numpy here")
    with sshd.start(tmp_path / "board", {"EDGENET_PYTHON": python}) as running:
        monkeypatch.setenv("EDGENET_SSH", running.ssh)
        bundle = compile(model, "local", backend, "int8", CHEAP, calibration=photos).bundle
        try:
            done = deploy(bundle, sshd.ALIAS)
        except DeviceError as error:
            if "cannot be fetched" in str(error) or "download" in str(error):
                pytest.skip(f"no package index: {error.what}")
            raise
        assert done.runtime
        report = profile(bundle, sshd.ALIAS, BRIEF, val=photos)
        assert report.drift.stages.preprocess.identical == 12
        assert deploy(bundle, sshd.ALIAS).bytes_sent <= 4096


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "images", "least"),
    [("mobilenet_v1_025_224", "imagenet", 0.6), ("mobilenet_v2_035_224_flowers5", "flowers", 0.9)],
)
@pytest.mark.parametrize("backend", ["onnxruntime", "tflite"])
def test_real_models_through_ssh(
    board: sshd.Board, shared: Path, name: str, images: str, least: float, backend: str
) -> None:
    """Real weights, real photos, a real server; the float artifact must not change a single answer."""
    folder = shared / "data" / images
    calibration = ImageSet.load(folder / "calib").head(64)
    val = ImageSet.load(folder / "val").head(100)
    for precision in ("fp32", "int8"):
        path = shared / "data" / "models" / f"{name}.onnx"
        compiled = compile(path, "local", backend, precision, CHEAP, calibration)
        deploy(compiled.bundle, sshd.ALIAS)
        drift = profile(compiled.bundle, sshd.ALIAS, BRIEF, val=val).drift
        assert drift.labelled
        assert drift.stages.preprocess.identical == 100
        assert drift.stages.kernel.identical
        assert drift.agreement >= (1.0 if precision == "fp32" else least)


def test_the_bundle_is_enough(board: sshd.Board, model: Model, photos: Path, tmp_path: Path) -> None:
    """What profile needs is in the file: the model, its card and its images may be gone."""
    path = compile(model, "local", "onnxruntime", "int8", CHEAP, calibration=photos).write(
        tmp_path / "b.edgenet"
    )
    deploy(path, sshd.ALIAS)
    report = profile(path, sshd.ALIAS, BRIEF)
    assert report.drift.images == len(Bundle.load(path).manifest.golden.images) == 12
    assert report.drift.top1 is None
    assert report.drift.source == "calibration"
