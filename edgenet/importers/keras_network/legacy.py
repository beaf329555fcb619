"""Keras' older form, ``.h5``: the architecture in an attribute, a group a layer, which lists its weights by name."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from edgenet.errors import ModelError
from edgenet.importers.keras_network.architecture import AGAIN, MODELS, Entry
from edgenet.importers.keras_network.hdf5 import MAX_NAMES, Hdf5
from edgenet.importers.keras_network.saved import Saved, WeightScope, parse_json

__all__ = ["open_hdf5"]

WEIGHTS = "model_weights"


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[Saved]:
    """A model in Keras' older form.

    Raises:
        ModelError: It is damaged, or holds no model.
    """
    file = Hdf5(path, str(path))
    try:
        text = file.texts("", "model_config")
        if not text:
            raise _no_model(file)
        architecture = parse_json(text[0], str(path), "model_config")
        version = (file.texts("", "keras_version") or [""])[0]
        scope = _File(file, WEIGHTS if file.has(WEIGHTS) else "")
        yield Saved(str(path), path.stem, architecture, 3 if version.startswith("3") else 2, scope)
    finally:
        file.close()


def _no_model(file: Hdf5) -> ModelError:
    if file.has("layers") or _named(file, "", "layer_names"):
        return ModelError(
            f"{file.where}: holds weights alone, not the network they belong to",
            'build the model as it was trained, then model.load_weights(FILE) and model.save("model.keras")',
        )
    return ModelError(f"{file.where}: HDF5, but no Keras model (no model_config in it)", AGAIN)


def _named(file: Hdf5, path: str, name: str) -> list[str]:
    """A list of names; Keras cuts long ones into ``name0``, ``name1`` …."""
    found = file.texts(path, name) if file.shape(path) is None else None
    if found is not None:
        return found
    names: list[str] = []
    for part in range(MAX_NAMES):
        more = file.texts(path, f"{name}{part}")
        if more is None:
            break
        names += more
    return names


class _File(WeightScope):
    """All weights: one group a layer of the outer model."""

    def __init__(self, file: Hdf5, path: str) -> None:
        super().__init__(file)
        self._path = path

    def layers(self, entries: Sequence[Entry]) -> Sequence[WeightScope]:
        return [_Group(self.file, f"{self._path}/{entry.name}", None) for entry in entries]

    def paths(self) -> Sequence[str]:
        return ()


class _Group(WeightScope):
    """The weights of one layer, or of all layers of an inner model, which are told apart by their names."""

    def __init__(self, file: Hdf5, path: str, names: Sequence[str] | None) -> None:
        super().__init__(file)
        self._path, self._given = path, names

    def layers(self, entries: Sequence[Entry]) -> Sequence[WeightScope]:
        names = self._names()
        owners: dict[str, list[str]] = {}
        for name in names:
            owners.setdefault(name.rpartition("/")[0], []).append(name)
        leaves = {entry.name for entry in entries}
        mine = [names if entry.kind in MODELS else _owned(owners, entry.name, leaves) for entry in entries]
        return [_Group(self.file, self._path, own) for own in mine]

    def paths(self) -> Sequence[str]:
        return [f"{self._path}/{name}" for name in self._names()]

    def _names(self) -> Sequence[str]:
        return _named(self.file, self._path, "weight_names") if self._given is None else self._given


def _owned(owners: Mapping[str, list[str]], layer: str, leaves: set[str]) -> list[str]:
    """The weights of a layer of an inner model.

    They are called ``layer/kernel:0``, ``scope/layer/kernel:0``, or, where a session held the model twice,
    ``layer_1/kernel:0``.
    """
    if layer in owners:
        return owners[layer]
    scoped = [owner for owner in owners if owner.endswith(f"/{layer}")]
    again = [owner for owner in owners if owner not in leaves and re.sub(r"_\d+$", "", owner) == layer]
    for found in (scoped, again):
        if len(found) == 1:
            return owners[found[0]]
    return []
