"""Every public name has an example in its docstring, and the documentation a notebook: all of it runs."""

from __future__ import annotations

import ast
import doctest
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import edgenet
from edgenet.zoo import embedded
from tests.fleets.made import fleet
from tests.house.tree import ROOT
from tests.signatures.keys import ALICE, ALICE_PUB
from tests.sweeps.made import sweep

# What others go on from: the bundle and the report that they name.
FIRST = ["compile", "deploy", "profile"]
NAMES = [*FIRST, *(name for name in edgenet.__all__ if name not in (*FIRST, "__version__"))]
# Those that take minutes, a network or a package that need not be there, or change a board; they say so.
NOT_RUN = {
    "deploy_fastest", "prune", "quickstart", "remove", "rollback", "sweep", "to_frame", "trust", "trusted",
    "untrust", "wheelhouse",
}  # fmt: skip
FLAGS = doctest.ELLIPSIS


def examples(name: str) -> doctest.DocTest:
    text = getattr(edgenet, name).__doc__ or ""
    return doctest.DocTestParser().get_doctest(text, {"edgenet": edgenet}, name, None, 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_an_example(name: str) -> None:
    found = examples(name).examples
    assert found
    skipped = {item.options.get(doctest.SKIP, False) for item in found}
    assert (True in skipped) == (name in NOT_RUN)
    made_by = {"Quantized": "quantize_model"}.get(name, name)
    assert f"edgenet.{made_by}" in "".join(item.source for item in found)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one example quantized, the others find."""
    return tmp_path_factory.mktemp("results")


@pytest.fixture
def workplace(tmp_path: Path, home: Path, results: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, a board of one's own, results kept."""
    assert not home.exists()
    monkeypatch.setattr("edgenet.cache._folder", lambda: results)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("workplace")
def test_every_example_gives_what_it_says() -> None:
    """One after another, as a reader would, in a folder with a model, its card, a sweep and a fleet."""
    for suffix in (".onnx", ".toml"):
        shutil.copy(embedded("signs").with_suffix(suffix), f"mobilenet{suffix}")
    sweep().write("sweep.json")
    fleet().write("fleet.json")
    Path("team_key").write_text(ALICE)
    Path("allowed_signers").write_text(f"alice@team {ALICE_PUB}\n")
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    told: list[str] = []
    for name in NAMES:
        runner.run(examples(name), out=told.append)
    assert runner.failures == 0, "".join(told)
    assert runner.tries > 40


def shown_by(source: str, names: dict[str, Any]) -> Any:
    """Run a cell: the value of its last expression, as a notebook shows it."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def run(left_out: set[str]) -> list[Any]:
    """Run the notebook's cells as a kernel would, but for those with such a tag; what each shows of ours."""
    document = json.loads((ROOT / "docs" / "notebook.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells), "saved without outputs"
    names: dict[str, Any] = {}
    taken = [cell for cell in cells if not left_out.intersection(cell["metadata"].get("tags", []))]
    shown = [shown_by("".join(cell["source"]), names) for cell in taken]
    return [item for item in shown if hasattr(item, "_repr_html_")]


def test_the_notebook_runs(workplace: Path) -> None:
    """But for its sweep, which is done with the whole of it below."""
    shown = run({"pandas", "sweep"})
    asked = ["Plan", "Target", "Quantized", "Compiled", "Report", "Comparison"]
    assert [type(item).__name__ for item in shown] == asked
    assert all(item._repr_html_() for item in shown)
    assert {"report.html", "report.json"} <= {path.name for path in workplace.iterdir()}


@pytest.mark.slow
@pytest.mark.usefixtures("workplace")
def test_the_whole_notebook_runs_where_pandas_is() -> None:
    pandas = pytest.importorskip("pandas", reason="no pandas")
    shown = run(set())
    frames = [item for item in shown if isinstance(item, pandas.DataFrame)]
    assert [len(frame) for frame in frames] == [2, 5, 1]
    assert frames[-1]["model"].tolist() == ["signs"]
    assert "Sweep" in {type(item).__name__ for item in shown}
