"""Words for ssh that somebody wrote for other tools: those that name hosts, keys and ports are taken over.

Nothing that runs a program is (:data:`RUNS`): that belongs into the user's own ssh config. Nothing that would
switch the check of host keys off is either, for edgenet never does that. Options: ssh_config(5), ssh(1).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from edgenet.errors import LibraryError

__all__ = ["ssh_words"]

# Options of ssh_config that name hosts, ports, keys, users and algorithms.
NAMES = {
    "addressfamily", "bindaddress", "bindinterface", "casignaturealgorithms", "certificatefile", "ciphers",
    "compression", "globalknownhostsfile", "hostkeyalgorithms", "hostkeyalias", "hostname", "identitiesonly",
    "identityagent", "identityfile", "kexalgorithms", "macs", "port", "preferredauthentications", "proxyjump",
    "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes", "pubkeyauthentication", "user",
    "userknownhostsfile",
}  # fmt: skip
# Options that run a program or load one.
RUNS = {
    "include", "knownhostscommand", "localcommand", "match", "permitlocalcommand", "pkcs11provider",
    "proxycommand", "proxyusefdpass", "remotecommand", "securitykeyprovider", "xauthlocation",
}  # fmt: skip
# Options by which a key is believed that nobody compared, and the values with which they are not.
TRUSTS = {
    "checkhostip": ("yes",),
    "nohostauthenticationforlocalhost": ("no",),
    "stricthostkeychecking": ("yes", "ask"),
    "updatehostkeys": ("no", "ask"),
    "verifyhostkeydns": ("no",),
}
# Letters of ssh(1): those that are taken over as they are, with a value, and all others that have one.
FLAGS, VALUED, OTHERS = (
    "46C",
    {"i": "IdentityFile", "J": "ProxyJump", "l": "User", "p": "Port"},
    "BbcDEeFIkLmOoQRSWwP",
)
JUMP = re.compile(r"(?!-)[\w.@:,\[\]/%-]+", re.ASCII)
LEFT_OUT = "{} is left out: edgenet always has ssh check host keys"
UNUSED = "{} is not used"


def ssh_words(text: str, where: str, note: Callable[[str], None]) -> list[str]:
    """The words of a command line that ssh shall get before the destination.

    Args:
        text: Options as a shell would read them.
        where: What is told with errors: the file and the key.
        note: Called with a sentence for each option that is left out.

    Raises:
        LibraryError: It cannot be read so, or an option runs a program.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise LibraryError(f"{where}: {text!r} cannot be read ({error})", "correct the quotes") from None
    if not text.isprintable():
        raise LibraryError(f"{where}: {text!r} has characters that are no text", "remove them")
    found: list[str] = []
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word.startswith("--") or len(word) == 1:
            raise LibraryError(
                f"{where}: {word!r} is no option of ssh", "write options of ssh, such as -i FILE"
            )
        found += _letters(word[1:], words, where, note)
    return found


def _letters(letters: str, rest: list[str], where: str, note: Callable[[str], None]) -> list[str]:
    """What one word says: flags, and at its end an option whose value is what is left of it, or the next."""
    found: list[str] = []
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter not in OTHERS and letter not in VALUED:
            if letter in FLAGS:
                found.append(f"-{letter}")
            else:
                note(UNUSED.format(f"-{letter}"))
            continue
        if not letters and not rest:
            raise LibraryError(f"{where}: -{letter} has no value", "complete it")
        value, letters = letters or rest.pop(0), ""
        found += _valued(letter, value, where, note)
    return found


def _valued(letter: str, value: str, where: str, note: Callable[[str], None]) -> list[str]:
    if letter == "o":
        return _option(value, where, note)
    if letter in VALUED:
        return [f"-{letter}", _jump(value, where) if letter == "J" else value]
    if letter in "FI":  # a whole configuration, or a library
        raise _runs(f"-{letter} {value}", where)
    note(UNUSED.format(f"-{letter} {value}"))
    return []


def _option(text: str, where: str, note: Callable[[str], None]) -> list[str]:
    """``Name=value`` or ``Name value``."""
    name, value = _split(text)
    key = name.lower()
    if key in RUNS:
        raise _runs(name, where)
    untrusted = key in TRUSTS and value.lower() not in TRUSTS[key]
    if untrusted or (key.endswith("knownhostsfile") and "/dev/null" in value):
        note(LEFT_OUT.format(f"{name}={value}"))
        return []
    if key not in NAMES and key not in TRUSTS:
        note(UNUSED.format(name))
        return []
    return ["-o", f"{name}={_jump(value, where) if key == 'proxyjump' else value}"]


def _jump(hosts: str, where: str) -> str:
    """Jump hosts; ssh makes a command of them."""
    if not JUMP.fullmatch(hosts):
        raise LibraryError(f"{where}: {hosts!r} names no jump hosts", "write them as user@host:port,…")
    return hosts


def _split(text: str) -> tuple[str, str]:
    text = text.strip()
    end = next((index for index, letter in enumerate(text) if letter in "= \t"), len(text))
    return text[:end], text[end:].strip().removeprefix("=").strip()


def _runs(what: str, where: str) -> LibraryError:
    return LibraryError(
        f"{where}: {what} has ssh run or load something, and edgenet takes that from no inventory",
        "write it into your ssh config (~/.ssh/config) for this host",
    )
