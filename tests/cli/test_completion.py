"""What the shell offers, through click's own protocol of completion."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from edgenet.cli.main import cli
from edgenet.library import names


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("Host desk-pi lab-pi *.local\n  User pi\n")
    return tmp_path


def offered(*words: str) -> list[str]:
    *before, last = words
    shell = ShellComplete(cli, {}, "edgenet", "_EDGENET_COMPLETE")
    return [item.value for item in shell.get_completions(before, last)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("compile", "x.onnx", "--target", "jetson-o"), ["jetson-orin-nano", "jetson-orin-nx"]),
        (("compile", "x.onnx", "--recipe", "int8-f"), ["int8-fast"]),
        (("compile", "x.onnx", "--backend", ""), ["onnxruntime", "tensorrt", "tflite"]),
        (("compile", "x.onnx", "--precision", "fp"), ["fp32", "fp16"]),
        (("compile", "x.onnx", "--head", "s"), ["softmax", "sigmoid"]),
        (("compile", "si"), ["signs"]),
        (("deploy", "--device", ""), ["local", "desk-pi", "lab-pi"]),
        (("profile", "--device", "desk"), ["desk-pi"]),
        (("profile", "--protocol", "q"), ["quick"]),
        (("targets", "raspberry-pi-z"), ["raspberry-pi-zero-2w"]),
        (("recipes", "int8-m"), ["int8-minmax", "int8-mixed"]),
        (("protocols", "cold"), ["cold-start"]),
        (("init", "x.onnx", "--like", "ker"), [name for name in names("preset") if name.startswith("ker")]),
        (("quickstart", "--task", "det"), ["detection"]),
        (("sweep", "v3"), ["v3-small", "v3-large"]),
        (("report", "--format", "m"), ["md"]),
        (("help", "comp"), ["compare", "compile"]),
        (("no-such-command", "comp"), ["compare", "compile"]),
        (("qu",), ["quantize", "quickstart"]),
    ],
    ids=" ".join,
)
def test_names(words: tuple[str, ...], expected: list[str]) -> None:
    assert expected
    assert offered(*words) == expected


def test_where_no_name_begins_so_it_may_be_a_file() -> None:
    shell = ShellComplete(cli, {}, "edgenet", "_EDGENET_COMPLETE")
    (item,) = shell.get_completions(["compile", "x.onnx", "--target"], "boards/")
    assert (item.type, item.value) == ("file", "boards/")


def test_through_bash_as_it_is_installed() -> None:
    environment = {**os.environ, "COMP_WORDS": "edgenet recipes int8-a", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "edgenet"],
        env={**environment, "_EDGENET_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "plain,int8-accurate\n"
    assert done.stderr == ""
