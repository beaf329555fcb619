"""From a saved model to an ONNX graph: every call of every layer, inner models included, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgenet.errors import ModelError
from edgenet.importer import Imported
from edgenet.importers.keras_network.architecture import (
    AGAIN,
    INPUT,
    MODELS,
    Entry,
    Network,
    Ref,
    parse_network,
    references,
)
from edgenet.importers.keras_network.config import EXPORT, Config
from edgenet.importers.keras_network.layer import Layer, LayerWriter
from edgenet.importers.keras_network.layers.table import CODE, LAYERS, OPERATIONS, is_augmentation, is_nothing
from edgenet.importers.keras_network.saved import Saved, WeightScope
from edgenet.importers.keras_network.writer import Tensor, Writer

__all__ = ["assemble"]

MAX_DEPTH = 16  # models within models


def assemble(saved: Saved, size: tuple[int, int]) -> Imported:
    """The network that was saved, in inference.

    Args:
        saved: The file.
        size: Height and width of the input where the file leaves them free.

    Raises:
        ModelError: A layer is damaged, of the user's own, or not known; it is named.
    """
    network = parse_network(saved.architecture.get("class_name"), saved.architecture.get("config"), saved.where)
    work = _Assembly(saved, size)
    outputs = work.run(network, None, saved.weights, ())
    return Imported(work.writer.model(network.name, outputs), work.notes())


class _Assembly:
    def __init__(self, saved: Saved, size: tuple[int, int]) -> None:
        self.writer = Writer(saved.where)
        self._saved, self._size = saved, size
        self._skipped: dict[str, str] = {}
        self._weights_names: dict[tuple[str, ...], str] = {}

    def notes(self) -> tuple[str, ...]:
        """What was left out."""
        if not self._skipped:
            return ()
        told = ", ".join(f"{name} ({kind})" for name, kind in self._skipped.items())
        return (f"left out, for it works in training alone: {told}",)

    def run(
        self, network: Network, given: Sequence[Tensor] | None, scope: WeightScope, within: tuple[str, ...]
    ) -> list[Tensor]:
        """All calls of a model's layers; returns what the model gives.

        Args:
            network: The model.
            given: What it is called with; ``None`` for the outermost, whose inputs are the graph's.
            scope: Its weights.
            within: The models it lies in, itself included; the outermost is not named.
        """
        if len(within) > MAX_DEPTH:
            raise ModelError(f"{self._saved.where}: models within models, more than {MAX_DEPTH} deep", AGAIN)
        known: dict[Ref, list[Tensor]] = {}
        self._begin(network, given, known)
        weights = scope.layers(network.entries)
        waiting = [
            (entry, at, own)
            for entry, own in zip(network.entries, weights, strict=True)
            for at in range(len(entry.calls))
            if entry.kind != INPUT
        ]
        while waiting:
            later = []
            for entry, at, own in waiting:
                call = entry.calls[at]
                if all(ref._replace(tensor=0) in known for ref in references((call.args, call.kwargs))):
                    known[Ref(entry.name, entry.first + at)] = self._called((*within, entry.name), entry, at, own, known)
                else:
                    later.append((entry, at, own))
            if len(later) == len(waiting):
                raise ModelError(f"{self._saved.where}: nothing gives what layer {later[0][0].name!r} takes", AGAIN)
            waiting = later
        return [self._found(ref, known) for ref in network.outputs]

    def _begin(
        self, network: Network, given: Sequence[Tensor] | None, known: dict[Ref, list[Tensor]]
    ) -> None:
        """The inputs: the graph's own, or what an inner model is called with."""
        entries = {entry.name: entry for entry in network.entries}
        if given is not None and len(given) != len(network.inputs):
            raise ModelError(f"{self._saved.where}: model {network.name!r} is given {len(given)} tensors", AGAIN)
        for at, ref in enumerate(network.inputs):
            if given is None:
                shape = self._input_shape(network, entries[ref.layer])
                known[ref] = [self.writer.input(self.writer.named(ref.layer), shape)]
            else:
                known[ref] = [given[at]]

    def _input_shape(self, network: Network, entry: Entry) -> tuple[int, ...]:
        where = f"{self._saved.where}: layer {entry.name!r} ({entry.kind})"
        shape: Any = entry.config.get("batch_input_shape") or entry.config.get("batch_shape")
        inner = network.entries[1] if len(network.entries) > 1 else entry
        for _ in range(MAX_DEPTH):
            if shape is not None or inner.kind not in MODELS:
                break
            found = parse_network(inner.kind, inner.config, self._saved.where)
            first = next(item for item in found.entries if item.name == found.inputs[0].layer)
            shape = first.config.get("batch_input_shape") or first.config.get("batch_shape")
            inner = found.entries[1] if len(found.entries) > 1 else first
        if not isinstance(shape, list) or len(shape) != 4:
            raise ModelError(f"{where} takes {str(shape)[:80]}, no pictures [batch, height, width, channels]", EXPORT)
        sides = [side if side is not None else free for side, free in zip(shape[1:3], self._size, strict=True)]
        if not all(type(side) is int and side > 0 for side in (*sides, shape[3])):
            raise ModelError(f"{where} takes {str(shape)[:80]}, without a number of channels", EXPORT)
        return (*sides, shape[3])

    def _called(
        self, path: tuple[str, ...], entry: Entry, at: int, scope: WeightScope, known: Mapping[Ref, list[Tensor]]
    ) -> list[Tensor]:
        """What one call of a layer gives."""
        where = f"{self._saved.where}: layer {entry.name!r} ({entry.kind})"
        call = entry.calls[at]
        args, kwargs = self._filled(call.args, known), self._filled(dict(call.kwargs), known)
        inputs = [self._found(ref, known) for ref in references((call.args, call.kwargs))]
        if entry.kind in MODELS and not entry.custom:
            inner = parse_network(entry.kind, entry.config, self._saved.where)
            return self.run(inner, inputs, scope, path)
        config = Config(entry.config, where)
        write = _writer(entry, config)
        if write is None:
            if is_augmentation(entry.kind):
                self._skipped[entry.name] = entry.kind
            return inputs[:1]
        if len(args) == 1 and isinstance(args[0], list):
            args = args[0]
        name = self.writer.named(entry.name, "/".join(path))
        weights_name = self._weights_names.setdefault(path, name)
        layer = Layer(
            name, weights_name, entry.kind, config, args, kwargs, inputs, scope, self._saved.keras, self.writer
        )
        if not inputs:
            raise config.refuse("is given no tensor", AGAIN)
        return [write(layer)]

    def _filled(self, value: Any, known: Mapping[Ref, list[Tensor]]) -> Any:
        """The values of a call with tensors in place of what stands for them."""
        if isinstance(value, Ref):
            return self._found(value, known)
        if isinstance(value, dict):
            return {key: self._filled(item, known) for key, item in value.items()}
        return [self._filled(item, known) for item in value] if isinstance(value, list | tuple) else value

    def _found(self, ref: Ref, known: Mapping[Ref, list[Tensor]]) -> Tensor:
        tensors = known.get(ref._replace(tensor=0), [])
        if ref.tensor >= len(tensors):
            raise ModelError(f"{self._saved.where}: nothing gives output {ref.tensor} of {ref.layer!r}", AGAIN)
        return tensors[ref.tensor]


def _writer(entry: Entry, config: Config) -> LayerWriter | None:
    """What writes a layer; ``None`` for one that is nothing in inference.

    Raises:
        ModelError: It is none that edgenet knows.
    """
    if entry.kind in CODE:
        raise config.refuse(
            "holds code of the user's own, which is never run",
            "put layers of Keras in its place (Rescaling, Normalization …) and save the model again, or export it to "
            "ONNX (docs/models.md)",
        )
    if entry.custom:
        raise config.refuse("is of a class of the user's own, whose code is not in the file")
    if not entry.operation and is_nothing(entry.kind):
        return None
    # Files in HDF5 do not tell functions from layers.
    known = {**LAYERS, **OPERATIONS} if entry.operation else {**OPERATIONS, **LAYERS}
    found = known.get(entry.kind)
    if found is None:
        raise config.refuse("is a layer that edgenet does not know")
    return found
