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
    Call,
    Entry,
    Network,
    Ref,
    parse_network,
    references,
)
from edgenet.importers.keras_network.config import Config
from edgenet.importers.keras_network.inputs import input_shape
from edgenet.importers.keras_network.known import writer_of
from edgenet.importers.keras_network.layer import Layer
from edgenet.importers.keras_network.layers.table import AUGMENTATIONS
from edgenet.importers.keras_network.order import in_order, needed_calls
from edgenet.importers.keras_network.saved import Saved, WeightScope
from edgenet.importers.keras_network.writer import Tensor, Writer

__all__ = ["assemble"]

# Of models within models: how deep, how many, and calls of layers in all. A model may be called often.
MAX_DEPTH, MAX_MODELS, MAX_CALLS = 16, 200, 20_000
ONE_OUTPUT = (
    "save a model of the one that counts: "
    'keras.Model(model.input, model.get_layer(NAME).output).save("model.keras")'
)
SMALLER = "give a MobileNet, which is smaller"


def assemble(saved: Saved, size: tuple[int, int]) -> Imported:
    """The network that was saved, in inference.

    Args:
        saved: The file.
        size: Height and width of the input where the file leaves them free.

    Raises:
        ModelError: A layer is damaged, of the user's own, or not known; it is named.
    """
    network = parse_network(
        saved.architecture.get("class_name"), saved.architecture.get("config"), saved.where
    )
    work = _Assembly(saved, size)
    outputs = work.run(network, None, saved.weights, ())
    return Imported(work.writer.model(network.name, outputs), work.notes(), ONE_OUTPUT)


class _Assembly:
    def __init__(self, saved: Saved, size: tuple[int, int]) -> None:
        self.writer = Writer(saved.where)
        self._saved, self._size = saved, size
        self._models, self._calls = MAX_MODELS, MAX_CALLS
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
        self._models -= 1
        if len(within) > MAX_DEPTH or self._models < 0:
            raise ModelError(f"{self._saved.where}: too many models within models", SMALLER)
        known: dict[Ref, list[Tensor]] = {}
        self._begin(network, given, known)
        weights = scope.layers(network.entries)
        calls = [
            (Ref(entry.name, entry.first + at), entry, call, own)
            for entry, own in zip(network.entries, weights, strict=True)
            for at, call in enumerate(entry.calls)
            if entry.kind != INPUT
        ]
        waits = [(made, _taken(call) - known.keys()) for made, _, call, _ in calls]
        order = in_order(waits)
        if len(order) < len(calls):
            stuck = calls[min(set(range(len(calls))) - set(order))][1]
            raise ModelError(f"{self._saved.where}: nothing gives what layer {stuck.name!r} takes", AGAIN)
        ends = {ref._replace(tensor=0) for ref in network.outputs}
        needed = needed_calls([(*calls[at][:2], _taken(calls[at][2])) for at in order], known, ends)
        for number in order:
            made, entry, call, own = calls[number]
            if made in needed:
                known[made] = self._called((*within, entry.name), entry, call, own, known)
        return [self._given(network, ref, known, ends & needed) for ref in network.outputs]

    def _given(
        self, network: Network, ref: Ref, known: Mapping[Ref, list[Tensor]], needed: set[Ref]
    ) -> Tensor:
        """One output; of several, one that is the same for all pictures has a node of its own domain."""
        if ref._replace(tensor=0) in needed | known.keys() or not needed:
            return self._found(ref, known)
        entry = next(item for item in network.entries if item.name == ref.layer)
        return self.writer.unread(entry.kind, self.writer.named(ref.layer))

    def _begin(
        self, network: Network, given: Sequence[Tensor] | None, known: dict[Ref, list[Tensor]]
    ) -> None:
        """The inputs: the graph's own, or what an inner model is called with."""
        entries = {entry.name: entry for entry in network.entries}
        if given is not None and len(given) != len(network.inputs):
            raise ModelError(
                f"{self._saved.where}: model {network.name!r} is given {len(given)} tensors", AGAIN
            )
        for at, ref in enumerate(network.inputs):
            if given is None:
                shape = input_shape(network, entries[ref.layer], self._size, self._saved.where)
                known[ref] = [self.writer.input(self.writer.named(ref.layer), shape)]
            else:
                known[ref] = [given[at]]

    def _called(
        self,
        path: tuple[str, ...],
        entry: Entry,
        call: Call,
        scope: WeightScope,
        known: Mapping[Ref, list[Tensor]],
    ) -> list[Tensor]:
        """What one call of a layer gives."""
        where = f"{self._saved.where}: layer {entry.name!r} ({entry.kind})"
        self._calls -= 1
        if self._calls < 0:
            raise ModelError(f"{self._saved.where}: more than {MAX_CALLS} layers", SMALLER)
        args, kwargs = self._filled(call.args, known), self._filled(dict(call.kwargs), known)
        inputs = [self._found(ref, known) for ref in references((call.args, call.kwargs))]
        if entry.kind in MODELS and not entry.custom:
            inner = parse_network(entry.kind, entry.config, self._saved.where)
            return self.run(inner, inputs, scope, path)
        config = Config(entry.config, where, self._saved.keras)
        write = writer_of(entry, config)
        if write is None:
            if entry.kind in AUGMENTATIONS:
                self._skipped[entry.name] = entry.kind
            return inputs[:1]
        if len(args) == 1 and isinstance(args[0], list):
            args = args[0]
        name = self.writer.named(entry.name, "/".join(path))
        weights_name = self._weights_names.setdefault(path, name)
        layer = Layer(
            name,
            weights_name,
            entry.kind,
            config,
            args,
            kwargs,
            inputs,
            scope,
            self._saved.keras,
            self.writer,
        )
        if not inputs:
            raise config.refuse("gets no tensor", AGAIN)
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
            raise ModelError(
                f"{self._saved.where}: nothing gives output {ref.tensor} of {ref.layer!r}", AGAIN
            )
        return tensors[ref.tensor]


def _taken(call: Call) -> set[Ref]:
    """What a call waits for: whole calls, whichever of their tensors it takes."""
    return {ref._replace(tensor=0) for ref in references((call.args, call.kwargs))}
