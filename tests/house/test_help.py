"""Every command helps, with an example, quickly, and with the base dependencies absent from memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import edgenet.cli
from edgenet.cli.main import cli

HEAVY = ("PIL", "cv2", "google.protobuf", "numpy", "onnx", "onnxruntime", "ai_edge_litert", "rich", "torch")
EVERY_COMMAND = pytest.mark.parametrize("name", sorted(cli.commands))


def test_every_file_of_the_folder_is_a_command() -> None:
    files = {path.stem for path in Path(edgenet.cli.__file__).parent.glob("*.py")}
    assert set(cli.commands) == files - {"__init__", "main"}


@EVERY_COMMAND
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_has_an_example_of_the_command(name: str, flag: str) -> None:
    result = CliRunner().invoke(cli, [name, flag], prog_name="edgenet")
    assert result.exit_code == 0
    examples = result.output.partition("Example:\n")[2].partition("\n\n")[0].splitlines()
    assert examples
    assert all(line.strip().startswith(f"edgenet {name}") for line in examples)
    assert f"Usage: edgenet {name}" in result.output


@EVERY_COMMAND
def test_options_say_what_they_do(name: str) -> None:
    options = [item for item in cli.commands[name].params if isinstance(item, click.Option)]
    assert [item.name for item in options if not item.help] == []
    assert "as_json" in {item.name for item in options}, "every command can print one JSON document"


def test_help_imports_nothing_heavy() -> None:
    """All commands' help in one process in which the heavy libraries cannot be imported at all."""
    program = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None
from edgenet.cli.main import _run, cli
for name in ["", *cli.commands]:
    assert _run([name, "--help"] if name else ["--help"]) == 0, name
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage: edgenet") == 1 + len(cli.commands)


def test_importing_edgenet_imports_nothing_else() -> None:
    program = "import sys, json, edgenet; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert [name for name in loaded if name.startswith("edgenet.")] == []
    assert not {*HEAVY, "click"} & set(loaded)


@pytest.mark.parametrize("arguments", [["no-such-command"], ["compile"], ["profile", "--no-such-option"]])
def test_usage_errors_end_with_2(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edgenet", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_version_is_the_package_version() -> None:
    done = subprocess.run([sys.executable, "-m", "edgenet", "-V"], capture_output=True, text=True, check=True)
    assert done.stdout == f"edgenet {edgenet.__version__}\n"
