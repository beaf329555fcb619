"""A target made of what a board says of itself: systems and boards that no target file describes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgenet.agent.facts import board as agent_board
from edgenet.board import Board
from edgenet.devices.candidates import candidates
from edgenet.errors import DeviceError, PlanError
from edgenet.facts import Facts
from edgenet.model import Model
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.doctor import examine
from edgenet.steps.own_target import own_target, target_of_facts
from edgenet.steps.plan import plan_for
from tests.boards import recorded

NAMES = sorted(path.parent.name for path in recorded.HERE.glob("generic/*/tree.txt"))


def facts_of(name: str, folder: Path) -> tuple[Facts, dict[str, Any]]:
    here = recorded.load(f"generic/{name}", folder)
    return Facts.from_table({**here.process, **agent_board.facts(here.root, here.run)}), here.expected


@pytest.mark.parametrize("name", NAMES)
def test_systems_that_people_have(name: str, tmp_path: Path) -> None:
    """Trixie, Ubuntu 24.04, Armbian, a mini PC, 32-bit Raspberry Pi OS: what runs there can be planned."""
    facts, expected = facts_of(name, tmp_path)
    if expected["target"] is None:
        with pytest.raises(PlanError, match="no runtime of edgenet fits"):
            target_of_facts(facts, Board("pi"))
        for item in examine(facts, ["onnxruntime", "tflite"], {}, 0.0):
            if item.name.startswith("runtime"):
                assert (item.state, expected["why"] in item.found) == ("not", True)
        return
    made = target_of_facts(facts, Board("pi"))
    told = {"name": made.name, "machine": made.cpu.machine, "backends": list(made.backends)}
    assert {**told, "default_precision": made.default_precision} == expected["target"]
    assert {backend: candidates(backend, facts)[0].name for backend in made.backends} == expected["first"]
    for backend in made.backends:
        assert plan_for(made, backend, "int8").target == made.name


def test_a_stated_target_is_held_to_the_facts(tmp_path: Path) -> None:
    facts, _ = facts_of("pi-4-trixie", tmp_path)
    assert target_of_facts(facts, Board("pi", target="raspberry-pi-4")).name == "raspberry-pi-4"
    with pytest.raises(DeviceError, match="is given as Raspberry Pi 5"):
        target_of_facts(facts, Board("pi", target="raspberry-pi-5"))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"board": None, "cpu": "Intel(R) Core(TM) i3-N305 CPU @ 0.80GHz"}, "intel-core-i3-n305"),
        ({"board": "../../etc/\n[x]", "compatible": ()}, "etc-x"),
        ({"board": "Ünî", "cpu": None}, "n"),
        ({"board": "!!!"}, "board"),
        ({"board": "word " * 60}, "word-word-word-word-word-word-word-word"),
    ],
)
def test_names_are_those_of_files(changes: dict[str, Any], name: str, tmp_path: Path) -> None:
    facts, _ = facts_of("n100-ubuntu-24.04", tmp_path)
    assert target_of_facts(facts.changed(**changes), Board("pi")).name == name


def test_a_bundle_for_a_generic_target_is_named_after_it_and_deploys(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made for what a mini PC says of itself, on this machine, which is one as far as a bundle goes."""
    facts, _ = facts_of("n100-ubuntu-24.04", tmp_path)
    made = compile(model, target_of_facts(facts, Board("pi")), "onnxruntime", "fp32")
    assert made.bundle.manifest.target == "intel-n100"
    assert made.file.endswith(".intel-n100.onnxruntime.fp32.edgenet")
    assert deploy(made.bundle, Board("local", home=str(tmp_path / "home"))).changed


def test_local_is_this_machine(tmp_path: Path) -> None:
    assert own_target(Board("local", home=str(tmp_path / "home"))).name == "local"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "name a board: --target T, or --device D"),
        (["--target", "local", "--device", "local"], "--target and --device both say"),
    ],
)
def test_one_of_the_two_names_the_board(options: list[str], words: str) -> None:
    command = [sys.executable, "-m", "edgenet", "compile", "signs", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr
