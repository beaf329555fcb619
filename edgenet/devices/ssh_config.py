"""The names in the user's ssh config: boards that ``--device`` can be given, for the shell's completion."""

from __future__ import annotations

import glob
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from edgenet.files import read_regular

__all__ = ["ssh_hosts"]

# ssh itself follows Include 16 deep; one file is at most so large, and so many are read.
DEPTH, MAX_BYTES, MAX_FILES = 16, 1 << 20, 100
LINE = re.compile(r"\s*(?P<keyword>[A-Za-z]+)(?:\s*=\s*|\s+)(?P<rest>.*)")
PATTERN = re.compile(r"[*?!]|^-|[\s\x00-\x1f\x7f]")


def ssh_hosts(config: Path | None = None) -> list[str]:
    """The hosts that an ssh config names, sorted; patterns such as ``*.local`` are none.

    As ssh_config(5) says: keywords in any case, ``Host`` with several names, ``Include`` with globs, relative
    to ``~/.ssh``. A file that cannot be read has no hosts.

    Args:
        config: The file; ``~/.ssh/config`` if ``None``.
    """
    config = config or Path.home() / ".ssh" / "config"
    return sorted({name for name in _hosts(config, config.parent, set(), 0) if not PATTERN.search(name)})


def _hosts(path: Path, base: Path, seen: set[Path], depth: int) -> Iterator[str]:
    if depth > DEPTH or len(seen) >= MAX_FILES or path in seen:
        return
    seen.add(path)
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return
    for line in text.splitlines():
        found = LINE.match(line)
        keyword = found["keyword"].lower() if found else ""
        if found and keyword == "host":
            yield from _words(found["rest"])
        elif found and keyword == "include":
            for included in _included(_words(found["rest"]), base):
                yield from _hosts(included, base, seen, depth + 1)


def _words(rest: str) -> list[str]:
    try:
        return shlex.split(rest, comments=True)
    except ValueError:  # an open quote: ssh refuses the line as well
        return []


def _included(patterns: list[str], base: Path) -> Iterator[Path]:
    for pattern in patterns:
        try:
            whole = Path(pattern).expanduser()
        except (RuntimeError, ValueError):  # nobody is called so; a null byte
            continue
        for found in sorted(glob.glob(str(whole if whole.is_absolute() else base / whole))):
            yield Path(found)
