"""Boards as they were recorded: ``tree.txt`` holds files, ``commands.txt`` what small programs print.

Both are lists of ``=== NAME`` lines, each followed by its text. ``process.json`` holds the facts that the
agent knows from its own process (Python, C library, …), ``expected.json`` what must be made of it all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
NAMES = sorted(path.parent.name for path in HERE.glob("*/tree.txt"))


class Recorded(NamedTuple):
    """A board's files below ``root``, its programs, and what is expected."""

    root: str
    run: Callable[[list[str]], str]
    process: dict[str, Any]
    expected: dict[str, Any]


def load(name: str, folder: Path) -> Recorded:
    """Write the recorded tree of a board into an empty folder."""
    write_tree(HERE / name / "tree.txt", folder)
    commands = _sections(HERE / name / "commands.txt")

    def run(command: list[str]) -> str:
        said = commands.get(" ".join(command))
        if said is None:
            raise ValueError(f"{command[0]} failed: not recorded")
        return said

    expected = HERE / name / "expected.json"
    return Recorded(
        str(folder),
        run,
        json.loads((HERE / name / "process.json").read_text()),
        json.loads(expected.read_text()) if expected.is_file() else {},
    )


def write_tree(listed: Path, folder: Path) -> None:
    """Write the files that a list holds below a folder."""
    for path, text in _sections(listed).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def _sections(path: Path) -> dict[str, str]:
    """``{name: text}``."""
    if not path.is_file():
        return {}
    found = {}
    for section in path.read_text().removeprefix("=== ").split("\n=== "):
        name, _, text = section.partition("\n")
        found[name] = text + "\n" if text else ""
    return found
