"""Other processors than this one: emulated for real by qemu's user mode, or only said to be so."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys

import pytest

import edgenet.target
from edgenet.target import VNNI

SECONDS = 240
QEMU = shutil.which("qemu-x86_64") or shutil.which("qemu-x86_64-static")
# Makes tests take this machine for one without VNNI where they ask what to build for it.
WITHOUT_VNNI = "EDGENET_TEST_NO_VNNI"


def hide_vnni() -> None:
    """Take this machine for one without VNNI, if the environment says so."""
    if os.environ.get(WITHOUT_VNNI):
        edgenet.target.ISA = tuple(name for name in edgenet.target.ISA if name not in VNNI)


def on_haswell(*arguments: str) -> None:
    """Run this Python, with AVX2 and without VNNI, on the arguments; skips where qemu cannot."""
    if QEMU is None or sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip("no qemu-x86_64 to emulate a processor with (Debian: qemu-user)")
    done = subprocess.run(
        [QEMU, "-cpu", "Haswell", sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
