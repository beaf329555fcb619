"""A user's tensors may be called as ours are: they get other names, and the answers stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from edgenet.graph.names import free_names
from edgenet.steps.compile import compile
from edgenet.zoo import mobilenet_v1
from tests.conftest import CARD, CHEAP, lively


def renamed(proto: onnx.ModelProto, old: str, new: str) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    for node in copy.graph.node:
        for side in (node.input, node.output):
            for index, name in enumerate(side):
                side[index] = new if name == old else name
    for listed in (copy.graph.input, copy.graph.output, copy.graph.initializer, copy.graph.value_info):
        for item in listed:
            item.name = new if item.name == old else item.name
    return copy


BASE = lively(mobilenet_v1(0.25, 64, 5, seed=3))
PLACES = {
    "input": BASE.graph.input[0].name,
    "output": BASE.graph.output[0].name,
    "middle": BASE.graph.node[3].output[0],
    "weights": BASE.graph.initializer[0].name,
}


@pytest.mark.parametrize("name", ["pixels", "pixels/planes", "pixels/float", "pixels/centered", "label"])
@pytest.mark.parametrize("place", PLACES)
def test_a_tensor_may_have_a_name_of_ours(place: str, name: str, tmp_path: Path) -> None:
    """With ``pixels`` for an input every backend crashed; tf2onnx and Keras give such names."""
    path = tmp_path / "m.onnx"
    onnx.save(renamed(BASE, PLACES[place], name), path)
    path.with_suffix(".toml").write_text(CARD)
    for backend, head in (("tflite", "logits"), ("onnxruntime", "argmax"), ("tflite", "softmax")):
        made = compile(path, "local", backend, "fp32", head=head).bundle
        assert made.manifest.conversion.agreement == 1.0


@pytest.mark.parametrize("name", ["pixels/planes", "pixels/float", "pixels/centered"])
def test_a_node_may_have_a_name_of_ours(name: str, tmp_path: Path, photos: Path) -> None:
    """ONNX Runtime loads no graph with two nodes of one name, and this was told as the user's fault."""
    path, proto = tmp_path / "m.onnx", onnx.ModelProto()
    proto.CopyFrom(BASE)
    proto.graph.node[2].name = name
    onnx.save(proto, path)
    path.with_suffix(".toml").write_text(CARD)
    for backend in ("tflite", "onnxruntime"):
        assert compile(path, "local", backend, "int8", CHEAP, photos).bundle.artifact


def test_an_int8_model_too(tmp_path: Path, photos: Path) -> None:
    path = tmp_path / "m.onnx"
    onnx.save(renamed(BASE, PLACES["middle"], "pixels/float"), path)
    path.with_suffix(".toml").write_text(CARD)
    made = compile(path, "local", "onnxruntime", "int8", CHEAP, photos).bundle
    plain = tmp_path / "plain.onnx"
    onnx.save(BASE, plain)
    plain.with_suffix(".toml").write_text(CARD)
    wanted = compile(plain, "local", "onnxruntime", "int8", CHEAP, photos).bundle
    assert np.array_equal(made.array("golden/artifact.npy"), wanted.array("golden/artifact.npy"))


def test_other_graphs_are_left_alone() -> None:
    assert free_names(BASE) is BASE
    both = renamed(renamed(BASE, PLACES["middle"], "pixels"), PLACES["weights"], "given/pixels")
    names = {name for node in free_names(both).graph.node for name in (*node.input, *node.output)}
    assert {"given/pixels", "given/given/pixels"} <= names
    assert "pixels" not in names
