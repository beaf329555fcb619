"""A network whose right card is known: it tells pictures by their color, fed as it was made for.

Its answer is the nearest of seven colors to the mean of the picture, in the numbers that it is fed with:
with another order of channels, another mean or std it takes one color for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.agent.preprocess import encode_ppm
from tests.original.files import network

node = helper.make_node
# RGB, in the order in which folders of these names are numbered.
COLORS = {
    "blue": (70, 90, 170), "coal": (70, 70, 70), "dusk": (95, 95, 95), "gray": (120, 120, 120),
    "mist": (145, 145, 145), "pale": (170, 170, 170), "red": (170, 90, 70),
}  # fmt: skip
SIZE = (16, 12)


def painted(
    color: str = "rgb",
    mean: Sequence[float] = (127.5, 127.5, 127.5),
    std: Sequence[float] = (127.5, 127.5, 127.5),
    background: int = 0,
    ending: Sequence[NodeProto] = (),
    names: Sequence[str] = tuple(COLORS),
    shape: Sequence[int | str | None] = (1, 3, *SIZE),
) -> onnx.ModelProto:
    """Logits, 2 p·x - |p|², of each color p as the network sees it; behind so many background classes.

    Args:
        color: The order of the channels it was made for.
        mean, std: In that order, for pixels from 0 to 255.
        background: How many outputs stand before the first color's.
        ending: Nodes from ``z``, the logits, to ``y``.
        names: Of the colors, in the order of the outputs.
        shape: Of the input.
    """
    turn = -1 if color == "bgr" else 1
    seen = (np.array([COLORS[name][::turn] for name in names], np.float64) - mean) / np.asarray(std)
    weights, bias = 2 * seen.T, -np.square(seen).sum(axis=1)
    weights = np.concatenate([np.zeros((3, background)), weights], axis=1)
    bias = np.concatenate([np.full(background, -1e4), bias])
    nodes = [
        node("GlobalAveragePool", ["x"], ["p"]),
        node("Flatten", ["p"], ["f"]),
        node("Gemm", ["f", "d", "e"], ["z" if ending else "y"], name="dense"),
        *ending,
    ]
    return network(nodes, {"d": weights.astype(np.float32), "e": bias.astype(np.float32)}, shape)


def saved(folder: Path, proto: onnx.ModelProto, name: str = "painted.onnx") -> Path:
    """The file."""
    path = folder / name
    path.write_bytes(proto.SerializeToString())
    return path


def pictures(folder: Path, each: int = 12, names: Mapping[str, str] | None = None) -> Path:
    """So many pictures of each color, one folder a color, or called by other names."""
    chance = np.random.default_rng(4)
    for color, paint in COLORS.items():
        if names is not None and color not in names:
            continue
        own = folder / (names or {}).get(color, color)
        own.mkdir(parents=True)
        for index in range(each):
            (own / f"{index}.ppm").write_bytes(encode_ppm(_picture(chance, paint)))
    return folder


def _picture(chance: np.random.Generator, paint: Sequence[int]) -> NDArray[np.uint8]:
    noise = chance.normal(0, 30, (20, 24, 3)) + chance.normal(0, 3, 3)
    return np.clip(np.asarray(paint) + noise, 0, 255).astype(np.uint8)
