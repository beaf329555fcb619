"""Trains the embedded model and writes ``signs.onnx``; needs torch (``pip install "edgenet[train]"``).

    python -m edgenet.zoo.signs.train [OUT.onnx]

One thread, fixed seeds and torch's deterministic algorithms: the same machine and the same torch
give the same file. The weights are a dictionary whose names are those of ``mobilenet_v1(weights=...)``, so
exporting is handing the dictionary over.
"""

from __future__ import annotations

import functools
import io
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from PIL import Image

from edgenet.files import write_atomic
from edgenet.zoo import embedded, mobilenet_v1
from edgenet.zoo.in_torch import function
from edgenet.zoo.mobilenet_v1 import weight_shapes
from edgenet.zoo.signs import ALPHA, LABELS, RESOLUTION
from edgenet.zoo.signs.dataset import COUNTS, label, pictures
from edgenet.zoo.training import Descent, check_export, reproducible, say

if TYPE_CHECKING:
    import torch

    Weights = dict[str, torch.Tensor]

__all__ = ["forward", "load", "main", "start", "train"]

IMAGES, EPOCHS, BATCH, SEED = 12_000, 30, 50, 1
SMOOTHING, SHIFT, CHECKED = 0.05, 6, 100


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the pictures, train, check the export, score it on the validation set, write it."""
    given = sys.argv[1:] if arguments is None else arguments
    out = Path(given[0]) if given else embedded()
    reproducible()
    began = time.monotonic()
    images, labels = load("train", IMAGES)
    say(f"drew {IMAGES} pictures in {time.monotonic() - began:.0f} s")
    began = time.monotonic()
    untrained = mobilenet_v1(ALPHA, RESOLUTION, len(LABELS), seed=SEED)
    weights = train(images, labels, start(untrained, weight_shapes(ALPHA, len(LABELS))))
    say(f"trained in {time.monotonic() - began:.0f} s")
    arrays = {name: tensor.detach().numpy() for name, tensor in weights.items()}
    model = mobilenet_v1(ALPHA, RESOLUTION, len(LABELS), weights=arrays)
    images, labels = load("val", COUNTS["val"])
    inputs = (images[:CHECKED].astype(np.float32) - 127.5) / 127.5
    check_export(model, weights, inputs, ("logits",))
    say(f"top-1 on val: {100 * _score(weights, images, labels):.1f} %")
    write_atomic(out, model.SerializeToString(deterministic=True))


def load(split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the first pictures of a split and bring them to the network's size.

    Returns:
        Pixels uint8 [count, 3, 96, 96] RGB, resized by Pillow's (antialiasing) bilinear filter, and
        classes int64 [count].
    """
    pixels = np.empty((count, 3, RESOLUTION, RESOLUTION), np.uint8)
    for index, data in enumerate(pictures(split, count)):
        image = Image.open(io.BytesIO(data)).resize((RESOLUTION, RESOLUTION), Image.Resampling.BILINEAR)
        pixels[index] = np.asarray(image).transpose(2, 0, 1)
    return pixels, np.array([label(split, index) for index in range(count)])


def forward(weights: Weights, pixels: torch.Tensor, training: bool = False) -> torch.Tensor:
    """MobileNetV1 in torch.

    Args:
        weights: By the names of :func:`edgenet.zoo.mobilenet_v1.weight_shapes`.
        pixels: uint8 or float [n, 3, 96, 96] in 0..255; normalized here as (pixel - 127.5) / 127.5.
        training: Normalize by the batch and move the means and variances.

    Returns:
        Logits float32 [n, 10].
    """
    import torch

    x = (pixels.float().contiguous(memory_format=torch.channels_last) - 127.5) / 127.5
    return _network()(weights, x, training)[0]


@functools.cache
def _network() -> Callable[..., list[torch.Tensor]]:
    return function(mobilenet_v1(ALPHA, RESOLUTION, len(LABELS)).graph, ("logits",))


def train(
    images: np.ndarray,
    labels: np.ndarray,
    weights: Weights,
    network: Callable[..., torch.Tensor] = forward,
    epochs: int = EPOCHS,
) -> Weights:
    """AdamW, one cosine, light augmentation.

    Args:
        images: uint8 [n, 3, 96, 96].
        labels: int64 [n].
        weights: Where to start, such as :func:`start`; they are changed.
        network: As :func:`forward`.
        epochs: Rounds over all images.
    """
    import torch
    import torch.nn.functional as F

    descent = Descent(weights)
    random = np.random.default_rng(SEED)
    steps = len(images) // BATCH
    for epoch in range(epochs):
        order, losses = random.permutation(len(images)), []
        for step in range(steps):
            chosen = order[step * BATCH : (step + 1) * BATCH]
            logits = network(weights, torch.from_numpy(_augmented(images[chosen], random)), training=True)
            loss = F.cross_entropy(logits, torch.from_numpy(labels[chosen]), label_smoothing=SMOOTHING)
            losses.append(descent.step(loss, (epoch + step / steps) / epochs))
        say(f"epoch {epoch + 1} of {epochs}: loss {np.mean(losses):.3f}")
    return weights


def start(model: onnx.ModelProto, names: Iterable[str]) -> Weights:
    """The named weights of one of the zoo's networks as torch's tensors."""
    import torch

    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    return {name: torch.from_numpy(stored[name].copy()) for name in names}


def _augmented(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shifted by up to six pixels, lighter or darker: uint8 in, float32 0..255 out. Never mirrored."""
    padded = np.pad(images, ((0, 0), (0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)), mode="edge")
    result = np.empty(images.shape, np.float32)
    for index, (dy, dx) in enumerate(random.integers(0, 2 * SHIFT + 1, (len(images), 2))):
        result[index] = padded[index, :, dy : dy + RESOLUTION, dx : dx + RESOLUTION]
    gain = random.uniform(0.75, 1.25, (len(images), 3, 1, 1)).astype(np.float32)
    clipped: np.ndarray = np.clip(result * gain, 0, 255)
    return clipped


def _score(weights: Weights, images: np.ndarray, labels: np.ndarray) -> float:
    import torch

    with torch.no_grad():
        answers = [
            forward(weights, torch.from_numpy(images[i : i + BATCH])) for i in range(0, len(images), BATCH)
        ]
    return float(np.mean(torch.cat(answers).argmax(1).numpy() == labels))


if __name__ == "__main__":
    main()
