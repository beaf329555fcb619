"""Depthwise kernels that XNNPACK has no vector code for, as the graph says them and as edgenet writes them.

python benchmarks/depthwise.py [--rounds N] [--json F]

Layers by themselves: the time of a file cut behind the layer, less that of the file cut before it. Then a
network of MCUNet's kind (Lin et al., arXiv 2007.10319: 176x176 pixels, depthwise 3x3, 5x5 and 7x7; random
weights), whole, and beside it ONNX Runtime with edgenet's file. One thread, CPU time of that thread, all in
turn; medians. Every int8 file must give the same numbers as the one that the graph says.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

from edgenet.agent.tflite.cut import Cut
from edgenet.backend import load_backend
from edgenet.backends.lowering.operators import to_tflite
from edgenet.backends.lowering.scope import Favored
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.target import Target
from edgenet.zoo.network import Network

HALF = (127.5,) * 3
OPERATORS = {0: "ADD", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D", 34: "PAD", 65: "SLICE", 6: "DEQUANTIZE"}
RECIPE = Recipe("benchmark", "", "min-max", "per-channel", 0, 0.0)
# Side, channels read and made, taps, stride.
LAYERS = (
    *((32, 96, 96, taps, 1) for taps in (5, 6, 7, 9, 11)),
    *((32, 96, 96, 7, 2), (32, 240, 240, 7, 1), (112, 32, 32, 7, 1)),
    *((32, 96, 192, 3, 1), (32, 32, 64, 5, 1)),
)
# Taps, stride, channels inside and made.
MCUNET = (
    *((7, 2, 24, 16), (3, 1, 80, 16), (7, 1, 80, 16), (3, 1, 64, 16), (5, 2, 80, 24), (5, 1, 120, 24)),
    *((5, 1, 120, 24), (5, 2, 120, 40), (7, 1, 240, 40), (3, 1, 160, 40), (5, 1, 200, 48), (5, 1, 240, 48)),
    *((3, 1, 240, 48), (5, 2, 288, 96), (5, 1, 480, 96), (3, 1, 384, 96), (5, 1, 480, 160)),
)

Run = Callable[[], object]


def finished(net: Network, top: str, classes: int, size: int) -> Model:
    """The prepared model, with a classifier behind its last tensor."""
    net.logits(net.dense("classifier", net.pool("pool", top), classes))
    proto = net.model("net", None, 0, 14)
    how = Preprocessing((size, size), "rgb", "stretch", None, "bilinear", HALF, HALF)
    return prepare(Model("net", proto, how, "logits", 0, (), "0" * 64))


def layer(side: int, read: int, made: int, taps: int, stride: int) -> Model:
    """One depthwise layer behind a small convolution."""
    net = Network(side)
    top = net.convolution("before", "input", read, activation="relu6")
    top = net.convolution("layer", top, made, taps, stride, depthwise=True, activation="relu6")
    return finished(net, top, 10, side)


def mcunet() -> Model:
    """A network with three 7x7 depthwise layers and nine of 5x5."""
    net = Network(176)
    top = net.convolution("stem", "input", 16, 3, 2, activation="relu6")
    top = net.convolution("first", top, 16, 3, depthwise=True, activation="relu6")
    top = net.convolution("first/project", top, 8)
    for number, (taps, stride, inside, made) in enumerate(MCUNET):
        inner = net.convolution(f"{number}/expand", top, inside, activation="relu6")
        inner = net.convolution(
            f"{number}/depthwise", inner, inside, taps, stride, depthwise=True, activation="relu6"
        )
        inner = net.convolution(f"{number}/project", inner, made)
        top = net.add(f"{number}/sum", top, inner) if stride == 1 and net.depth(top) == made else inner
    return finished(net, top, 1000, 176)


def variants(model: Model) -> dict[str, Model]:
    """The model by its precisions."""
    height, width = model.preprocessing.size
    random = np.random.default_rng(1)
    pixels = [random.integers(0, 256, (1, height, width, 3), dtype=np.uint8) for _ in range(2)]
    return {"fp32": model, "int8": quantize(model, RECIPE, pixels)[0]}


def loaded(data: bytes) -> Interpreter:
    """A file that has run once, on random pixels."""
    interpreter = Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    read = interpreter.get_input_details()[0]
    pixels = np.random.default_rng(2).integers(0, 256, read["shape"], dtype=np.uint8)
    interpreter.set_tensor(read["index"], pixels)
    interpreter.invoke()
    return interpreter


def scores(interpreter: Interpreter) -> np.ndarray:
    """What it gave last."""
    return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


def medians(runs: dict[str, Run], rounds: int) -> dict[str, float]:
    """Milliseconds of this thread, at least two of them a turn."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            count, start = 0, time.thread_time()
            while (spent := time.thread_time() - start) < 2e-3 or not count:
                run()
                count += 1
            times[name].append(spent * 1e3 / count)
    return {name: median(found) for name, found in times.items()}


