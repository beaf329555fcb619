"""Trains a MobileNetV3-small on the embedded signs for benchmarks/quantization.py: no trained one is at hand.

python benchmarks/trained_v3.py OUT.onnx [--alpha 0.5] [--images 6000] [--epochs 12]

Needs torch (`pip install "edgenet[train]"`). The zoo's own ONNX graph is run node by node in torch.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F

from edgenet.graph.graph import attributes
from edgenet.zoo import embedded, mobilenet_v3
from edgenet.zoo.mobilenet_v3 import weight_shapes
from edgenet.zoo.signs import LABELS, RESOLUTION
from edgenet.zoo.signs.dataset import COUNTS
from edgenet.zoo.signs.train import load, start, train

Tensors = dict[str, torch.Tensor]


def network(graph: onnx.GraphProto) -> Any:
    """A function of weights and pixels, as :func:`edgenet.zoo.signs.train.forward`, that runs the graph."""

    def forward(weights: Tensors, pixels: torch.Tensor, training: bool = False) -> torch.Tensor:
        x = (pixels.float().contiguous(memory_format=torch.channels_last) - 127.5) / 127.5
        values = {**weights, "input": x}
        for node in graph.node:
            inputs = [values[name] for name in node.input]
            values[node.output[0]] = run(node.op_type, inputs, attributes(node), training)
        return values[graph.output[0].name]

    return forward


def run(kind: str, inputs: list[torch.Tensor], options: dict[str, Any], training: bool) -> torch.Tensor:
    """One operator of the zoo's MobileNetV3."""
    x = inputs[0]
    if kind == "Conv":
        top, left, bottom, right = options.get("pads", [0, 0, 0, 0])
        bias = inputs[2] if len(inputs) > 2 else None
        padded = F.pad(x, (left, right, top, bottom))
        return F.conv2d(padded, inputs[1], bias, options.get("strides", 1), groups=options.get("group", 1))
    if kind == "BatchNormalization":
        gamma, beta, mean, variance = inputs[1:]
        return F.batch_norm(x, mean, variance, gamma, beta, training, 0.05, options["epsilon"])
    if kind == "HardSigmoid":
        return (options["alpha"] * x + options["beta"]).clamp(0, 1)
    return {
        "HardSwish": F.hardswish,
        "Relu": F.relu,
        "Flatten": lambda value: value.flatten(1),
        "GlobalAveragePool": lambda value: value.mean((2, 3), keepdim=True),
        "Add": lambda *values: values[0] + values[1],
        "Mul": lambda *values: values[0] * values[1],
    }[kind](*inputs)


def top1(model: onnx.ModelProto, weights: Tensors) -> float:
    """Percent right on the validation pictures."""
    images, labels = load("val", COUNTS["val"])
    forward, said = network(model.graph), []
    with torch.no_grad():
        for begin in range(0, len(images), 50):
            said.append(forward(weights, torch.from_numpy(images[begin : begin + 50])).argmax(1).numpy())
    return 100 * float((np.concatenate(said) == labels).mean())


def main() -> None:
    """Train, export through the zoo, say what it is worth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--alpha", type=float, default=0.5)
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    torch.set_num_threads(1)
    untrained = mobilenet_v3("small", options.alpha, RESOLUTION, len(LABELS), seed=1)
    names = weight_shapes("small", options.alpha, len(LABELS))
    images, labels = load("train", options.images)
    weights = train(images, labels, start(untrained, names), network(untrained.graph), options.epochs)
    arrays = {name: tensor.detach().numpy() for name, tensor in weights.items()}
    model = mobilenet_v3("small", options.alpha, RESOLUTION, len(LABELS), weights=arrays)
    onnx.save(model, options.out)
    shutil.copyfile(embedded().with_suffix(".toml"), options.out.with_suffix(".toml"))
    print(f"{options.out}: top-1 {top1(model, weights):.1f} % of {COUNTS['val']} validation pictures")


if __name__ == "__main__":
    main()
