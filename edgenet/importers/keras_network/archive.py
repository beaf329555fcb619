"""Keras' newer form, ``.keras``: a zip archive with the architecture as JSON and the weights as HDF5."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgenet.errors import ModelError
from edgenet.importers.keras_network.architecture import AGAIN, Entry
from edgenet.importers.keras_network.hdf5 import Hdf5
from edgenet.importers.keras_network.saved import MAX_TEXT, Saved, WeightScope, parse_json
from edgenet.text import cause

__all__ = ["open_archive"]

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MAX_BYTES, SMALL, MOST_PACKED = 1 << 30, 16 << 20, 20
# Where a model's layers lie: since Keras 2.13, and in 2.12, which counts layers with weights twice.
LAYERS, TRACKED = "layers", "_layer_checkpoint_dependencies"
FAILURES = (
    OSError,
    RuntimeError,
    ValueError,
    KeyError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[Saved]:
    """A model in Keras' newer form.

    Raises:
        ModelError: It is damaged, or holds no model.
    """
    where = str(path)
    with tempfile.TemporaryDirectory(prefix="edgenet-") as folder:
        weights = Path(folder, WEIGHTS)
        try:
            with zipfile.ZipFile(path) as archive:
                names = set(archive.namelist())
                if CONFIG not in names:
                    raise ModelError(f"{where}: an archive, but no Keras model (no {CONFIG} in it)", AGAIN)
                if WEIGHTS not in names:
                    raise ModelError(
                        f"{where}: its weights are not in {WEIGHTS}, the one form that is read", AGAIN
                    )
                config = _member(archive, CONFIG)
                metadata = _member(archive, METADATA) if METADATA in names else b"{}"
                _extract(archive, weights)
        except FAILURES as error:
            raise ModelError(f"{where}: a damaged archive ({cause(error)})", AGAIN) from None
        architecture = parse_json(config, where, CONFIG)
        version = str(parse_json(metadata, where, METADATA).get("keras_version", "3"))
        file = Hdf5(weights, Path(folder), (LAYERS, TRACKED), where)
        weights.unlink()
        yield Saved(where, path.stem, architecture, 2 if version.startswith("2") else 3, _Path(file, ""))


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > MAX_TEXT:
        raise ValueError(f"{name} is larger than {MAX_TEXT >> 20} MiB")
    with archive.open(name) as file:
        return file.read(MAX_TEXT)


def _extract(archive: zipfile.ZipFile, to: Path) -> None:
    """The weights as a file of their own, of the size that the archive tells."""
    about = archive.getinfo(WEIGHTS)
    if about.file_size > MAX_BYTES:
        raise ValueError(f"{WEIGHTS} is larger than {MAX_BYTES >> 20} MiB")
    if about.file_size > SMALL and about.file_size > MOST_PACKED * about.compress_size:
        raise ValueError(f"{WEIGHTS} is packed more than {MOST_PACKED} times, as no weights are")
    with archive.open(WEIGHTS) as source, to.open("wb") as target:
        shutil.copyfileobj(source, target)


class _Path(WeightScope):
    """A layer's weights are numbered; a model's layers are called after their classes, and numbered too."""

    def __init__(self, file: Hdf5, path: str) -> None:
        super().__init__(file)
        self._path = path

    def layers(self, entries: Sequence[Entry]) -> Sequence[WeightScope]:
        tracked = f"{self._path}/{TRACKED}"
        if self.file.has(tracked):
            return self._tracked(tracked, entries)
        seen: Counter[str] = Counter()
        scopes = []
        for entry in entries:
            name = _snake_case(entry.kind)
            number = seen[name]
            seen[name] += not entry.operation
            scopes.append(_Path(self.file, f"{self._path}/{LAYERS}/{name}{f'_{number}' if number else ''}"))
        return scopes

    def _tracked(self, path: str, entries: Sequence[Entry]) -> Sequence[WeightScope]:
        """By order within a class: the numbers in their names count some layers twice."""
        queues: dict[str, list[str]] = {}
        for member in sorted(self.file.members(path), key=_number):
            inner = self.file.members(f"{path}/{member}")
            if self.file.members(f"{path}/{member}/vars") or set(inner) - {"vars"}:
                queues.setdefault(re.sub(r"_\d+$", "", member), []).append(member)
        scopes = []
        for entry in entries:
            queue = queues.get(_snake_case(entry.kind), [])
            scopes.append(_Path(self.file, f"{path}/{queue.pop(0)}" if queue else f"{path}/"))
        return scopes

    def paths(self) -> Sequence[str]:
        count = len(self.file.members(f"{self._path}/vars"))
        return [f"{self._path}/vars/{number}" for number in range(count)]


def _snake_case(name: str) -> str:
    """As Keras writes class names: DepthwiseConv2D → depthwise_conv2d, ReLU → re_lu."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _number(member: str) -> int:
    found = re.search(r"_(\d+)$", member)
    return int(found[1][:9]) if found else 0
