"""Whatever text a board, a file or a file's name brings: a terminal gets nothing that it would obey."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest

from edgenet.steps.compile import compile
from edgenet.text import UNPRINTABLE, cause, last_line, plain
from tests import hostile_ssh
from tests.house.tree import ROOT
from tests.reports import report

TITLE = "\x1b]0;owned\x07"
# Each would be obeyed by something: a terminal, rich, a bidi renderer, a line-oriented reader.
EVIL = f"a{TITLE}\x9b31m\u202e[link=http://x][/x]\r\nedgenet: done\x7f\u2066"
MARKUP = "[/x] [link=http://x]y[/link] [bold red]z"


def run(*arguments: Any, board: Path | None = None, tty: bool = False) -> tuple[int, str]:
    """The exit code and all that a command writes: in pipes, or on a terminal."""
    words = [sys.executable, "-m", "edgenet", *map(str, arguments)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200", "NO_COLOR": "1"}
    if board is not None:
        environment["EDGENET_SSH"] = f"{sys.executable} {hostile_ssh.__file__} {board}"
        environment["PYTHONPATH"] = str(ROOT)
    if not tty:
        done = subprocess.run(words, check=False, env=environment, capture_output=True, timeout=60)
        return done.returncode, (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(words, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    found = b""
    try:
        while piece := os.read(ours, 65536):
            found += piece
    except OSError:
        pass  # Linux's way to say that the other end is closed
    os.close(ours)
    return process.wait(120), found.decode("utf-8", "surrogateescape")


def harmless(text: str, tty: bool = False) -> None:
    """Nothing of :data:`EVIL` came through as what it is, and nothing failed over it."""
    assert "Traceback" not in text
    assert "MarkupError" not in text
    assert "owned\x07" not in text
    assert "\x1b]" not in text
    assert not any(line.startswith("edgenet: done") for line in text.splitlines())
    if tty:  # rich and click move the cursor themselves
        text = text.replace("\x1b", "").replace("\r", "")
    assert not UNPRINTABLE.search(text.replace("\n", "")), ascii(text)


TTY = pytest.mark.parametrize("tty", [False, True], ids=["pipe", "terminal"])


def answers(folder: Path, **kinds: Any) -> Path:
    """A hostile board's answers as a file."""
    path = folder / "answers.json"
    path.write_text(json.dumps({"error": {"kind": "run", "what": EVIL, "remedy": EVIL}, **kinds}))
    return path


def facts(**changes: Any) -> dict[str, Any]:
    texts = (
        "machine",
        "os",
        "kernel",
        "board",
        "cpu",
        "governor",
        "shell",
        "python",
        "glibc",
        "python_executable",
    )
    more = dict.fromkeys(("python_implementation", "jetpack", "l4t", "tensorrt", "module", "system"), EVIL)
    found = {**dict.fromkeys(texts, EVIL), **more, "cores": 4, "compatible": [EVIL], "isa": [EVIL]}
    found["absent"] = {EVIL: EVIL, "temperature_c": MARKUP, "throttled": EVIL}
    found["runtimes"], found["runtimes_broken"] = {"onnxruntime": EVIL}, {"tflite": MARKUP}
    return {"ok": True, "facts": {**found, "clusters": [{"cores": [0], "cpu": EVIL}], **changes}}


PROGRESS = {"event": "progress", "stage": EVIL, "done": "x", "of": [EVIL]}
RUNTIMES = {"ok": True, "runtimes": []}
DEPLOYED = {
    "deployments": [{"ok": True, "current": None, "deployments": []}],
    "runtimes": [{"ok": True, "runtimes": []}],
}


@TTY
@pytest.mark.parametrize("command", ["probe", "doctor"])
def test_a_boards_facts_and_progress(command: str, tty: bool, tmp_path: Path) -> None:
    board = answers(tmp_path, probe=[PROGRESS, facts()], **DEPLOYED, banner=EVIL, stderr=EVIL)
    _, text = run(command, "--device", "pi", board=board, tty=tty)
    harmless(text, tty)
    assert "[/x]" in text


