"""32-bit Raspberry Pi OS on an emulated Pi 4: `uname -m` says aarch64, every program is 32-bit."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgenet.agent.demo.sources.synthetic import TURN
from edgenet.board import Board
from edgenet.errors import EXIT_DONE, EXIT_OVER_LIMIT, DeviceError
from edgenet.fleet import Fleet
from edgenet.fleets.rollout import rollout
from edgenet.fleets.rollout_options import RolloutOptions
from edgenet.protocol import Protocol
from edgenet.steps.compile import compile
from edgenet.steps.demo import DemoOptions, demo
from edgenet.steps.deploy import deploy
from edgenet.steps.doctor import doctor
from edgenet.steps.own_target import own_target
from edgenet.steps.profile import profile
from edgenet.steps.status import status
from edgenet.zoo.signs import LABELS
from tests.pi.conftest import CACHE, NARROW

pytestmark = [
    pytest.mark.pi,
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.skipif(not (CACHE / "images" / NARROW).exists(), reason="no 32-bit image: run tests/pi/run"),
]
BRIEF = Protocol("brief", "", 0.0, 0.2, 3, 5.0, 1, False, 0.0)
NUMPY = "/usr/lib/python3/dist-packages/numpy"


def there(name: str, command: str) -> None:
    subprocess.run([*os.environ["EDGENET_SSH"].split(), name, command], check=True, timeout=60)


def test_a_32_bit_pi(guest: Callable[[str], str], figures: dict[str, Any], tmp_path: Path) -> None:
    """Without numpy it is told before anything is sent; with the system's, all works as on 64 bits."""
    began, name = time.perf_counter(), guest(NARROW)
    there(name, f"sudo mv {NUMPY} {NUMPY}.away")
    target = own_target(name)
    assert (target.name, list(target.backends)) == ("raspberry-pi-4-32-bit", ["tflite"])
    bundle = compile("signs", target, precision="fp32").bundle
    with pytest.raises(DeviceError, match="imports numpy, which the board's Python does not have") as caught:
        deploy(bundle, name)
    assert caught.value.remedy == "run `sudo apt install python3-numpy` there"
    nothing = "find .edgenet/runtimes .edgenet/deployments -mindepth 1 | grep . && exit 1"
    there(name, f"{nothing}; sudo mv {NUMPY}.away {NUMPY}")

    found = doctor(name, "tflite")
    states = {item.name: item for item in found.conditions}
    assert found.exit_code == 0, found
    assert states["runtime tflite"].found.endswith("it uses the board's own numpy 1.24.2")
    assert "none is needed for tflite: 32-bit Python on aarch64" in states["64 bit"].found
    assert deploy(bundle, name).runtime == "tflite-runtime 2.14.0"
    report = profile(bundle, name, BRIEF)
    stages = report.drift.stages
    assert report.verdict.state == "EMULATED"
    assert stages.preprocess.identical == stages.preprocess.images > 0, "the pixels of this host, bit for bit"
    assert stages.kernel.agreement == 1.0

    answers = tmp_path / "answers.jsonl"
    options = DemoOptions(
        source="synthetic", size=(160, 120), fps=1, threads=1, seconds=5, answers=answers, keep=tmp_path
    )
    summary = demo(bundle, name, options)
    said = [json.loads(line) for line in answers.read_text().splitlines()]
    assert len(said) == summary["frames"]["answered"] >= 2
    assert all(line["tops"][0][0][0] == LABELS[line["frame"] // TURN % len(LABELS)] for line in said)
    figures["armhf"] = {
        "seconds_emulated": round(time.perf_counter() - began, 1),
        "kernel": stages.kernel.to_table(),
        "memory_mb": report.memory_mb.to_table(),
    }


def test_a_rollout_over_two_kinds_of_pi(
    guest: Callable[..., str], figures: dict[str, Any], tmp_path: Path
) -> None:
    """Each gets the build of its kind; taken back, the one that ran something runs it again."""
    began = time.perf_counter()
    narrow = _beside("narrow", guest(NARROW))
    wide = _beside("wide", guest("pi4", beside=True))
    old = compile("signs", own_target(narrow), precision="fp32").bundle
    deploy(old, narrow)
    builds = [
        compile("signs", target, "tflite", "fp16").bundle for target in ("raspberry-pi-4", own_target(narrow))
    ]
    fleet, state = Fleet("two", (narrow, wide)), tmp_path / "two.rollout.json"
    options = RolloutOptions(check='test -s "$EDGENET_ARTIFACT" && python3 -c "import json"')
    found = rollout(builds, fleet, options, state=state)
    assert found.exit_code == EXIT_DONE, found.to_table()
    assert [(row.state, row.build) for row in found.boards] == [
        ("switched", builds[1].digest),
        ("switched", builds[0].digest),
    ]
    back = rollout([], fleet, RolloutOptions(rollback=True), state=state)
    assert [row.state for row in back.boards] == ["returned", "kept"]
    assert back.exit_code == EXIT_OVER_LIMIT, "nothing was there before"
    for board, runs in ((narrow, old), (wide, builds[0])):
        said = status(board)
        assert said.current is not None
        assert said.current.digest == runs.digest
    told = "head -c 64 .edgenet/switched; readlink .edgenet/deployments/current"
    words = subprocess.run(
        ["ssh", *narrow.ssh_options, narrow.device, told], check=True, timeout=60, capture_output=True
    ).stdout.decode()
    assert words.strip() == 2 * old.digest, "what a program there watches says what is current"
    figures["two_pis"] = {"seconds_emulated": round(time.perf_counter() - began, 1)}


def _beside(name: str, device: str) -> Board:
    """A guest that is reached whichever was started last."""
    config = os.environ["EDGENET_SSH"].split()[-1]
    return Board(device, name=name, ssh_options=("-F", config))
