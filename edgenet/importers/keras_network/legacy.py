"""Keras' older form, ``.h5``: the architecture in an attribute, a group a layer that lists its weights."""

from __future__ import annotations

import contextlib
import itertools
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgenet.errors import ModelError
from edgenet.importers.keras_network.architecture import AGAIN, MODELS, Entry
from edgenet.importers.keras_network.hdf5 import Hdf5
from edgenet.importers.keras_network.saved import Saved, WeightScope, parse_json

__all__ = ["open_hdf5"]

WEIGHTS = "model_weights"


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[Saved]:
    """A model in Keras' older form.

    Raises:
        ModelError: It is damaged, or holds no model.
    """
    with tempfile.TemporaryDirectory(prefix="edgenet-") as folder:
        file = Hdf5(path, Path(folder), (WEIGHTS,), str(path))
        text = file.texts("", "model_config")
        if not text:
            raise _no_model(file)
        architecture = parse_json(text[0], str(path), "model_config")
        version = (file.texts("", "keras_version") or [""])[0]
        scope = _File(file, f"/{WEIGHTS}")
        yield Saved(str(path), path.stem, architecture, 3 if version.startswith("3") else 2, scope)


def _no_model(file: Hdf5) -> ModelError:
    if "layers" in file.members("") or _named(file, "", "layer_names"):
        return ModelError(
            f"{file.where}: holds only weights, not the network that they belong to",
            'build the model as it was trained, then model.load_weights(FILE) and model.save("model.keras")',
        )
    return ModelError(f"{file.where}: HDF5, but no Keras model (no model_config in it)", AGAIN)


def _named(file: Hdf5, path: str, name: str) -> Sequence[str]:
    """A list of names; Keras cuts long ones into ``name0``, ``name1`` …."""
    found = file.texts(path, name)
    if found is not None:
        return found
    names: list[str] = []
    for part in itertools.count():
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
        owners = _Owners(names, {entry.name for entry in entries})
        mine = [names if entry.kind in MODELS else owners.of(entry.name) for entry in entries]
        return [_Group(self.file, self._path, own) for own in mine]

    def paths(self) -> Sequence[str]:
        return [f"{self._path}/{name}" for name in self._names()]

    def _names(self) -> Sequence[str]:
        return _named(self.file, self._path, "weight_names") if self._given is None else self._given


class _Owners:
    """The weights of an inner model's layers, told apart by their names.

    They are called ``layer/kernel:0``, ``scope/layer/kernel:0``, or, where a session held the model twice,
    ``layer_1/kernel:0``.
    """

    def __init__(self, names: Sequence[str], layers: set[str]) -> None:
        self._names: dict[str, list[str]] = defaultdict(list)
        for name in names:
            self._names[name.rpartition("/")[0]].append(name)
        self._scoped: dict[str, list[str]] = defaultdict(list)
        self._again: dict[str, list[str]] = defaultdict(list)
        for owner in self._names:
            self._scoped[owner.rpartition("/")[2]].append(owner)
            if owner not in layers:
                self._again[re.sub(r"_\d+$", "", owner)].append(owner)

    def of(self, layer: str) -> Sequence[str]:
        """The names of a layer's weights; none where they cannot be told."""
        if layer in self._names:
            return self._names[layer]
        for found in (self._scoped.get(layer, ()), self._again.get(layer, ())):
            if len(found) == 1:
                return self._names[found[0]]
        return ()