@pytest.mark.parametrize("command", ["probe", "doctor"])
@pytest.mark.parametrize(
    "changes",
    [
        {"memory_mb": EVIL},
        {"clock_s": "now"},
        {"temperature_c": []},
        {"absent": []},
        {"runtimes": [1]},
        {"cores": -1},
    ],
)
def test_a_fact_of_another_type_is_named(command: str, changes: dict[str, Any], tmp_path: Path) -> None:
    board = answers(tmp_path, probe=[facts(**changes)], **DEPLOYED)
    code, text = run(command, "--device", "pi", board=board)
    harmless(text)
    assert code == 1
    assert f"the answer of pi: facts.{next(iter(changes))}" in text


@TTY
def test_a_boards_errors(tty: bool, tmp_path: Path, model_file: Path) -> None:
    bundle = compile(model_file, "local", "onnxruntime", "fp32").write(tmp_path / "b.edgenet")
    for command in ("deploy", "profile", "demo"):
        code, text = run(command, bundle, "--device", "pi", board=answers(tmp_path), tty=tty)
        harmless(text, tty)
        assert code == 1


@TTY
def test_a_report(tty: bool, tmp_path: Path) -> None:
    changed = report(device={"name": MARKUP, "target": MARKUP, "facts": {"board": MARKUP, "clock_s": 1e18}})
    table = changed.to_table()
    table["bundle"].update(model=MARKUP, recipe=MARKUP, backend=MARKUP)
    table["layers"] = [
        {"name": MARKUP, "op": MARKUP, "ms": 0.5, "share": 1.0, "gmac_s": None, "gb_s": 2.5, "sqnr_db": 9.0}
    ]
    table["verdict"].update(state=MARKUP, reasons=[MARKUP])
    path = tmp_path / f"{MARKUP.replace('/', '')}{TITLE}.json"
    path.write_text(json.dumps(table))
    for command in (["inspect", path], ["report", path], ["report", path, path], ["compare", path, path]):
        code, text = run(*command, tty=tty)
        harmless(text, tty)
        assert code == 0, text
    table["bundle"]["model"] = EVIL
    path.write_text(json.dumps(table))
    code, text = run("report", path, tty=tty)
    harmless(text, tty)
    assert code == 1


@TTY
def test_a_models_names_and_a_files(tty: bool, tmp_path: Path, model_file: Path) -> None:
    model = onnx.load(model_file)
    model.graph.name = model.doc_string = model.producer_name = EVIL
    node = model.graph.node[0]
    node.name, node.doc_string, node.op_type = EVIL, EVIL, "Elu"
    path = tmp_path / f"{TITLE}[bold]m.onnx"
    onnx.save(model, path)
    path.with_suffix(".toml").write_bytes(model_file.with_suffix(".toml").read_bytes())
    out = tmp_path / "o.edgenet"
    commands = (
        ["inspect", path],
        ["quantize", path],
        ["compile", path, "--target", "local", "--precision", "fp32", "--backend", "tflite", "-o", out],
        ["compile", path, "--target", "local", "--labels", path],
        ["inspect", tmp_path / f"{TITLE}none.onnx"],
        ["compile", path, "--target", MARKUP + EVIL.replace("/", "")],
        [EVIL],
    )
    for command in commands:
        _, text = run(*command, tty=tty)
        harmless(text, tty)


