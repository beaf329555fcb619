"""Work on the graph grows with a network and no faster: counted in lines of Python, not in seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest

from edgenet.backend import load_backend
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.target import Target
from edgenet.zoo.network import Network
from tests.conftest import CHEAP
from tests.graph.passes.test_prepare import settings_for

SIZE = 32
BOUND = 2.2


def deep(blocks: int) -> Model:
    """Narrow separable blocks with residual sums."""
    net = Network(SIZE)
    value = net.convolution("stem", "input", 8, 3, 2, activation="hswish")
    for number in range(blocks):
        inner = net.convolution(f"{number}/depthwise", value, 8, 3, depthwise=True, activation="relu6")
        value = net.add(f"{number}/sum", value, net.convolution(f"{number}/pointwise", inner, 8))
    net.logits(net.dense("classifier", net.pool("pool", value), 4))
    proto = net.model("deep", None, 0, 14)
    return Model("deep", proto, settings_for((SIZE, SIZE)), "logits", 0, (), "0" * 64)


def lines(work: Callable[[], Any]) -> int:
    """Lines in edgenet own that some work runs through, a line once for every turn of a loop within it."""
    count = 0

    def within(_: FrameType, event: str, __: Any) -> Any:
        nonlocal count
        count += event == "line"
        return within

    def entered(frame: FrameType, _: str, __: Any) -> Any:
        return within if "edgenet" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.fixture(scope="module")
def networks() -> list[tuple[Model, Model]]:
    """Prepared and quantized, one of twice the blocks of the other."""
    pixels = [np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE, 3), dtype=np.uint8)]
    floats = [prepare(deep(blocks)) for blocks in (20, 40)]
    return [(model, quantize(model, Recipe.load(CHEAP), pixels)[0]) for model in floats]


def test_twice_the_blocks_are_twice_the_work_to_prepare() -> None:
    small, large = (lines(lambda model=model: prepare(model)) for model in map(deep, (20, 40)))
    assert large <= BOUND * small


@pytest.mark.parametrize("recipe", [CHEAP, "int8-fast"])
def test_twice_the_blocks_are_twice_the_work_to_quantize(
    networks: list[tuple[Model, Model]], recipe: str
) -> None:
    pixels = [np.random.default_rng(1).integers(0, 256, (1, SIZE, SIZE, 3), dtype=np.uint8)]
    how = Recipe.load(recipe)
    small, large = (lines(lambda model=model: quantize(model, how, pixels)) for model, _ in networks)
    assert large <= BOUND * small


@pytest.mark.parametrize("name", ["tflite", "onnxruntime", "tensorrt"])
def test_twice_the_blocks_are_twice_the_work_to_lower(networks: list[tuple[Model, Model]], name: str) -> None:
    backend, target = load_backend(name), Target.load("rtx-laptop" if name == "tensorrt" else "local")
    small, large = (lines(lambda model=whole: backend.lower(model, target)) for _, whole in networks)
    assert large <= BOUND * small
