"""pip on this machine, fetching wheels for another one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgenet.agent.wire import redacted
from edgenet.devices.index import Index
from edgenet.devices.platform import Platform
from edgenet.errors import DeviceError

__all__ = ["download"]

# How pip says that what it was given is not what was asked for; the wheel's name stands in a line below.
_MISMATCH = re.compile(r"DO NOT MATCH THE HASHES.*?([\w.+-]+\.whl)", re.DOTALL)
_REMEDY = "connect this machine to a package index once, or name a folder of wheels in PIP_FIND_LINKS"


def download(
    wanted: Sequence[str],
    platform: Platform,
    folder: Path,
    options: Sequence[str] = (),
    index: Index | None = None,
    alone: bool = False,
) -> str | None:
    """Have pip fetch wheels into an empty folder; their dependencies are not followed.

    Args:
        wanted: Lines of a requirements file, a wheel each.
        platform: What they must fit.
        folder: Where they go.
        options: More for pip.
        index: One of the user's own, beside those of pip's configuration. It goes to pip in the
            environment, for its address may hold a password and command lines can be read by anybody here.
        alone: Take them from this index in place of pip's own (further ones in pip's configuration still
            count, and the digest of first use with them); wheels without a manylinux tag, as
            indexes for one kind of board have them, serve then too.

    Returns:
        The name of a wheel that had another digest than asked for, or ``None``.

    Raises:
        DeviceError: They cannot be fetched.
    """
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
    command += ["--quiet", "--no-deps", "--only-binary=:all:", "--python-version", platform.python]
    command += ["--implementation", "cp", "--dest", str(folder), *options]
    for tag in [*platform.tags(), *([f"linux_{platform.machine}"] if alone else [])]:
        command += ["--platform", tag]
    listed = folder / "requirements.txt"
    listed.write_text("".join(f"{line}\n" for line in wanted), "ascii")
    command += ["--requirement", str(listed)]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={**os.environ, **(_variables(index, alone) if index else {})},
    )
    listed.unlink()
    errors = done.stderr.decode("utf-8", "replace")
    if index:
        errors = errors.replace(index.url, index.shown)
    if wrong := _MISMATCH.search(errors):
        return wrong[1]
    if done.returncode or len(list(folder.glob("*.whl"))) != len(wanted):
        lines = [line for line in errors.splitlines() if line.startswith("ERROR")]
        why = redacted(lines[-1])[:300] if lines else f"pip ended with {done.returncode}"
        what = " ".join(line.partition(" --")[0] for line in wanted)
        whence = f" from {index.shown}" if index and alone else ""
        raise DeviceError(f"cannot fetch {what} for {platform}{whence}: {why}", _remedy(index, alone))
    return None


def _variables(index: Index, alone: bool) -> Mapping[str, str]:
    if alone:
        return {"PIP_INDEX_URL": index.url, "PIP_NO_INDEX": "0"}
    others = os.environ.get("PIP_EXTRA_INDEX_URL", "")
    return {"PIP_EXTRA_INDEX_URL": f"{others} {index.url}".strip()}


def _remedy(index: Index | None, alone: bool) -> str:
    if index and alone:
        return f"see whether {index.shown} has a wheel of it for this platform"
    return _REMEDY
