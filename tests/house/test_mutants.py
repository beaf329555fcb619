"""The list of changes that tests must notice stays true, and the tool finds what it should."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.tree import ROOT

sys.path.append(str(ROOT / "benchmarks"))
from mutations import mutants

LISTED = tomllib.loads((ROOT / "benchmarks/mutants.toml").read_text(encoding="utf-8"))
SOURCE = '''
"""What it is: 1."""
LEAST = 5

def share(part: int = 2, *, of: float) -> float:
    """Not 3."""
    if not part < 1 and of is not None:
        return max(part - LEAST, 0) / of
    return -0.5
'''


def test_every_slip_is_made_once() -> None:
    """Signs, operators, boundaries and numbers of code; neither words nor annotations."""
    found = [str(mutant) for mutant in mutants(SOURCE)]
    head = "def share(part: int={}, *, of: float) -> float:"
    assert sorted(found) == sorted(
        [
            "(module): LEAST = 5 → LEAST = 6",
            f"share: {head.format(2)} → {head.format(3)}",
            "share: not part < 1 and of is not None → not part < 1 or of is not None",
            "share: not part < 1 and of is not None → part < 1 and of is not None",
            "share: part < 1 → part <= 1",
            "share: part < 1 → part < 2",
            "share: of is not None → of is None",
            "share: max(part - LEAST, 0) / of → max(part - LEAST, 0) * of",
            "share: max(part - LEAST, 0) / of → min(part - LEAST, 0) / of",
            "share: max(part - LEAST, 0) → max(part - LEAST, 1)",
            "share: part - LEAST → part + LEAST",
            "share: return -0.5 → return 0.5",
            "share: return -0.5 → return -1.0",
        ]
    )
    assert all(mutant.source != SOURCE for mutant in mutants(SOURCE))


@pytest.mark.parametrize("path", LISTED)
def test_what_is_listed_is_there(path: str) -> None:
    made = {str(mutant) for mutant in mutants((ROOT / path).read_text(encoding="utf-8"))}
    assert made
    for name in LISTED[path]["tests"]:
        assert (ROOT / name).exists()
    for reason in LISTED[path].get("same", []):
        assert len(reason["because"].split()) > 3
        assert set(reason["changes"]) <= made


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_small_tree_is_judged(tmp_path: Path) -> None:
    """``total`` is held to its figure, ``first`` to nothing, and what never ends is ended."""
    for name, text in {
        "edgenet/__init__.py": "",
        "edgenet/sums.py": (
            "def total(left, many):\n    while many > 0:\n        left, many = left + 2, many - 1\n"
            "    return left\n\n\ndef first(values):\n    return values[0]\n"
        ),
        "tests/__init__.py": "",
        "tests/test_sums.py": (
            "from edgenet.sums import first, total\n\n\ndef test_total():\n    assert total(1, 3) == 7\n\n\n"
            "def test_first():\n    assert first([4, 4]) == 4\n"
        ),
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
        "mutants.toml": '["edgenet/sums.py"]\ntests = ["tests/test_sums.py"]\n[["edgenet/sums.py".same]]\n'
        'because = "there is no reason"\nchanges = ["total: many > 0 → many >= 0"]\n',
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    code = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1]); import mutants\n"
        "mutants.ROOT = pathlib.Path(sys.argv[2]); mutants.LIST = mutants.ROOT / 'mutants.toml'\n"
        "mutants.LEAST_S = 3.0; sys.argv[1:] = ['--workers', '2']; sys.exit(mutants.main())"
    )
    command = [sys.executable, "-c", code, str(ROOT / "benchmarks"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "edgenet/sums.py: 6 of 7 noticed (85.7 %)" in done.stdout
    assert done.stdout.splitlines()[1:] == [
        "  first: values[0] → values[1]",
        "  does not change nothing: total: many > 0 → many >= 0",
    ]
    assert (tmp_path / "edgenet/sums.py").read_text().startswith("def total(left, many):")
