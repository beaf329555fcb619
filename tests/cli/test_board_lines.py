"""What people are told of recorded boards."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenet.cli.shared.board_lines import board_lines
from edgenet.facts import Facts
from edgenet.steps.probe import board_target
from edgenet.text import UNPRINTABLE
from tests.boards import recorded
from tests.boards.test_recorded import facts_of


def told(facts: Facts) -> dict[str, str]:
    return dict(board_lines(facts, board_target(facts)))


@pytest.mark.parametrize("name", recorded.NAMES)
def test_a_recorded_board_in_ten_lines(name: str, tmp_path: Path) -> None:
    facts = facts_of(name, tmp_path)
    lines = board_lines(facts, board_target(facts))
    assert len(lines) == 10
    assert all(text and not UNPRINTABLE.search(text) for _, text in lines)
    assert dict(lines)["target"].endswith(f"({recorded.load(name, tmp_path).expected['target']})")


def test_a_pi_4(tmp_path: Path) -> None:
    lines = told(facts_of("pi-4", tmp_path))
    assert lines["board"].startswith("Raspberry Pi 4 Model B")
    assert lines["processor"].startswith("4 × Cortex-A72")
    assert "NEON" in lines["processor"]
    assert "°C" in lines["temperature"]


def test_what_is_wrong_is_said() -> None:
    facts = Facts(
        cores=4,
        machine="aarch64",
        isa=("asimd", "asimddp", "odd"),
        temperature_c=81.6,
        throttled_now=("under-voltage", "throttled"),
        disk_free_mb=1500.0,
        noexec=True,
        runtimes={"tflite": "ai-edge-litert 2.3.0"},
        runtimes_broken={"tensorrt": "no module"},
        sources=("/dev/video0", "video"),
        cameras=("video0 Webcam",),
    )
    lines = told(facts)
    assert lines["processor"] == "4 × aarch64; NEON, int8 dot products"
    assert lines["temperature"] == "82 °C; throttled now: under-voltage, throttled"
    assert lines["free space"] == "1.5 GB; mounted noexec, no library loads from there"
    assert lines["runtimes"] == "tflite ai-edge-litert 2.3.0; tensorrt cannot be used (no module)"
    assert lines["camera"] == "/dev/video0 (video0 Webcam)"


def test_what_is_not_told_is_not_made_up() -> None:
    lines = told(Facts(cores=1, absent={"temperature_c": "no thermal zone"}))
    assert lines["board"] == lines["memory"] == lines["free space"] == "not told"
    assert lines["temperature"] == "not told: no thermal zone"
    assert lines["runtimes"] == "none of its own; edgenet deploy sends one"
