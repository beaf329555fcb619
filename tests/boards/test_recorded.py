"""Facts, sensors and targets of recorded boards: one folder a board, no code a case."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from edgenet.agent.facts import board, sensors
from edgenet.facts import Facts
from edgenet.library import names
from edgenet.steps.probe import board_target, write_target
from edgenet.target import Target
from tests.boards import recorded

EVERY_BOARD = pytest.mark.parametrize("name", recorded.NAMES)


def told_by(name: str, folder: Path) -> dict[str, Any]:
    """What the agent would say on this board."""
    here = recorded.load(name, folder)
    return {**here.process, **board.facts(here.root, here.run)}


def facts_of(name: str, folder: Path) -> Facts:
    """The same, read as the host reads it."""
    return Facts.from_table(told_by(name, folder))


@EVERY_BOARD
def test_the_host_reads_every_fact_and_tells_it_as_it_was_told(name: str, tmp_path: Path) -> None:
    told = {
        **told_by(name, tmp_path),
        "runtimes": {},
        "runtimes_broken": {},
        "packages": {},
        "decodes": ["ppm"],
    }
    assert Facts.from_table(told).to_table() == json.loads(json.dumps(told))


@EVERY_BOARD
def test_facts(name: str, tmp_path: Path) -> None:
    here = recorded.load(name, tmp_path)
    assert board.facts(here.root, here.run) == here.expected["facts"]


@EVERY_BOARD
def test_reading(name: str, tmp_path: Path) -> None:
    here = recorded.load(name, tmp_path)
    reading = sensors.read(here.root, here.run)
    assert reading.pop("time_s") > 0
    assert reading == here.expected["reading"]


@EVERY_BOARD
def test_target(name: str, tmp_path: Path) -> None:
    found = board_target(facts_of(name, tmp_path))
    assert found.known
    assert found.target == recorded.load(name, tmp_path).expected["target"]


@EVERY_BOARD
def test_the_target_says_the_same_as_the_board(name: str, tmp_path: Path) -> None:
    facts = facts_of(name, tmp_path)
    target = Target.load(recorded.load(name, tmp_path).expected["target"])
    assert facts.cpu == target.cpu.core
    assert set(target.cpu.isa) <= set(facts.isa)


@EVERY_BOARD
def test_no_program_answers(name: str, tmp_path: Path) -> None:
    """Whatever a program would have said is then absent, with a reason, and never 0."""
    here = recorded.load(name, tmp_path)

    def fails(command: list[str]) -> str:
        raise ValueError(f"{command[0]} failed: VCHI initialization failed")

    reading = sensors.read(here.root, fails)
    for key, value in here.expected["reading"].items():
        assert reading.get(key) == value or key == "absent" or value is not None
    for key in ("power_w", "throttled"):
        if key in here.expected["reading"] and key not in reading:
            assert "VCHI" in reading["absent"][key]


@EVERY_BOARD
def test_saved_target_reads_back(name: str, tmp_path: Path) -> None:
    facts = facts_of(name, tmp_path / "tree")
    saved = Target.load(str(write_target(tmp_path / "mine.toml", facts)))
    known = Target.load(recorded.load(name, tmp_path / "tree").expected["target"])
    assert saved.name == "mine"
    assert saved.title == facts.board
    assert saved.cpu.core == known.cpu.core
    assert saved.cpu.clock_mhz == facts.clock_max_mhz
    assert saved.backends == known.backends
    assert saved.verified


def test_every_board_of_the_targets_is_told_apart(tmp_path: Path) -> None:
    """By its model's name alone, and by the device tree's names alone."""
    for name in names("target"):
        said = Target.load(name).identity
        for model in said.board_models:
            assert board_target(Facts(cores=4, machine="aarch64", board=f"{model} Rev 1.0")).target == name
        for exact in said.compatible:
            assert (
                board_target(Facts(cores=4, machine="aarch64", compatible=(exact, "brcm,x"))).target == name
            )
        for module in said.modules:
            assert board_target(Facts(cores=4, machine="aarch64", module=module)).target == name


def test_an_unknown_board_has_a_nearest_target(tmp_path: Path) -> None:
    facts = facts_of("pi-5", tmp_path).changed(board="Radxa ROCK 5B", compatible=("radxa,rock-5b",))
    found = board_target(facts)
    assert not found.known
    assert found.target == "raspberry-pi-5"
    assert str(found) == "unknown board: nearest target raspberry-pi-5; both have Cortex-A76"
    other = board_target(facts.changed(cpu="Cortex-A55"))
    assert not other.known
    assert "it has Cortex-A55, not Cortex-A76" in str(other)
    assert (
        str(board_target(Facts(cores=1, machine="riscv64")))
        == "unknown board: no target has a riscv64 processor"
    )


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    facts = facts_of("pi-4", tmp_path).changed(board='a"\n[cpu]\nmachine = "x\\\x7f')
    path = write_target(tmp_path / "hostile.toml", facts)
    assert tomllib.loads(path.read_text())["title"] == facts.board
