"""``.keras`` archives: what must be in them, and sizes that are only told."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgenet.errors import ModelError
from edgenet.importers.keras_network import archive
from tests.importers.keras_files import L, answer, model, placeholder, read, write, write_archive

KERNEL = np.arange(6, dtype=np.float32).reshape(1, 1, 3, 2)
LAYERS = (
    placeholder(8, 8, 3),
    L("Conv2D", "conv", ("pixels",), {"filters": 2, "kernel_size": 1, "use_bias": False}, {"kernel": KERNEL}),
    L("GlobalAveragePooling2D", "pool", ("conv",)),
)


def members(path: Path, **changed: bytes | None) -> Path:
    """Write an archive again with other members, ``config`` and ``weights``; ``None`` leaves one out."""
    names = {"config": archive.CONFIG, "weights": archive.WEIGHTS, "metadata": archive.METADATA}
    with zipfile.ZipFile(path) as file:
        held: dict[str, bytes | None] = {name: file.read(name) for name in file.namelist()}
    held.update({names[key]: value for key, value in changed.items()})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, value in held.items():
            if value is not None:
                file.writestr(name, value)
    return path


def test_a_packed_archive_without_metadata_is_read(tmp_path: Path) -> None:
    path = members(write(tmp_path / "m", LAYERS), metadata=None)
    assert np.allclose(answer(path, np.ones((1, 8, 8, 3), np.float32)), [[6, 9]])


REFUSED: dict[str, tuple[dict[str, bytes | None], str]] = {
    "no architecture": ({"config": None}, "an archive, but no Keras model"),
    "no weights": ({"weights": None}, "its weights are not in model.weights.h5"),
    "no JSON": ({"config": b"{"}, "config.json is damaged"),
    "a list": ({"config": b"[]"}, r"config.json is damaged \(no object\)"),
    "no class": ({"config": b"{}"}, r"the architecture is damaged \(no class of the model\)"),
    "no text": ({"config": b"\xff\xfe\xff"}, "config.json is damaged"),
    "endless nesting": ({"config": b'{"a":' * 3000 + b"1" + b"}" * 3000}, "config.json is damaged"),
    "deep nesting": ({"config": b'{"a":' * 150 + b"1" + b"}" * 150}, "more than 100 deep"),
    "a number of many digits": ({"config": b'{"a":' + b"9" * 10_000 + b"}"}, "config.json is damaged"),
    "no HDF5": ({"weights": b"hello"}, r"cannot be read \("),
    "an empty file": ({"weights": b""}, r"cannot be read \("),
}


@pytest.mark.parametrize(("changed", "message"), REFUSED.values(), ids=REFUSED)
def test_a_damaged_archive_is_refused(changed: dict[str, bytes | None], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        read(members(write(tmp_path / "m", LAYERS), **changed))


@pytest.mark.parametrize("limit", ["MAX_TEXT", "MAX_BYTES"])
def test_what_unpacks_to_more_than_a_model_can_be_is_not_unpacked(
    limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, limit, 1000)
    path = members(write(tmp_path / "m", LAYERS), config=b" " * 2000 if limit == "MAX_TEXT" else b"{}")
    with pytest.raises(ModelError, match="is larger than"):
        read(path)


def test_a_bomb_is_told_by_how_much_it_is_packed(tmp_path: Path) -> None:
    path = members(write(tmp_path / "m", LAYERS), weights=bytes(200 << 20))
    with pytest.raises(ModelError, match="packed more than"):
        read(path)


def test_a_password_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "m", LAYERS)
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        begin = data.find(mark)
        while begin >= 0:
            data[begin + at] |= 1
            begin = data.find(mark, begin + 1)
    path.write_bytes(data)
    with pytest.raises(ModelError, match="a damaged archive .*encrypted"):
        read(path)


def test_keras_2_12_counts_layers_with_weights_twice(tmp_path: Path) -> None:
    """So the numbers in the names of their groups go up by two."""

    def fill(file: Any) -> None:
        tracked = file.create_group(archive.TRACKED)
        for name in ("input_layer", "conv2d", "conv2d_2", "global_average_pooling2d"):
            tracked.create_group(f"{name}/vars")
        tracked["conv2d/vars/0"] = KERNEL
        tracked["conv2d_2/vars/0"] = np.full((1, 1, 2, 2), 0.5, np.float32)

    second = L("Conv2D", "second", ("conv",), {"filters": 2, "kernel_size": 1, "use_bias": False})
    layers = (*LAYERS[:2], second, L("GlobalAveragePooling2D", "pool", ("second",)))
    path = tmp_path / "m.keras"
    write_archive(path, json.dumps(model(layers, 2)), fill, "2.12.0")
    assert np.allclose(answer(path, np.ones((1, 8, 8, 3), np.float32)), [[7.5, 7.5]])
