"""Where the time and the accuracy go, layer by layer, in the names of the user's model."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgenet.agent.preprocess import pixels_of
from edgenet.backend import load_backend
from edgenet.breakdown import Layer as Timed
from edgenet.breakdown import LayerFacts
from edgenet.bundle import Bundle
from edgenet.devices.answers import RuntimeLayer
from edgenet.devices.session import BenchResult, Session
from edgenet.errors import DeviceError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.layers import Layer, find
from edgenet.progress import Progress
from edgenet.verify.reference import Reference

__all__ = ["facts", "noise", "timed"]

# Images of the golden set that the layers' noise is judged on.
IMAGES = 4
REST = "copies of the input and the answer, dispatch"
OVER = "what disturbed them, or was measured with them, is not in the whole"


def timed(bench: BenchResult, known: Sequence[Layer], precision: str) -> tuple[Timed, ...]:
    """The report's ``layers`` from what the runtime told.

    A runtime that tells only the time *until* each layer gives its differences.

    Args:
        bench: What was measured.
        known: The layers of the user's float model.
        precision: Of the artifact: how many bytes a number of it has.
    """
    until = [row.until_ms for row in bench.layers if row.until_ms is not None]
    if until:
        times: list[float] = np.diff([0.0, *undisturbed(until)]).tolist()
    else:
        times = [row.ms for row in bench.layers if row.ms is not None]
    total = sum(times) or 1.0
    width = {"fp32": 4, "fp16": 2}.get(precision, 1)
    found, seen = [], set()
    for row, ms in zip(bench.layers, times, strict=True):
        layer = find(row.name, known)
        main = layer if layer is not None and layer.name not in seen else None
        seen.add(layer.name if layer else None)
        entry = Timed(
            name=_name(row, layer, main),
            op=_operator(row, main),
            ms=round(ms, 6),
            until_ms=row.until_ms,
            macs=main.macs if main is not None else None,
        )
        node, artifact = layer.name if layer else None, row.name
        entry = entry.changed(share=ms / total, node=node, artifact=artifact)
        found.append(_reached(entry, main, ms, width) if main is not None else entry)
    return _joined(found, known)


def _joined(rows: Sequence[Timed], known: Sequence[Layer]) -> tuple[Timed, ...]:
    """The rows of the user's layers with the rows that they read."""
    by_name = {layer.name: layer for layer in known}
    there = {row.name for row in rows if row.name == row.node}
    return tuple(
        row.changed(reads=_read(by_name[row.name], by_name, there)) if row.name in there else row
        for row in rows
    )


def _read(layer: Layer, by_name: Mapping[str, Layer], there: Container[str]) -> tuple[str, ...]:
    """The layers with a row that this one reads, directly or through layers without one."""
    found, left, seen = [], list(layer.reads[::-1]), {layer.name}
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in there:
            found.append(name)
        else:
            left += by_name[name].reads[::-1]
    return tuple(found)


def _reached(entry: Timed, main: Layer, ms: float, width: int) -> Timed:
    """With what it reaches a second: of a layer that took time and computes."""
    if ms <= 0 or main.op == "Flatten":
        return entry
    gmac_s = main.macs / ms / 1e6 if main.macs else None
    return entry.changed(gmac_s=gmac_s, gb_s=main.values * width / ms / 1e6)


def _name(row: RuntimeLayer, layer: Layer | None, main: Layer | None) -> str:
    if main is not None:
        return main.name
    return f"{layer.name} ({row.op})" if layer is not None else row.name


def _operator(row: RuntimeLayer, main: Layer | None) -> str | None:
    """The runtime's word where it has one, else the user's operator (TFLite tells numbers only)."""
    if isinstance(row.op, str):
        return row.op
    return main.op if main is not None else None


def undisturbed(until_ms: Sequence[float]) -> list[float]:
    """Times until each layer that never fall: no file cut earlier takes longer than one cut later.

    What disturbs a run only adds to its time, so each is bounded by the least of all that follow.
    """
    return [float(value) for value in np.minimum.accumulate(until_ms[::-1])[::-1]]


def facts(bench: BenchResult, rows: Sequence[Timed]) -> LayerFacts:
    """The report's ``layer_facts``: how the layers were timed and what of the whole they leave over."""
    if not rows:
        return LayerFacts(absent=bench.layers_absent or "the runtime does not tell them")
    cut = rows[0].until_ms is not None
    total, whole = sum(row.ms for row in rows), float(bench.model_ms.min())
    how = "differences of files cut after each operator" if cut else "the runtime's own profiler"
    return LayerFacts.of(
        method=how,
        sum_ms=total,
        whole_ms=whole,
        rest_ms=whole - total,
        profiled_ms=bench.profiled_ms,
        summary=f"Least times, by {how}. {_spent(total, whole, bench.profiled_ms)}",
    )


def _spent(total: float, whole: float, profiled: float | None) -> str:
    """What the layers take of the whole, and what the rest is."""
    if profiled is not None:
        return (
            f"The fastest run takes {whole:.3g} ms, and {profiled:.3g} ms while it is profiled. Of the latter"
            f" the layers take {total:.3g} ms, with the profiler's own time in each; the rest is dispatch,"
            " copies and the profiler between them."
        )
    if total > whole:
        return f"Together they take {total:.3g} ms, the fastest run {whole:.3g} ms: {OVER}."
    return f"They take {total:.3g} ms of the fastest run's {whole:.3g} ms; the rest is {REST}."


