"""Many boards on this machine: a real sshd each, on loopback, with a home and a Python of its own.

What crosses the wire is counted by ssh itself ("Transferred", key exchange included).
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests import sshd

# An import that pyenv's Pythons and Debian's share: where they lie, oldest first.
PYENV = Path.home() / ".pyenv/versions"
SENT = re.compile(r"^Transferred: sent (\d+), ", re.MULTILINE)


@dataclass(frozen=True)
class Simulated:
    """One board.

    Attributes:
        name: Its alias.
        python: That it has.
        server: Its sshd.
    """

    name: str
    python: Path
    server: sshd.Board


def pythons() -> list[Path]:
    """The Pythons from 3.6 to 3.13 that are here, oldest first; at least this one."""
    found = []
    for minor in range(6, 14):
        found += [path / "bin/python" for path in sorted(PYENV.glob(f"3.{minor}.*"))[-1:]]
    return [path for path in found if path.exists()] or [Path(sys.executable)]


@contextlib.contextmanager
def boards(folder: Path, count: int, those: Sequence[Path] = ()) -> Iterator[list[Simulated]]:
    """Start so many boards, their Pythons mixed; they end with the block.

    Args:
        folder: An empty one; ``ssh_config`` in it reaches all of them by their aliases.
        count: How many.
        those: Their Pythons, in turn; all that are here if empty.
    """
    having = list(those) or pythons()
    with contextlib.ExitStack() as stack:
        found = []
        for number in range(count):
            python, name = having[number % len(having)], f"board{number:02}"
            variables = {"EDGENET_PYTHON": str(python)}
            server = stack.enter_context(sshd.start(folder / name, variables))
            found.append(Simulated(name, python, server))
        hosts = [
            board.server.config.read_text().replace(f"Host {sshd.ALIAS}\n", f"Host {board.name}\n")
            for board in found
        ]
        (folder / "ssh_config").write_text("\n".join(["LogLevel VERBOSE", *hosts]))
        yield found


def fleet_file(folder: Path, found: Sequence[Simulated], target: str = "local") -> Path:
    """A fleet's file that names them."""
    path = folder / "fleet.toml"
    lines = [
        f'[boards.{board.name}]\ndevice = "{board.name}"\ntarget = "{target}"\n'
        f'tags = ["python-{board.python.parents[1].name}"]\n'
        for board in found
    ]
    path.write_text("\n".join(lines))
    return path


def ssh(folder: Path) -> str:
    """The ssh that reaches them, with its words before the destination; it counts into ``ssh.log``."""
    return f"ssh -F {folder / 'ssh_config'} -E {folder / 'ssh.log'}"


def sent(folder: Path) -> int:
    """Bytes that the sessions which ended so far sent to the boards, key exchange included."""
    log = folder / "ssh.log"
    text = log.read_text(errors="replace") if log.exists() else ""
    return sum(int(count) for count in SENT.findall(text))