def of_layer(data: bytes) -> tuple[bytes, bytes, str]:
    """The file cut before and behind the layer, and the layer's operators."""
    cut = Cut(data)
    ends = [
        max(index for index, name in enumerate(cut.names) if name.startswith(part))
        for part in ("before", "layer")
    ]
    codes = Counter(OPERATORS[code] for code in cut.codes[ends[0] + 1 : ends[1] + 1])
    said = " + ".join(f"{count} {code}" for code, count in codes.items())
    return cut.until(ends[0] + 1), cut.until(ends[1] + 1), said


def layers(rounds: int) -> list[dict[str, object]]:
    """Every layer in both writings."""
    target, rows = Target.load("local"), []
    for shape in LAYERS:
        for precision, model in variants(layer(*shape)).items():
            files = {
                "before": to_tflite(model, Favored())[0],
                "after": load_backend("tflite").lower(model, target).data,
            }
            parts = {name: of_layer(data) for name, data in files.items()}
            held = {f"{name}{index}": loaded(parts[name][index]) for name in parts for index in (0, 1)}
            found = medians({name: one.invoke for name, one in held.items()}, rounds)
            if precision == "int8" and not np.array_equal(*(scores(held[f"{name}1"]) for name in files)):
                raise SystemExit(f"{shape}: the int8 numbers differ")
            row = {name: round(found[f"{name}1"] - found[f"{name}0"], 4) for name in files}
            rows.append(
                {
                    "shape": shape,
                    "precision": precision,
                    "ms": row,
                    "as": {name: parts[name][2] for name in files},
                }
            )
            print(shape, precision, row, rows[-1]["as"], flush=True)
    return rows


def in_onnxruntime(model: Model, target: Target) -> Run:
    """edgenet's file for ONNX Runtime in a session as anybody makes one, with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    data = load_backend("onnxruntime").lower(model, target).data
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (read,) = session.get_inputs()
    pixels = np.random.default_rng(2).integers(0, 256, read.shape, dtype=np.uint8)
    return lambda: session.run(None, {read.name: pixels})


def networks(rounds: int) -> list[dict[str, object]]:
    """The network in both writings and in ONNX Runtime."""
    target, rows = Target.load("local"), []
    for precision, model in variants(mcunet()).items():
        before = loaded(to_tflite(model, Favored())[0])
        after = loaded(load_backend("tflite").lower(model, target).data)
        runs: dict[str, Run] = {
            "before": before.invoke,
            "after": after.invoke,
            "onnxruntime": in_onnxruntime(model, target),
        }
        found = {name: round(ms, 3) for name, ms in medians(runs, rounds).items()}
        same = float((scores(before) == scores(after)).mean())
        rows.append({"network": "mcunet", "precision": precision, "ms": found, "same": same})
        told = f"{same:.1%} of the scores alike" if precision == "int8" else ""
        print("mcunet", precision, found, told, flush=True)
    return rows


def main() -> None:
    """Print every row; write them to a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rows = [*layers(chosen.rounds), *networks(chosen.rounds)]
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
