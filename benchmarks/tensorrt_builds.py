"""Every model, precision and compute capability through a real TensorRT builder, on a machine without a GPU.

python benchmarks/tensorrt_builds.py [MODEL.onnx …]

Needs TensorRT for RTX (the extra ``tensorrt``). Without a model: the embedded one, and MobileNetV1, V2 and V3
1.0 at 224 with untrained weights. The seconds are one build's on this machine's CPU; nothing runs on a GPU,
so no speed is in this table.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import tensorrt_rtx as trt
from rtx import build

from edgenet.backends.tensorrt import write
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.zoo import embedded, mobilenet_v1, mobilenet_v2, mobilenet_v3

CAPABILITIES = ("7.5", "8.6", "8.9", "12.0")
PRECISIONS = ("fp32", "fp16", "int8")
# What the compiler makes of a convolution.
KERNELS = ("correlation", "gemm", "runtime_fusion")


def models(paths: list[str]) -> list[Model]:
    """Those that were named, or the embedded one and the zoo's, untrained."""
    if paths:
        return [Model.load(Path(path)) for path in paths]
    table = {"size": [224, 224], "mean": [127.5] * 3, "std": [127.5] * 3, "color": "rgb"}
    how = Preprocessing.from_table(table | {"resize": "stretch", "interpolation": "bilinear"}, "benchmark")
    zoo = {
        "mobilenet_v1_100_224": mobilenet_v1(1.0, 224),
        "mobilenet_v2_100_224": mobilenet_v2(1.0, 224),
        "mobilenet_v3_small_100_224": mobilenet_v3("small", 1.0, 224),
        "mobilenet_v3_large_100_224": mobilenet_v3("large", 1.0, 224),
    }
    built = [
        Model(
            proto=onnx.shape_inference.infer_shapes(proto),
            name=name,
            digest="0" * 64,
            preprocessing=how,
            labels=(),
            label_offset=0,
            output="logits",
        )
        for name, proto in zoo.items()
    ]
    return [Model.load(embedded()), *built]


def noise(model: Model) -> list[np.ndarray]:
    """One calibration image: the scales do not matter here."""
    height, width = model.preprocessing.size
    return [np.random.default_rng(0).integers(0, 256, (1, height, width, 3), dtype=np.uint8)]


def main() -> None:
    """Print the table."""
    print(f"TensorRT for RTX {trt.__version__}")
    print("model                            precision  sm    onnx MB  engine MB     s  convolutions")
    for model in models(sys.argv[1:]):
        prepared = prepare(model)
        int8 = quantize(prepared, Recipe.load("int8-minmax"), noise(model))[0]
        half = prepared.with_proto(prepared.proto, precision="fp16")
        for precision, written in zip(PRECISIONS, (prepared, half, int8), strict=True):
            data = write(written, "10")
            for sm in CAPABILITIES:
                began = time.perf_counter()
                built = build(trt, data, precision, sm)
                seconds = time.perf_counter() - began
                print(row(model.name, precision, sm, data, built, seconds), flush=True)


def row(name, precision, sm, data, built, seconds):  # type: ignore[no-untyped-def]
    """One line; the last column counts the convolution kernels by the type that they read."""
    if built.error:
        return f"{name:32} {precision:10} {sm:5} refused: {built.error.splitlines()[0]}"
    kernels = Counter(layer.inputs[0] for layer in built.layers if layer.kind in KERNELS)
    of = ", ".join(f"{count} {kind}" for kind, count in sorted(kernels.items()))
    sizes = f"{len(data) / 1e6:8.2f}  {built.size / 1e6:9.2f}"
    return f"{name:32} {precision:10} {sm:5} {sizes}  {seconds:4.1f}  {of} of {built.network['CONVOLUTION']}"


if __name__ == "__main__":
    main()
