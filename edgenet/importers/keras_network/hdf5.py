"""HDF5, read by another process within a deadline: over damaged files its library may never end."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import ModelError
from edgenet.importers.keras_network.architecture import AGAIN
from edgenet.text import last_line

__all__ = ["Hdf5", "is_hdf5"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
PROGRAM = Path(__file__).with_name("dump.py")
DEADLINE, BYTES_PER_SECOND = 30.0, 10e6  # 14 MB take less than a second


def is_hdf5(file: BinaryIO) -> bool:
    """Whether a file begins as HDF5 does."""
    file.seek(0)
    return file.read(len(SIGNATURE)) == SIGNATURE


class Hdf5:
    """A file's names and weights, after another process read it.

    Args:
        path: The file.
        folder: An empty folder to work in; what is here is read from it later.
        groups: The members of the root that are read; others are not opened.
        where: For messages.

    Raises:
        ModelError: It cannot be read.
    """

    def __init__(self, path: Path, folder: Path, groups: Sequence[str], where: str) -> None:
        self.where, self._weights = where, folder / "weights"
        command = [sys.executable, "-P", str(PROGRAM), str(path.resolve()), str(folder), *groups]
        try:
            deadline = DEADLINE + path.stat().st_size / BYTES_PER_SECOND
            done = subprocess.run(
                command, capture_output=True, timeout=deadline, check=False, env=_environment()
            )
        except subprocess.TimeoutExpired:
            raise self._damaged(f"not done after {deadline:.0f} s, as over a damaged file") from None
        except OSError as error:
            raise ModelError(
                f"{where}: no process can be started to read it ({error.strerror})", "free some memory"
            ) from None
        try:
            index = json.loads((folder / "index.json").read_text())
        except (OSError, ValueError):
            reason = last_line(done.stderr.decode(errors="replace")) or f"exit code {done.returncode}"
            if "h5py" in reason and "Error" in reason:
                raise ModelError(
                    f"{where}: h5py, which reads it, does not work ({reason})", "pip install h5py"
                ) from None
            raise self._damaged(f"the HDF5 library failed, {reason}") from None
        if "failed" in index:
            raise self._damaged(index["failed"])
        self._attributes: dict[str, dict[str, list[str]]] = index["attributes"]
        self._arrays: dict[str, dict[str, Any]] = index["arrays"]
        self._members: dict[str, list[str]] = index["members"]
        self._wrong: dict[str, str] = index["wrong"]

    def has(self, path: str) -> bool:
        """Whether a group is there."""
        return path in self._members

    def members(self, path: str) -> Sequence[str]:
        """Names in a group, in no order; none where there is no group.

        Raises:
            ModelError: It, or what it lies in, is there and cannot be read.
        """
        self._check(path)
        return self._members.get(path, ())

    def texts(self, path: str, name: str) -> Sequence[str] | None:
        """The texts of an attribute of a group, one or several; ``None`` where there is no such attribute.

        Raises:
            ModelError: As :meth:`members`.
        """
        self._check(path)
        return self._attributes.get(path, {}).get(name)

    def shape(self, path: str) -> tuple[int, ...] | None:
        """Of a dataset; ``None`` where there is none.

        Raises:
            ModelError: As :meth:`members`.
        """
        self._check(path)
        return tuple(self._arrays[path]["shape"]) if path in self._arrays else None

    def array(self, path: str) -> NDArray[np.float32]:
        """The numbers of a dataset that is there."""
        told = self._arrays[path]
        count = math.prod(told["shape"])
        values = np.fromfile(self._weights, np.float32, count, offset=told["at"])
        return values.reshape(told["shape"])

    def _check(self, path: str) -> None:
        parts = path.split("/")
        for count in range(2, len(parts) + 1):
            part = "/".join(parts[:count])
            if part in self._wrong:
                raise self._damaged(f"{part}: {self._wrong[part]}")

    def _damaged(self, reason: str) -> ModelError:
        return ModelError(f"{self.where}: cannot be read ({reason[:300]})", AGAIN)


def _environment() -> dict[str, str]:
    """This process's, without the threads of numpy's algebra, which take memory and are not needed here."""
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
