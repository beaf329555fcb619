"""What the cells of a sweep are called, and how their figures are written, wherever people read them."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence

from edgenet.figures import interval, share
from edgenet.swept import MEASURED, Cell, CellAccuracy
from edgenet.tasks import task_module, task_names
from edgenet.text import plain

__all__ = [
    "accuracy_words",
    "beside",
    "build_name",
    "cell_name",
    "change",
    "counted",
    "cut",
    "drift_words",
    "kinds",
    "measure_name",
    "network_name",
    "origins",
    "speed",
    "spread",
    "threads_name",
]

MINUS = "−"
BACKENDS = {"onnxruntime": "ONNX Runtime", "tensorrt": "TensorRT", "tflite": "TFLite"}
# A network of the zoo: family, width multiplier, height of the input.
_ZOO = re.compile(r"(v\d)(?:-(small|large))?-(\d+\.\d+)-(\d+)", re.ASCII)


def network_name(cell: Cell) -> str:
    """A network and the height of its input: "V1 1.0 at 192", "V3-Large 0.75 at 224", "flowers at 96"."""
    if found := _ZOO.fullmatch(cell.model):
        version, size, alpha, resolution = found.groups()
        return f"{version.upper()}{f'-{size.title()}' if size else ''} {alpha} at {resolution}"
    known = cell.resolution is None or re.search(rf"(?<!\d){cell.resolution}(?!\d)", cell.model)
    return cell.model if known else f"{cell.model} at {cell.resolution}"


def build_name(cell: Cell) -> str:
    """How it is built: "int8 by TFLite"."""
    return f"{cell.precision} by {BACKENDS.get(cell.backend, cell.backend)}"


def threads_name(cell: Cell) -> str:
    """How many threads, "all cores" where the board had not said how many these are."""
    return counted(cell.threads, "thread") if cell.threads else "all cores"


def cell_name(cell: Cell) -> str:
    """All that tells a cell from the others of its board: "V1 1.0 at 192, int8 by TFLite, 4 threads"."""
    return f"{network_name(cell)}, {build_name(cell)}, {threads_name(cell)}"


def speed(cell: Cell) -> float | None:
    """The frames a second that are held to the line; ``None`` where nobody timed it, or on a simulation."""
    return None if cell.state == "emulated" else cell.fps.decides


@functools.cache
def measure_name(measure: str) -> str:
    """The name of a task's headline measure for people: "top1" is "top-1", "map50" is "mAP@0.5"."""
    known = (item for name in task_names() for item in task_module(name).METRICS if item.axis)
    return next((item.name for item in known if item.key == f"{measure}_percent"), measure)


def counted(count: int, noun: str) -> str:
    """A count with its noun: "1 cell", "1,000 images"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def cut(text: str | None, most: int) -> str:
    """Foreign text made fit to be shown, and no longer than that; the whole stands in the file."""
    found = plain(text or "")
    return found if len(found) <= most else f"{found[: most - 1].rstrip()}…"


def beside(value: float, line: float) -> str:
    """A figure with about two digits, and as many more as keep it on its own side of a line.

    23.96 is not written as 24 where 24 is asked for.
    """
    digits = 0 if value >= 10 else 1 if value >= 1 else 2
    while digits < 6 and (float(f"{value:.{digits}f}") < line) != (value < line):
        digits += 1
    return f"{value:.{digits}f}"


def change(value: float, digits: int = 1) -> str:
    """A difference with its sign, which nothing has: "+0.3", "−0.2", "0.0"."""
    text = f"{abs(value):.{digits}f}"
    return text if not float(text) else f"{MINUS if value < 0 else '+'}{text}"


def spread(value: float, pair: Sequence[float] | None) -> str:
    """A change with its 95 % interval: "−0.2 ± 0.4 pp", or "−0.2 pp (−0.9 to +0.1)" where it is lopsided."""
    if pair is None:
        return f"{change(value)} pp"
    below, above = (f"{abs(edge - value):.1f}" for edge in pair)
    if below == above:
        return f"{change(value)} ± {above} pp"
    return f"{change(value)} pp ({change(pair[0])} to {change(pair[1])})"


def accuracy_words(accuracy: CellAccuracy | None, measure: str) -> str:
    """How accurate, and how that is known: "top-1 69.0 % (published)"."""
    name = measure_name(measure)
    if accuracy is None:
        return f"{name} not known"
    known = f"{accuracy.kind}{_on(accuracy.images)}"
    if accuracy.interval:
        known += f", 95 % interval {interval([100.0 * edge for edge in accuracy.interval], 1)}"
    return f"{name} {share(accuracy.value)} ({known})"


def drift_words(cell: Cell, whole: bool = True) -> str:
    """What it lost against float: "int8 −0.2 ± 0.4 pp measured on 1,000 images"; "" where nobody told.

    Args:
        cell: Whose drift.
        whole: Whether it says what an expected one was measured on; its source stands in :func:`origins`.
    """
    drift = cell.drift
    if drift is None or drift.delta_pp is None:
        return ""
    told = f"{cell.precision} {spread(drift.delta_pp, drift.interval_pp)}"
    if drift.kind == MEASURED:
        again = cell.top1 is not None and cell.top1.kind == MEASURED and cell.top1.images == drift.images
        return f"{told} against float" if again else f"{told} measured{_on(drift.images)}"
    if not whole:
        return f"{told} {drift.kind}"
    if drift.images is None and drift.interval_pp is None:
        return f"{told} {drift.kind} (of its publisher's own 8-bit network)"
    on = f", measured{_on(drift.images)}" if drift.images else ""
    return f"{told} {drift.kind} of this family{on}"


def _on(images: int | None) -> str:
    return f" on {counted(images, 'image')}" if images else ""


def origins(cells: Sequence[Cell]) -> list[str]:
    """Where the accuracies and drifts that this sweep did not measure are from, the most frequent first."""
    found = Counter(
        f"{what} {item.kind}: {item.source}"
        for cell in cells
        for what, item in (("Accuracy", cell.top1), ("Drift", cell.drift))
        if item is not None and item.source
    )
    return [told for told, _ in found.most_common()]


def kinds(cells: Sequence[Cell]) -> list[str]:
    """How many figures of a sweep are of which kind, a line each for speed, accuracy and drift."""
    emulated = sum(cell.state == "emulated" for cell in cells)
    long = sum(speed(cell) is not None and cell.fps.sustained is not None for cell in cells)
    short = sum(speed(cell) is not None and cell.fps.sustained is None for cell in cells)
    accuracy = Counter(cell.top1.kind if cell.top1 else "not known" for cell in cells)
    drift = Counter(cell.drift.kind for cell in cells if cell.drift and cell.drift.delta_pp is not None)
    lines = {
        "Speed": {"sustained": long, "screened": short, "EMULATED (no speed)": emulated},
        "Accuracy": {**accuracy},
        "Drift": {**drift},
    }
    told = {
        name: [f"{count:,} {kind}" for kind, count in line.items() if count] for name, line in lines.items()
    }
    return [f"{name}: {', '.join(line)}" for name, line in told.items() if line]
