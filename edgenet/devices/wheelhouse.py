"""Wheels for another machine's Python, fetched once on the host and kept."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from edgenet.devices.digests import digests_of, known_digests
from edgenet.devices.index import own_index
from edgenet.devices.pip_download import download
from edgenet.devices.platform import Platform
from edgenet.errors import DeviceError
from edgenet.files import cache_dir, file_digest, sha256
from edgenet.locks import locked

__all__ = ["Tell", "alone", "fetch", "filled", "shelf"]

# Called with a sentence without its wheel, and the wheel's name.
Tell = Callable[[str, str], None]


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
    with alone(folder := shelf(pins, platform)):
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
            filled(folder, lambda empty: _fill(empty, pins, platform, tell))
        return sorted(folder.glob("*.whl"))


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only one, of threads and processes, who looks at a shelf and fills it: it is fetched once.

    What cannot be written is not filled, and is read without.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(locked(folder))
        yield


def shelf(pins: Sequence[str], platform: Platform) -> Path:
    """The folder of the cache that holds wheels for these requirements, or will."""
    key = sha256("\n".join([*platform, *sorted(pins)]).encode())[:16]
    return cache_dir() / "wheelhouse" / key


def filled(folder: Path, fill: Callable[[Path], None]) -> None:
    """Have an empty folder filled, and put it in its place: all of it or nothing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        fill(temporary)
        _place(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fill(folder: Path, pins: Sequence[str], platform: Platform, tell: Tell | None) -> None:
    wrong = _download(pins, platform, folder) or _forged(folder)
    if wrong:  # what pip kept of an earlier download may be what is wrong
        if tell:
            tell("of another sha256 than the pinned one, fetched again:", wrong)
        for path in folder.glob("*.whl"):
            path.unlink()
        wrong = _download(pins, platform, folder, "--no-cache-dir") or _forged(folder)
    if wrong:
        raise _forgery(wrong, "take it from PyPI: look at pip's index-url, extra-index-url and find-links")


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
    wanted = [_requirement(pin) for pin in pins]
    return download(wanted, platform, folder, ["--require-hashes", *options], own_index())


def _requirement(pin: str) -> str:
    known = digests_of(pin)
    if not known:
        raise DeviceError(f"{pin}: no sha256 of it is known: it is not used", "update edgenet")
    return " ".join([pin, *(f"--hash=sha256:{digest}" for digest in known)])


def _place(temporary: Path, folder: Path) -> None:
    try:
        os.rename(temporary, folder)
    except OSError:
        if not folder.is_dir():  # somebody else was faster: theirs is as good
            raise
