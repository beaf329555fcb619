"""Every command helps, with an example, quickly, and with the base dependencies absent from memory."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import edgenet.cli
from edgenet.cli.main import cli
from edgenet.pages import DOCS

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


def test_no_example_is_broken_at_80_columns() -> None:
    for name in ("", *cli.commands):
        helped = CliRunner().invoke(cli, [name, "-h"] if name else ["-h"], terminal_width=80).output
        examples = helped.partition("Example:\n")[2].partition("\n\n")[0].splitlines()
        assert [line for line in examples if len(line) > 80] == []


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


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes them")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_failure(closed: str) -> None:
    """As some services start programs."""
    python = shlex.quote(sys.executable)
    done = subprocess.run(
        ["sh", "-c", f"{python} -m edgenet recipes {closed} && ! {python} -m edgenet compile {closed}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "bug" not in done.stderr


def test_version_is_the_package_version() -> None:
    done = subprocess.run([sys.executable, "-m", "edgenet", "-V"], capture_output=True, text=True, check=True)
    assert done.stdout == f"edgenet {edgenet.__version__}\n"


@EVERY_COMMAND
def test_short_help_fits_beside_the_names(name: str) -> None:
    short = cli.commands[name].get_short_help_str(200)
    assert 0 < len(short) <= 45
    assert short.endswith(".")


def test_the_list_of_commands_is_whole_at_80_columns() -> None:
    result = CliRunner().invoke(cli, ["--help"], prog_name="edgenet", terminal_width=80)
    commands = result.output.partition("Commands:\n")[2].splitlines()
    assert len(commands) == len(cli.commands), "one line each"
    assert "..." not in "".join(commands)


def test_on_a_narrow_terminal_no_short_help_is_cut() -> None:
    result = CliRunner().invoke(cli, ["--help"], prog_name="edgenet", terminal_width=50)
    text = " ".join(result.output.partition("Commands:\n")[2].split())
    assert all(item.get_short_help_str(200) in text for item in cli.commands.values())


@EVERY_COMMAND
def test_help_and_the_name_is_the_commands_help(name: str) -> None:
    asked, own = (
        CliRunner().invoke(cli, words, prog_name="edgenet") for words in (["-v", "help", name], [name, "-h"])
    )
    assert (asked.exit_code, asked.output) == (0, own.output)


def test_help_alone_is_that_of_all() -> None:
    asked, own = (CliRunner().invoke(cli, words, prog_name="edgenet") for words in (["help"], ["--help"]))
    assert (asked.exit_code, asked.output) == (0, own.output)
    assert "did you mean compile?" in CliRunner().invoke(cli, ["help", "complie"]).output


@EVERY_COMMAND
def test_every_command_can_be_louder_and_quieter(name: str) -> None:
    names = {flag for item in cli.commands[name].params for flag in item.opts}
    assert {"-v", "--verbose", "-q", "--quiet"} <= names


@EVERY_COMMAND
def test_a_help_names_no_file_of_the_checkout(name: str) -> None:
    """A wheel brings no docs/: pages are named by their address."""
    assert "docs/" not in CliRunner().invoke(cli, [name, "--help"]).output.replace(DOCS, "")


@EVERY_COMMAND
def test_every_command_says_what_comes_next(name: str) -> None:
    module = Path(edgenet.cli.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    assert re.search(r"\b(say_next|say_hint|next_steps)\(", module)
