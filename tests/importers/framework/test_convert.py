"""SavedModels and programs of torch.export, converted by another Python; here a program that plays it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from edgenet.errors import ModelError
from edgenet.importer import find_importer
from edgenet.importers import torch
from edgenet.importers.framework import FRAMEWORK_PYTHON
from edgenet.importers.framework.interpreter import find_interpreter

Play = Callable[[str], Path]
# What stands for the framework's Python: asked for its modules it has them, told to convert it does BODY.
PLAYED = """#!{python}
import shutil, sys
if sys.argv[2].startswith("import importlib"):
    sys.exit(0)
source, made = sys.argv[3:]
{body}
"""


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    def make(body: str) -> Path:
        program = tmp_path / "python-with-torch"
        program.write_text(PLAYED.format(python=sys.executable, body=body))
        program.chmod(0o755)
        monkeypatch.setenv(FRAMEWORK_PYTHON, str(program))
        return program

    return make


def read(path: Path) -> onnx.ModelProto:
    reader = find_importer(path)
    assert reader is not None
    return reader(path, (64, 64)).proto


def test_a_program_becomes_what_its_python_exports(play: Play, tmp_path: Path, model_file: Path) -> None:
    play(f"shutil.copy({str(model_file)!r}, made)")
    (tmp_path / "net.pt2").write_bytes(b"PK")
    reader = find_importer(tmp_path / "net.pt2")
    assert reader is not None
    found = reader(tmp_path / "net.pt2", (64, 64))
    assert [node.op_type for node in found.proto.graph.node] == [
        node.op_type for node in onnx.load(model_file).graph.node
    ]
    assert found.notes[0].startswith("converted from a program of torch.export by ")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no such operator: aten::odd')", "ValueError: no such operator: aten::odd"),
        ("raise RuntimeError('no op StatelessRandomUniformV2')", "with augmentation layers"),
        ("sys.exit(3)", "it said nothing"),
        ("sys.exit(0)", "it said nothing"),
        ("print('\\x1b[31mred', file=sys.stderr); sys.exit(1)", "\ufffd[31mred"),
        ("open(made, 'wb').write(b'no onnx')", "not an ONNX file"),
    ],
)
def test_what_its_python_says_is_told_in_one_line(play: Play, tmp_path: Path, body: str, said: str) -> None:
    play(body)
    (tmp_path / "net.pt2").write_bytes(b"PK")
    with pytest.raises(ModelError) as refused:
        read(tmp_path / "net.pt2")
    assert said in str(refused.value)
    assert not {"\n", "\x1b"} & set(str(refused.value))


def test_a_saved_model_is_converted_by_its_folder(play: Play, tmp_path: Path) -> None:
    folder = tmp_path / "flowers"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"")
    play(f"assert source == {str(folder)!r}, source\nassert made.endswith('.tflite')\nraise OSError('seen')")
    for path in (folder, folder / "saved_model.pb"):
        with pytest.raises(ModelError, match="OSError: seen"):
            read(path)


def test_without_a_framework_the_lines_to_run_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenet.importers.framework.convert.find_interpreter", lambda needs: None)
    (tmp_path / "net.pt2").write_bytes(b"PK")
    with pytest.raises(
        ModelError, match=r"torch and onnxscript.*EDGENET_FRAMEWORK_PYTHON.*torch\.onnx\.export\("
    ) as refused:
        read(tmp_path / "net.pt2")
    assert str(tmp_path / "net.pt2") in str(refused.value)


def test_a_pickle_is_never_loaded(play: Play, tmp_path: Path) -> None:
    play("open('ran', 'w')")
    for name in ("net.pt", "net.pth"):
        (tmp_path / name).write_bytes(b"\x80\x04cos\nsystem\n")
        with pytest.raises(ModelError, match=r"weights_only=True.*zeros\(1, 3, 64, 64\)"):
            torch.read(tmp_path / name, (64, 64))


def test_the_named_python_must_be_there_and_have_the_modules(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(FRAMEWORK_PYTHON, str(tmp_path / "none"))
    with pytest.raises(ModelError, match="no such program"):
        find_interpreter(["torch"])
    monkeypatch.setenv(FRAMEWORK_PYTHON, sys.executable)
    with pytest.raises(ModelError, match="-m pip install no_such_module_at_all"):
        find_interpreter(["no_such_module_at_all"])
    assert find_interpreter(["json"]) == sys.executable


def test_the_first_python_that_has_them_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FRAMEWORK_PYTHON, raising=False)
    assert find_interpreter(["json", "email"]) == sys.executable
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("VIRTUAL_ENV", "/nowhere")
    assert find_interpreter(["no_such_module_at_all"]) is None
