"""What OpenSSH's messages mean, and what to do about each."""

from __future__ import annotations

import re

from edgenet.errors import ConnectionFailed

__all__ = ["diagnose"]

# (pattern in ssh's stderr, what, remedy); the first that matches counts. {board} is as the user wrote it,
# {0} the pattern's group. The order is from the cause to the consequence.
_TABLE = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED(?:[\s\S]*-R \"?([^\"\s]+))?",
        "the host key of {board} has changed",
        "if the board was reinstalled run `ssh-keygen -R {0}`; if not, somebody may be in between",
    ),
    (
        r"Host key verification failed|No \S+ host key is known",
        "the host key of {board} is not known yet",
        "run `ssh {board}` once and compare the fingerprint",
    ),
    (
        r"Could not resolve hostname ([^:\s]+)",
        "no address is known for {board}",
        "check the name, or use the board's IP address",
    ),
    (
        r"UNPROTECTED PRIVATE KEY FILE",
        "ssh refuses a private key that others can read",
        "run `chmod 600` on the key",
    ),
    (
        r"Too many authentication failures",
        "{board} refused: too many keys were tried",
        "name the right key with IdentityFile and IdentitiesOnly in your ssh config",
    ),
    (
        r"Permission denied \(([^)]*)\)",
        "{board} refused the login (it accepts: {0})",
        "check the user's name and run `ssh-copy-id {board}`",
    ),
    (
        r"(Bad configuration option|Can't open user config file|terminating, \d+ bad configuration)[^\n]*",
        "ssh cannot read its configuration",
        "run `ssh -G {board}` to see why",
    ),
    (r"Connection refused", "{board} refuses connections", "switch ssh on there and check the port"),
    (
        r"timed out",
        "{board} does not answer",
        "check its power, its network and the address",
    ),
    (
        r"No route to host|Network is unreachable|Host is down",
        "there is no way to {board}",
        "check the network on both sides",
    ),
    (
        r"kex_exchange_identification|Connection (?:closed|reset) by|banner exchange",
        "{board} closed the connection before the login",
        "wait a little (it may be starting, or limiting logins) and try again",
    ),
)
# Says nothing of the cause; some servers make ssh say it at every end.
_CLOSED = re.compile(r"^Connection to \S+ closed(?: by remote host)?\.\r?$", re.M)


def diagnose(board: str, stderr: str, status: int | None, said: str) -> ConnectionFailed:
    """The error that an ssh which did not reach the agent means.

    Args:
        board: The destination as the user wrote it.
        stderr: What ssh and the board wrote there.
        status: ssh's exit status: 255 is its own failure, None means it had to be ended.
        said: The last thing the board printed, if it did.
    """
    for pattern, what, remedy in _TABLE:
        if found := re.search(pattern, stderr):
            host = board.rpartition("@")[2]
            group = (found.group(1) if found.groups() else None) or host
            return ConnectionFailed(what.format(group, board=board), remedy.format(group, board=board))
    words = _last(_CLOSED.sub("", stderr)) or said
    if status is None or status < 0:
        return ConnectionFailed(
            f"{board} let ssh in but did not start the agent in time" + (f": {words}" if words else ""),
            f"see whether `ssh {board} sh` gives a prompt-less shell",
        )
    if status == 255:
        return ConnectionFailed(
            f"ssh to {board} failed: {words or 'it gave no reason'}", f"try `ssh -v {board}`"
        )
    return ConnectionFailed(
        f"{board} let ssh in but does not run `sh` (exit status {status})" + (f": {words}" if words else ""),
        f"see whether `ssh {board} sh -c true` works",
    )


def _last(text: str) -> str:
    lines = [re.sub(r"[^\x20-\x7e\xa0-\uffff]+", " ", line).strip() for line in text.splitlines()]
    return next((line[:200] for line in reversed(lines) if line), "")
