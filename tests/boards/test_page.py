"""docs/boards.md says of each board what its target says, and of each system what the pins say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgenet.devices.candidates import candidates
from edgenet.errors import DeviceError
from edgenet.facts import Facts
from edgenet.library import names
from edgenet.target import Target

PAGE = (Path(__file__).parents[2] / "docs/boards.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if "|" in line]
BOARDS = {row[0].strip("`"): row for row in ROWS if row[0].startswith("`")}
SYSTEMS = [row for row in ROWS if re.fullmatch(r"3\.\d+, 2\.\d+", row[1])]


def test_every_target_has_a_row() -> None:
    assert set(BOARDS) == set(names("target")) - {"local"} - {n for n in names("target") if "laptop" in n}


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_row_of_a_target(name: str) -> None:
    target, (_, title, cores, memory, systems, power) = Target.load(name), BOARDS[name]
    assert title == target.title
    assert cores == f"{target.cpu.cores} × {target.cpu.core}"
    assert memory == ", ".join(map(str, target.memory_mb))
    assert power == target.extra["sensors"]["power"]
    images = " ".join(target.system.images)
    for version in re.findall(r"\d\.\d", systems):
        assert f"JetPack {version}" in images
    assert images.count("JetPack ") == len(re.findall(r"\d\.\d", systems))


@pytest.mark.parametrize("row", SYSTEMS, ids=lambda row: row[0])
def test_row_of_a_system(row: list[str]) -> None:
    python, _, glibc = row[1].partition(", ")
    facts = Facts(
        cores=4,
        system="Linux",
        python_implementation="cpython",
        machine="aarch64",
        python=python,
        python_bits=32 if "32 bit" in row[0] else 64,
        glibc=glibc,
        packages={"numpy": "1.24.2"} if "system's python3-numpy" in row[3] else {},
    )
    for backend, said in (("onnxruntime", row[2]), ("tflite", row[3].split(",")[0])):
        try:
            name, _, version = candidates(backend, facts)[0].name.partition("==")
        except DeviceError:
            assert said == "none"
            continue
        names = {"onnxruntime": "", "ai-edge-litert": "LiteRT ", "tflite-runtime": "tflite-runtime "}
        assert said == names[name] + version