def noise(session: Session, bundle: Bundle, images: Sequence[bytes], rows: Sequence[Timed],
          known: Sequence[Layer], progress: Progress) -> tuple[tuple[Timed, ...], str | None]:  # fmt: skip
    """``sqnr_db`` of the layers: how far the board's values stand from the float model's, layer by layer.

    Computed on the board by the artifact's own kernels, over a few images; the signal to noise ratio is taken
    after one factor a channel (least squares), because equalizing scales channels without changing an answer.
    Where a runtime folded an activation into a layer, the float tensor of that layer that fits best counts.

    Args:
        session: The open model.
        bundle: What it is of.
        images: Encoded, as the board can decode them.
        rows: The report's layers.
        known: The layers of the user's float model.
        progress: Called for every layer.

    Returns:
        The layers with theirs, and why there are none (from some layer on), or ``None``.
    """
    found = list(rows)
    wanted = _wanted(bundle, rows, known)
    truth = _Truth(bundle, known)
    nhwc = load_backend(bundle.manifest.backend).nhwc
    for done, (at, tensor, scale, zero_point) in enumerate(wanted):
        pairs = []
        for image in images[:IMAGES]:
            try:
                got = session.tap(tensor, image)
            except DeviceError as error:
                return tuple(found), error.what
            value = got.value.transpose(0, 3, 1, 2) if nhwc and got.value.ndim == 4 else got.value
            real = _real(value, got.scale or scale, got.zero_point if got.scale else zero_point)
            pairs.append((real, truth.of(image, rows[at].node or "")))
        found[at] = rows[at].changed(sqnr_db=_best(pairs))
        progress("comparing layers with float (layers)", done + 1, len(wanted))
    return tuple(found), None


def _best(pairs: Sequence[tuple[NDArray[Any], Sequence[NDArray[Any]]]]) -> float | None:
    """The signal to noise against the candidate that fits best."""
    got = [real for real, _ in pairs]
    found = [sqnr_db(got, [given[k] for _, given in pairs]) for k in range(len(pairs[0][1]))]
    known = [value for value in found if value is not None]
    return round(max(known), 2) if known else None


Wanted = tuple[int, str, float | None, int | None]


def _wanted(bundle: Bundle, rows: Sequence[Timed], known: Sequence[Layer]) -> list[Wanted]:
    """(index of the layer, its last tensor in the artifact, scale, zero point) of each user's layer."""
    found: dict[str, Wanted] = {}
    by_node = {row.node: at for at, row in reversed(list(enumerate(rows))) if row.node}
    told = [str(row.artifact) for row in rows]
    given = load_backend(bundle.manifest.backend).taps(bundle.artifact, told, known)
    there = {name for name, _, _ in given}
    for name, scale, zero_point in given:
        layer = find(name, known)
        if layer is not None and layer.name in by_node and name in there:
            found[layer.name] = (by_node[layer.name], name, scale, zero_point)
    return list(found.values())


class _Truth:
    """The float model's tensors, by layer, each image computed once."""

    def __init__(self, bundle: Bundle, known: Sequence[Layer]) -> None:
        manifest = bundle.manifest
        proto = onnx.load_model_from_string(bundle.reference)
        self._preprocessing = manifest.preprocessing
        self._reference = Reference(proto, self._preprocessing, manifest.task)
        self._tensors = {layer.name: layer.tensors for layer in known}
        names = [name for layer in known for name in layer.tensors]
        self._evaluator = Evaluator(proto, names, optimize=False)
        self._known: dict[bytes, Mapping[str, NDArray[Any]]] = {}

    def of(self, image: bytes, layer: str) -> list[NDArray[Any]]:
        """The candidates for a layer's result, float32 NCHW or [1, classes]."""
        if image not in self._known:
            pixels = pixels_of(image, self._preprocessing.fit_spec())[None]
            self._known[image] = self._evaluator.run(self._reference.feed(pixels))
        return [self._known[image][name] for name in self._tensors[layer]]


def _real(value: NDArray[Any], scale: float | None, zero_point: int | None) -> NDArray[np.float64]:
    if scale is None:
        return value.astype(np.float64)
    return (value.astype(np.float64) - (zero_point or 0)) * scale


def sqnr_db(got: Sequence[NDArray[Any]], truth: Sequence[NDArray[Any]]) -> float | None:
    """Signal to noise in dB over images, after one least-squares factor a channel.

    Args:
        got: One an image, NCHW or [1, classes].
        truth: The same values in float.

    Returns:
        10 log10(signal / noise), at most 120; ``None`` where the sizes do not fit or there is no signal.
    """
    if any(a.size != b.size for a, b in zip(got, truth, strict=True)):
        return None
    x = np.concatenate([_channels(item, item.shape) for item in truth], axis=1)
    y = np.concatenate([_channels(a, b.shape) for a, b in zip(got, truth, strict=True)], axis=1)
    power = (y * y).sum(axis=1)
    factor = (x * y).sum(axis=1) / np.where(power > 0, power, 1.0)
    signal, rest = float((x * x).sum()), float(((x - factor[:, None] * y) ** 2).sum())
    return min(10.0 * float(np.log10(signal / max(rest, signal * 1e-12))), 120.0) if signal > 0 else None


def _channels(value: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """[channels, values] for the shape NCHW, [1, values] for any other."""
    return value.astype(np.float64).reshape(shape[1] if len(shape) == 4 else 1, -1)
