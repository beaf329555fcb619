"""``Graph`` alone writes into nodes, or it would not know who reads what; passes have one contract."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from types import UnionType
from typing import Any, get_args, get_type_hints

import pytest

from edgenet.graph.graph import Graph
from tests.house.tree import parsed, sources

SOURCES = sources()
ENDS = ("input", "output")
CHANGING = (
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "remove",
    "reverse",
    "sort",
    "MergeFrom",
    "CopyFrom",
)
IN_PLACE = re.compile(r"\bin\s+place\b(?!\s+of\b)")
OWNER = "edgenet.graph.graph"


def of_a_node(expression: ast.expr) -> bool:
    """``X.input`` or ``X.output``, unless X is a whole graph: ``model.graph.output`` is no node's."""
    if isinstance(expression, ast.Subscript):
        return of_a_node(expression.value)
    if not isinstance(expression, ast.Attribute) or expression.attr not in ENDS:
        return False
    owner = expression.value
    return not (isinstance(owner, ast.Attribute) and owner.attr == "graph")


def raw_writes(tree: ast.Module) -> Iterator[int]:
    """Lines that write into the inputs or outputs of a node."""
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = [part for item in node.targets for part in (getattr(item, "elts", None) or [item])]
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        elif isinstance(node, ast.Delete):
            targets = node.targets
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            targets = [node.func.value] if node.func.attr in CHANGING else []
        if any(of_a_node(item) for item in targets):
            yield node.lineno


@pytest.mark.parametrize("name", [name for name in SOURCES if name != OWNER])
def test_only_the_graph_writes_into_nodes(name: str) -> None:
    assert not list(raw_writes(parsed(SOURCES[name]))), "use graph.set_input and its like"


@pytest.mark.parametrize(
    "line",
    [
        "node.input[0] = name",
        "first.input[1], other = parts",
        "conv.input[1:] = names",
        "del conv.input[2:]",
        "conv.input.append(name)",
        "graph.producer(name).output[0] = name",
        "node.input[0] += name",
    ],
)
def test_every_kind_of_raw_write_is_seen(line: str) -> None:
    assert list(raw_writes(ast.parse(line)))


@pytest.mark.parametrize(
    "line", ["model.graph.output.append(info)", "graph.set_input(node, 0, name)", "x = n.input[0]"]
)
def test_what_is_no_raw_write_passes(line: str) -> None:
    assert not list(raw_writes(ast.parse(line)))


def passes() -> list[tuple[str, Any]]:
    """Every public function of ``edgenet.graph`` that rewrites a graph in place."""
    found = []
    for name in SOURCES:
        if name.startswith("edgenet.graph."):
            module = importlib.import_module(name)
            for public in getattr(module, "__all__", ()):
                function = getattr(module, public)
                if (
                    inspect.isfunction(function)
                    and takes_a_graph(function)
                    and IN_PLACE.search(function.__doc__ or "")
                ):
                    found.append((f"{name}.{public}", function))
    return found


def takes_a_graph(function: Any) -> bool:
    hints = get_type_hints(function)
    first = next(iter(inspect.signature(function).parameters), None)
    return first is not None and hints.get(first) is Graph


def test_there_are_passes() -> None:
    assert len(passes()) > 20


@pytest.mark.parametrize(("name", "function"), passes())
def test_a_pass_returns_a_count_or_a_named_result(name: str, function: Any) -> None:
    made = get_type_hints(function)["return"]
    kinds = (
        [kind for kind in get_args(made) if kind is not type(None)] if isinstance(made, UnionType) else [made]
    )
    assert made is int or all(is_dataclass(kind) for kind in kinds), f"{name} returns {made}"
