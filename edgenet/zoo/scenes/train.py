"""Trains the embedded detector and writes ``scenes.onnx``; needs torch (``pip install "edgenet[train]"``).

    python -m edgenet.zoo.scenes.train [OUT.onnx]

It begins with the layers of the embedded classifier, as detectors begin with those of ImageNet's. Fixed seeds
and torch's deterministic algorithms: the same machine and the same torch give the same file.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import onnx
from PIL import Image

from edgenet.agent.detection.anchors import anchors_of
from edgenet.files import write_atomic
from edgenet.zoo import embedded
from edgenet.zoo.in_torch import function
from edgenet.zoo.scenes.crop import cropped
from edgenet.zoo.scenes.dataset import pictures
from edgenet.zoo.scenes.detector import DETECTOR
from edgenet.zoo.scenes.render import SIZE
from edgenet.zoo.scenes.targets import targets
from edgenet.zoo.training import Descent, check_export, reproducible, say

if TYPE_CHECKING:
    import torch

    Weights = dict[str, torch.Tensor]

__all__ = ["main", "train"]

IMAGES, EPOCHS, BATCH, SEED = 6_000, 14, 32, 1
# Hard examples of the background for each sign, and at least for a picture (SSD, section 2.2).
NEGATIVES, FEWEST = 3, 4
CHECKED = 50


class Seen(NamedTuple):
    """Pictures, uint8 [n, height, width, 3], and of each its boxes in pixels [signs, 4] and their columns."""

    pixels: np.ndarray
    boxes: list[np.ndarray]
    columns: list[np.ndarray]


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the pictures, train, check the export, write it."""
    given = sys.argv[1:] if arguments is None else arguments
    out = Path(given[0]) if given else embedded("scenes")
    reproducible()
    began = time.monotonic()
    seen = load("train", IMAGES)
    say(f"drew {IMAGES} pictures in {time.monotonic() - began:.0f} s")
    began = time.monotonic()
    weights = train(seen, start())
    say(f"trained in {time.monotonic() - began:.0f} s")
    model = DETECTOR.model({name: tensor.detach().numpy() for name, tensor in weights.items()})
    side = DETECTOR.resolution
    inputs = seen.pixels[:CHECKED, :side, :side].astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1
    check_export(model, weights, inputs, ("scores", "boxes"))
    write_atomic(out, model.SerializeToString(deterministic=True))


def load(split: str, count: int) -> Seen:
    """Draw the first pictures of a split."""
    pixels = np.empty((count, SIZE[1], SIZE[0], 3), np.uint8)
    boxes, columns = [], []
    for index, scene in enumerate(pictures(split, count)):
        pixels[index] = np.asarray(Image.open(io.BytesIO(scene.jpeg)))
        boxes.append(np.array([sign.box for sign in scene.signs]).reshape(-1, 4))
        columns.append(np.array([1 + sign.kind for sign in scene.signs], np.int64))
    return Seen(pixels, boxes, columns)


def start() -> Weights:
    """The zoo's untrained detector with the trained layers of the classifier, as torch's tensors."""
    import torch

    arrays = {
        item.name: onnx.numpy_helper.to_array(item) for item in DETECTOR.model(seed=SEED).graph.initializer
    }
    for item in onnx.load(embedded()).graph.initializer:
        if item.name in arrays:
            arrays[item.name] = onnx.numpy_helper.to_array(item)
    return {name: torch.from_numpy(arrays[name].copy()) for name in DETECTOR.weight_shapes()}


def train(seen: Seen, weights: Weights, epochs: int = EPOCHS) -> Weights:
    """AdamW, one cosine, random crops.

    Args:
        seen: What to learn from.
        weights: Where to start; they are changed.
        epochs: Rounds over all pictures.
    """
    network = function(DETECTOR.model().graph, ("scores/all", "boxes"))
    descent = Descent(weights)
    random = np.random.default_rng(SEED)
    steps = len(seen.pixels) // BATCH
    for epoch in range(epochs):
        order, losses = random.permutation(len(seen.pixels)), []
        for step in range(steps):
            images, wanted, codes = _batch(seen, order[step * BATCH : (step + 1) * BATCH], random)
            scores, boxes = network(weights, images, training=True)
            loss = _loss(scores, boxes, wanted, codes)
            losses.append(descent.step(loss, (epoch + step / steps) / epochs))
        say(f"epoch {epoch + 1} of {epochs}: loss {np.mean(losses):.3f}")
    return weights


def _loss(
    scores: torch.Tensor, boxes: torch.Tensor, wanted: torch.Tensor, codes: torch.Tensor
) -> torch.Tensor:
    """SSD, equation 1: cross-entropy of signs and of the hardest background, smooth L1 of box codes."""
    import torch
    import torch.nn.functional as F

    signs = wanted > 0
    each = F.cross_entropy(scores.flatten(0, 1), wanted.flatten(), ignore_index=-1, reduction="none")
    each = each.reshape(wanted.shape)
    background = torch.where(wanted == 0, each.detach(), -torch.ones_like(each))
    rank = background.argsort(dim=1, descending=True, stable=True).argsort(dim=1, stable=True)
    hard = (wanted == 0) & (rank < (NEGATIVES * signs.sum(1, keepdim=True)).clamp(min=FEWEST))
    count = signs.sum().clamp(min=1)
    placed = F.smooth_l1_loss(boxes[signs], codes[signs], reduction="sum")
    return (each[signs | hard].sum() + placed) / count


def _batch(
    seen: Seen, chosen: np.ndarray, random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Crops of pictures, normalized; the column of each anchor; its box codes."""
    import torch

    settings = DETECTOR.settings()
    anchors, variances = anchors_of(settings["anchors"]), np.array(settings["variances"])
    side = DETECTOR.resolution
    images = np.empty((len(chosen), side, side, 3), np.float32)
    answers = []
    for number, index in enumerate(chosen):
        images[number], boxes, kept = cropped(seen.pixels[index], seen.boxes[index], side, random)
        answers.append(targets(anchors, boxes, seen.columns[index][kept], variances))
    images *= random.uniform(0.75, 1.25, (len(chosen), 1, 1, 3)).astype(np.float32)
    np.clip(images, 0, 255, out=images)
    wanted, codes = (np.stack(item) for item in zip(*answers, strict=True))
    pixels = torch.from_numpy((images - 127.5) / 127.5).permute(0, 3, 1, 2)
    return pixels, torch.from_numpy(wanted), torch.from_numpy(codes)


if __name__ == "__main__":
    main()
