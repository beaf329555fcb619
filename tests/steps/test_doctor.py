"""The preflight: a pure function over recorded boards, and the command over a real connection."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from edgenet.agent.facts import board
from edgenet.devices.answers import Trial
from edgenet.facts import Facts
from edgenet.steps.doctor import Condition, doctor, examine
from tests import sshd
from tests.boards import recorded

EVERY_BOARD = pytest.mark.parametrize("name", recorded.NAMES)
NOW = 1_780_000_000.0
NARROW = {"python_bits": 32, "python": "3.11.2", "packages": {"numpy": "1.24.2"}}


def facts_of(name: str, folder: Path, **changes: Any) -> Facts:
    """What the agent would say on this board, its clock right."""
    here = recorded.load(name, folder)
    own = {"runtimes": {}, "runtimes_broken": {}, "decodes": [], "clock_s": NOW}
    return Facts.from_table({**own, **here.process, **board.facts(here.root, here.run), **changes})


def examined(facts: Facts, *backends: str, trials: dict[str, Trial] | None = None) -> dict[str, Condition]:
    found = examine(facts, backends or ("onnxruntime", "tflite"), trials or {}, NOW)
    assert len({item.name for item in found}) == len(found)
    for item in found:
        assert item.state in ("ok", "not", "unknown", "not applicable")
        assert item.found
        assert item.remedy or item.state != "not", f"{item.name} is not ok and nothing is said to do"
    return {item.name: item for item in found}


@EVERY_BOARD
def test_recorded_boards(name: str, tmp_path: Path) -> None:
    backends = [
        "onnxruntime",
        "tflite",
        *(["tensorrt"] if name not in ("pi-4", "pi-5", "pi-zero-2w") else []),
    ]
    found = examined(facts_of(name, tmp_path), *backends)
    expected = recorded.load(name, tmp_path).expected["doctor"]
    assert {key: item.state for key, item in found.items() if item.state != "ok"} == expected["states"]
    for key, words in expected["words"].items():
        assert words in f"{found[key].found}; {found[key].remedy}"


@pytest.mark.parametrize(
    ("changes", "name", "state", "words"),
    [
        ({"clock_s": 5.0}, "clock", "not", "days behind"),
        ({"clock_s": NOW + 1200}, "clock", "not", "20 minutes ahead"),
        ({"clock_s": None}, "clock", "unknown", ""),
        ({"noexec": True}, "folder", "not", "EDGENET_HOME"),
        ({"noexec": None}, "folder", "unknown", ""),
        ({"disk_free_mb": 100.0}, "disk", "not", "520 MB needed"),
        ({"disk_free_mb": 100.0, "runtimes": {"tflite": "1", "onnxruntime": "1"}}, "disk", "ok", ""),
        ({"memory_available_mb": 40.0}, "memory", "not", "about 150 MB"),
        ({"memory_available_mb": None}, "memory", "unknown", ""),
        (
            NARROW,
            "64 bit",
            "ok",
            "for tflite: 32-bit Python on aarch64, a 64-bit kernel with 32-bit pro",
        ),
        ({**NARROW, "machine": "armv7l"}, "64 bit", "ok", "32-bit Python on armv7l, a 32-bit system"),
        ({"python_bits": 32, "python": "3.13.5"}, "64 bit", "not", "install the 64-bit system"),
        (NARROW, "runtime onnxruntime", "not applicable", "no wheels for armv7l"),
        ({"python_bits": 32, "python": "3.13.5"}, "runtime onnxruntime", "not", "no wheels for armv7l"),
        (NARROW, "runtime tflite", "ok", "2.14.0 would be sent; it uses the board's own numpy 1.24.2"),
        (
            {**NARROW, "packages": {}},
            "runtime tflite",
            "not",
            "imports numpy, which the board's",
        ),
        ({**NARROW, "packages": {"numpy": "2.2.4"}}, "runtime tflite", "not", "the board's own is 2.2.4"),
        ({**NARROW, "packages": {}}, "64 bit", "ok", "none is needed for tflite"),
        ({"machine": "armv6l", "python_bits": 32}, "runtime tflite", "not", "is Armv6"),
        ({"python_implementation": "pypy"}, "Python", "not", "EDGENET_PYTHON"),
        ({"glibc": None}, "runtime tflite", "not", "glibc"),
        ({"governor": "powersave"}, "governor", "not", "lowest clock"),
        ({"temperature_c": 84.0}, "temperature", "not", "cool"),
        ({"runtimes": {"tflite": "x 1"}}, "runtime tflite", "ok", "own x 1; without Pillow"),
        ({"runtimes_broken": {"tflite": "SIGILL"}}, "runtime tflite", "ok", "does not import: SIGILL"),
        ({"emulated": True}, "board", "ok", "its speed does not"),
        ({"board": "ROCK", "compatible": []}, "board", "unknown", "--save"),
    ],
)
def test_each_condition(changes: dict[str, Any], name: str, state: str, words: str, tmp_path: Path) -> None:
    found = examined(facts_of("pi-5", tmp_path, **changes))[name]
    assert found.state == state
    assert words in f"{found.found}; {found.remedy}"


def test_a_runtime_that_is_there_is_tried(tmp_path: Path) -> None:
    facts = facts_of("pi-5", tmp_path)
    good = {"tflite": Trial(True, "ai-edge-litert 2.3.0", "", None)}
    bad = {"tflite": Trial(False, "", "ended by SIGILL (illegal instruction)", "SIGILL")}
    assert examined(facts, "tflite", trials=good)["runtime tflite"].state == "ok"
    found = examined(facts, "tflite", trials=bad)["runtime tflite"]
    assert found.state == "not"
    assert "SIGILL" in found.found


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, "ok", "JetPack 6.2 (L4T 36.4.3), TensorRT 10.3.0, CUDA 12.6"),
        ({"tensorrt": None}, "not", "apt install tensorrt"),
        ({"tensorrt_python": False}, "not", "python3-libnvinfer"),
        ({"l4t": None, "tensorrt": None}, "not applicable", "not a Jetson"),
        ({"l4t": None, "tensorrt": None, "runtimes": {"tensorrt": "rtx 1"}}, "ok", "own rtx 1"),
    ],
)
def test_tensorrt(changes: dict[str, Any], state: str, words: str, tmp_path: Path) -> None:
    found = examined(facts_of("orin-nano", tmp_path, **changes), "tensorrt")["runtime tensorrt"]
    assert found.state == state
    assert words in f"{found.found}; {found.remedy}"


def test_facts_that_are_missing_are_unknown() -> None:
    """An older or crippled board may say almost nothing."""
    found = examined(Facts(cores=4, machine="aarch64", python_implementation="cpython", python_bits=64))
    states = {item.state for name, item in found.items() if not name.startswith("runtime")}
    assert states == {"ok", "unknown"}


def test_through_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if reason := sshd.missing():
        pytest.skip(reason)
    with sshd.start(tmp_path / "board", {"EDGENET_PYTHON": sys.executable}) as running:
        monkeypatch.setenv("EDGENET_SSH", running.ssh)
        found = doctor(sshd.ALIAS)
        assert found.reached
        assert {item.name: item.state for item in found.conditions}["reach"] == "ok"
        assert not (running.edgenet_home / "deployments/current").exists()
    lost = doctor(sshd.ALIAS)
    assert not lost.reached
    assert lost.exit_code == 3
    assert lost.conditions[0].remedy


def test_exit_codes(home: Path) -> None:
    found = doctor("local", "tflite")
    bad = Condition("memory", "not", "x", "y")
    assert dataclasses.replace(found, conditions=(*found.conditions, bad)).exit_code == 1
    assert dataclasses.replace(found, conditions=found.conditions[:1]).exit_code == 0


def test_command_prints_one_document(home: Path) -> None:
    for device, code in (("local", (0, 1)), ("nobody@nowhere.invalid", (3,))):
        done = subprocess.run(
            [sys.executable, "-m", "edgenet", "doctor", "--device", device, "--json"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "EDGENET_SSH": "ssh -F none"},
        )
        assert done.returncode in code
        document = json.loads(done.stdout)
        assert document["device"] == device
        assert document["reached"] is (code != (3,))
        assert {"name", "state", "found", "remedy"} == set(document["conditions"][0])


PC = {
    "machine": "x86_64",
    "cpu": "AMD EPYC",
    "system": "Linux",
    "python": "3.11.7",
    "glibc": "2.36",
    "cores": 4,
}


def test_what_does_not_apply_is_no_fault_unless_it_was_asked_for() -> None:
    facts = Facts.from_table({**PC, "python_implementation": "cpython", "python_bits": 64})
    everything = ("onnxruntime", "tensorrt", "tflite")
    states = {item.name: item.state for item in examine(facts, everything, {}, NOW)}
    assert states["runtime tensorrt"] == "not applicable"
    assert "not" not in states.values()
    asked = {item.name: item.state for item in examine(facts, ["tensorrt"], {}, NOW, asked=True)}
    assert asked["runtime tensorrt"] == "not"


def test_the_time_that_the_board_takes_is_not_its_clocks_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    from edgenet.steps import doctor as module

    clock = {"now": NOW}

    class Slow:
        """Its clock is right; it needs 31 s to try its runtimes, and 2 s before it says anything."""

        def facts(self, backends: Any = ()) -> Facts:
            clock["now"] += 2.0
            told = Facts(cores=1, clock_s=clock["now"])
            clock["now"] += 31.0 if backends else 1.0
            return told

    monkeypatch.setattr(module.time, "time", lambda: clock["now"])
    facts, now = module._asked(Slow(), ["tflite"])  # type: ignore[arg-type]
    assert facts.clock_s == now


def test_a_saved_target_has_only_what_was_found() -> None:
    from edgenet.steps.probe import target_text
    from edgenet.target import Target

    laptop = Target.load("rtx-laptop")
    assert "tensorrt" in laptop.backends
    saved = tomllib.loads(target_text("pc", Facts.from_table(PC)))
    assert not saved["verified"]
    assert set(saved["backends"]) == {"onnxruntime", "tflite"}
    assert saved["default_precision"] == "int8"
    own = Facts.from_table({**PC, "runtimes": {"tensorrt": "tensorrt-rtx 1.7.1"}})
    found = tomllib.loads(target_text("pc", own))
    assert "tensorrt" in found["backends"]


def test_what_an_index_would_give_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGENET_INDEX", "https://me:secret@example.invalid/simple")
    facts = facts_of("pi-5", tmp_path, **{**NARROW, "packages": {}})
    found = examined(facts, "tflite")["runtime tflite"]
    assert found.state == "ok"
    assert found.found.endswith("would be sent, with numpy>=1.23.2,<2 from https://example.invalid/simple")
