"""Images of a sweep's jobs: the same wherever a job is worked on, or refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from edgenet.agent.preprocess import encode_ppm
from edgenet.errors import DataError
from edgenet.files import sha256
from edgenet.sweeps.images import Images
from tests.conftest import smooth_images

PICTURES = [encode_ppm(image) for image in smooth_images(4)]


def flat(folder: Path) -> Path:
    """Pictures, a table beside them, notes on what is in them, and a file that is no part of it."""
    folder.mkdir()
    for index, data in enumerate(PICTURES):
        (folder / f"{index}.ppm").write_bytes(data)
    (folder / "notes.json").write_text("{}")
    (folder / "read me.txt").write_text("not for the network")
    return folder


def listed(folder: Path) -> Path:
    """A table within, in an order of its own, that leaves one out."""
    flat(folder)
    (folder / "labels.csv").write_text("file,class_index\n2.ppm,1\n0.ppm,0\n3.ppm,1\n")
    return folder


def beside(folder: Path) -> Path:
    """A table beside the folder."""
    folder.mkdir()
    (folder / "labels.csv").write_text("file,class_index\n3.ppm,1\n2.ppm,1\n1.ppm,0\n0.ppm,0\n")
    return flat(folder / "small")


def by_class(folder: Path) -> Path:
    """A folder a class."""
    for index, data in enumerate(PICTURES):
        place = folder / ("daisy" if index % 2 else "rose")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{index}.ppm").write_bytes(data)
    return folder


KINDS = [flat, listed, beside, by_class]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def packed(images: Images, tmp_path: Path) -> bytes:
    images.pack(tmp_path / "images.zip")
    return (tmp_path / "images.zip").read_bytes()


def sent(images: Images, data: bytes, part: int = 5000) -> None:
    for offset in range(0, len(data), part):
        last = offset + part >= len(data)
        images.take_in(offset, data[offset : offset + part], sha256(data) if last else None)


@pytest.mark.parametrize("kind", KINDS)
def test_they_travel_as_they_are(kind: object, tmp_path: Path, cache: Path) -> None:
    folder = kind(tmp_path / "set")  # type: ignore[operator]
    images = Images.of(str(folder), "val")
    before = images.here()
    digest = before.digest()
    data = packed(images, tmp_path)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="is not here"):
        images.here()
    sent(images, data)
    after = images.here()
    assert after.folder == images.kept
    assert (after.digest(), after.truth) == (digest, before.truth)
    assert len(after.annotations) == len(before.annotations)
    assert [path.name for path in cache.glob("images/.*.zip")] == []


def test_another_folder_of_that_name_is_not_taken(tmp_path: Path, cache: Path) -> None:
    folder = listed(tmp_path / "set")
    images = Images.of(str(folder), "val")
    data = packed(images, tmp_path)
    (folder / "labels.csv").write_text("file,class_index\n2.ppm,0\n0.ppm,0\n3.ppm,1\n")
    with pytest.raises(DataError, match="changed while the sweep ran"):
        images.here()
    sent(images, data)
    assert images.here().folder == images.kept


def test_damage_on_the_way_is_refused_and_nothing_is_left(tmp_path: Path, cache: Path) -> None:
    images = Images.of(str(flat(tmp_path / "set")), "val")
    data = packed(images, tmp_path)
    with pytest.raises(DataError, match="came damaged"):
        images.take_in(0, data[:-1] + bytes([data[-1] ^ 1]), sha256(data))
    images.take_in(0, data[:100], None)
    with pytest.raises(DataError, match="a part of the images is missing"):
        images.take_in(200, data[200:], sha256(data))
    assert not [path for path in cache.rglob("*") if path.is_file() and not path.name.endswith(".lock")]


def test_other_images_than_were_told_are_refused(tmp_path: Path, cache: Path) -> None:
    images = Images.of(str(flat(tmp_path / "set")), "val")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("0.ppm", PICTURES[1])
    data = (tmp_path / "other.zip").read_bytes()
    with pytest.raises(DataError, match="other images came than were sent"):
        sent(images, data)
    assert not images.kept.exists()


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, cache: Path) -> None:
    images = Images.of(str(flat(tmp_path / "set")), "val")
    cache.write_text("no folder")
    with pytest.raises(DataError, match="cannot be kept on a worker"):
        images.take_in(0, b"x", None)


def test_sets_that_ship_have_names() -> None:
    assert len(Images.of("signs", "val").here()) > 0
