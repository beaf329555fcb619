"""Which of several builds a board gets, and boards that are not what their fleet says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgenet.board import Board
from edgenet.bundle import Bundle
from edgenet.errors import DeviceError
from edgenet.facts import Facts
from edgenet.fleets.choose import chosen
from edgenet.manifest import Manifest
from edgenet.model import Model
from edgenet.steps.compile import compile
from edgenet.steps.kind import board_kind
from edgenet.steps.probe import write_target
from tests.conftest import CHEAP
from tests.manifests import manifest

PI4 = Facts(
    cores=4,
    machine="aarch64",
    system="Linux",
    python="3.11.2",
    python_implementation="cpython",
    python_bits=64,
    glibc="2.36",
    board="Raspberry Pi 4 Model B Rev 1.4",
    compatible=("raspberrypi,4-model-b", "brcm,bcm2711"),
    cpu="Cortex-A72",
    isa=("asimd",),
)
PI5 = PI4.changed(
    board="Raspberry Pi 5 Model B Rev 1.0",
    compatible=("raspberrypi,5-model-b", "brcm,bcm2712"),
    cpu="Cortex-A76",
    isa=("asimd", "asimddp", "asimdhp", "atomics"),
)
JETSON = PI4.changed(
    board="NVIDIA Jetson Orin Nano Developer Kit",
    compatible=("nvidia,p3768-0000+p3767-0005", "nvidia,tegra234"),
    cpu="Cortex-A78AE",
    isa=("asimd", "asimddp", "asimdhp", "atomics"),
    python="3.10.12",
    glibc="2.35",
    runtimes={"tensorrt": "tensorrt 10.3.0"},
    tensorrt="10.3.0",
)
MINI = PI4.changed(
    board=None,
    compatible=(),
    machine="x86_64",
    cpu="Intel(R) N100",
    isa=("avx2", "avx_vnni"),
    python="3.12.3",
)
PI = Board("pi@kitchen", name="kitchen")


def bundle(target: str, backend: str = "tflite", precision: str = "int8", **artifact: Any) -> Bundle:
    table = manifest(backend=backend) | {"target": target, "precision": precision}
    table["artifact"] |= artifact
    table["files"] = {name: {"sha256": "0" * 64, "size": 1} for name in ("model.tflite", "reference.onnx")}
    made = Manifest.parse(table, "m")
    files = {"model.tflite": b"", "reference.onnx": b""}
    return Bundle(made, f"{target}.{backend}.{precision}", 1, files, b"")


ENGINE = {"build": {"precision": "fp16", "graphs": {"10": "model.tflite"}, "dla_core": None}}


def test_each_board_gets_the_build_of_its_kind() -> None:
    four, five = bundle("raspberry-pi-4"), bundle("raspberry-pi-5")
    orin = bundle("jetson-orin-nano", "tensorrt", "fp16", **ENGINE)
    mini = bundle("local", "onnxruntime", "fp32")
    found = [chosen([four, five, orin, mini], facts, PI) for facts in (PI4, PI5, JETSON, MINI)]
    assert found == [four, five, orin, mini]


def test_a_32_bit_system_gets_what_was_made_for_it_and_else_what_runs_there() -> None:
    narrow = PI4.changed(python_bits=32, packages={"numpy": "1.24.2"})
    wide, own = bundle("raspberry-pi-4"), bundle("raspberry-pi-4-32-bit")
    assert chosen([wide, own], narrow, PI) is own
    assert chosen([own, wide], PI4, PI) is wide
    assert chosen([wide], narrow, PI) is wide


def test_of_two_for_its_kind_it_gets_the_first_that_can_run_there() -> None:
    both = [bundle("raspberry-pi-4", "onnxruntime"), bundle("raspberry-pi-4")]
    assert chosen(both, PI4, PI) is both[0]
    assert chosen(both[::-1], PI4, PI) is both[1]
    old = PI4.changed(python="3.6.9", glibc="2.27")  # tflite-runtime has wheels for neither, onnxruntime has
    assert chosen(both[::-1], old, PI) is both[0]
    assert chosen(both, old.changed(runtimes={"tflite": "tflite-runtime 2.5"}), PI) is both[0]


def test_one_for_a_board_like_it_will_do_and_one_for_another_processor_will_not() -> None:
    four, rtx = bundle("raspberry-pi-4"), bundle("rtx-laptop", "onnxruntime", "fp32")
    assert chosen([rtx, four], PI5, PI) is four
    with pytest.raises(DeviceError, match="^kitchen.*: none of the bundles fits: ") as error:
        chosen([rtx], PI5, PI)
    assert "made for x86_64, and the board has a aarch64 processor" in error.value.what
    assert error.value.remedy == "give one that edgenet compile --target raspberry-pi-5 made"


def test_what_a_target_refuses_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(DeviceError, match="has no tensorrt"):
        chosen([bundle("jetson-nano", "tensorrt", "fp16", **ENGINE)], PI4, PI)
    nano = JETSON.changed(board="NVIDIA Jetson Nano Developer Kit", compatible=())
    with pytest.raises(DeviceError, match="no int8"):
        chosen([bundle("jetson-nano", "tensorrt", **ENGINE)], nano, PI)
    with pytest.raises(DeviceError, match="has no tensorrt"):
        chosen([bundle("jetson-orin-nano", "tensorrt", "fp16", **ENGINE)], JETSON.changed(runtimes={}), PI)
    with pytest.raises(DeviceError, match="no wheels for Python 3.5"):
        chosen([bundle("raspberry-pi-4")], PI4.changed(python="3.5.3"), PI)


def test_int8_written_for_vnni_or_arm_is_kept_from_an_x86_without(model: Model, photos: Path) -> None:
    """A processor without VNNI gets the form that cannot saturate, else float, whatever its order."""
    whole = compile(model, "raspberry-pi-5", "onnxruntime", "int8", CHEAP, calibration=photos).bundle
    made = replace(whole, manifest=whole.manifest.changed(target="of-somebody"))
    fp32 = bundle("of-somebody", "onnxruntime", "fp32")
    assert chosen([made, fp32], MINI, PI) is made
    assert chosen([made, fp32], MINI.changed(isa=("avx2",)), PI) is fp32


def test_a_target_that_contradicts_the_facts_is_refused_with_both_named() -> None:
    told = Board("pi@kitchen", "raspberry-pi-5", "kitchen")
    with pytest.raises(DeviceError) as error:
        chosen([bundle("raspberry-pi-5")], PI4, told)
    assert "kitchen is given as Raspberry Pi 5 (raspberry-pi-5)" in error.value.what
    assert "Raspberry Pi 4 Model B Rev 1.4 (raspberry-pi-4)" in error.value.what
    with pytest.raises(DeviceError, match="a x86_64 processor, not aarch64"):
        board_kind(MINI, told)
    unknown = PI4.changed(board=None, compatible=())
    with pytest.raises(DeviceError, match="Cortex-A72.* has no asimddp"):
        board_kind(unknown, told)


def test_a_target_saved_from_the_board_is_its_target(tmp_path: Path) -> None:
    path = write_target(tmp_path / "ours.toml", PI4)
    found = board_kind(PI4, replace(PI, target=str(path)))
    assert found is not None
    assert found.name == "ours"
    ours, theirs = bundle("ours"), bundle("raspberry-pi-4")
    assert chosen([theirs, ours], PI4, replace(PI, target=str(path))) is ours
    assert chosen([theirs, ours], PI4, PI) is theirs
