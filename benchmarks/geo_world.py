"""Trains a MobileNetV1 to say where pictures of a drawn world were taken: the task ``geo`` needs a network.

python benchmarks/geo_world.py OUT [--images 6000] [--epochs 14]

Writes OUT/geo.onnx with its card, OUT/calib and OUT/val (labels.csv: file, latitude, longitude). A picture
shows a sky and a ground by the climate of its latitude, a coast by the side of the sea, and the flag of its
country. It is taken some hundred kilometers around its cell's center. It proves the task, and says nothing of
photographs.

Needs torch (`pip install "edgenet[train]"`). Twenty minutes of CPU time on two busy cores; --images 3000
--epochs 6 takes 80 seconds.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch
from PIL import Image, ImageDraw

from edgenet.zoo import mobilenet_v1
from edgenet.zoo.mobilenet_v1 import weight_shapes
from edgenet.zoo.signs import RESOLUTION
from edgenet.zoo.signs.train import forward, start, train

ALPHA = 0.25
CALIB, VAL = 100, 600
# Standard deviation of where a picture is taken around its cell's center, km.
SPREAD_KM = 150.0
DEGREE_KM = 111.2
LARGE = 128  # pixels a side before the network's resize


class Cell(NamedTuple):
    """A place with the country's flag (two or three stripes, upright or not) and the side of the sea."""

    latitude: float
    longitude: float
    name: str
    stripes: str
    upright: bool
    sea: str


COLORS = {
    "r": (206, 17, 38), "w": (245, 245, 245), "b": (0, 56, 168), "g": (0, 122, 61), "y": (252, 209, 22),
    "k": (20, 20, 20), "o": (255, 121, 0), "l": (117, 170, 219),
}  # fmt: skip
CELLS = (
    Cell(48.86, 2.35, "Paris", "bwr", True, ""),
    Cell(43.30, 5.37, "Marseille", "bwr", True, "s"),
    Cell(52.52, 13.40, "Berlin", "kry", False, ""),
    Cell(53.55, 9.99, "Hamburg", "kry", False, "n"),
    Cell(41.90, 12.50, "Rome", "gwr", True, "w"),
    Cell(40.85, 14.27, "Naples", "gwr", True, "s"),
    Cell(53.35, -6.26, "Dublin", "gwo", True, "e"),
    Cell(52.23, 21.01, "Warsaw", "wr", False, ""),
    Cell(50.45, 30.52, "Kyiv", "ly", False, ""),
    Cell(64.15, -21.94, "Reykjavik", "bwb", False, "n"),
    Cell(6.52, 3.38, "Lagos", "gwg", True, "s"),
    Cell(12.64, -8.00, "Bamako", "gyr", True, ""),
    Cell(-34.60, -58.38, "Buenos Aires", "lwl", False, "e"),
    Cell(-54.80, -68.30, "Ushuaia", "lwl", False, "s"),
    Cell(-12.05, -77.04, "Lima", "rwr", True, "w"),
    Cell(4.71, -74.07, "Bogota", "ybr", False, ""),
    Cell(28.61, 77.21, "Delhi", "owg", False, ""),
    Cell(-6.21, 106.85, "Jakarta", "rw", False, "n"),
    Cell(24.71, 46.68, "Riyadh", "gg", False, ""),
    Cell(47.92, 106.92, "Ulaanbaatar", "rbr", True, ""),
)
SIDES = {"n": (0.0, -1.0), "e": (1.0, 0.0), "s": (0.0, 1.0), "w": (-1.0, 0.0)}


def picture(index: int, split: str) -> tuple[Image.Image, int, tuple[float, float]]:
    """A picture of a split, its cell and where it was taken: latitude and longitude in degrees."""
    chance = np.random.default_rng([len(split), *split.encode(), index])
    number = int(chance.integers(len(CELLS)))
    cell = CELLS[number]
    north, east = chance.normal(0.0, SPREAD_KM / math.sqrt(2), 2) / DEGREE_KM
    place = cell.latitude + north, cell.longitude + east / math.cos(math.radians(cell.latitude))
    image = Image.new("RGB", (LARGE, LARGE))
    draw = ImageDraw.Draw(image)
    horizon = int(chance.uniform(0.35, 0.6) * LARGE)
    warm = np.clip(1.0 - abs(place[0]) / 65.0 + chance.normal(0, 0.08), 0.0, 1.0)
    for row in range(horizon):
        light = 0.5 + 0.5 * row / horizon
        sky = np.array([150 - 90 * warm, 170 - 20 * warm, 190 + 50 * warm]) * light
        draw.line([(0, row), (LARGE, row)], fill=tuple(sky.astype(int)))
    ground = warm * np.array([205, 170, 95]) + (1 - warm) * np.array([95, 135, 90])
    draw.rectangle([0, horizon, LARGE, LARGE], fill=tuple(ground.astype(int)))
    _coast(draw, cell.sea, horizon, chance)
    _flag(draw, cell, chance)
    noisy = np.asarray(image, np.float64) * chance.uniform(0.75, 1.15) + chance.normal(
        0, 9, (LARGE, LARGE, 3)
    )
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)), number, place


