"""Where int8 loses: weights, activations, ranges and scores, each alone, and the noisiest tensors.

python benchmarks/quantization_noise.py MODEL.onnx FOLDER [--recipe int8-fast] [--counts 16,32,64,128]

Every second image of a calibration folder is quantized with, the others judge: divergence of the class
probabilities from the float network's (which adds up), and agreement. With --counts, the recipe is followed
with so many images instead.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.graph.qdq.insert import insert_weights
from edgenet.graph.segments import steps
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.progress import silent
from edgenet.quantize.ablation import Ablation
from edgenet.quantize.calibration.image_stream import Feed
from edgenet.quantize.calibration.watch import watch
from edgenet.quantize.equalization import watched
from edgenet.quantize.mixed_precision.sensitivity import sensitivity
from edgenet.quantize.network_fit import NetworkFit, Pixels, spread
from edgenet.quantize.quantizer import quantize
from edgenet.quantize.result import Stopwatch
from edgenet.quantize.rounding.layerwise import Kept, Reconstruction, reconstruct
from edgenet.recipe import Recipe

NOISIEST = 8


def variants(job: NetworkFit, made: Reconstruction, images: Sequence[Pixels]) -> Iterator[tuple[str, Graph]]:
    """The quantized network, and others with a part of it in float, the rest fitted to that."""
    cut = steps(job.graph, job.names())
    convs = frozenset(step.conv.output[0] for step in cut if step.conv is not None)
    tensors, scores = frozenset(made.tensors), frozenset(list(made.tensors)[-1:])
    yield "all int8", job.finished(job.graph, made)
    yield "nothing rounded, cut off where the ranges end", job.graph.copy()
    shapes = job.shaped.limits, job.shaped.shifts

    def fitted(recipe: Recipe, kept: Kept) -> Reconstruction:
        return reconstruct(job.task, job.graph, cut, images, recipe, *shapes, lambda *_: None, kept)

    dynamic, graph = replace(job.recipe, precision="int8-dynamic"), job.graph.copy()
    part = fitted(dynamic, Kept(tensors=tensors))
    insert_weights(graph, part.weights, part.biases)
    yield "weights int8, activations float", graph
    yield "activations int8, weights float", job.finished(job.graph, fitted(job.recipe, Kept(convs=convs)))
    yield "all int8 but the scores", job.finished(job.graph, fitted(job.recipe, Kept(tensors=scores)))


def parts_of(model: Model, recipe: Recipe, images: Sequence[Pixels], judged: Sequence[Pixels]) -> None:
    """Print what each part loses alone, and which tensors add most noise."""
    prepared = prepare(model)
    graph = Graph(prepared.proto)
    seen = watch(graph, watched(graph), Feed(images), recipe, lambda _: None)
    job = NetworkFit(prepared.task, recipe, graph, silent, Stopwatch())
    made = job.fit(seen.all(), spread(seen.kept(), recipe.rounding_images))
    table = Ablation(prepared.task, Graph(prepared.proto), judged)
    for told, other in variants(job, made, images[:: max(1, len(images) // recipe.rounding_images)]):
        line = table.add(told, other)
        print(f"| {told} | {line['divergence']:.5f} | {100 * line['agreement']:.1f} % |", flush=True)
    cut = steps(job.graph, job.names())
    shifts = job.shaped.shifts
    found = sensitivity(prepared.task, job.graph, cut, judged, made, shifts, 400, lambda *_: None)
    print(f"all tensors {sum(found.tensors.values()):.5f}, all kernels {sum(found.weights.values()):.5f}")
    for name, value in sorted(found.tensors.items(), key=lambda item: -item[1])[:NOISIEST]:
        step = next(item for item in cut if item.output == name)
        shape = "x".join(map(str, job.graph.shape(name)[1:]))
        print(f"| {step.name} | {shape} | {value:.5f} |")


def by_count(
    model: Model, recipe: Recipe, images: Sequence[Pixels], judged: Sequence[Pixels], counts: Sequence[int]
) -> None:
    """Print what the recipe loses with fewer images."""
    prepared = prepare(model)
    table = Ablation(prepared.task, Graph(prepared.proto), judged)
    for count in counts:
        some = [images[index * len(images) // count] for index in range(count)]
        line = table.add(str(count), Graph(quantize(prepared, recipe, some)[0].proto))
        print(f"| {count} | {line['divergence']:.5f} | {100 * line['agreement']:.1f} % |", flush=True)


def main() -> None:
    """As the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipe", default="int8-fast")
    parser.add_argument("--counts", default="")
    options = parser.parse_args()
    model, images = Model.load(options.model), ImageSet.load(options.folder)
    pixels = [images.pixels(index, model.preprocessing) for index in range(len(images))]
    recipe, halves = Recipe.load(options.recipe), (pixels[::2], pixels[1::2])
    if options.counts:
        by_count(model, recipe, *halves, [int(count) for count in options.counts.split(",")])
    else:
        parts_of(model, recipe, *halves)


if __name__ == "__main__":
    main()
