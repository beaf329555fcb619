"""The contract of a pass: it works in place and returns how much it changed; each file has its test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import PACKAGE, ROOT, imports, parsed

FILES = [
    path
    for room in ("passes", "qdq")
    for path in sorted((PACKAGE / "graph" / room).glob("*.py"))
    if path.stem != "__init__"
]


def passes() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Public functions that say they change a graph in place."""
    for path in FILES:
        for node in parsed(path).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                first = node.args.args[0].annotation if node.args.args else None
                said = (ast.get_docstring(node) or "").partition("\n")[0]
                if isinstance(first, ast.Name) and first.id == "Graph" and "in place" in said:
                    yield f"{path.stem}.{node.name}", node


def test_the_test_sees_the_passes() -> None:
    assert len(list(passes())) > 20


@pytest.mark.parametrize(("name", "node"), [pytest.param(*item, id=item[0]) for item in passes()])
def test_a_pass_returns_a_count_or_says_why_not(name: str, node: ast.FunctionDef) -> None:
    returned = ast.unparse(node.returns) if node.returns else "None"
    assert returned == "int" or "count" in (ast.get_docstring(node) or ""), f"{name} returns {returned}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_each_file_of_passes_has_a_test_of_its_own(path: Path) -> None:
    mirror = ROOT / "tests" / "graph" / path.parent.name / f"test_{path.stem}.py"
    assert mirror.is_file()
    wanted = f"edgenet.graph.{path.parent.name}.{path.stem}."
    name = ".".join(mirror.relative_to(ROOT).with_suffix("").parts)
    assert any(target.startswith(wanted) for _, target in imports(name, mirror))
