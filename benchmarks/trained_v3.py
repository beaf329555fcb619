"""Trains a MobileNetV3-small on the embedded signs for benchmarks/quantization.py: no trained one is at hand.

python benchmarks/trained_v3.py OUT.onnx [--alpha 0.5] [--images 6000] [--epochs 12]

Needs torch (`pip install "edgenet[train]"`). The zoo's own ONNX graph is run node by node in torch.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch

from edgenet.zoo import embedded, mobilenet_v3
from edgenet.zoo.in_torch import function
from edgenet.zoo.mobilenet_v3 import weight_shapes
from edgenet.zoo.signs import LABELS, RESOLUTION
from edgenet.zoo.signs.dataset import COUNTS
from edgenet.zoo.signs.train import load, start, train

Tensors = dict[str, torch.Tensor]


def network(graph: onnx.GraphProto) -> Callable[..., torch.Tensor]:
    """A function of weights and pixels, as :func:`edgenet.zoo.signs.train.forward`, that runs the graph."""
    run = function(graph, ("logits",))

    def forward(weights: Tensors, pixels: torch.Tensor, training: bool = False) -> torch.Tensor:
        x = (pixels.float().contiguous(memory_format=torch.channels_last) - 127.5) / 127.5
        return run(weights, x, training)[0]

    return forward


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
