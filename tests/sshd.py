"""A real ssh server on loopback with throw-away keys and a throw-away home, for tests.

``start(folder)`` gives a ``Board``; its ``config`` is an ssh configuration in which the alias
``board`` is that server. OpenSSH's sshd where it is installed, else asyncssh in a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# EDGENET_TEST_ASYNCSSH tries the second kind of server where both are.
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
SSHD = None if os.environ.get("EDGENET_TEST_ASYNCSSH") else SSHD
ALIAS = "board"


@dataclass
class Board:
    """A running server; ``home`` is the board's HOME, ``edgenet_home`` its EDGENET_HOME."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def edgenet_home(self) -> Path:
        return self.home / ".edgenet"

    @property
    def config(self) -> Path:
        return self.folder / "ssh_config"

    @property
    def ssh(self) -> str:
        """The value for EDGENET_SSH."""
        return f"ssh -F {self.config}"

    def sessions(self) -> list[int]:
        """Process ids below the server."""
        return descendants(self.process.pid)


def missing() -> str | None:
    """Why no server can be started here, or None."""
    if shutil.which("ssh") is None or shutil.which("ssh-keygen") is None:
        return "no OpenSSH client"
    if SSHD is None:
        try:
            import asyncssh  # noqa: F401
        except ImportError:
            return "neither sshd nor asyncssh"
    return None


@contextlib.contextmanager
def start(
    folder: Path, environment: Mapping[str, str] | None = None, command: str | None = None
) -> Iterator[Board]:
    """Run a server.

    Args:
        folder: An empty folder for keys, configuration and the board's home.
        environment: Further variables of the board; HOME and EDGENET_HOME are set already.
        command: What is run in place of every command (the real one is in SSH_ORIGINAL_COMMAND).
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "home").mkdir(0o700, exist_ok=True)
    for name in ("host_key", "user_key"):
        if not (folder / name).exists():
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(folder / name))
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    port = _free_port()
    variables = {
        "HOME": str(folder / "home"),
        "EDGENET_HOME": str(folder / "home/.edgenet"),
        **(environment or {}),
    }
    process = (
        _openssh(folder, port, variables, command) if SSHD else _asyncssh(folder, port, variables, command)
    )
    board = Board(folder, port, process)
    write_config(board)
    try:
        _wait(board)
        yield board
    finally:
        for pid in [*board.sessions(), process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 15)
        process.wait(10)


def write_config(board: Board, known: bool = True, key: str = "user_key", hosts: str = "known_hosts") -> None:
    """Write the client's configuration; ``known``: whether the host key is trusted already."""
    if known:
        public = (board.folder / "host_key.pub").read_text().split()
        (board.folder / hosts).write_text(f"[127.0.0.1]:{board.port} {public[0]} {public[1]}\n")
    board.config.write_text(
        f"""Host {ALIAS}
  HostName 127.0.0.1
  Port {board.port}
  User {_user()}
  IdentityFile {board.folder / key}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {board.folder / hosts}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking {"yes" if known else "ask"}
"""
    )


def _openssh(
    folder: Path, port: int, variables: Mapping[str, str], command: str | None
) -> subprocess.Popen[bytes]:
    assert SSHD is not None
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    config = folder / "sshd_config"
    setenv = " ".join(f'"{name}={value}"' for name, value in variables.items())
    config.write_text(
        f"""Port {port}
ListenAddress 127.0.0.1
HostKey {folder / "host_key"}
AuthorizedKeysFile {folder / "authorized_keys"}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 100
SetEnv {setenv}
"""
        + (f"ForceCommand {command}\n" if command else "")
    )
    with (folder / "sshd.log").open("wb") as log:
        return subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=log)


def _asyncssh(
    folder: Path, port: int, variables: Mapping[str, str], command: str | None
) -> subprocess.Popen[bytes]:
    server = Path(__file__).with_name("asyncssh_server.py")
    # In a file: they are those of its sessions, and a PYTHONHOME among them would end the server itself.
    (folder / "variables.json").write_text(json.dumps(dict(variables)))
    with (folder / "sshd.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, str(server), str(folder), str(port), *([command] if command else [])],
            stdin=subprocess.DEVNULL,
            stderr=log,
        )


def _wait(board: Board) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if board.process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", board.port), 1) as client:
            if client.recv(4) == b"SSH-":
                return
        time.sleep(0.02)
    raise RuntimeError((board.folder / "sshd.log").read_text())


def descendants(pid: int) -> list[int]:
    """Process ids below one, children first."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it ended meanwhile
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in path.read_text().split():
                found += [*descendants(int(child)), int(child)]
    return found


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
