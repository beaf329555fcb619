"""Whether quantizing and lowering grow with a network and no faster: seconds at 56, 112 and 224 convolutions.

python benchmarks/growth.py [--convolutions 56,112,224] [--recipe int8-fast] [--images N] [--rounds N]

The networks are narrow separable blocks with residual sums on small pictures: their arithmetic is cheap,
and what is left is the work on the graph. Seconds are the processor's, in all threads: a busy machine
changes them least. The sizes are measured in turn within a round; shown are medians, and behind them how
often the seconds of the network before. Twice the convolutions should cost no more than 2.2 times.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import numpy as np

from edgenet.backend import load_backend
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.target import Target
from edgenet.zoo.network import Network

RESOLUTION, DEPTH, CLASSES = 32, 8, 10
STAGES = ("prepare", "quantize", "tflite", "onnxruntime")


def deep(convolutions: int) -> Model:
    """A network of an even number of convolutions: a stem, separable blocks, a classifier."""
    net = Network(RESOLUTION)
    value = net.convolution("stem", "input", DEPTH, 3, 2, activation="hswish")
    for number in range(convolutions // 2 - 1):
        name = f"block{number}"
        inner = net.convolution(f"{name}/depthwise", value, DEPTH, 3, depthwise=True, activation="relu6")
        value = net.add(f"{name}/sum", value, net.convolution(f"{name}/pointwise", inner, DEPTH))
    scores = net.dense("classifier", net.pool("pool", value), CLASSES)
    net.logits(scores)
    proto = net.model(f"deep{convolutions}", None, 0, 14)
    how = Preprocessing(
        (RESOLUTION, RESOLUTION), "rgb", "stretch", None, "bilinear-antialias", (127.5,) * 3, (127.5,) * 3
    )
    return Model(f"deep{convolutions}", proto, how, "logits", 0, (), "0" * 64)


def seconds(model: Model, recipe: Recipe, images: int) -> dict[str, float]:
    """Processor seconds of every stage."""
    random, target = np.random.default_rng(0), Target.load("local")
    size = (1, RESOLUTION, RESOLUTION, 3)
    pixels = [random.integers(0, 256, size, dtype=np.uint8) for _ in range(images)]
    clock = [time.process_time()]
    prepared = prepare(model)
    clock.append(time.process_time())
    whole, _ = quantize(prepared, recipe, pixels)
    clock.append(time.process_time())
    for name in STAGES[2:]:
        load_backend(name).lower(whole, target)
        clock.append(time.process_time())
    return dict(zip(STAGES, np.diff(clock).tolist(), strict=True))


def main() -> None:
    """Measure in turns, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--convolutions", default="56,112,224")
    parser.add_argument("--recipe", default="int8-fast")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    recipe = Recipe.load(options.recipe)
    models = [deep(int(count)) for count in options.convolutions.split(",")]
    seconds(deep(4), recipe, options.images)  # imports
    rounds = [[seconds(model, recipe, options.images) for model in models] for _ in range(options.rounds)]
    before: dict[str, float] = {}
    for number, model in enumerate(models):
        now = {stage: median(turn[number][stage] for turn in rounds) for stage in STAGES}
        cells = [f"{stage} {now[stage]:6.2f} s" for stage in STAGES]
        if before:
            cells = [
                f"{cell} (x{now[stage] / before[stage]:.2f})"
                for stage, cell in zip(STAGES, cells, strict=True)
            ]
        print(f"{model.name:>8}  {'   '.join(cells)}", flush=True)
        before = now


if __name__ == "__main__":
    main()
