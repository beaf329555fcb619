"""Keras models, ``.h5`` and ``.keras``, of Keras 2 and 3, read without TensorFlow and without Keras.

The architecture is the JSON inside, the weights are arrays of HDF5. Code that a file may hold (Lambda layers,
pickled or marshaled functions, classes of the user's own) is never run: such layers are refused by name.
"""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path

from edgenet.errors import ModelError
from edgenet.files import irregular
from edgenet.importer import Imported
from edgenet.importers.keras_network.archive import open_archive
from edgenet.importers.keras_network.assemble import assemble
from edgenet.importers.keras_network.hdf5 import is_hdf5
from edgenet.importers.keras_network.legacy import open_hdf5

__all__ = ["read", "takes"]

SUFFIXES = (".h5", ".hdf5", ".keras")
MAX_BYTES = 4 << 30  # most of it the optimizer's, which is not read


def takes(path: Path) -> bool:
    """Whether it is called as Keras calls its files."""
    return path.suffix.lower() in SUFFIXES


def read(path: Path, size: tuple[int, int]) -> Imported:
    """Read a model; what it is tells its content, for Keras 2 wrote HDF5 under either suffix.

    Raises:
        ModelError: It cannot be read, is damaged, or has a layer that edgenet does not know.
    """
    try:
        if reason := irregular(path, MAX_BYTES):
            raise OSError(errno.EINVAL, reason)
        with path.open("rb") as file:
            hdf5, archive = is_hdf5(file), zipfile.is_zipfile(file)
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror})", "give the path of a file that model.save() wrote"
        ) from None
    if not hdf5 and not archive:
        raise ModelError(
            f"{path}: neither HDF5 nor a Keras archive, or a truncated one",
            'save the model again: model.save("model.keras")',
        )
    with open_hdf5(path) if hdf5 else open_archive(path) as saved:
        return assemble(saved, size)
