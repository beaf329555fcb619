"""What is known to fail is asked for before anything is sent."""

from __future__ import annotations

import json
import platform
from pathlib import Path

from edgenet.steps.compile import compile
from tests.cli.test_foreign_text import run

GLIBC = {"system": "Linux", "python_implementation": "cpython", "python_bits": 64, "glibc": "2.36"}


def test_a_home_without_exec_is_told_before_anything_is_sent(tmp_path: Path, model_file: Path) -> None:
    bundle = compile(model_file, "local", "onnxruntime", "fp32").write(tmp_path / "b.edgenet")
    facts = {**GLIBC, "machine": platform.machine(), "python": "3.11.2", "cores": 4, "noexec": True}
    board = tmp_path / "board.json"
    # Whatever is asked beside the facts is answered with an error, so nothing can have been sent.
    answers = {"probe": [{"ok": True, "facts": facts}], "error": {"what": "asked for more"}}
    board.write_text(json.dumps(answers))
    code, text = run("deploy", bundle, "--device", "pi", board=board)
    assert code == 1
    assert "mounted noexec" in text
    assert "EDGENET_HOME" in text
    assert "asked for more" not in text
    facts["runtimes"] = {"onnxruntime": "1.20"}
    board.write_text(json.dumps(answers))
    assert "asked for more" in run("deploy", bundle, "--device", "pi", board=board)[1]


def test_what_a_runtime_imports_and_the_board_lacks_is_told_before_anything_is_sent(
    tmp_path: Path, model_file: Path
) -> None:
    """32-bit Raspberry Pi OS on its 64-bit kernel, without numpy, with it, and with one that is too new."""
    bundle = compile(model_file, "raspberry-pi-4", "tflite", "fp32").write(tmp_path / "b.edgenet")
    system = {"python": "3.11.2", "python_executable": "/usr/bin/python3", "os": "Raspbian GNU/Linux 12"}
    facts = {**GLIBC, **system, "machine": "aarch64", "python_bits": 32, "cores": 4}
    board = tmp_path / "board.json"
    for packages, words in (
        (
            {},
            "imports numpy, which the board's Python does not have",
        ),
        ({"numpy": "2.2.4"}, "needs numpy>=1.23.2,<2, and the board's own is 2.2.4"),
        ({"numpy": "1.24.2"}, "asked for more"),
    ):
        answers = {
            "probe": [{"ok": True, "facts": {**facts, "packages": packages}}],
            "error": {"what": "asked for more"},
        }
        board.write_text(json.dumps(answers))
        code, text = run("deploy", bundle, "--device", "pi", board=board)
        assert code == 1
        assert words in " ".join(text.split())
        assert ("sudo apt install python3-numpy" in " ".join(text.split())) == (not packages)
        assert ("asked for more" in text) == (packages == {"numpy": "1.24.2"})