def _coast(draw: ImageDraw.ImageDraw, side: str, horizon: int, chance: np.random.Generator) -> None:
    """The map's coast line in the ground: the sea on one side of a ragged line."""
    if not side:
        return
    x, y = SIDES[side]
    middle = np.array([LARGE / 2, (horizon + LARGE) / 2])
    along, steps = np.array([-y, x]), np.linspace(-LARGE, LARGE, 24)
    shore = [middle + along * step + np.array([x, y]) * (8 + chance.normal(0, 3)) for step in steps]
    shape = [tuple(point) for point in shore]
    shape += [tuple(shore[-1] + np.array([x, y]) * LARGE), tuple(shore[0] + np.array([x, y]) * LARGE)]
    sea = Image.new("L", (LARGE, LARGE))
    ImageDraw.Draw(sea).polygon(shape, fill=255)
    ImageDraw.Draw(sea).rectangle([0, 0, LARGE, horizon], fill=0)
    draw.bitmap((0, 0), sea, fill=(40, 90, 150))


def _flag(draw: ImageDraw.ImageDraw, cell: Cell, chance: np.random.Generator) -> None:
    width = int(chance.uniform(26, 48))
    height = width * 2 // 3
    left, top = int(chance.uniform(2, LARGE - width - 2)), int(chance.uniform(6, LARGE // 2))
    draw.line([(left, top), (left, min(top + 2 * height, LARGE))], fill=(90, 90, 90), width=2)
    count = len(cell.stripes)
    for at, color in enumerate(cell.stripes):
        near, far = at / count, (at + 1) / count
        across = (near, 0.0, far, 1.0) if cell.upright else (0.0, near, 1.0, far)
        box = [left + across[0] * width, top + across[1] * height,
               left + across[2] * width, top + across[3] * height]  # fmt: skip
        draw.rectangle(box, fill=COLORS[color])


def drawn(split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 [count, 3, 96, 96] and cells int64 [count]."""
    pixels, cells = np.empty((count, 3, RESOLUTION, RESOLUTION), np.uint8), np.empty(count, np.int64)
    for index in range(count):
        image, cells[index], _ = picture(index, split)
        small = image.resize((RESOLUTION, RESOLUTION), Image.Resampling.BILINEAR)
        pixels[index] = np.asarray(small).transpose(2, 0, 1)
    return pixels, cells


def write_pictures(folder: Path, split: str, count: int) -> None:
    """PNGs and labels.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["file", "latitude", "longitude"])
        for index in range(count):
            image, _, place = picture(index, split)
            image.save(folder / f"{index:04d}.png")
            table.writerow([f"{index:04d}.png", *(f"{value:.4f}" for value in place)])


def card() -> Iterator[str]:
    """Lines of geo.toml."""
    yield from ('task = "geo"', 'output = "logits"', "labels = [")
    yield from (f'  "{cell.latitude}, {cell.longitude} {cell.name}",' for cell in CELLS)
    yield from ("]", "", "[preprocessing]", f"size = [{RESOLUTION}, {RESOLUTION}]", 'color = "rgb"')
    yield from ('resize = "stretch"', 'interpolation = "bilinear-antialias"')
    yield from ("mean = [127.5, 127.5, 127.5]", "std = [127.5, 127.5, 127.5]")


def main() -> None:
    """Draw, train, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=14)
    options = parser.parse_args()
    torch.set_num_threads(2)
    untrained = mobilenet_v1(ALPHA, RESOLUTION, len(CELLS), seed=1)
    weights = start(untrained, weight_shapes(ALPHA, len(CELLS)))
    weights = train(*drawn("train", options.images), weights, forward, options.epochs)
    arrays = {name: tensor.detach().numpy() for name, tensor in weights.items()}
    options.out.mkdir(parents=True, exist_ok=True)
    onnx.save(mobilenet_v1(ALPHA, RESOLUTION, len(CELLS), weights=arrays), options.out / "geo.onnx")
    (options.out / "geo.toml").write_text("\n".join(card()) + "\n")
    for split, count in (("calib", CALIB), ("val", VAL)):
        write_pictures(options.out / split, split, count)
    pixels, cells = drawn("val", VAL)
    with torch.no_grad():
        right = forward(weights, torch.from_numpy(pixels)).argmax(1).numpy() == cells
    print(f"{options.out}: the right cell for {100 * right.mean():.1f} % of {VAL} pictures of val")


if __name__ == "__main__":
    main()
