"""Networks by name."""

from __future__ import annotations

import pytest
from onnx import numpy_helper

from edgenet.errors import ModelError
from edgenet.graph.cost import cost
from edgenet.zoo import mobilenet_v1, mobilenet_v2, mobilenet_v3
from edgenet.zoo.named import NamedNetwork, named

SAME = {
    "v1-0.25-128": mobilenet_v1(0.25, 128),
    "v2-0.35-96": mobilenet_v2(0.35, 96),
    "v3-small-0.75-96": mobilenet_v3("small", 0.75, 96),
    "v3-large-0.75-96": mobilenet_v3("large", 0.75, 96),
}


@pytest.mark.parametrize("name", SAME)
def test_a_name_stands_for_its_network(name: str) -> None:
    found = named(name)
    assert found is not None
    assert found.name == name
    assert cost(found.build()).macs == cost(SAME[name]).macs
    assert found.build().SerializeToString(deterministic=True) == SAME[name].SerializeToString(
        deterministic=True
    )


@pytest.mark.parametrize("name", SAME)
def test_a_blank_one_differs_in_its_weights_alone(name: str) -> None:
    found = named(name)
    assert found is not None
    built, blank = found.build(), found.blank()
    assert not any(
        numpy_helper.to_array(item).any() for item in blank.graph.initializer if len(item.dims) > 1
    )
    weights = [(item.name, tuple(item.dims)) for item in built.graph.initializer]
    assert weights == [(item.name, tuple(item.dims)) for item in blank.graph.initializer]
    del built.graph.initializer[:], blank.graph.initializer[:]
    assert built == blank


def test_the_same_network_has_one_name() -> None:
    assert [named(text) for text in ("v1-1-224", "v1-1.0-224", "v1-1.00-224")] == [
        NamedNetwork("v1", 1.0, 224)
    ] * 3
    assert NamedNetwork("v1", 1.0, 224).name == "v1-1.0-224"


@pytest.mark.parametrize(
    "text",
    ["signs", "v1", "v1.onnx", "v1-1.0-224.onnx", "v3-1.0-224", "v1-1.0-", "v1--1.0-224", "V1-1.0-224\n"],
)
def test_other_texts_are_no_names(text: str) -> None:
    assert named(text) is None


@pytest.mark.parametrize("text", ["v1-0.0-224", "v2-9.0-224", "v1-1.0-16", "v1-1.0-9999"])
def test_a_width_or_size_that_no_network_has_is_refused_when_it_is_built(text: str) -> None:
    found = named(text)
    assert found is not None
    with pytest.raises(ModelError):
        found.build()
