"""Wheels for another machine's Python, fetched once on the host and kept."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from edgenet.devices.digests import digests_of, known_digests
from edgenet.errors import DeviceError
from edgenet.files import cache_dir, file_digest, sha256

__all__ = ["Platform", "fetch"]

# The oldest manylinux of each machine, as glibc 2.N, and the older names of the same thing.
_OLDEST = {"x86_64": 5, "i686": 5, "aarch64": 17, "armv7l": 17}
_LEGACY = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
# How pip says that what it was given is not what was asked for; the wheel's name stands in a line below.
_MISMATCH = re.compile(r"DO NOT MATCH THE HASHES.*?([\w.+-]+\.whl)", re.DOTALL)
# Called with a sentence without its wheel, and the wheel's name.
Tell = Callable[[str, str], None]


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


def fetch(
    pins: Sequence[str], platform: Platform, offline: bool = False, tell: Tell | None = None
) -> list[Path]:
    """The wheels of exactly these pins, each of the sha256 that edgenet knows; later without a network.

    A wheel in the cache that was changed is removed and fetched again; one that an index changed is passed
    over for the same wheel of another index, or refused.

    Args:
        pins: Requirements such as "numpy==1.26.4"; their dependencies are not followed.
        platform: What they must fit.
        offline: Use only what was fetched before.
        tell: Called with what is wrong with a wheel that is fetched again, and its name.

    Raises:
        DeviceError: They cannot be fetched, one is not what it should be, or they were not fetched before and
            ``offline`` is set.
    """
    folder = _folder(pins, platform)
    if folder.is_dir() and (wrong := _forged(folder)):
        shutil.rmtree(folder, ignore_errors=True)
        if offline:
            raise _forgery(wrong, "once with a network: run this again without --offline")
        if tell:
            tell("changed in the cache, fetched again:", wrong)
    if not folder.is_dir():
        if offline:
            raise DeviceError(
                f"offline, and {' '.join(pins)} for Python {platform.python} is not in the wheelhouse",
                f"once with a network: edgenet wheelhouse --python {platform.python} "
                f"--machine {platform.machine}",
            )
        _fill(folder, pins, platform, tell)
    return sorted(folder.glob("*.whl"))


def _folder(pins: Sequence[str], platform: Platform) -> Path:
    key = sha256("\n".join([*platform, *sorted(pins)]).encode())[:16]
    return cache_dir() / "wheelhouse" / key


def _fill(folder: Path, pins: Sequence[str], platform: Platform, tell: Tell | None) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        wrong = _download(pins, platform, temporary) or _forged(temporary)
        if wrong:  # what pip kept of an earlier download may be what is wrong
            if tell:
                tell("of another sha256 than the pinned one, fetched again:", wrong)
            for path in temporary.glob("*.whl"):
                path.unlink()
            wrong = _download(pins, platform, temporary, "--no-cache-dir") or _forged(temporary)
        if wrong:
            raise _forgery(
                wrong, "take it from PyPI: look at pip's index-url, extra-index-url and find-links"
            )
        _place(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _forged(folder: Path) -> str | None:
    """The name of a wheel that is not, to the last bit, the one that edgenet knows; ``None`` without one."""
    known = known_digests()
    wheels = sorted(folder.glob("*.whl"))
    return next((path.name for path in wheels if known.get(path.name) != file_digest(path)), None)


def _forgery(name: str, remedy: str) -> DeviceError:
    what = (
        "has another sha256 than the wheel that edgenet knows" if name in known_digests() else "is not known"
    )
    return DeviceError(f"{name} {what}: it is not used", remedy)


def _download(pins: Sequence[str], platform: Platform, folder: Path, *options: str) -> str | None:
    """Have pip fetch the wheels; the name of one that had another digest, or ``None``.

    pip is told the digests, so that of several indexes with a wheel of this name the right one is chosen.
    """
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
    command += ["--quiet", "--no-deps", "--only-binary=:all:", "--python-version", platform.python]
    command += ["--implementation", "cp", "--dest", str(folder), *options]
    for tag in platform.tags():
        command += ["--platform", tag]
    wanted = folder / "requirements.txt"
    wanted.write_text("".join(_requirement(pin) for pin in pins), "ascii")
    command += ["--require-hashes", "--requirement", str(wanted)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    wanted.unlink()
    errors = done.stderr.decode("utf-8", "replace")
    if wrong := _MISMATCH.search(errors):
        return wrong[1]
    if done.returncode or len(list(folder.glob("*.whl"))) != len(pins):
        lines = [line for line in errors.splitlines() if line.startswith("ERROR")]
        why = lines[-1][:300] if lines else f"pip ended with {done.returncode}"
        what = f"{' '.join(pins)} for Python {platform.python}, {platform.machine}, glibc {platform.glibc}"
        raise DeviceError(
            f"cannot fetch {what}: {why}",
            "connect this machine to a package index once, or name a folder of wheels in PIP_FIND_LINKS",
        )
    return None


def _requirement(pin: str) -> str:
    known = digests_of(pin)
    if not known:
        raise DeviceError(f"{pin}: no sha256 of it is known: it is not used", "update edgenet")
    return " ".join([pin, *(f"--hash=sha256:{digest}" for digest in known)]) + "\n"


def _place(temporary: Path, folder: Path) -> None:
    try:
        os.rename(temporary, folder)
    except OSError:
        if not folder.is_dir():  # somebody else was faster: theirs is as good
            raise
