"""What OpenSSH's messages mean, and what to do about each."""

from __future__ import annotations

import re

from edgenet.address import Address
from edgenet.errors import ConnectionFailed
from edgenet.pages import page
from edgenet.text import last_line

__all__ = ["board_words", "diagnose"]

SSH_FAILED = 255
# Before the reason of the system; with ProxyJump it is told by the host between.
_CONNECT = r"^(?:ssh: connect to \S+ \S+ port \d+|channel \d+: open failed: connect failed): "

# (form of a line of ssh's own, what, remedy); the first that matches counts. {board} is as the user wrote it,
# {0} the pattern's group. The order is from the cause to the consequence. Every form is anchored at a line's
# beginning, for a login banner may hold any words. {ssh} is what a person types after ssh.
_TABLE = (
    (
        r"^@ +WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED(?:[\s\S]*-R \"?([^\"\s]+))?",
        "the host key of {board} has changed",
        "if the board was reinstalled run `ssh-keygen -R {0}`; if not, another machine may be answering "
        f"({page('troubleshooting', 'host-key-changed')})",
    ),
    (
        r"^Host key verification failed\.\r?$|^No \S+ host key is known",
        "the host key of {board} is not known yet",
        "run `ssh {ssh}` once and compare the fingerprint "
        f"({page('troubleshooting', 'host-key-not-known')})",
    ),
    (
        r"^ssh: Could not resolve hostname ([^:\s]+)",
        "no address is known for {board}",
        f"check the name, or use the board's IP address ({page('troubleshooting', 'no-address-known')})",
    ),
    (
        r"^@ +WARNING: UNPROTECTED PRIVATE KEY FILE",
        "ssh refuses a private key that others can read",
        "run `chmod 600` on the key",
    ),
    (
        r"^(?:Received disconnect from|Disconnected from|ssh:) [^\n]*Too many authentication failures",
        "{board} refused: too many keys were tried",
        "name the right key with IdentityFile and IdentitiesOnly in your ssh config",
    ),
    (
        r"^(?:[^\s:]+: )?Permission denied \(([a-z0-9,@.-]+)\)\.\r?$",
        "{board} refused the login (it accepts: {0})",
        f"check the user's name and run `ssh-copy-id {{ssh}}` ({page('troubleshooting', 'login-refused')})",
    ),
    (
        r"^[^\n:]+: (?:line \d+: Bad configuration option|terminating, \d+ bad configuration)"
        r"|^Can't open user config file|^command-line(?: line \d+)?: (?:line \d+: )?Bad configuration option",
        "ssh cannot read its configuration",
        "run `ssh -G {ssh}` to see why",
    ),
    (
        _CONNECT + r"Connection refused",
        "{board} refuses connections",
        "switch ssh on there and check the port",
    ),
    (
        _CONNECT + r"(?:Connection|Operation) timed out"
        r"|^Connection timed out during banner exchange|^Connection to \S+(?: port \d+)? timed out"
        r"|^Timeout, server \S+ not responding",
        "{board} does not answer",
        "check its power, its network and the address",
    ),
    (
        _CONNECT + r"(?:No route to host|Network is unreachable|Host is down)",
        "there is no way to {board}",
        "check the network on both sides",
    ),
    (
        r"^(?:kex|ssh)_exchange_identification: |^Connection (?:closed|reset) by |^banner exchange: ",
        "{board} closed the connection before the login",
        "wait a little (it may be starting, or limiting logins) and try again",
    ),
)
# Where ssh could have asked a person: whether a new host key is right, for a password or a key's passphrase.
_ASKABLE = re.compile(
    r"^(?:Host key verification failed\.|No \S+ host key is known|(?:[^\s:]+: )?Permission denied \()", re.M
)
_CHANGED = re.compile(r"^@ +WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED", re.M)
# What ssh says of itself and not of a cause, in whatever log level the user chose.
_CHATTER = re.compile(
    r"^(?:debug\d: |Authenticated to |Transferred: |Bytes per second: |OpenSSH_|\*\* "
    r"|Warning: Permanently added |(?:Shared c|C)onnection to \S+ closed)[^\n]*$",
    re.M,
)


def diagnose(
    board: str, stderr: str, status: int | None, said: str, interactive: bool = True
) -> ConnectionFailed:
    """The error that an ssh which did not reach the agent means.

    Args:
        board: The destination as the user wrote it.
        stderr: What ssh and the board wrote there.
        status: ssh's exit status: 255 is its own failure, None means it had to be ended.
        said: The last thing the board printed, if it did.
        interactive: Whether ssh could ask a person.
    """
    address = Address.of(board)
    typed = address.words() if address else board
    for pattern, what, remedy in _TABLE if status == SSH_FAILED else ():
        if found := re.search(pattern, stderr, re.M):
            host = board.rpartition("@")[2]
            group = (found.group(1) if found.groups() else None) or host
            unasked = not interactive and bool(_ASKABLE.search(stderr)) and not _CHANGED.search(stderr)
            told = what.format(group, board=board), remedy.format(group, ssh=typed)
            return ConnectionFailed(*told, unasked=unasked)
    words = board_words(stderr) or said
    if status is None or status < 0:
        return ConnectionFailed(
            f"{board} let ssh in but did not start the agent in time" + (f": {words}" if words else ""),
            f"see whether `ssh {typed} sh` gives a prompt-less shell",
        )
    if status == SSH_FAILED:
        return ConnectionFailed(
            f"ssh to {board} failed: {words or 'it gave no reason'}", f"try `ssh -v {typed}`"
        )
    return ConnectionFailed(
        f"{board} let ssh in but does not run `sh` (exit status {status})" + (f": {words}" if words else ""),
        f"see whether `ssh {typed} sh -c true` works",
    )


def board_words(stderr: str) -> str:
    """The last line that is not ssh's talk about itself, or nothing."""
    return last_line(_CHATTER.sub("", stderr))
