"""What of an HDF5 file is read: numbers within the file, once each, of bounded size; nothing outside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from edgenet.errors import ModelError
from edgenet.importers.keras_network import hdf5
from tests.importers.keras_files import L, placeholder, read, write

KERNEL = np.ones((1, 1, 3, 2), np.float32)
LAYERS = (
    placeholder(8, 8, 3),
    L("Conv2D", "conv", ("pixels",), {"filters": 2, "kernel_size": 1, "use_bias": False}, {"kernel": KERNEL}),
    L("GlobalAveragePooling2D", "pool", ("conv",)),
)
GROUP, DATA = "model_weights/conv", "model_weights/conv/conv/kernel:0"


def soft(file: Any, other: str) -> None:
    file[DATA] = h5py.SoftLink("/elsewhere")


def outer(file: Any, other: str) -> None:
    file[DATA] = h5py.ExternalLink(other, DATA)


def outer_group(file: Any, other: str) -> None:
    del file["model_weights"]
    file["model_weights"] = h5py.ExternalLink(other, "model_weights")


def virtual(file: Any, other: str) -> None:
    layout = h5py.VirtualLayout(KERNEL.shape, np.float32)
    layout[...] = h5py.VirtualSource(other, DATA, KERNEL.shape)
    file.create_virtual_dataset(DATA, layout)


def beside(file: Any, other: str) -> None:
    file.create_dataset(DATA, KERNEL.shape, np.float32, external=[(other, 0, KERNEL.nbytes)])


def absurd(file: Any, other: str) -> None:
    file.create_dataset(DATA, (1 << 20, 1 << 20), np.float32, chunks=(1 << 10, 1 << 10))


def bomb(file: Any, other: str) -> None:
    file.create_dataset(DATA, (600 << 20,), np.float16, chunks=(1 << 24,), compression="gzip")[:16] = 1


def hollow(file: Any, other: str) -> None:
    file.create_dataset(DATA, KERNEL.shape, np.float32)  # no storage: zeros that nobody wrote


def whole(file: Any, other: str) -> None:
    file[DATA] = KERNEL.astype(np.int8)


def words(file: Any, other: str) -> None:
    file.create_dataset(DATA, KERNEL.shape, h5py.string_dtype())


def squeezed(file: Any, other: str) -> None:
    file.create_dataset(DATA, KERNEL.shape, np.float32, compression="lzf", data=KERNEL)


def twice(file: Any, other: str) -> None:
    file["model_weights/a"] = file[DATA] = KERNEL
    del file["model_weights/a"]
    file["model_weights/a"] = file[DATA]


def ring(file: Any, other: str) -> None:
    del file[GROUP]
    file[GROUP] = file["model_weights"]


REFUSED = {
    "soft link": (soft, "'kernel:0' is a link, which could lead out of the file"),
    "external link": (outer, "'kernel:0' is a link, which could lead out of the file"),
    "external link to all": (outer_group, "'model_weights' is a link"),
    "virtual dataset": (virtual, "its numbers lie in another file"),
    "external storage": (beside, "its numbers lie in another file"),
    "absurd shape": (absurd, "more than 512 MiB"),
    "compressed zeros": (bomb, "more than 512 MiB"),
    "numbers that are not there": (hollow, "not all of its numbers are there"),
    "integers": (whole, "int8 and no real numbers"),
    "texts": (words, "object and no real numbers"),
    "filter of a plug-in": (squeezed, "packed with the filter 32000"),
    "two names of one dataset": (twice, "'conv' is there twice|'kernel:0' is there twice"),
    "group within itself": (ring, "'conv' is there twice"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_within_the_file_is_not_read(
    change: Callable[[Any, str], None], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "m", LAYERS, "2.h5")
    other = shutil.copy(path, tmp_path / "other.h5")
    with h5py.File(path, "r+") as file:
        del file[DATA]
        change(file, str(other))
    with pytest.raises(ModelError, match=message):
        read(path)


def test_optimizer_state_is_not_opened(tmp_path: Path) -> None:
    path = write(tmp_path / "m", LAYERS, "2.h5")
    with h5py.File(path, "r+") as file:
        file["optimizer_weights"] = h5py.ExternalLink("absent.h5", "/")
    assert read(path).proto.graph.node


def test_half_precision_is_read_as_float32(tmp_path: Path) -> None:
    path = write(tmp_path / "m", LAYERS, "2.h5")
    with h5py.File(path, "r+") as file:
        del file[DATA]
        file[DATA] = KERNEL.astype(np.float16)
    (kernel,) = read(path).proto.graph.initializer
    assert np.array_equal(np.frombuffer(kernel.raw_data, np.float32), np.ones(6))


def test_packed_numbers_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "m", LAYERS, "2.h5")
    with h5py.File(path, "r+") as file:
        del file[DATA]
        file.create_dataset(DATA, data=KERNEL, chunks=True, compression="gzip", shuffle=True, fletcher32=True)
    assert read(path).proto.graph.initializer


def test_a_library_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5, "PROGRAM", tmp_path / "endless.py")
    monkeypatch.setattr(hdf5, "DEADLINE", 0.2)
    (tmp_path / "endless.py").write_text("while True: pass")
    with pytest.raises(ModelError, match="not done after 0 s, as over a damaged file"):
        read(write(tmp_path / "m", LAYERS, "2.h5"))


@pytest.mark.parametrize(
    ("program", "message"),
    {
        "import os; os.abort()": "the HDF5 library failed, exit code -6",
        "import h5py_that_is_not_there": "the HDF5 library failed|h5py, which reads it, does not work",
    }.items(),
)
def test_a_library_that_dies_is_told(
    program: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5, "PROGRAM", tmp_path / "fatal.py")
    (tmp_path / "fatal.py").write_text(program)
    with pytest.raises(ModelError, match=message):
        read(write(tmp_path / "m", LAYERS, "2.h5"))
