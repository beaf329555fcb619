"""Filling the wheelhouse: which systems, which runtimes, and that a deploy then needs no network."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgenet.devices import first_use
from edgenet.devices import wheelhouse as kept
from edgenet.devices.candidates import candidates
from edgenet.devices.first_use import take
from edgenet.devices.platform import Platform
from edgenet.devices.wheelhouse import fetch
from edgenet.errors import DeviceError, LibraryError
from edgenet.facts import Facts
from edgenet.library import names
from edgenet.steps.wheelhouse import build, platform, platforms
from edgenet.target import Target
from tests.boards import recorded


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A package index that has everything but LiteRT; says what was asked for."""
    asked: list[str] = []

    def download(pins: Sequence[str], platform: Platform, folder: Path) -> None:
        asked.append(f"{pins[0]} {platform.python}")
        if pins[0].startswith("ai-edge-litert"):
            raise DeviceError("cannot fetch it", "connect")
        for pin in pins:
            (folder / f"{pin.replace('==', '-')}-py3-none-any.whl").write_bytes(bytes(500_000))

    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "_download", download)
    monkeypatch.setattr(kept, "_forged", lambda _: None)  # what the index of this test has is nobody's wheel
    return asked


def test_systems_of_a_target() -> None:
    assert platforms(Target.load("raspberry-pi-4")) == [
        Platform("3.11", "aarch64", "2.36"),
        Platform("3.13", "aarch64", "2.41"),
    ]
    for name in names("target"):
        if name.startswith(("raspberry", "jetson")):
            assert platforms(Target.load(name)), name
    with pytest.raises(LibraryError, match="give python= and machine= instead"):
        platforms(Target.load("local"))


def test_what_is_built_is_found_offline(index: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = build(platforms(Target.load("raspberry-pi-4")), ["onnxruntime"])
    assert [(row.python, row.runtime, row.size_mb) for row in rows] == [
        ("3.11", "onnxruntime==1.31.1", 2.0),
        ("3.11", "onnxruntime==1.16.3", 2.0),
        ("3.13", "onnxruntime==1.31.1", 2.0),
    ]
    assert len(index) == 3
    for name in ("pi-4", "pi-5"):
        facts = Facts.from_table(json.loads((recorded.HERE / name / "process.json").read_text()))
        pin = candidates("onnxruntime", facts)[0]
        assert len(fetch(pin.wheels, pin.platform, offline=True)) == 4
    assert len(index) == 3


def test_what_cannot_be_had_is_said(index: list[str]) -> None:
    rows = build([platform("3.11", "aarch64"), platform("3.6", "aarch64")], ["tflite"])
    reasons = {(row.python, row.runtime): row.why for row in rows}
    assert reasons["3.11", "ai-edge-litert==2.3.0"] == "cannot fetch it"
    assert reasons["3.11", "tflite-runtime==2.14.0"] == ""
    assert "no wheels for Python 3.6" in reasons["3.6", ""]
    with pytest.raises(DeviceError, match="nothing was fetched: no runtime for tflite fits"):
        build([platform("3.6", "aarch64")], ["tflite"])


def test_command_needs_to_know_the_board() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edgenet", "wheelhouse"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--python" in done.stderr


def test_what_a_runtime_needs_of_the_board_comes_from_the_user_s_index(
    index: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is there, offline, for a board that lacks it."""
    cpython = {"python_implementation": "cpython", "python": "3.11.2", "python_bits": 32}
    facts = Facts.from_table(
        {"cores": 4, "system": "Linux", "machine": "aarch64", "glibc": "2.36", **cpython}
    )
    here = platform("3.11", "armv7l")
    assert [row.size_mb for row in build([here], ["tflite"])] == [0.5]
    with pytest.raises(DeviceError, match="imports numpy"):
        candidates("tflite", facts)

    def download(needs: Sequence[str], platform: Platform, folder: Path, **_: object) -> None:
        assert needs == ["numpy>=1.23.2,<2"]
        (folder / "numpy-1.26.4-cp311-cp311-linux_armv7l.whl").write_bytes(bytes(700_000))

    monkeypatch.setattr(first_use, "download", download)
    monkeypatch.setenv("EDGENET_INDEX", "https://example.invalid/simple")
    assert [row.size_mb for row in build([here], ["tflite"])] == [1.2]
    monkeypatch.delenv("EDGENET_INDEX")
    (pin,) = candidates("tflite", facts)
    assert [path.name for path in take([need.text for need in pin.lacking], pin.platform, None)] == [
        "numpy-1.26.4-cp311-cp311-linux_armv7l.whl"
    ]
