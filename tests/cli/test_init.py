"""The command `edgenet init`: what it prints, its JSON, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenet.cli.main import _run
from tests.original.files import network
from tests.painted import saved


def test_the_page_says_what_was_read_and_what_is_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path, network())
    assert _run(["init", str(path)]) == 0
    out = capsys.readouterr().out
    assert "painted.toml  read from the file: output, size" in out
    assert 'open: color, mean, std, resize, resize_to, interpolation; answer each "?"' in out
    assert _run(["compile", str(path), "--target", "raspberry-pi-4", "--precision", "fp32"]) == 1
    err = capsys.readouterr().err
    assert "color is an open question" in err
    assert _run(["init", str(path), "--like", "keras", "--force"]) == 0
    assert f"next: edgenet compile {path}" in capsys.readouterr().err


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["init", str(saved(tmp_path, network())), "--like", "keras", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["open"] == []
    assert table["answers"]["mean"] == [127.5] * 3
    assert table["from"]["mean"] == "as keras"
    assert table["proposals"] is None


def test_accept_without_images_is_a_matter_of_usage(tmp_path: Path) -> None:
    assert _run(["init", str(saved(tmp_path, network())), "--accept"]) == 2


def test_a_missing_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["init", str(tmp_path / "none.onnx")]) == 1
    assert "cannot be read" in capsys.readouterr().err
