"""Names and paths, every board, recipe and protocol that ships, and errors that name the key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgenet.backend import backend_names
from edgenet.errors import LibraryError, PlanError
from edgenet.library import find, image_folder, names, read_table
from edgenet.model import Model
from edgenet.protocol import Protocol
from edgenet.quantize.calibration.observers import OBSERVERS
from edgenet.recipe import Recipe
from edgenet.steps.plan import PRECISIONS, options, plan_for
from edgenet.target import Target


@pytest.mark.parametrize("name", names("target"))
def test_every_target(name: str) -> None:
    target = Target.load(name)
    assert target.name == name
    assert target.title
    assert target.sources
    for support in target.backends.values():
        assert set(support.precisions) <= set(PRECISIONS)
        assert set(support.refused).isdisjoint(support.precisions)
        assert support.built in ("host", "device")
    decided = plan_for(target)
    assert decided.backend in backend_names()
    assert decided.why


@pytest.mark.parametrize("name", names("recipe"))
def test_every_recipe(name: str) -> None:
    recipe = Recipe.load(name)
    assert recipe.name == name
    assert recipe.observer in OBSERVERS


@pytest.mark.parametrize("name", names("protocol"))
def test_every_protocol(name: str) -> None:
    assert Protocol.load(name).name == name


def test_local_reads_this_machine() -> None:
    target = Target.load("local")
    assert target.cpu.machine not in ("", "host")
    assert target.cpu.cores > 0


def test_a_path_is_as_good_as_a_name(tmp_path: Path) -> None:
    text = find("target", "raspberry-pi-4").read_text().replace("raspberry-pi-4", "mine")
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert Target.load(str(path)).name == "mine"


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(LibraryError, match="no target 'raspbery-pi-4': did you mean raspberry-pi-4"):
        find("target", "raspbery-pi-4")
    with pytest.raises(LibraryError, match="choose one of .*quick"):
        find("protocol", "zzz")
    with pytest.raises(LibraryError, match=r"x/y\.toml: no such recipe file"):
        find("recipe", "x/y.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "quick"', "name = 3", "name = 3 is not a str"),
        ("min_runs = 50", "", "no 'min_runs'"),
        ("min_runs = 50", "min_runs = true", "min_runs = True is not an int"),
        ("min_runs = 50", "min_runs = 0", "min_runs is below 1"),
        ("warmup_s = 0.3", "warmup_s = nan", "nan is not a number from 0 up"),
        ("warmup_s = 0.3", "warmup_s = -1", "-1 is not a number from 0 up"),
        ("warmup_s = 0.3", f"warmup_s = 1{'0' * 400}", "is not a number from 0 up"),
        ("warmup_s = 0.3", "warmup_s = 0.3\npipeline_s = inf", "inf is not a number from 0 up"),
        ("min_runs = 50", "min_runs = 50\nminruns = 3", "does not know 'minruns'"),
        ("warmup_s = 0.3", "warmup_s = ", "not a readable TOML"),
    ],
)
def test_errors_name_the_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(find("protocol", "quick").read_text().replace(old, new))
    with pytest.raises(LibraryError, match=message):
        Protocol.load(str(path))


def test_sets_that_travel_are_found_by_name_and_folders_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert image_folder("signs", "val").is_dir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "signs").mkdir()
    assert image_folder("signs", "val") == Path("signs")
    assert image_folder("elsewhere", "val") == Path("elsewhere")


def test_plan_refuses_with_a_remedy() -> None:
    board = Target.load("raspberry-pi-4")
    with pytest.raises(PlanError, match="has no tensorrt: choose backend=.tflite. or .onnxruntime."):
        plan_for(board, "tensorrt")
    with pytest.raises(PlanError, match="no precision 'int4'"):
        plan_for(board, "tflite", "int4")


def test_plan_says_what_it_chose() -> None:
    decided = plan_for(Target.load("raspberry-pi-4"), recipe=Recipe.load("int8-fast"))
    assert (decided.backend, decided.precision, decided.recipe) == ("tflite", "int8", "int8-fast")
    assert (
        plan_for(Target.load("raspberry-pi-4"), precision="fp32", recipe=Recipe.load("int8-fast")).recipe
        is None
    )


@pytest.mark.parametrize(
    ("machine", "isa", "doubts"),
    [
        *(("x86_64", ("avx2",), True), ("x86_64", ("avx2", "avx512f"), True)),
        *(("x86_64", ("avx2", "avx_vnni"), False), ("aarch64", ("asimd",), False)),
    ],
)
def test_without_vnni_the_plan_doubts_that_int8_is_faster(
    machine: str, isa: tuple[str, ...], doubts: bool
) -> None:
    board = Target.load("local")
    board = replace(board, cpu=replace(board.cpu, machine=machine, isa=isa))
    assert any("edgenet deploy" in line for line in plan_for(board).why) is doubts
    assert not any("edgenet deploy" in line for line in plan_for(board, precision="int8").why), "it was said"


def test_a_refused_precision_gives_the_boards_reason(tmp_path: Path) -> None:
    text = find("target", "raspberry-pi-4").read_text()
    text = text.replace(
        '[backends.tflite]\nprecisions = ["fp32", "fp16", "int8", "int8-dynamic"]',
        '[backends.tflite]\nprecisions = ["fp32"]\nrefused = { int8 = "sm_53 has no int8" }',
    )
    path = tmp_path / "b.toml"
    path.write_text(text)
    with pytest.raises(PlanError, match="no int8, sm_53 has no int8: choose precision=.fp32."):
        plan_for(Target.load(str(path)), "tflite", "int8")
    with pytest.raises(PlanError, match="does not run fp16: choose precision=.fp32."):
        plan_for(Target.load(str(path)), "tflite", "fp16")


def test_options_say_what_is_refused_and_why(model: Model) -> None:
    found = {(item.backend, item.precision): item for item in options(Target.load("jetson-nano"), model)}
    assert found["onnxruntime", "int8"].possible
    assert (
        "its GPU generation has no int8" in found["tensorrt", "int8"].why
        or not found["tensorrt", "int8"].possible
    )
    assert found["onnxruntime", "fp16"].possible
    assert not found["tensorrt", "int8-dynamic"].possible


def test_options_name_the_operator_a_backend_lacks(model: Model) -> None:
    import onnx

    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    node = next(node for node in proto.graph.node if node.op_type == "Clip")
    node.op_type = "Selu"
    del node.input[1:]
    found = {
        (item.backend, item.precision): item
        for item in options(Target.load("local"), model.with_proto(proto))
    }
    assert "Selu" in found["tflite", "fp32"].why
    assert found["onnxruntime", "fp32"].possible


def test_files_of_every_editor_are_read(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_bytes("name = 'r'\r\n".encode("utf-8-sig"))
    assert read_table("recipe", str(tmp_path / "r.toml")).take("name", str) == "r"
    (tmp_path / "r.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(LibraryError, match="not a readable TOML file"):
        read_table("recipe", str(tmp_path / "r.toml"))
