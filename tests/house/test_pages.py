"""Pages that messages name are pages of docs/, and the address is the one that the package publishes."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from edgenet.pages import DOCS, page
from tests.house.tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def calls(path: Path) -> Iterator[tuple[str, str]]:
    """What edgenet.pages.page is called with in a file; a call with anything but literals fails."""
    text = path.read_text(encoding="utf-8")
    if "from edgenet.pages import" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "page":
            words = [ast.literal_eval(word) for word in [*node.args, *(kw.value for kw in node.keywords)]]
            yield words[0], words[1] if len(words) > 1 else ""


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as Python-Markdown's toc makes them."""
    heads = [
        line.lstrip("#") for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")
    ]
    kept = ("".join(c for c in head.lower() if c.isalnum() or c in " -_").strip() for head in heads)
    return {"-".join(head.split()) for head in kept}


def test_the_address_is_that_of_the_package() -> None:
    assert PROJECT["urls"]["Documentation"] == DOCS
    assert page("report", "verdict") == DOCS + "report/#verdict"


def test_every_page_that_a_message_names_is_there() -> None:
    named = {pair for path in (ROOT / "edgenet").rglob("*.py") for pair in calls(path)}
    assert named
    for name, section in named:
        file = ROOT / "docs" / f"{name}.md"
        assert file.is_file(), name
        assert not section or section in anchors(file), (name, section)
