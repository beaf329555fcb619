"""Folders of images: order, labels, and corrupt files named, counted and refused past a share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edgenet.agent.preprocess import encode_ppm
from edgenet.errors import DataError
from edgenet.imageset import ImageSet, Skipped
from edgenet.model import Model
from edgenet.tasks.classification import Classification
from tests.conftest import smooth_images


def folder_of(path: Path, good: int, bad: int = 0) -> Path:
    path.mkdir(exist_ok=True)
    for index, image in enumerate(smooth_images(good)):
        (path / f"{index:03d}.ppm").write_bytes(encode_ppm(image))
    for index in range(bad):
        (path / f"bad{index}.jpg").write_bytes(b"\xff\xd8 not a jpeg")
    return path


def test_files_are_sorted_and_others_ignored(tmp_path: Path) -> None:
    folder_of(tmp_path, 3)
    (tmp_path / "notes.txt").write_text("x")
    images = ImageSet.load(tmp_path)
    assert [path.name for path in images.files] == ["000.ppm", "001.ppm", "002.ppm"]
    assert images.truth is None


def test_labels_give_the_order(photos: Path) -> None:
    images = ImageSet.load(photos)
    assert len(images) == 12
    assert images.truth is not None
    assert images.truth[7] == {"class_index": "2", "class_name": "c2"}
    assert [row["class_index"] for row in images.head(4).truth or ()] == ["0", "3", "1", "4"]
    assert images.head(0) == images.head(99) == images


def test_pixels_are_what_the_network_sees(photos: Path, model: Model) -> None:
    pixels = ImageSet.load(photos).pixels(0, model.preprocessing)
    assert (pixels.shape, pixels.dtype) == ((1, 64, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("file,class_index\n", "no rows"),
        ("file,class_index\n000.ppm,1,2\n", "line 2: 3 cells, the header has 2"),
        ("name,label\n000.ppm,1\n", "the header is 'name,label', without 'file': write file,class_index"),
        ("file,file\n000.ppm,1\n", "two columns 'file'"),
        ("file,class_index\n000.ppm,1\n\n000.ppm,1\n", "line 4: '000.ppm' is there twice"),
        ('file,class_index\n"000.ppm,1\n', "line 2: unexpected end of data"),
        ("file,class_index\n" + "x" * 200_000 + ",1\n", "line 2: field larger than"),
        ("file,class_index\n" + "x" * 5000 + ",1\n", "line 2: 'xxx.* is too long"),
        ("file,class_index\n000\0.ppm,1\n", "line 2: a NUL"),
        ("file,class_index\n000\x1b[2J.ppm,1\n", r"line 2: '000\\x1b"),
        (b"file,class_index\n\xe9t\xe9.ppm,1\n", "line 2: byte 0xe9 is not UTF-8: save the file as UTF-8"),
        ("file,class_index\n".encode("utf-16-le"), "line 1: a NUL"),
        ("file,class_index\n" + "," * 2_000_000, "line 2: longer than 1048576 characters"),
        ("a\n" * 1_000_001, "more than 1000000 rows"),
        ("", "the header is '', without 'file'"),
        ("file,class_index\n000.ppm,1\nnone.ppm,1\n", "line 3: 'none.ppm' is not a file"),
        ("file,class_index\n../000.ppm,1\n", "line 2"),
        ("file,class_index\n/etc/passwd,1\n", "line 2"),
    ],
)
def test_bad_labels(tmp_path: Path, rows: str | bytes, message: str) -> None:
    folder_of(tmp_path, 1)
    (tmp_path / "labels.csv").write_bytes(rows if isinstance(rows, bytes) else rows.encode())
    with pytest.raises(DataError, match=message):
        ImageSet.load(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "table",
    [
        "file,class_index\n000.ppm,1\nsub/a.ppm,0\n",
        "class_index;file\n1;000.ppm\n0;sub/a.ppm",
        "sep=;\nfile;class_index\n000.ppm;1\nsub/a.ppm;0\n;\n",
        "file\tclass_index\n000.ppm\t1\nsub/a.ppm\t0\n",
        ' File , Class_Index ,\n 000.ppm , 1 ,\n\n"sub\\a.ppm", "0"\n\n',
        ",file,class_index\n0,000.ppm,1\n1,sub/a.ppm,0\n",
    ],
)
def test_tables_of_every_dialect_are_the_same(tmp_path: Path, table: str, end: str, encoding: str) -> None:
    folder_of(tmp_path, 1)
    folder_of(tmp_path / "sub", 1)
    (tmp_path / "sub" / "000.ppm").rename(tmp_path / "sub" / "a.ppm")
    (tmp_path / "labels.csv").write_bytes(table.replace("\n", end).encode(encoding))
    images = ImageSet.load(tmp_path)
    assert [images.name(index) for index in range(len(images))] == ["000.ppm", "sub/a.ppm"]
    assert images.truth == ({"class_index": "1"}, {"class_index": "0"})


def test_a_folder_a_class_is_a_labelled_set(tmp_path: Path) -> None:
    for name, count in (("tulips", 1), ("daisy", 2), ("empty", 0)):
        folder_of(tmp_path / name, count)
    (tmp_path / "daisy" / "._000.ppm").write_bytes(b"resource fork")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    folder_of(tmp_path / ".thumbnails", 1)
    (tmp_path / "daisy" / "notes.TXT").write_text("x")
    (tmp_path / "tulips" / "a.heic").write_bytes(b"x")
    (tmp_path / "tulips" / "b.heic").write_bytes(b"x")
    (tmp_path / "tulips" / "deeper").mkdir()
    images = ImageSet.load(tmp_path)
    assert [images.name(at) for at in range(3)] == ["daisy/000.ppm", "daisy/001.ppm", "tulips/000.ppm"]
    assert images.truth == tuple({"class_name": name} for name in ("daisy", "daisy", "tulips"))
    assert images.left_out == "3 files left out: 2 .heic, 1 .txt; 1 folder left out: tulips/deeper"
    assert Classification("logits", ("Tulips", "Daisy")).truth(images, 2) == (1, 1, 0)
    assert images.head(1).left_out == images.left_out


def test_images_in_the_folder_itself_come_first(tmp_path: Path) -> None:
    folder_of(folder_of(tmp_path, 1) / "raw", 1)
    images = ImageSet.load(tmp_path)
    assert ([path.name for path in images.files], images.truth) == (["000.ppm"], None)
    assert images.left_out == "1 folder left out: raw"


def test_folders_of_folders_are_no_set(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    folder_of(tmp_path / "val" / "daisy", 1)
    with pytest.raises(DataError, match=r"no image in it \(1 folder left out: val/daisy\)"):
        ImageSet.load(tmp_path)


def test_names_of_any_bytes_work(tmp_path: Path, model: Model) -> None:
    odd = os.fsdecode(b"r\xf6se\x1b[2J.ppm")
    folder_of(tmp_path / "daisy", 1)
    (tmp_path / "daisy" / "000.ppm").rename(tmp_path / "daisy" / odd)
    (tmp_path / "daisy" / odd.replace("ppm", "jpg")).write_bytes(b"no image")
    images = ImageSet.load(tmp_path)
    assert images.name(1) == "daisy/r\ufffdse\ufffd[2J.ppm"
    assert len(images.digest()) == 64
    skipped = Skipped(images, model.preprocessing, 50)
    assert len(list(skipped)) == 1
    assert "daisy/r\ufffdse\ufffd[2J.jpg: " in skipped.files[0]


def test_no_folder_and_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        ImageSet.load(tmp_path / "none")
    with pytest.raises(DataError, match="no image in it"):
        ImageSet.load(tmp_path)


def test_a_few_corrupt_images_are_skipped_and_named(tmp_path: Path, model: Model) -> None:
    skipped = Skipped(ImageSet.load(folder_of(tmp_path, 29, 1)), model.preprocessing, 5)
    assert len(list(skipped)) == 29
    assert len(skipped.files) == 1
    assert "bad0.jpg" in skipped.files[0]


def test_many_corrupt_images_are_refused(tmp_path: Path, model: Model) -> None:
    skipped = Skipped(ImageSet.load(folder_of(tmp_path, 18, 2)), model.preprocessing, 5)
    with pytest.raises(DataError, match=r"2 of 20 images cannot be used, first .*bad0\.jpg"):
        list(skipped)


def test_all_unusable_images_are_counted_at_once(tmp_path: Path, model: Model) -> None:
    images = ImageSet.load(folder_of(tmp_path, 3, 8))
    wanted = r"8 of 11 images cannot be used, first .*bad0\.jpg: .*; also bad1\.jpg, .*bad5\.jpg and 2 more"
    for read in (images.all_pixels(model.preprocessing), Skipped(images, model.preprocessing, 10)):
        with pytest.raises(DataError, match=wanted) as caught:
            list(read)
        assert "object at" not in str(caught.value)


def test_digest_follows_names_and_contents(tmp_path: Path) -> None:
    images = ImageSet.load(folder_of(tmp_path, 2))
    before = images.digest()
    assert images.digest() == before
    (tmp_path / "001.ppm").write_bytes(encode_ppm(smooth_images(3)[2]))
    assert images.digest() != before


def test_a_table_beside_a_folder_is_its_own_where_it_names_exactly_its_images(tmp_path: Path) -> None:
    """One table for the same pictures cut in several ways."""
    for name in ("raw", "aligned"):
        folder_of(tmp_path / name, 2)
    table = tmp_path / "labels.csv"
    table.write_text("file,person\n001.ppm,ann\n000.ppm,bob\n")
    for name in ("raw", "aligned"):
        images = ImageSet.load(tmp_path / name)
        assert [path.name for path in images.files] == ["001.ppm", "000.ppm"]
        assert images.truth == ({"person": "ann"}, {"person": "bob"})
    for rows in (
        "file,person\n000.ppm,ann\n",  # fewer
        "file,person\n000.ppm,ann\n001.ppm,bob\n002.ppm,eve\n",  # more
        "file,person\nraw/000.ppm,ann\nraw/001.ppm,bob\n",  # paths from above
        "picture,person\n000.ppm,ann\n001.ppm,bob\n",
        "\x00",
    ):
        table.write_text(rows)
        assert ImageSet.load(tmp_path / "raw").truth is None
