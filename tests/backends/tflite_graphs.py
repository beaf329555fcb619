"""Small networks to be lowered, and a reader of what came out. Shared by the TFLite tests."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper, shape_inference

from edgenet.backends.tflite import backend
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.align_scales import align_scales
from edgenet.graph.qdq.onnxruntime import int8_outputs, to_qdq_format
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.target import Target

BOARD = Target.load("raspberry-pi-4")
SHARED = Path(os.environ.get("EDGENET_SHARED", Path(__file__).parents[3] / "shared"))
NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
TYPES = {number: name for name, number in vars(schema.TensorType).items() if isinstance(number, int)}


class Net:
    """Builds a prepared float model, node by node; every method gives the name of its output."""

    def __init__(self, height: int = 16, width: int = 16, mean: Any = 127.5, seed: int = 0) -> None:
        self.size = (height, width)
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.node("Transpose", "pixels", name="pixels/planes", perm=[0, 3, 1, 2])
        self.top = self.node("Cast", "pixels/planes", name="pixels/float", to=TensorProto.FLOAT)
        if np.any(mean):
            by = self.constant(-np.broadcast_to(np.float32(mean), (3,)).reshape(1, 3, 1, 1))
            self.top = self.node("Add", self.top, by, name="pixels/centered")

    def constant(self, value: Any) -> str:
        name = f"constant{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op: str, *inputs: str, name: str = "", **options: Any) -> str:
        name = name or f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **options))
        return name

    def conv(
        self,
        source: str,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int] = 3,
        clip: tuple[float, float] | None = (0.0, 6.0),
        group: int = 1,
        gain: float = 1.5,
        **options: Any,
    ) -> str:
        taps = (kernel, kernel) if isinstance(kernel, int) else kernel
        shape = (outputs, inputs // group, *taps)
        spread = gain / np.sqrt(np.prod(shape[1:])) / (64 if source.startswith("pixels") else 1)
        weight = self.constant(self.rng.normal(0, spread, shape).astype(np.float32))
        bias = self.constant(self.rng.normal(0, 0.2, outputs).astype(np.float32))
        options.setdefault("kernel_shape", list(taps))
        top = self.node("Conv", source, weight, bias, group=group, **options)
        return top if clip is None else self.clip(top, *clip)

    def clip(self, source: str, low: float, high: float) -> str:
        return self.node("Clip", source, self.constant(np.float32(low)), self.constant(np.float32(high)))

    def classify(self, source: str, inputs: int, classes: int = 10) -> str:
        pooled = self.node("GlobalAveragePool", source)
        return self.node("Flatten", self.conv(pooled, inputs, classes, 1, None), name="logits", axis=1)

    def model(self, classes: int = 10, opset: int = 14) -> Model:
        self.nodes[-1].output[0] = "logits"
        pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, [1, *self.size, 3])
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, classes])
        graph = helper.make_graph(self.nodes, "net", [pixels], [logits], self.weights)
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        how = Preprocessing(self.size, "rgb", "none", None, "bilinear", (0.0,) * 3, (1.0,) * 3)
        proto = shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)
        return Model("net", proto, how, "logits", 0, (), "")


def v1_like(height: int = 33, width: int = 32, **options: Any) -> Model:
    """A stem and three depthwise-separable blocks, with TensorFlow's and PyTorch's way of padding."""
    net = Net(height, width, **options)
    top = net.conv(net.top, 3, 8, strides=[2, 2], pads=[1, 1, 1, 1])
    top = net.conv(top, 8, 8, group=8, pads=[1, 1, 1, 1])
    top = net.conv(top, 8, 16, 1)
    top = net.conv(top, 16, 16, group=16, strides=[2, 2], pads=[0, 0, 1, 1])
    top = net.conv(top, 16, 24, 1)
    top = net.conv(top, 24, 24, group=24, strides=[2, 2], auto_pad="SAME_UPPER")
    top = net.conv(top, 24, 32, 1)
    net.classify(top, 32)
    return net.model()


def v2_like(size: int = 24, **options: Any) -> Model:
    """Inverted residuals: linear bottlenecks and adds."""
    net = Net(size, size, **options)
    top = net.conv(net.top, 3, 8, strides=[2, 2], pads=[0, 0, 1, 1])
    for _ in range(2):
        wide = net.conv(top, 8, 24, 1)
        wide = net.conv(wide, 24, 24, group=24, pads=[1, 1, 1, 1])
        top = net.node("Add", top, net.conv(wide, 24, 8, 1, None))
    net.classify(net.conv(top, 8, 32, 1), 32)
    return net.model()


def images(model: Model, count: int, seed: int = 1) -> list[np.ndarray]:
    """Random pixels with some structure: a smooth picture and noise."""
    rng = np.random.default_rng(seed)
    height, width = model.preprocessing.size
    rows, columns = np.mgrid[0:height, 0:width] / 7.0
    made = []
    for _ in range(count):
        phase = rng.uniform(0, 6, (2, 3))
        wave = np.sin(rows[..., None] + phase[0]) * np.cos(columns[..., None] + phase[1])
        made.append(np.clip(128 + 90 * wave + rng.normal(0, 30, (height, width, 3)), 0, 255).astype(np.uint8))
    return [item[None] for item in made]


def quantized(model: Model, pictures: list[np.ndarray] | None = None) -> Model:
    """The model in int8, per channel, from min-max ranges."""
    recipe = Recipe("test", "", "min-max", "per-channel", 0, 0.0)
    return quantize(model, recipe, pictures or images(model, 4, seed=9))[0]


def run(model: Model, pictures: list[np.ndarray], folder: Path, target: Target = BOARD) -> np.ndarray:
    """What LiteRT makes of the lowered model here, [pictures, classes]."""
    file = folder / "model.tflite"
    file.write_bytes(lowered(model, target))
    session = backend().open(file)
    return np.stack([session.run(picture) for picture in pictures])


def truth(model: Model, pictures: list[np.ndarray], form: str = "") -> np.ndarray:
    """What ONNX Runtime makes of the graph; int8 scores where it is quantized.

    Without ``form`` Q/DQ is computed in float, node by node; with one by ONNX Runtime's int8 kernels.
    """
    proto = model.proto
    if model.precision == "int8":
        graph = Graph(proto)
        align_scales(graph)
        if form:
            to_qdq_format(graph, form)
        int8_outputs(graph)
        proto = graph.proto()
    evaluator = Evaluator(proto, optimize=bool(form))
    return np.stack([evaluator.row(picture) for picture in pictures])


def parsed(data: bytes) -> Any:
    """The file as the schema's object tree."""
    assert data[4:8] == b"TFL3"
    return schema.ModelT.InitFromPackedBuf(data, 0)


def operators(data: bytes) -> list[tuple[str, int, Any]]:
    """Name, version and options of every operator, in order."""
    model = parsed(data)
    codes = [(NAMES[item.builtinCode], item.version) for item in model.operatorCodes]
    return [(*codes[item.opcodeIndex], item.builtinOptions) for item in model.subgraphs[0].operators]


def counts(data: bytes) -> dict[str, int]:
    """How often each operator stands in the file."""
    return dict(Counter(name for name, _, _ in operators(data)))


def lowered(model: Model, target: Target = BOARD) -> bytes:
    """The bytes of the file."""
    return backend().lower(model, target).data
