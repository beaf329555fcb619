"""Every public name has an example in its docstring, and what it prints is what comes."""

from __future__ import annotations

import doctest
import shutil
from pathlib import Path

import pytest

import edgenet
from edgenet.zoo import embedded
from tests.sweeps.made import sweep

# What others go on from: the bundle and the report that they name.
FIRST = ["compile", "deploy", "profile"]
NAMES = [*FIRST, *(name for name in edgenet.__all__ if name not in (*FIRST, "__version__"))]
# Those that take minutes, a network, or a package that need not be there; their examples say so.
NOT_RUN = {"deploy_fastest", "quickstart", "sweep", "to_frame", "wheelhouse"}
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


@pytest.mark.usefixtures("home")
def test_every_example_gives_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after another, as a reader would, in a folder with a model, its card and somebody's sweep."""
    monkeypatch.chdir(tmp_path)
    for suffix in (".onnx", ".toml"):
        shutil.copy(embedded("signs").with_suffix(suffix), f"mobilenet{suffix}")
    sweep().write("sweep.json")
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    told: list[str] = []
    for name in NAMES:
        runner.run(examples(name), out=told.append)
    assert runner.failures == 0, "".join(told)
    assert runner.tries > 40
