"""Folders of images as people have them, through the whole command line."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.cli.test_cli import fails, run

LABELS = "Daisy\nDandelion\nRoses\nSunflowers\nTulips\n"


@pytest.fixture
def flowers(photos: Path, tmp_path: Path) -> Path:
    """The twelve photos, a folder a class; class 3 has none."""
    for index, file in enumerate(sorted(photos.glob("*.ppm"))):
        folder = tmp_path / "flowers" / ("daisy", "dandelion", "roses", "tulips")[index % 4]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder)
    (tmp_path / "flowers" / "roses" / "IMG_1.heic").write_bytes(b"x")
    (tmp_path / "flowers" / "roses" / ".DS_Store").write_bytes(b"x")
    return tmp_path / "flowers"


def test_a_folder_a_class_goes_all_the_way(
    capsys: pytest.CaptureFixture[str], home: Path, model_file: Path, flowers: Path, tmp_path: Path
) -> None:
    labels, bundle = tmp_path / "labels.txt", tmp_path / "b.edgenet"
    labels.write_text(LABELS)
    build = ("compile", model_file, "--target", "local", "--backend", "onnxruntime", "-o", bundle)
    build += ("--calibration", flowers, "--recipe", "int8-minmax", "--json")
    code, text, err = run(capsys, *build, "--labels", labels)
    assert code == 0, err
    assert json.loads(text)["notes"] == ["flowers: 1 file left out: 1 .heic"]
    assert err.count("edgenet: note: flowers: 1 file left out: 1 .heic") == 1
    assert run(capsys, "deploy", bundle)[0] == 0
    code, text, err = run(capsys, "profile", bundle, "--protocol", "quick", "--val", flowers, "--json")
    assert code == 0, err
    report = json.loads(text)
    assert (report["drift"]["labelled"], report["drift"]["images"]) == (True, 12)
    assert "flowers: 1 file left out: 1 .heic" in report["verdict"]["notes"]
    (flowers / "tulips").rename(flowers / "tulip")
    line = fails(capsys, 1, "profile", bundle, "--protocol", "quick", "--val", flowers)
    assert "'tulip' of tulip/03.ppm: the model has no such label; did you mean 'Tulips'?" in line
    assert run(capsys, *build)[0] == 0
    line = fails(capsys, 1, "profile", bundle, "--protocol", "quick", "--val", flowers)
    assert "the model has no labels; compile it again with --labels FILE" in line


@pytest.mark.timeout(120)
def test_what_is_no_file_is_named_and_never_opened(
    capsys: pytest.CaptureFixture[str], home: Path, model_file: Path, photos: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    shutil.copytree(photos, folder)
    (folder / "labels.csv").unlink()
    os.mkfifo(folder / "f.png")
    (folder / "zero.jpg").symlink_to("/dev/zero")
    (folder / "gone.jpg").symlink_to("/nowhere")
    (folder / "x.jpg").mkdir()
    with (folder / "y.jpg").open("wb") as stream:
        stream.truncate(5_000_000_000)
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.path.relpath(folder / "s.bmp"))
    build = (
        "compile",
        model_file,
        "--target",
        "local",
        "--backend",
        "onnxruntime",
        "-o",
        tmp_path / "b.edgenet",
    )
    code, _, err = run(capsys, *build, "--calibration", folder, "--recipe", "int8-minmax")
    assert code == 0, err
    assert (
        "note: odd: 5 files left out: 5 that cannot be read (f.png: a FIFO, not a file; gone.jpg: "
        "No such file or directory; s.bmp: a socket, not a file and 2 more); 1 folder left out: x.jpg"
    ) in err
    for name in ("f.png", "zero.jpg", "y.jpg"):
        (folder / "labels.csv").write_text(f"file,class_index\n00.ppm,1\n{name},2\n")
        line = fails(capsys, 1, *build, "--calibration", folder)
        assert f"line 3: '{name}' is" in line
    (folder / "labels.csv").unlink()
    os.mkfifo(folder / "labels.csv")
    assert "labels.csv: cannot be read (a FIFO, not a file)" in fails(
        capsys, 1, *build, "--calibration", folder
    )


def test_a_doubtful_card_is_told_once(
    capsys: pytest.CaptureFixture[str], model_file: Path, tmp_path: Path
) -> None:
    card = tmp_path / "card.toml"
    card.write_text(model_file.with_suffix(".toml").read_text().replace("127.5", "0.5"))
    build = ("compile", model_file, "--target", "local", "--precision", "fp32", "--preprocessing", card)
    code, text, err = run(capsys, *build, "-o", tmp_path / "b.edgenet", "--json")
    assert code == 0, err
    assert err.count("edgenet: note: mean (0.5, 0.5, 0.5) and std (0.5, 0.5, 0.5) look as for pixels") == 1
    assert sum("look as for pixels" in note for note in json.loads(text)["notes"]) == 1
