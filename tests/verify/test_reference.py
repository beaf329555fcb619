"""The float model of a bundle from a stranger, whose digest is right, need not be one."""

from __future__ import annotations

import onnx
import pytest

from edgenet.errors import ModelError
from edgenet.model import Model
from edgenet.verify.reference import Reference


def without_inputs(proto: onnx.ModelProto) -> None:
    del proto.graph.input[:]


def without_shape(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].type.tensor_type.ClearField("shape")


@pytest.mark.parametrize("data", [b"", b"x" * 50, b"\x08\xff\xff"], ids=["empty", "junk", "cut"])
def test_what_is_no_graph_is_refused(model: Model, data: bytes) -> None:
    with pytest.raises(ModelError, match="is no network that sees images"):
        Reference(data, model.preprocessing, model.task)


@pytest.mark.parametrize("change", [without_inputs, without_shape])
def test_a_graph_that_sees_no_image_is_refused(model: Model, change: object) -> None:
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    change(proto)  # type: ignore[operator]
    with pytest.raises(ModelError, match="is no network that sees images"):
        Reference(proto, model.preprocessing, model.task)
