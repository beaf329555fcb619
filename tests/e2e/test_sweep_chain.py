"""A sweep of trained files from the command line to the answer, through a real sshd."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from edgenet.cli.main import _run
from edgenet.devices.connect import connect
from edgenet.report import Report
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.swept import Sweep
from edgenet.zoo import mobilenet_v1
from tests import sshd
from tests.conftest import CARD, CHEAP, CLASSES, SIZE, lively

RULES = """
name = "{name}"
summary = "As short as it can be"
warmup_s = 0.0
min_seconds = 0.05
min_runs = 3
max_seconds = 5.0
threads = 0
pipeline = true
cooldown_s = 0.0
pipeline_s = {seconds}
"""


@pytest.fixture
def board(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sshd.Board]:
    if reason := sshd.missing():
        pytest.skip(reason)
    with sshd.start(tmp_path / "board", {"EDGENET_PYTHON": sys.executable}) as running:
        monkeypatch.setenv("EDGENET_SSH", running.ssh)
        yield running


@pytest.fixture
def networks(tmp_path: Path) -> list[str]:
    """Two MobileNetV1 of one set of labels, 0.25 and 0.5 wide."""
    paths = [tmp_path / f"net-{alpha}.onnx" for alpha in (0.25, 0.5)]
    for path, alpha in zip(paths, (0.25, 0.5), strict=True):
        onnx.save(lively(mobilenet_v1(alpha, SIZE, CLASSES, seed=3)), path)
        path.with_suffix(".toml").write_text(CARD)
    return [str(path) for path in paths]


@pytest.fixture
def options(tmp_path: Path, photos: Path) -> list[str]:
    told = [
        "--calibration",
        str(photos),
        "--val",
        str(photos),
        "--recipe",
        CHEAP,
        "-o",
        str(tmp_path / "out"),
    ]
    for name, seconds in (("screen", 0.05), ("long", 0.3)):
        path = tmp_path / f"{name}.toml"
        path.write_text(RULES.format(name=name, seconds=seconds))
        told += [f"--{name}", str(path)]
    return [*told, "--precision", "int8", "--backend", "tflite", "--frame", "160x120", "--fps", "1"]


def test_the_answer_over_ssh(
    board: sshd.Board,
    networks: list[str],
    options: list[str],
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And what the board has deployed stays what it was."""
    own = compile(networks[0], "local", "tflite", "fp32").bundle
    deploy(own, sshd.ALIAS)
    asked = ["sweep", *networks, *options, "--device", sshd.ALIAS]
    assert _run([*asked, "--json"]) == 0
    found = Sweep.from_table(json.loads(capsys.readouterr().out), "stdout")
    assert found.to_table() == Sweep.load(tmp_path / "out" / "sweep.json").to_table()
    (answer,) = found.answers
    cells = {cell.key: cell for cell in found.cells}
    chosen = cells[str(answer.key)]
    assert chosen.best_accuracy == max(cell.best_accuracy or 0 for cell in found.cells)
    assert (chosen.state, chosen.identical, chosen.device) == ("sustained", True, sshd.ALIAS)
    report = Report.load(tmp_path / "out" / str(chosen.report))
    assert report.frame == found.frame == "jpeg 160x120"
    assert report.pipeline_ms is not None
    assert report.pipeline_ms.p99 == chosen.p99_ms == answer.p99_ms
    assert (
        report.drift.best == chosen.top1.value if chosen.top1 else None
    )  # measured here, and so it is there
    with connect(sshd.ALIAS) as agent:
        assert agent.deployments().current == own.digest
    assert _run(asked) == 0  # nothing is done again, and what people see
    told = capsys.readouterr()
    assert answer.sentence in told.out
    bundle = tmp_path / "out" / str(chosen.bundle)
    assert f"next: edgenet deploy {bundle} --device {sshd.ALIAS}" in told.err
    assert Sweep.load(tmp_path / "out" / "sweep.json").cells == found.cells


def test_a_dry_run_builds_nothing(
    networks: list[str], options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["sweep", *networks, *options, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "2 bundles to build, which share 2 quantizations" in told
    assert "local: at most 2 cells timed" in told
    assert not list((tmp_path / "out").glob("**/*"))


def test_what_is_refused_before_any_work(
    networks: list[str],
    options: list[str],
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "a.ppm").write_bytes((photos / "00.ppm").read_bytes())
    other = tmp_path / "other.onnx"
    onnx.save(lively(mobilenet_v1(0.25, SIZE, CLASSES, seed=3)), other)
    names = ", ".join(f'"n{index}"' for index in range(CLASSES))
    other.with_suffix(".toml").write_text(f"labels = [{names}]\n{CARD}")
    for more, told in (
        (["--val", str(bare)], "without labels every model is held to its own float form"),
        ([str(other)], "tell other labels apart"),
        (["v1"], "measured accuracy and published accuracy are not comparable"),
        (["--precision", "int4"], "there is no precision 'int4'"),
        (["--backend", "onnx"], "there is no backend 'onnx'"),
        (["--long", "sustained"], "measures no pipeline"),
        ([networks[0]], "two models are called net-0.25"),
    ):
        assert _run(["sweep", *networks, *options, *more]) == 1
        assert told in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("**/*.edgenet"))
    assert _run(["sweep", "first-look", networks[0]]) == 1


def test_nothing_that_works_is_a_failure(
    networks: list[str], options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """int8 without calibration images: every cell says so, and so does the exit code."""
    at = options.index("--calibration")
    assert _run(["sweep", *networks, *options[:at], *options[at + 2 :]]) == 1
    assert "int8 needs calibration images" in capsys.readouterr().out
