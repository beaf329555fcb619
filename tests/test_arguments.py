"""Remedies name options where a shell reads them and arguments where Python does; none is left out."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import edgenet
from edgenet.arguments import in_python
from edgenet.cli.main import cli
from edgenet.errors import DataError, PlanError
from edgenet.steps.compare import Gates
from tests.house.tree import ROOT, parsed, sources

OPTION = re.compile(r"(?<![\w-])--[a-z]")
ARGUMENT = re.compile(r"\b([a-z_]+)=")
COMMAND = re.compile(r"(?:edgenet [a-z]|python3? -m|dask [a-z]|pip install)[^,;)]*")
# Arguments by themselves, not words: the programs that edgenet starts take them.
WORD = re.compile(r"--[a-z-]+(=\S*)?")


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (
            "give --calibration DIR, or choose --precision fp32",
            'give calibration=DIR, or choose precision="fp32"',
        ),
        ("choose --backend a1 or b2 or c3, or go", 'choose backend="a1" or "b2" or "c3", or go'),
        ("choose --precision int8 or leave it", 'choose precision="int8" or leave it'),
        ("choose --precision int8 --recipe int8-fast", 'choose precision="int8", recipe="int8-fast"'),
        ("start it with --source FILE", "start it with source=FILE"),
        ("leave --recipe and --max-drift out", "leave recipe= and max_drift= out"),
        ("allow --max-drift 0.53, or not", "allow max_drift=0.53, or not"),
        ("give --force to write it anew", "give force=True to write it anew"),
        ("measure --frame 640x480:yuyv", 'measure frame="640x480:yuyv"'),
        (
            "edgenet deploy B --device pi@x, or leave --head out",
            "edgenet deploy B --device pi@x, or leave head= out",
        ),
        ("python -m a.b --labels FILE --output m", "python -m a.b --labels FILE --output m"),
        ("nothing to say", "nothing to say"),
        ("", ""),
    ],
)
def test_options_become_arguments_and_commands_stay(told: str, wanted: str) -> None:
    assert in_python(told) == wanted


def test_an_error_says_arguments_in_python_and_keeps_options_for_the_shell() -> None:
    error = DataError("a --val b.jpg: no image", "give --val DIR")
    assert str(error) == "a --val b.jpg: no image: give val=DIR"
    assert error.remedy == "give --val DIR"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.remedy) == (DataError, str(error), error.remedy)
    assert str(PlanError("it is so")) == "it is so"


def texts() -> Iterator[tuple[str, str]]:
    """(where, text) of every text in the library that names an option, but for docstrings and argument lists.

    What a format fills in stands as a name, or as a number where it is formatted as one.
    """
    for name, path in sources().items():
        if name.startswith("edgenet.cli"):
            continue
        parts, docs = set(), set()
        nodes = list(ast.walk(parsed(path)))
        for node in nodes:
            if isinstance(node, ast.JoinedStr):
                parts |= {id(item) for item in ast.walk(node) if item is not node}
            if isinstance(node, ast.Expr):
                docs.add(id(node.value))
        for node in nodes:
            if id(node) in parts | docs:
                continue
            text = said(node)
            if text is not None and OPTION.search(text) and not WORD.fullmatch(text):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", text


def said(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    return "".join(
        str(item.value) if isinstance(item, ast.Constant) else filled(item) for item in node.values
    )


def filled(node: ast.expr) -> str:
    spec = getattr(node, "format_spec", None)
    return "0.5" if spec is not None and "f" in ast.unparse(spec) else "tflite"


TEXTS = list(texts())


def public() -> set[str]:
    """Every parameter of a public function, and every field of what one takes as its options."""
    found: set[str] = set()
    for name in edgenet.__all__:
        value = getattr(edgenet, name)
        if inspect.isfunction(value):
            found |= set(inspect.signature(value).parameters)
    for options in (edgenet.Board, edgenet.DemoOptions, edgenet.RolloutOptions, edgenet.SweepPlan, Gates):
        found |= {item.name for item in dataclasses.fields(options)}
    return found


def test_the_test_sees_the_remedies() -> None:
    assert len(TEXTS) > 40


@pytest.mark.parametrize(("where", "text"), TEXTS, ids=[where for where, _ in TEXTS])
def test_every_remedy_names_arguments_that_there_are(where: str, text: str) -> None:
    told = in_python(text)
    rest = COMMAND.sub("", told)
    assert not OPTION.search(rest), where
    named = set(ARGUMENT.findall(rest)) - set(ARGUMENT.findall(text))
    assert named or COMMAND.search(told)
    assert named <= public(), told
    assert not re.search(r"= (?:FILE|DIR|\d)", rest), told


@pytest.mark.parametrize(("where", "text"), TEXTS, ids=[where for where, _ in TEXTS])
def test_every_option_in_a_remedy_is_one_of_the_command_line(where: str, text: str) -> None:
    known = {name for command in cli.commands.values() for item in command.params for name in item.opts}
    rest = re.sub(r"(?:python3? -m|dask [a-z]|pip install)[^,;)]*", "", text)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", rest)) <= known, where


def test_no_reason_names_an_option() -> None:
    """The first argument of an error is shown as it is: it may hold foreign text."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in map(Path, sources().values())
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and node.args
        and getattr(node.func, "id", "").endswith(("Error", "Failed", "Lost"))
        and (text := said(node.args[0])) is not None
        and OPTION.search(text)
    ]
    assert not wrong
