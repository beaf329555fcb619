"""`inspect` says of any file what it is, which backends take it, and what to do; with its card or without."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from onnx import helper

from edgenet.cli.main import _run
from edgenet.steps.init import init
from edgenet.steps.inspect import Inspected, inspect_model
from tests.original.files import CLASSIFIER, network
from tests.painted import saved


def inspected(path: Path) -> Inspected:
    found = inspect_model(path)
    assert isinstance(found, Inspected)
    return found


def test_without_a_card(tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    found = inspected(path)
    table = found.to_table()
    assert {item.backend: item.possible for item in found.builds} == {
        "onnxruntime": True, "tensorrt": True, "tflite": True,
    }  # fmt: skip
    assert table["parameters"] == 4 * 3 * 9 + 4 + 4 * 5 + 5
    assert table["multiply_adds"] == 16 * 12 * 4 * 27 + 20
    assert (table["size"], table["channels"], table["layout"]) == ([16, 12], 3, "NCHW")
    assert table["open"] == ["color", "mean", "std", "resize", "resize_to", "interpolation"]
    assert found.next == f"run edgenet init {path}, which writes it"
    json.dumps(table)


def test_with_a_card_the_next_step_is_to_compile(tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    init(path, like="keras")
    found = inspected(path)
    assert found.card == ""
    assert found.next.startswith("edgenet compile ")
    assert found.to_table()["preprocessing"]["mean"] == [127.5] * 3


def test_with_an_open_card_the_next_step_is_to_answer(tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    init(path)
    assert inspected(path).next.startswith('write "rgb" or "bgr" or "gray" in place of "?"')


def test_what_no_backend_takes_is_told_by_its_node_for_each(tmp_path: Path) -> None:
    ends = (
        helper.make_node("Gemm", ["f", "d", "e"], ["z"]),
        helper.make_node("Sin", ["z"], ["y"], name="odd"),
    )
    found = inspected(saved(tmp_path, network((*CLASSIFIER[:-1], *ends))))
    refused = [item for item in found.builds if not item.possible]
    assert refused
    assert all("odd" in item.why and item.remedy for item in refused)


def test_the_page_and_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path, network())
    assert _run(["inspect", str(path)]) == 0
    text, err = capsys.readouterr()
    assert re.search("^open +color, mean, std", text, re.M)
    assert "next: run edgenet init" in err
    lines = [line.split()[0] for line in text.splitlines() if line.strip()]
    assert lines.index("card") < lines.index("parameters") < lines.index("sha256"), "hashes stand last"
    assert _run(["inspect", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["form"] == "onnx"
