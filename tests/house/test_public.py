"""What ``import edgenet`` offers exists, is documented, and is the same verbs as the command line's."""

from __future__ import annotations

import inspect
import tomllib
import typing

import pytest

import edgenet
from edgenet.cli.main import cli
from tests.house.tree import ROOT, parsed, sources

NAMES = [name for name in edgenet.__all__ if name != "__version__"]
# Commands that only show a file or a folder: their types are public instead (Bundle, Model, Report, Target);
# the functions of ``report`` and ``quantize`` are ``present`` and ``quantize_model``, for ``edgenet.report``
# is where the type lives and ``edgenet.quantize`` the quantizer's room.
SHOWING = {"inspect", "list", "protocols", "quantize", "recipes", "report", "targets"}
every_name = pytest.mark.parametrize("name", NAMES)


@every_name
def test_a_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(edgenet, name)
    assert value.__name__ == name
    assert value.__module__.startswith("edgenet.")
    assert inspect.getdoc(value)


@every_name
def test_a_public_function_is_typed(name: str) -> None:
    value = getattr(edgenet, name)
    if inspect.isclass(value):
        return
    hints = typing.get_type_hints(value)
    assert set(inspect.signature(value).parameters) <= set(hints)
    assert "return" in hints


def test_all_is_sorted_and_what_dir_says() -> None:
    assert edgenet.__all__ == sorted(edgenet.__all__, key=lambda name: (name[0].islower(), name))
    assert dir(edgenet) == sorted(edgenet.__all__)


def test_no_other_name_is_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        edgenet.nothing  # noqa: B018


def test_every_verb_of_the_command_line_is_a_function() -> None:
    assert set(cli.commands) - SHOWING <= set(NAMES)


def test_a_module_exports_what_it_defines() -> None:
    """Every ``__all__`` of the tree names things that the module has."""
    wrong = []
    for name, path in sources().items():
        exported: list[str] = []
        defined = set()
        for node in parsed(path).body:
            for target in getattr(node, "targets", [getattr(node, "target", None)]):
                if getattr(target, "id", "") == "__all__":
                    exported = [item.value for item in node.value.elts]  # type: ignore[attr-defined]
                defined.add(getattr(target, "id", ""))
            defined.add(getattr(node, "name", ""))
            defined |= {alias.asname or alias.name for alias in getattr(node, "names", [])}
        if name != "edgenet":
            wrong += [f"{name}.{item}" for item in exported if item not in defined]
    assert not wrong


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "edgenet.__version__"}
    assert f"## {edgenet.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
