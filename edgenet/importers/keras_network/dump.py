"""The other process: an HDF5 file's weights as plain numbers, and its names as JSON.

The HDF5 library turns in circles over some damaged files, and nothing can stop it from within. So this
file is run as a program of its own, with a deadline (:mod:`.hdf5`), and imports nothing of edgenet.

    python dump.py FILE FOLDER GROUP…

It writes ``weights`` (float32, one dataset behind another) and ``index.json`` into the folder. Of the
file it reads the root's attributes and what lies in the groups that are named, by hard links alone: other
links, virtual datasets and external ones lead into other files, and filters that are not built in into
other libraries.
"""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

MAX_BYTES, MAX_TEXT, MAX_MEMORY = 512 << 20, 16 << 20, 4 << 30
MAX_NAMES, MAX_DEPTH = 20_000, 64
BUILT_IN = (1, 2, 3)  # deflate, shuffle, fletcher32
MOST_PACKED = 1100  # deflate makes at most 1032 of 1
ATTRIBUTES = re.compile(r"(model_config|keras_version|(layer|weight)_names)\d*")
# What h5py raises over a damaged file.
FAILURES = (
    OSError, KeyError, RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, MemoryError,
    EOFError, NotImplementedError, AttributeError,
)  # fmt: skip


class Dump:
    """What was found so far.

    Attributes:
        attributes: Texts by path of the group and name.
        arrays: Shape by path, with the offset in ``weights``.
        wrong: The reason by path, of arrays and groups that are not read.
        members: Names in a group by its path.
    """

    def __init__(self, weights: BinaryIO) -> None:
        self.attributes: dict[str, dict[str, list[str]]] = {}
        self.arrays: dict[str, dict[str, Any]] = {}
        self.wrong: dict[str, str] = {}
        self.members: dict[str, list[str]] = {}
        self._weights, self._left, self._text, self._count = weights, MAX_BYTES, MAX_TEXT, 0
        self._seen: set[tuple[int, int]] = set()

    def group(self, group: Any, path: str, depth: int, only: list[str] | None = None) -> None:
        """A group and all below it; of the root only some members."""
        self._count += len(group) + 1
        if depth > MAX_DEPTH or self._count > MAX_NAMES:
            raise ValueError("too many groups")
        self.attributes[path], size = texts(group, self._text)
        self._text -= size
        names = [str(name) for name in group]
        self.members[path] = names
        for name in names if only is None else [name for name in names if name in only]:
            self._member(group, name, f"{path}/{name}", depth)

    def _member(self, group: Any, name: str, path: str, depth: int) -> None:
        try:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{name!r} is a link, which could lead out of the file")
            found = group[name]
            if self._again(found):
                raise ValueError(f"{name!r} is there twice")
            if isinstance(found, h5py.Group):
                self.group(found, path, depth + 1)
            elif isinstance(found, h5py.Dataset):
                self.arrays[path] = {"shape": list(found.shape or ()), "at": self._written(found)}
        except FAILURES as error:
            self.wrong[path] = str(error) or type(error).__name__

    def _again(self, found: Any) -> bool:
        """Whether this object was read before, under another name."""
        about = h5py.h5o.get_info(found.id)
        size = len(self._seen)
        self._seen.add((about.fileno, about.addr))
        return len(self._seen) == size

    def _written(self, dataset: Any) -> int:
        plan = dataset.id.get_create_plist()
        if dataset.is_virtual or plan.get_external_count():
            raise ValueError("its numbers lie in another file")
        filters = {plan.get_filter(index)[0] for index in range(plan.get_nfilters())}
        if filters - set(BUILT_IN):
            raise ValueError(f"packed with the filter {min(filters - set(BUILT_IN))}")
        if dataset.dtype.kind != "f":
            raise ValueError(f"{dataset.dtype} and no real numbers")
        size = math.prod(dataset.shape or ()) * dataset.dtype.itemsize
        if size > self._left:
            raise ValueError(f"more than {MAX_BYTES >> 20} MiB")
        if size > dataset.id.get_storage_size() * (MOST_PACKED if filters else 1):
            raise ValueError("not all of its numbers are there")
        self._left -= size
        at = self._weights.tell()
        np.asarray(dataset[()], np.float32).tofile(self._weights)
        return at


def texts(group: Any, most: int) -> tuple[dict[str, list[str]], int]:
    """The attributes of a group that Keras writes, and how many characters they are together."""
    found, size = {}, 0
    for name in group.attrs:
        if not ATTRIBUTES.fullmatch(name):
            continue
        told = group.attrs.get_id(name)
        count = math.prod(told.shape)
        if count > MAX_NAMES or (count and told.get_storage_size() > most):
            raise ValueError(f"{name} is too large")
        value = group.attrs[name] if count else []
        items = value.ravel().tolist() if isinstance(value, np.ndarray | np.generic) else [value]
        found[name] = [item.decode() if isinstance(item, bytes) else str(item) for item in items if count]
        size += sum(map(len, found[name]))
        if size > most:
            raise ValueError(f"{name} is too large")
    return found, size


def bound_memory() -> None:
    """Let a size that is damage fail, and not take the machine's memory, where the system has limits."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    except (ImportError, ValueError, OSError):
        return


def main(file: str, folder: str, *groups: str) -> None:
    """Write both files."""
    bound_memory()
    with Path(folder, "weights").open("wb") as weights:
        dump = Dump(weights)
        try:
            with h5py.File(file, "r", locking="best-effort") as opened:
                dump.group(opened, "", 0, list(groups))
            index: dict[str, Any] = {
                "attributes": dump.attributes, "arrays": dump.arrays, "wrong": dump.wrong,
                "members": dump.members,
            }  # fmt: skip
        except FAILURES as error:
            index = {"failed": str(error) or type(error).__name__}
    Path(folder, "index.json").write_text(json.dumps(index))


if __name__ == "__main__":
    main(*sys.argv[1:])
