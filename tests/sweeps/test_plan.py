"""Plans as files and as options: what they say, and what is refused before any work."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgenet.board import Board
from edgenet.errors import DataError, EdgenetError, LibraryError, PlanError
from edgenet.library import names
from edgenet.sweeps.plan import SweepPlan

WHOLE = """
name = "mine"
summary = "All keys"
files = ["models/*.onnx", "one.onnx"]
precisions = ["int8"]
backends = ["tflite"]
recipe = "int8-fast"
threads = [1, 4]
calibration = "calib"
val = "val"
fps = 30
frame = "320x240:yuyv"
screen = "screening"
long = "real-time"
rounds = 4
all = true

[[boards]]
device = "pi@raspberrypi"
target = "raspberry-pi-4"

[[boards]]
device = "local"
"""


def written(folder: Path, text: str) -> str:
    path = folder / "plan.toml"
    path.write_text(text)
    return str(path)


def test_a_plan_s_paths_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "calib").mkdir()
    for name in ("models/b.onnx", "models/a.onnx", "one.onnx"):
        (tmp_path / name).touch()
    plan = SweepPlan.load(written(tmp_path, WHOLE))
    assert plan.files == tuple(
        str(tmp_path / name) for name in ("models/a.onnx", "models/b.onnx", "one.onnx")
    )
    assert plan.calibration == str(tmp_path / "calib")
    assert plan.val == "val"  # a set that ships, or nothing: whoever reads it says so
    assert plan.boards == (Board("pi@raspberrypi", "raspberry-pi-4"), Board("local"))
    assert (str(plan.frame), plan.fps, plan.threads, plan.rounds, plan.brute) == (
        "yuyv 320x240", 30.0, (1, 4), 4, True,
    )  # fmt: skip
    assert plan.checked().to_table()["files"] == ["a.onnx", "b.onnx", "one.onnx"]


@pytest.mark.parametrize("name", names("sweep"))
def test_the_plans_that_ship_can_be_swept(name: str) -> None:
    plan = SweepPlan.load(name).checked()
    assert plan.name == name
    assert plan.boards == (Board("local"),)


@pytest.mark.parametrize(
    ("line", "error", "what"),
    [
        ('familys = ["v1"]', LibraryError, "did you mean 'families'"),
        ('families = ["v4"]', PlanError, "no family 'v4'"),
        ('families = "v1"', LibraryError, "families"),
        ('families = ["v1"]\nprecisions = ["int4"]', PlanError, "no precision 'int4'"),
        ('families = ["v1"]\nalphas = ["1"]', LibraryError, "alphas is not a list of numbers"),
        ('families = ["v1"]\nthreads = [true]', LibraryError, "threads is not a list of numbers"),
        ('families = ["v1"]\nfps = 0', PlanError, "no line to keep"),
        ('families = ["v1"]\nfps = nan', PlanError, "no line to keep"),
        ('families = ["v1"]\nfps = inf', PlanError, "no line to keep"),
        ('families = ["v1"]\nthreads = [-1]', PlanError, "threads = -1"),
        ('families = ["v1"]\nrounds = 1', PlanError, "rounds = 1"),
        ('families = ["v1"]\nframe = "wide"', DataError, "640x480"),
        ('families = ["v1"]\nlong = "sustained"', LibraryError, "measures no pipeline"),
        ('families = ["v1"]\nlong = "nothing"', LibraryError, "no protocol 'nothing'"),
        ('families = ["v1"]\nboards = ["pi"]', LibraryError, "boards are tables"),
        ('families = ["v1"]\n[[boards]]\nname = "pi"', LibraryError, "no 'device'"),
        ('families = ["v1"]\n[[boards]]\ndevice = "a"\n[[boards]]\ndevice = "a"', PlanError, "named twice"),
        ('files = ["*.h5"]', LibraryError, "no file is called"),
        ('files = ["a.h5"]\nfamilies = ["v1"]', PlanError, "not comparable"),
        ("", PlanError, "nothing to sweep"),
        ('files = ["v5"]', PlanError, "v5 is no model file, no family of networks and no plan"),
        ('files = ["**x/*.h5"]', LibraryError, "files: " if sys.version_info < (3, 13) else "no file"),
        ('files = ["a\\u0000b"]', PlanError, "is no model file"),
        ('files = ["signs"]\nalphas = [0.5]', PlanError, "their own width"),
        (f'families = ["v1"]\nfps = 1{"0" * 400}', LibraryError, "fps holds a number that is too large"),
        (f'families = ["v1"]\nalphas = [1{"0" * 400}]', LibraryError, "alphas holds a number"),
        ('families = ["v1"]\nthreads = [5000]', PlanError, "more than 1024 threads"),
        ("[preprocessing]\nsize = [64, 64]", LibraryError, "a model's card"),
    ],
)
def test_what_cannot_be_swept(tmp_path: Path, line: str, error: type[EdgenetError], what: str) -> None:
    with pytest.raises(error) as caught:
        SweepPlan.load(written(tmp_path, f'name = "x"\n{line}')).checked()
    assert what in str(caught.value)
    assert caught.value.remedy


def test_options_stand_in_place_of_what_a_plan_says() -> None:
    plan = SweepPlan(families=("v1",), fps=24.0, precisions=("int8",))
    assert plan.changed(fps=30.0, precisions=(), val=None) == SweepPlan(
        families=("v1",), fps=30.0, precisions=("int8",)
    )


def test_a_file_whose_name_is_a_pattern_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "net[1].onnx").touch()
    plan = SweepPlan.load(written(tmp_path, 'name = "x"\nfiles = ["net[1].onnx"]'))
    assert plan.files == (str(tmp_path / "net[1].onnx"),)


def test_what_lies_beside_a_plan_is_not_taken_for_a_protocol_or_recipe(tmp_path: Path) -> None:
    for name in ("screening", "real-time", "int8-fast"):
        (tmp_path / name).mkdir()
    (tmp_path / "own.toml").touch()
    plan = SweepPlan.load(
        written(tmp_path, 'name = "x"\nfamilies = ["v1"]\nrecipe = "int8-fast"\nlong = "own.toml"')
    )
    assert (plan.screen, plan.recipe, plan.long) == ("screening", "int8-fast", str(tmp_path / "own.toml"))


def test_what_is_named_twice_is_swept_once() -> None:
    plan = SweepPlan(families=("v1",), precisions=("int8", "int8"), threads=(2, 1, 2)).checked()
    assert (plan.precisions, plan.threads) == (("int8",), (2, 1))
