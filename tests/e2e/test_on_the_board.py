"""docs/on-the-board.md: the program that it shows runs on what was deployed, before and after a switch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgenet.bundle import Bundle
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.rollback import rollback
from tests.conftest import CHEAP
from tests.house.test_docs import blocks

PAGE = "docs/on-the-board.md"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home directory, whose ``.edgenet`` this machine's agent uses."""
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EDGENET_HOME", str(tmp_path / ".edgenet"))
    return tmp_path


def built(model, photos: Path, backend: str, precision: str) -> Bundle:
    return compile(model, "local", backend, precision, CHEAP, calibration=photos).bundle


def said(program: str, home: Path) -> str:
    """What a program prints, in a Python that knows nothing of edgenet."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_program_of_the_page(home: Path, model, photos: Path) -> None:
    program, onnx = blocks(PAGE, "python")
    first, second = (built(model, photos, "tflite", precision) for precision in ("int8", "fp32"))
    deploy(first, "local")
    assert said(program, home).split()[0] == first.name
    deploy(second, "local")
    assert said(program, home).split()[0] == second.name
    rollback("local")
    assert said(program, home).split()[0] == first.name

    other = built(model, photos, "onnxruntime", "fp32")
    deploy(other, "local")
    head, _, tail = program.partition("from ai_edge_litert")
    feed = next(line for line in tail.splitlines() if line.startswith("pixels"))
    assert said(f"{head}{feed}\n{onnx}{program.splitlines()[-1]}\n", home).split()[0] == other.name


def test_the_units_watch_what_a_switch_writes(home: Path, model, photos: Path) -> None:
    units = "".join(blocks(PAGE, "ini"))
    (watched,) = [line.partition("=")[2] for line in units.splitlines() if line.startswith("PathChanged=")]
    made = built(model, photos, "tflite", "fp32")
    deploy(made, "local")
    assert Path(watched.replace("%h", str(home))).read_text() == made.digest + "\n"
