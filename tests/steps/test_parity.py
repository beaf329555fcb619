"""Two runtimes, one set of scales: the same answers; and a difference that is put in is found and named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import numpy_helper

from edgenet.backends.onnxruntime import OnnxRuntime
from edgenet.bundle import Bundle
from edgenet.cli.main import cli
from edgenet.errors import PlanError
from edgenet.model import Model
from edgenet.steps.compile import compile
from edgenet.steps.parity import parity


@pytest.fixture(scope="module")
def pair(model: Model, photos: Path) -> tuple[Bundle, Bundle]:
    made = [
        compile(model, "local", name, "int8", "int8-minmax", photos) for name in ("tflite", "onnxruntime")
    ]
    return made[0].bundle, made[1].bundle


def with_artifact(bundle: Bundle, data: bytes) -> Bundle:
    return replace(bundle, files={**bundle.files, bundle.manifest.artifact.file: data})


def test_two_builds_agree(pair: tuple[Bundle, Bundle], photos: Path) -> None:
    found = parity(*pair)
    assert (found.images, found.scores) == (12, 60)
    assert (found.identical, found.within_one, found.agreement) == (1.0, 1.0, 1.0)
    assert (found.largest, found.parts) == (0, None)
    assert found.layers == 29  # 28 convolutions and the mean
    assert parity(*pair, images=photos) == found


def test_answers_are_compared_as_their_task_reads_them(
    pair: tuple[Bundle, Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one Sigmoid, argmax would say that any two builds agree."""
    kind = type(pair[0].manifest.task)
    monkeypatch.setattr(kind, "same", lambda _self, ours, _theirs, _truth: np.arange(len(ours)) % 4 > 0)
    assert parity(*pair).agreement == 0.75


def test_the_layer_where_they_part_is_named(pair: tuple[Bundle, Bundle]) -> None:
    """One weight of the ninth layer of one build is changed."""
    tflite, other = pair
    proto = onnx.load_model_from_string(other.artifact)
    conv = [node for node in proto.graph.node if node.op_type == "Conv"][8]
    source = next(node for node in proto.graph.node if conv.input[2] in node.output)
    bias = next(item for item in proto.graph.initializer if item.name == source.input[0])
    values = numpy_helper.to_array(bias).copy()
    values[0] += np.abs(values).max() // 2 + 5000
    bias.CopyFrom(numpy_helper.from_array(values, bias.name))
    found = parity(tflite, with_artifact(other, proto.SerializeToString()))
    assert found.parts is not None
    assert found.parts.layer.startswith("block4/pointwise")
    assert found.parts.differing <= 1 / values.size
    assert found.identical < 1.0


def test_builds_that_show_no_layers_are_compared_by_their_scores(
    pair: tuple[Bundle, Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OnnxRuntime, "exact", False)
    found = parity(*pair)
    assert (found.layers, found.parts) == (0, None)
    assert (found.scores, found.identical) == (60, 1.0)


def test_what_cannot_be_compared_is_refused(pair: tuple[Bundle, Bundle], model: Model) -> None:
    whole = compile(model, "local", "tflite", "fp32").bundle
    with pytest.raises(PlanError, match="not int8 scores"):
        parity(pair[0], whole)
    about = pair[1].manifest
    other = replace(about.artifact, output=replace(about.artifact.output, scale=0.5))
    with pytest.raises(PlanError, match="different scales"):
        parity(pair[0], replace(pair[1], manifest=replace(about, artifact=other)))
    paired = replace(about, recipe={**(about.recipe or {}), "paired": True})
    with pytest.raises(PlanError, match=r"in different ways: .* one file of edgenet quantize"):
        parity(pair[0], replace(pair[1], manifest=paired))
    foreign = replace(pair[1], manifest=replace(about, model=replace(about.model, digest="0" * 64)))
    with pytest.raises(PlanError, match="not builds of one model"):
        parity(pair[0], foreign)


def test_the_command(model_file: Path, photos: Path, tmp_path: Path) -> None:
    files = []
    for name in ("tflite", "onnxruntime"):
        files.append(str(tmp_path / f"{name}.edgenet"))
        compile(str(model_file), "local", name, "int8", "int8-minmax", photos).write(files[-1])
    done = CliRunner().invoke(cli, ["parity", *files])
    assert done.exit_code == 0, done.output
    assert "100.00 % of 60 identical" in done.output
    assert "none of 29 differs" in done.output
    table = json.loads(CliRunner().invoke(cli, ["parity", *files, "--json", "--images", str(photos)]).stdout)
    assert (table["largest"], table["parts"], table["images"]) == (0, None, 12)
