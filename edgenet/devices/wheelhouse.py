"""Wheels for another machine's Python, fetched once on the host and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from edgenet.errors import DeviceError
from edgenet.files import cache_dir, sha256

__all__ = ["Platform", "fetch"]

# The oldest manylinux of each machine, as glibc 2.N, and the older names of the same thing.
_OLDEST = {"x86_64": 5, "i686": 5, "aarch64": 17, "armv7l": 17}
_LEGACY = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}


class Platform(NamedTuple):
    """What a wheel must fit: Python such as "3.11", machine such as "aarch64", glibc such as "2.36"."""

    python: str
    machine: str
    glibc: str

    def tags(self) -> list[str]:
        """Every platform tag that runs there, best first."""
        major, _, minor = self.glibc.partition(".")
        if major != "2" or not minor.isdigit() or self.machine not in _OLDEST:
            return []
        tags: list[str] = []
        for number in range(int(minor), _OLDEST[self.machine] - 1, -1):
            tags.append(f"manylinux_2_{number}_{self.machine}")
            if number in _LEGACY:
                tags.append(f"{_LEGACY[number]}_{self.machine}")
        return tags


def fetch(pins: Sequence[str], platform: Platform, offline: bool = False) -> list[Path]:
    """The wheels of exactly these pins; from the second time on without a network.

    Args:
        pins: Requirements such as "numpy==1.26.4"; their dependencies are not followed.
        platform: What they must fit.
        offline: Use only what was fetched before.

    Raises:
        DeviceError: They cannot be fetched, or were not fetched before and ``offline`` is set.
    """
    key = sha256("\n".join([*platform, *sorted(pins)]).encode())[:16]
    folder = cache_dir() / "wheelhouse" / key
    if not folder.is_dir():
        if offline:
            raise DeviceError(
                f"offline, and {' '.join(pins)} for Python {platform.python} is not in the wheelhouse",
                f"once with a network: edgenet wheelhouse build --python {platform.python} "
                f"--machine {platform.machine}",
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{key}.", dir=folder.parent))
        try:
            _download(pins, platform, temporary)
            _place(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return sorted(folder.glob("*.whl"))


def _download(pins: Sequence[str], platform: Platform, folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "download",
        "--quiet",
    ]
    command += ["--no-deps", "--only-binary=:all:", "--python-version", platform.python]
    command += ["--implementation", "cp", "--dest", str(folder)]
    for tag in platform.tags():
        command += ["--platform", tag]
    done = subprocess.run([*command, *pins], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode or len(list(folder.glob("*.whl"))) != len(pins):
        lines = [
            line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.startswith("ERROR")
        ]
        why = lines[-1][:300] if lines else f"pip ended with {done.returncode}"
        wanted = f"{' '.join(pins)} for Python {platform.python}, {platform.machine}, glibc {platform.glibc}"
        raise DeviceError(
            f"cannot fetch {wanted}: {why}",
            "connect this machine to a package index once, or name a folder of wheels in PIP_FIND_LINKS",
        )


def _place(temporary: Path, folder: Path) -> None:
    try:
        os.rename(temporary, folder)
    except OSError:
        if not folder.is_dir():  # somebody else was faster: theirs is as good
            raise
