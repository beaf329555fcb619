"""With AVX2 and without VNNI nothing saturates: proved pair by pair, and run on an emulated processor."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgenet.backends.onnxruntime import backend
from edgenet.graph.evaluate import Evaluator
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from tests.backends.test_onnxruntime_graph import target_of
from tests.backends.test_tflite_models import OPERATORS, prepared
from tests.backends.tflite_graphs import images, quantized, v1_like, v2_like
from tests.lanes import packed, saturable
from tests.processors import on_haswell

QUICK = replace(Recipe.load("int8-fast"), rounding_images=4, positions=64, sweeps=2)
# Inputs, outputs, kernel, groups, width: for MlasConvSym, for MlasGemm, two filters a channel, two groups.
SHAPES = (
    *((16, 32, 1, 1, 5), (20, 24, 3, 1, 6), (3, 16, 3, 1, 9), (7, 20, 1, 1, 1), (33, 5, 3, 1, 4)),
    *((8, 16, 3, 8, 6), (12, 40, 1, 2, 3), (6, 10, 5, 1, 7), (64, 1001, 1, 1, 1), (1, 16, 3, 1, 8)),
)
NETWORKS = {"v1-like": v1_like(), "v2-like": v2_like()}


@cache
def paired(name: str) -> Model:
    model = NETWORKS[name] if name in NETWORKS else prepared(name)
    return quantize(model, backend().recipe(QUICK, target_of("u8x8")), images(model, 8, seed=9))[0]


def lowered(model: Model, form: str = "u8x8") -> bytes:
    return backend().lower(model, target_of(form)).data


def options(folder: Path | None = None) -> onnxruntime.SessionOptions:
    """Those of a board: none that would choose other kernels."""
    made = onnxruntime.SessionOptions()
    made.log_severity_level = 4
    made.intra_op_num_threads = 1
    if folder is not None:
        made.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        made.optimized_model_filepath = str(folder / "optimized.onnx")
    return made


def session(data: bytes, folder: Path | None = None) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(data, options(folder), providers=["CPUExecutionProvider"])


def optimized(data: bytes, folder: Path) -> onnx.ModelProto:
    session(data, folder)
    return onnx.load(folder / "optimized.onnx")


def kernels(proto: onnx.ModelProto) -> list[np.dtype]:
    """Types of the weights of every integer convolution."""
    constants = {item.name: numpy_helper.to_array(item) for item in proto.graph.initializer}
    return [constants[node.input[3]].dtype for node in proto.graph.node if node.op_type == "QLinearConv"]


@pytest.mark.parametrize("name", [*NETWORKS, pytest.param("v3-small", marks=pytest.mark.slow)])
def test_every_layer_is_fast_and_no_pair_of_any_saturates(name: str, tmp_path: Path) -> None:
    """In the graph that ONNX Runtime runs, after its optimizer."""
    model = paired(name)
    found = optimized(lowered(model), tmp_path)
    assert kernels(found) == [np.int8] * sum(node.op_type == "Conv" for node in model.proto.graph.node)
    assert saturable(found) == []


@pytest.mark.parametrize("name", OPERATORS)
def test_layers_that_could_saturate_are_written_otherwise(name: str, tmp_path: Path) -> None:
    """A model that was quantized for other processors: without its uint8 layers it would saturate."""
    model = quantized(prepared(name))
    found = optimized(lowered(model), tmp_path)
    assert saturable(found) == []
    assert kernels(found).count(np.uint8) == len(saturable(optimized(lowered(model, "u8s8"), tmp_path))) > 0


def test_dropping_the_limit_is_noticed(tmp_path: Path) -> None:
    """One pair of one layer, one step too large."""
    proto = onnx.load_model_from_string(lowered(paired("v1-like")))
    conv = [node for node in proto.graph.node if node.op_type == "Conv"][4]
    weights = next(node for node in proto.graph.node if conv.input[1] in node.output).input[0]
    held = next(item for item in proto.graph.initializer if item.name == weights)
    for pair, wrong in (((127, 1), 0), ((127, 2), 1)):
        kernel = numpy_helper.to_array(held).copy()
        assert kernel.shape[1] > 1
        kernel[3, 2:4, 0, 0] = pair
        held.CopyFrom(numpy_helper.from_array(kernel, weights))
        assert len(saturable(optimized(proto.SerializeToString(), tmp_path))) == wrong


def test_the_recipe_follows_the_processor() -> None:
    able = backend()
    assert able.recipe(QUICK, target_of("u8x8")) == replace(QUICK, paired=True)
    assert {able.recipe(QUICK, target_of(form)) for form in ("s8s8", "u8s8")} == {QUICK}
    nearest = Recipe.load("int8-minmax")
    assert able.recipe(nearest, target_of("u8x8")) == nearest, "it cannot; its layers are uint8"


def test_builds_for_other_processors_do_not_change() -> None:
    """What the recipe says of itself, too: it is in every bundle."""
    assert "paired" not in QUICK.to_table()
    assert replace(QUICK, paired=True).to_table()["paired"] is True


def convolution(inputs: int, outputs: int, size: int, groups: int, signs: tuple[int, int]) -> np.ndarray:
    """A kernel whose lanes hold 127 and 1, in turn, or 127 and 127 beside -64 and -64 ("signs")."""
    places = np.arange(inputs // groups * size**2).reshape(1, inputs // groups, size, size)
    order = packed(places)[0][: places.size]
    kernel = np.zeros((outputs, places.size), np.int8)
    for lane in range(len(order) // 2):
        one, other = order[2 * lane : 2 * lane + 2]
        if signs == (1, 1):
            kernel[:, [one, other]] = (127, 127) if lane % 2 == 0 else (-64, -64)
        else:
            sign = signs[lane % 2]
            kernel[::2, [one, other]] = sign * 127, sign
            kernel[1::2, [one, other]] = sign, sign * 127
    return kernel.reshape(outputs, *places.shape[1:])


def alone(kernel: np.ndarray, groups: int, width: int) -> bytes:
    """A QLinearConv of a kernel; steps of the output so that no sum is clipped."""
    outputs, size = len(kernel), kernel.shape[2]
    sums = kernel.reshape(outputs, -1).astype(np.int64)
    step = (
        255 * np.maximum(np.abs(np.maximum(sums, 0).sum(1)), np.abs(np.minimum(sums, 0).sum(1))).max() / 127
    )
    given = {
        "x_scale": np.float32(1), "x_zero": np.uint8(0), "kernel": kernel,
        "scales": np.ones(outputs, np.float32), "zeros": np.zeros(outputs, np.int8),
        "y_scale": np.float32(step), "y_zero": np.uint8(128), "bias": np.zeros(outputs, np.int32),
    }  # fmt: skip
    conv = helper.make_node("QLinearConv", ["x", *given], ["y"], group=groups, pads=[size // 2] * 4)
    shape = [1, kernel.shape[1] * groups, width, width]
    graph = helper.make_graph(
        [conv],
        "alone",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [1, outputs, width, width])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in given.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(made.SerializeToString())


def extremes(*shape: int) -> np.ndarray:
    """All white, black, checkered, and white or black by chance: [5, ...]."""
    checkered = np.indices(shape).sum(axis=0) % 2 * 255
    generator = np.random.default_rng(1)
    chance = [np.where(generator.random(shape) < 0.7, 255, 0) for _ in range(2)]
    return np.stack([np.full(shape, 255), np.zeros(shape), checkered, *chance]).astype(np.uint8)


def cases() -> Iterator[tuple[str, bytes, np.ndarray]]:
    """Names, graphs and what they are shown; those with "!" saturate."""
    for name, model in (*NETWORKS.items(), ("v3-small", prepared("v3-small"))):
        natural = np.stack(images(model, 3))
        shown = np.concatenate([extremes(*natural.shape[1:]), natural])
        yield name, lowered(paired(name)), shown
        yield f"{name} for others", lowered(quantized(model)), shown
        yield f"{name}!", lowered(quantized(model), "u8s8"), shown
    for inputs, outputs, size, groups, width in SHAPES:
        for kind, signs in (("full", (1, -1)), ("too full!", (1, 1))):
            graph = alone(convolution(inputs, outputs, size, groups, signs), groups, width)
            yield f"{inputs} {outputs} {size} {groups} {kind}", graph, extremes(1, inputs, width, width)


def answers(folder: Path) -> dict[str, np.ndarray]:
    """What every graph of a folder gives in a session as a board's."""
    found = {}
    for path in folder.glob("*.onnx"):
        opened = session(path.read_bytes())
        entry = opened.get_inputs()[0].name
        found[path.stem] = np.stack(
            [opened.run(None, {entry: item})[0].reshape(-1) for item in np.load(path.with_suffix(".npy"))]
        )
    return found


@pytest.mark.slow
def test_an_emulated_processor_without_vnni_computes_the_same(tmp_path: Path) -> None:
    """Networks, and kernels whose lanes are full; those whose lanes are too full show that they are these."""
    work = tmp_path / "graphs"
    work.mkdir()
    for name, graph, shown in cases():
        (work / f"{name}.onnx").write_bytes(graph)
        np.save(work / f"{name}.npy", shown)
    on_haswell("-m", "tests.backends.test_saturation", str(work), str(tmp_path / "there.npz"))
    there = np.load(tmp_path / "there.npz")
    for name, graph, shown in cases():
        here = Evaluator(graph)
        same = (there[name] == np.stack([here.row(item) for item in shown])).all(axis=1)
        assert not same.all() if "!" in name else same.all(), (name, same)


if __name__ == "__main__":
    np.savez(sys.argv[2], **answers(Path(sys.argv[1])))