def test_a_name_that_is_no_text(tmp_path: Path, model_file: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff\xfe[x]"
    os.mkdir(folder)
    path = Path(os.fsdecode(folder + b"/m.onnx"))
    path.write_bytes(model_file.read_bytes())
    path.with_suffix(".toml").write_bytes(model_file.with_suffix(".toml").read_bytes())
    code, text = run("inspect", path)
    harmless(text)
    assert code == 0


def test_documents_escape_by_themselves(tmp_path: Path) -> None:
    table = report().to_table()
    table["bundle"].update(model="=cmd|'/C calc'!A0", backend="<script>x</script>")
    table["device"]["name"] = "![p](http://x) @team"
    path = tmp_path / "r.json"
    path.write_text(json.dumps(table))
    rows = list(csv.DictReader(io.StringIO(run("report", path, "--format", "csv")[1])))
    assert rows[0]["model"].startswith("'=")
    assert "<script>x" not in run("report", path, "--format", "html")[1]
    table["bundle"]["model"] = "![p](http://x) @team"
    path.write_text(json.dumps(table))
    text = run("report", path, "--format", "md")[1]
    assert "![p](" not in text
    assert "@team" not in text


def test_a_json_document_keeps_text(tmp_path: Path) -> None:
    board = answers(tmp_path, probe=[facts(shell="a\x7fb\u202e")])
    code, text = run("probe", "--device", "pi", "--json", board=board)
    assert code == 0
    assert not UNPRINTABLE.search(text.replace("\n", ""))
    assert json.loads(text)["cores"] == 4


def test_only_one_file_of_the_command_line_writes() -> None:
    """Everything shown passes through ``edgenet/cli/shared/output.py``, so nothing can be forgotten."""
    import ast

    writers = {"echo", "secho", "print", "write", "Console", "from_markup"}
    for path in sorted((ROOT / "edgenet" / "cli").rglob("*.py")):
        if path.name == "output.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                owner = getattr(getattr(node.func, "value", None), "id", "")
                assert name not in writers or owner in ("report", "made", "compiled"), (
                    f"{path.name}:{node.lineno}: {name}"
                )


def test_the_line_that_tells() -> None:
    numpy = ImportError(
        "\n\nIMPORTANT: PLEASE READ THIS!\n" + "advice\n" * 40 + "Original error was: x.so: failed to map\n"
    )
    outer = ImportError("Error importing numpy: you should not try this")
    outer.__cause__ = numpy
    assert cause(outer) == "Original error was: x.so: failed to map"
    assert cause(ValueError("Nodes must be sorted\nname: x\n==> Context: y")) == "Nodes must be sorted"
    assert cause(KeyError()) == "KeyError"
    assert last_line("a\nb\x1b[0m\n\n \n") == "b\ufffd[0m"
    assert plain({"a\n\nb": ["\x9b", 1, None]}) == {"a b": ["\ufffd", 1, None]}


def test_a_demo_that_tells_something_else_is_told_in_one_line() -> None:
    from edgenet.cli.demo import Terminal, line, show
    from edgenet.devices.seen import State
    from edgenet.errors import DeviceError

    state = {"frame": 1, "budget_ms": {EVIL: 1.0}, "models": [{"name": "m", "top": [[MARKUP, 0.5, 1]]}]}
    assert MARKUP in line(State.from_table(plain(state)))
    nothing = {"frame": 1, "budget_ms": {}, "models": [{"name": "m", "top": [["nothing", 0.0, -1]]}]}
    assert "nothing  " in line(State.from_table(nothing)), "no share of nothing"
    for wrong in (
        {"fps": 7},
        {"models": [3]},
        {"budget_ms": {"pre": "x"}},
        {"models": [{"name": "m", "top": [[1]]}]},
    ):
        with pytest.raises(DeviceError, match="told of the demo"):
            Terminal(quiet=False).tick({**state, **wrong})
    with pytest.raises(DeviceError, match="told of the demo"):
        show({"device": "pi", "seconds": "x"})


def test_a_demo_s_first_second_has_no_figures(capsys: pytest.CaptureFixture[str]) -> None:
    from edgenet.cli.demo import Terminal

    state = {"frame": 1, "budget_ms": {}, "models": []}
    Terminal(quiet=False).tick({**state, "age_ms": 0.0})
    assert capsys.readouterr().err == ""
    Terminal(quiet=False).tick({**state, "age_ms": 3.25})
    assert "3.2 ms old" in capsys.readouterr().err
