"""Emulated Raspberry Pis: arm64 guests under qemu that are reached with nothing but ssh.

They run where ``EDGENET_SHARED/pi`` has the tools and the image is built; ``tests/pi/run`` sees to both.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(os.environ.get("EDGENET_SHARED", "../shared")).resolve() / "pi"
CACHE = Path(os.environ.get("EDGENET_PI_CACHE", Path.home() / ".cache/edgenet-pi"))
# A guest that nobody stops ends by itself, seconds.
TTL = "1500"
NARROW = "armhf"


def missing(config: pytest.Config) -> str | None:
    """Why no guest can be started here, or None."""
    if "pi" not in config.getoption("markexpr").replace("not pi", "").split():
        return "emulated boards are slow: run tests/pi/run"
    if not (TOOLS / "start").is_file():
        return "no emulated Raspberry Pi here (EDGENET_SHARED/pi)"
    if shutil.which("qemu-system-aarch64") is None:
        return "no qemu-system-aarch64"
    if not (CACHE / "images/current").exists():
        return f"its image is not built: run {TOOLS / 'make-image'}"
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is in this folder where there is no guest."""
    if reason := missing(config):
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=reason))


def stop(running: list[str]) -> None:
    """End guests, and forget them."""
    while running:
        subprocess.run([TOOLS / "stop", "--name", running.pop()], check=False, capture_output=True)


@pytest.fixture(scope="module")
def guest() -> Iterator[Callable[..., str]]:
    """Starts a board of a kind ("pi3", "pi4", "pi5") and ends those before; gives the name for ssh.

    "armhf" is a Pi 4 with 32-bit programs on its 64-bit kernel, and python3-numpy. With ``beside`` those
    before go on; each name is then reached by the ssh that ``EDGENET_SSH`` was when it was given.
    """
    before = os.environ.get("EDGENET_SSH")
    running: list[str] = []

    def start(board: str, beside: bool = False) -> str:
        name = f"edgenet-{board}-{os.getpid()}"
        kind = ["--image", board] if board == NARROW else ["--board", board]
        if name not in running:
            if not beside:
                stop(running)
            running.append(name)
            subprocess.run(
                [TOOLS / "start", *kind, "--name", name, "--ttl", TTL],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        os.environ["EDGENET_SSH"] = f"ssh -F {CACHE / 'run' / name / 'ssh_config'}"
        return name

    yield start
    stop(running)
    os.environ.pop("EDGENET_SSH", None)
    if before is not None:
        os.environ["EDGENET_SSH"] = before


@pytest.fixture(scope="module")
def figures() -> Iterator[dict[str, Any]]:
    """What the tests of a worker found, saved as JSON in the folder that ``EDGENET_PI_FIGURES`` names."""
    found: dict[str, Any] = {}
    yield found
    if folder := os.environ.get("EDGENET_PI_FIGURES"):
        name = os.environ.get("PYTEST_XDIST_WORKER", "all")
        (Path(folder) / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
