"""HDF5 through h5py, held to one file: no link, dataset or filter leads out of it, and sizes are bounded."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import ModelError
from edgenet.importers.keras_network.architecture import AGAIN
from edgenet.text import cause

__all__ = ["MAX_BYTES", "MAX_NAMES", "MAX_TEXT", "Hdf5", "is_hdf5"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
# Filters that HDF5 has built in; for others it would load a library from a folder of the system.
BUILT_IN = (1, 2, 3)  # deflate, shuffle, fletcher32
MOST_PACKED = 1100  # deflate makes at most 1032 of 1
MAX_BYTES, MAX_TEXT = 2 << 30, 64 << 20
MAX_NAMES = 100_000
# What h5py raises over a damaged file.
FAILURES = (
    OSError, KeyError, RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, MemoryError, EOFError,
    NotImplementedError, AttributeError,
)  # fmt: skip


def is_hdf5(file: BinaryIO) -> bool:
    """Whether a file begins as HDF5 does."""
    file.seek(0)
    return file.read(len(SIGNATURE)) == SIGNATURE


class Hdf5:
    """An open file, read by paths of groups and datasets.

    Args:
        source: A path, or the bytes of a file that lay in another.
        where: For messages.

    Raises:
        ModelError: It cannot be opened; and so by every method, where what it reads is damaged.
    """

    def __init__(self, source: Path | bytes, where: str) -> None:
        import h5py

        self.where = where
        self._links, self._left = h5py, MAX_BYTES
        with self._reading("it"):
            place = io.BytesIO(source) if isinstance(source, bytes) else str(source)
            self._file = h5py.File(place, "r", locking="best-effort")

    def close(self) -> None:
        """Close it."""
        with contextlib.suppress(*FAILURES):
            self._file.close()

    def has(self, path: str) -> bool:
        """Whether a group or dataset is there."""
        return self._at(path) is not None

    def members(self, path: str) -> list[str]:
        """Names in a group, in no order; none where there is no group."""
        with self._reading(path):
            group = self._at(path)
            if group is None or not isinstance(group, self._links.Group):
                return []
            if len(group) > MAX_NAMES:
                raise ValueError(f"{len(group)} members")
            return [str(name) for name in group]

    def texts(self, path: str, name: str) -> list[str] | None:
        """The texts of an attribute, one or an array; ``None`` where there is no such attribute."""
        with self._reading(f"{path} {name}"):
            found = self._at(path)
            if found is None or name not in found.attrs:
                return None
            told = found.attrs.get_id(name)
            if not math.prod(told.shape):
                return []
            if told.get_storage_size() > MAX_TEXT or math.prod(told.shape) > MAX_NAMES:
                raise ValueError("too large")
            value = found.attrs[name]
            items = value.ravel().tolist() if isinstance(value, np.ndarray | np.generic) else [value]
            if not all(isinstance(item, str | bytes) for item in items):
                raise ValueError("no text")
            return [item if isinstance(item, str) else item.decode() for item in items]

    def array(self, path: str) -> NDArray[np.float32]:
        """A dataset of real numbers, as float32."""
        with self._reading(path):
            found = self._at(path)
            if found is None or not isinstance(found, self._links.Dataset):
                raise ValueError("no array of this name")
            self._check(found)
            return np.asarray(found[()], np.float32)

    def shape(self, path: str) -> tuple[int, ...] | None:
        """Of a dataset; ``None`` where there is none."""
        with self._reading(path):
            found = self._at(path)
            return tuple(found.shape) if isinstance(found, self._links.Dataset) else None

    def _at(self, path: str) -> Any:
        """A group or dataset by hard links alone: others may lead into another file."""
        with self._reading(path):
            found: Any = self._file
            for name in (part for part in path.split("/") if part):
                if not isinstance(found, self._links.Group):
                    return None
                link = found.get(name, getlink=True)
                if link is None:
                    return None
                if not isinstance(link, self._links.HardLink):
                    raise ValueError(f"{name!r} is a link, which could lead out of the file")
                found = found[name]
            return found

    def _check(self, dataset: Any) -> None:
        """Refuse what lies outside the file, needs a foreign filter, or is larger than it can be."""
        plan = dataset.id.get_create_plist()
        if dataset.is_virtual or plan.get_external_count():
            raise ValueError("its numbers lie in another file")
        filters = {plan.get_filter(index)[0] for index in range(plan.get_nfilters())}
        if filters - set(BUILT_IN):
            raise ValueError(f"packed with the filter {min(filters - set(BUILT_IN))}")
        if dataset.dtype.kind != "f":
            raise ValueError(f"{dataset.dtype} and no real numbers")
        size = math.prod(dataset.shape or ()) * dataset.dtype.itemsize
        self._left -= size
        if self._left < 0:
            raise ValueError(f"more than {MAX_BYTES >> 30} GiB")
        if size > dataset.id.get_storage_size() * (MOST_PACKED if filters else 1):
            raise ValueError("not all of its numbers are there")

    @contextlib.contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            raise ModelError(f"{self.where}: cannot read {what} in it ({cause(error)})", AGAIN) from None
