"""The tutorials are followed as they stand: their files are written, their commands run in order.

The board is this machine behind a real SSH server, the pictures are drawn, and networks are trained where the
framework is installed; else a file of the same kind takes the place of what training would have written.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from edgenet.cli.main import _run
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.recipe import Recipe
from edgenet.zoo import mobilenet_v1
from tests import sshd
from tests.conftest import lively, smooth_images
from tests.house.tree import ROOT
from tests.importers.keras_files import L, placeholder, write

FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$(?=\n*([^\n]*))', re.M | re.S)
FLOWERS = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
# What belongs to the reader's system: the shell's tools, and logging in.
SYSTEM = ("curl", "echo", "pip", "ssh", "ssh-copy-id", "ssh-keygen", "tar", "uv")
NEEDS = {"keras.md": ("keras", "tensorflow"), "pytorch.md": ("torch", "torchvision", "onnxscript")}
FEWER = (("--val", "signs"), ("--calibration", "signs"))
BRIEF = """
name = "brief"
summary = "As long as a test may take"
warmup_s = 0.05
min_seconds = 0.1
min_runs = 20
max_seconds = 5.0
threads = 1
pipeline = true
cooldown_s = 0.0
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Board]:
    if reason := sshd.missing():
        pytest.skip(reason)
    with sshd.start(tmp_path_factory.mktemp("board"), {"EDGENET_PYTHON": sys.executable}) as running:
        yield running


@pytest.fixture
def work(board: sshd.Board, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader's folder, with the archive of the pictures unpacked."""
    monkeypatch.setenv("EDGENET_SSH", board.ssh)
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "brief.toml").write_text(BRIEF)
    few_signs(tmp_path / "few-signs")
    for index, image in enumerate(smooth_images(100)):
        folder = tmp_path / "flower_photos" / FLOWERS[index % 5]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{index}.jpg")
    return tmp_path


def few_signs(folder: Path) -> None:
    """A tenth of the embedded model's labelled pictures."""
    signs, rows = ImageSet.load(image_folder("signs", "val")).head(100), ["file,class_index"]
    folder.mkdir()
    for index, truth in enumerate(signs.truth or ()):
        name = f"{index}{signs.files[index].suffix}"
        (folder / name).write_bytes(signs.read(index))
        rows.append(f"{name},{truth['class_index']}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


def keras_model(folder: Path) -> None:
    """What train.py of the Keras tutorial writes, with random weights."""
    draw = np.random.default_rng(0).normal
    kernel, head = draw(0, 0.3, (3, 3, 3, 8)).astype("f4"), draw(0, 1, (8, 5)).astype("f4")
    layers = [
        placeholder(64, 64, 3),
        L("RandomFlip", "flip", ("pixels",), {"mode": "horizontal"}),
        L("Rescaling", "scaled", ("flip",), {"scale": 1 / 127.5, "offset": -1}),
        L("Conv2D", "conv", ("scaled",), {"filters": 8, "kernel_size": 3, "strides": 2, "use_bias": False},
          {"kernel": kernel}),
        L("ReLU", "relu", ("conv",), {"max_value": 6.0}),
        L("GlobalAveragePooling2D", "pool", ("relu",)),
        L("Dense", "head", ("pool",), {"units": 5, "use_bias": False, "activation": "softmax"},
          {"kernel": head}),
    ]  # fmt: skip
    write(folder / "flowers", layers)


def onnx_model(folder: Path) -> None:
    """What train.py of the PyTorch tutorial writes, with random weights."""
    onnx.save(lively(mobilenet_v1(0.25, 224, len(FLOWERS))), folder / "flowers.onnx")


def train(page: str, work: Path) -> None:
    """Train as the page does, or put a file of the same kind there."""
    if all(importlib.util.find_spec(name) for name in NEEDS[page]):
        subprocess.run([sys.executable, "train.py"], cwd=work, check=True)
        return
    {"keras.md": keras_model, "pytorch.md": onnx_model}[page](work)
    (work / "flowers.txt").write_text("\n".join(FLOWERS) + "\n")


def adapted(line: str) -> list[str]:
    """A command of a page as this machine can run it in short time."""
    words = shlex.split(line.replace("pi@raspberrypi.local", sshd.ALIAS), comments=True)[1:]
    words = ["local" if word == "raspberry-pi-4" else word for word in words]
    words = ["few-signs" if pair in FEWER else pair[1] for pair in pairwise(["", *words])]
    if words[0] == "profile":
        at = words.index("--protocol") if "--protocol" in words else len(words)
        words[at : at + 2] = ["--protocol", "brief.toml"]
    if words[0] == "demo":
        words = [word for word in words if word != "--open"] + ["--no-page", "--duration", "1"]
    return words


def follow(page: str, work: Path) -> list[tuple[str, int, int]]:
    """Run a page; (command, exit code, the exit code that the page tells) of every edgenet command."""
    done = []
    text = (ROOT / "docs" / "tutorials" / page).read_text(encoding="utf-8")
    for language, title, body, after in FENCE.findall(text):
        if title:
            (work / title).write_text(body)
        told = re.match(r"The exit code is (\d)", after)
        for line in body.splitlines() if language == "sh" else ():
            program = line.split()[0]
            if line == "python train.py":
                train(page, work)
            elif program == "python":
                subprocess.run([sys.executable, *line.split()[1:]], cwd=work, check=True)
            elif program == "edgenet":
                done.append((line, _run(adapted(line)), int(told[1]) if told else 0))
            else:
                assert program in SYSTEM, line
    return done


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(path.name for path in ROOT.glob("docs/tutorials/*.md")))
def test_every_command_of_a_tutorial_does_what_it_says(page: str, work: Path) -> None:
    done = follow(page, work)
    assert not [(line, code) for line, code, told in done if code != told]
    assert len(done) >= 5


def test_both_ways_from_a_framework_split_the_pictures_alike() -> None:
    programs = {
        body
        for page in NEEDS
        for _, title, body, _ in FENCE.findall((ROOT / "docs/tutorials" / page).read_text(encoding="utf-8"))
        if title == "split.py"
    }
    assert len(programs) == 1


def test_a_recipe_of_ones_own_is_read(tmp_path: Path) -> None:
    text = (ROOT / "docs/how-to/own-recipe.md").read_text(encoding="utf-8")
    ((_, title, body, _),) = [found for found in FENCE.findall(text) if found[1]]
    (tmp_path / title).write_text(body)
    assert Recipe.load(str(tmp_path / title)).max_drift == 0.5
