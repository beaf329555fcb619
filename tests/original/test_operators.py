"""What is no ONNX is refused by its layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from edgenet.errors import ModelError
from edgenet.onnx_file import read_onnx
from tests.original.files import CLASSIFIER, WEIGHTS, keeps, load, network, node, random


@pytest.mark.parametrize(
    ("kind", "domain", "name", "words"),
    [
        (
            "StatelessRandomUniformV2",
            "",
            "model/random_flip/rnd/V2",
            r"augmentation layers \('random_flip'\)",
        ),
        (
            "ImageProjectiveTransformV3",
            "",
            "model/random_rotation/V3",
            r"augmentation layers \('random_rotation'\)",
        ),
        ("DecodeJpeg", "", "serve/decode/Jpeg", "no operator of ONNX.*without the layer 'decode'"),
        ("grid_sampler", "mmcv", "/neck/sampler", "domain 'mmcv', which no board has.*'neck'"),
    ],
)
def test_operators_of_others(tmp_path: Path, kind: str, domain: str, name: str, words: str) -> None:
    strange = node(kind, ["f"], ["y"], name=name, domain=domain)
    proto = network([*CLASSIFIER[:4], strange])
    if domain:
        proto.opset_import.append(helper.make_opsetid(domain, 1))
    with pytest.raises(ModelError, match=f"{kind} '{name}'.*{words}"):
        load(tmp_path, proto)


def test_functions_of_the_file_are_written_out(tmp_path: Path) -> None:
    """As torch's exporter writes whole layers."""
    nodes = [*CLASSIFIER[:4], node("twice", ["f"], ["y"], domain="pkg")]
    proto = network(nodes)
    opsets = [helper.make_opsetid("", 13)]
    body = [node("Add", ["a", "a"], ["z"])]
    proto.functions.append(helper.make_function("pkg", "twice", ["a"], ["z"], body, opsets))
    proto.opset_import.append(helper.make_opsetid("pkg", 1))
    model = load(tmp_path, proto)
    assert not model.proto.functions
    keeps(proto, model, random(1, 3, 16, 12))


def test_detectors_are_told_what_is_wanted(tmp_path: Path) -> None:
    boxes = node("NonMaxSuppression", ["f", "f"], ["y"], name="nms")
    with pytest.raises(ModelError, match="NonMaxSuppression 'nms' picks boxes.*task = .detection"):
        load(tmp_path, network([*CLASSIFIER[:4], boxes]))


def test_branches_are_no_fixed_network(tmp_path: Path) -> None:
    """torch's old exporter writes an If where a size is not known."""
    value = helper.make_tensor_value_info("z", 1, [1, 4])
    branch = helper.make_graph([node("Identity", ["f"], ["z"])], "b", [], [value])
    choice = node("If", ["k"], ["y"], name="squeeze", then_branch=branch, else_branch=branch)
    with pytest.raises(ModelError, match="If 'squeeze' decides while it runs.*without dynamic shapes"):
        load(tmp_path, network([*CLASSIFIER[:4], choice], WEIGHTS | {"k": np.array(True)}))


@pytest.mark.parametrize("word", [b"Flatten", b"logits"])
def test_names_that_are_no_text_are_damage(tmp_path: Path, word: bytes) -> None:
    path = tmp_path / "m.onnx"
    data = network().SerializeToString()
    word = word if word in data else network().graph.output[0].name.encode()
    path.write_bytes(data.replace(word, b"\xff" + word[1:]))
    with pytest.raises(ModelError, match="not an ONNX file, or a damaged one"):
        read_onnx(path)
