"""The canonical form is held to the graph that was given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from onnx import numpy_helper

from edgenet.errors import ModelError
from edgenet.golden import Golden
from edgenet.graph.given.take import take_given
from edgenet.steps.given import check_taken
from tests.graph.given.nets import Style, network, pictures, simulated


def test_the_same_network_passes_and_another_does_not() -> None:
    given, shown = network(Style()), pictures(4)
    golden = Golden("synthetic", {}, np.concatenate(shown), simulated(given, shown))
    taken = take_given(given)
    stage = check_taken(taken, golden)
    assert (stage["images"], stage["agreement"]) == (4, 1.0)
    assert stage["max_abs"] < 1e-4
    proto = type(taken.proto)()
    proto.CopyFrom(taken.proto)
    for item in proto.graph.initializer:
        if "kernel" in item.name and item.name.endswith("whole"):
            item.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(item), item.name))
    with pytest.raises(ModelError, match="as edgenet reads it differs from the model by .* bug in edgenet"):
        check_taken(replace(taken, proto=proto), golden)
