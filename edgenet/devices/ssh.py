"""The system's OpenSSH client as the carrier: the user's config, keys, agent, jump hosts and checks.

Nothing is switched off and no password is handled here; if ``ssh NAME`` works, this works.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from edgenet.address import Address
from edgenet.board import Board
from edgenet.devices.bootstrap import script
from edgenet.devices.process import PipedConnection, PipedProcess
from edgenet.devices.sshfailures import board_words, diagnose
from edgenet.errors import ConnectionFailed, ConnectionLost
from edgenet.log import log
from edgenet.shell import command_line, split_line

__all__ = ["SshConnection", "ssh_command"]

_OPTIONS = (
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=6",
    "RemoteCommand=none",
    "ClearAllForwardings=yes",
)


def ssh_command(
    destination: str, arguments: Sequence[str], interactive: bool, options: Sequence[str] = ()
) -> list[str]:
    """The ssh command line that runs ``arguments`` on the board.

    Args:
        destination: ``user@host``, ``user@host:port``, an alias of the user's ssh config, or ``ssh://…``.
        arguments: The remote command.
        interactive: Whether a person can answer ssh's questions (at the terminal, to ssh itself).
        options: Further words for ssh, such as ``-i FILE``.

    Raises:
        ConnectionFailed: The destination could be read as an option or is not a name.
    """
    address = Address.of(destination)
    if address is None:
        raise ConnectionFailed(
            f"{destination!r} is not a board's name",
            "give user@host, user@host:port or an alias of your ssh config",
        )
    command = [*split_line(os.environ.get("EDGENET_SSH") or "ssh"), "-T"]
    for option in (*_OPTIONS, *(() if interactive else ("BatchMode=yes",))):
        command += ["-o", option]
    if address.port is not None:
        command += ["-p", str(address.port)]
    return [*command, *options, "--", address.host, *arguments]


class SshConnection(PipedConnection):
    """One ssh process that runs the agent on a board."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self.name, self._board = str(board), board
        self._interactive = board.asks and sys.stdin is not None and sys.stdin.isatty()
        self._command = ssh_command(board.device, ["sh"], self._interactive, board.ssh_options)

    def start(self, digest: str, size: int) -> int:
        """Start ssh and hand the script to the board's ``sh``; returns the script's size in bytes.

        Raises:
            ConnectionFailed: There is no ssh program, or it ended at once.
        """
        log.debug("run: %s", command_line(self._command))
        try:
            self._process = PipedProcess(self._command)
        except OSError as error:
            raise ConnectionFailed(
                f"cannot run {self._command[0]}: {error.strerror}",
                "install the OpenSSH client, or set EDGENET_SSH",
            ) from None
        try:
            sent = self.stdin.write(script(digest, size, self._board.home, self._board.python))
            self.stdin.flush()
        except OSError:
            raise self.failed("") from None
        return sent

    def failed(self, said: str) -> ConnectionFailed:
        """Why the agent did not start, from what ssh and the board said."""
        status, words = self.process.wait(5.0), self.process.stderr_text()
        _log(status, words)
        return diagnose(str(self._board.device), words, status, said, self._interactive)

    def lost(self) -> ConnectionLost:
        """Why the streams ended."""
        status, said = self.process.wait(5.0), self.process.stderr_text()
        _log(status, said)
        words = board_words(said)
        how = f" (exit status {status})" if status not in (None, 0, 255) else ""
        return ConnectionLost(
            f"lost the connection to {self.name}{how}{': ' + words if words else ''}",
            "check its power and network and run this again; what has arrived is not sent twice",
        )


def _log(status: int | None, words: str) -> None:
    log.debug("ssh ended with exit status %s", status)
    for line in words.splitlines():
        log.debug("ssh: %s", line)
