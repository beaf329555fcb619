"""Int8 hard-swish as an addition and a product: as near to the float operator as the operator itself."""

from __future__ import annotations

import numpy as np

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.split_hard_swish import hard_swish_int8
from edgenet.model import Model
from tests.backends.tflite_graphs import Net, images, quantized
from tests.graph.small import answers, kinds, written


def swishing(shared: bool = False) -> Model:
    """Conv → HardSwish → head; ``shared``: the convolution's result is added again."""
    made = Net(12, 12)
    source = made.conv(made.top, 3, 8, clip=None, gain=3.0)
    top = made.node("HardSwish", source)
    made.classify(made.node("Add", top, source) if shared else top, 8)
    return made.model()


def test_the_operator_is_gone_and_the_answers_are_as_near_as_before() -> None:
    model = swishing()
    canonical = Graph(quantized(model).proto)
    split = canonical.copy()
    assert hard_swish_int8(split) == 1
    assert kinds(split)["HardSwish"] == 0
    assert (kinds(split)["Add"], kinds(split)["Mul"]) == (1, 1)
    shown = images(model, 10)
    exact, before, after = (answers(item.proto(), shown) for item in (Graph(model.proto), canonical, split))
    errors = [np.abs(item - exact).mean() / np.ptp(exact) for item in (before, after)]
    assert errors[1] < 1.25 * errors[0] + 1e-3


def test_a_second_time_there_is_none_left() -> None:
    split = Graph(quantized(swishing()).proto)
    hard_swish_int8(split)
    before = written(split)
    assert hard_swish_int8(split) == 0
    assert written(split) == before


def test_one_whose_input_others_read_and_a_float_one_are_left_alone() -> None:
    for proto in (quantized(swishing(shared=True)).proto, swishing().proto):
        small = Graph(proto)
        before = written(small)
        assert hard_swish_int8(small) == 0
        assert written(small) == before
