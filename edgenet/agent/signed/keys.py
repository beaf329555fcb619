"""Ed25519 keys in ``allowed_signers`` and in signatures, as far as a board must read them itself.

Whether a signature holds is for ``ssh-keygen`` to say (:mod:`.keygen`); this finds whose it claims to be.
Sources: PROTOCOL.sshsig of OpenSSH, ssh-keygen(1), RFC 8709.
"""

import base64
import binascii
import hashlib
import struct
from typing import Any, NamedTuple

from ..failure import Failure

NAMESPACE = "edgenet-bundle"
TYPE = "ssh-ed25519"
_HEAD = struct.pack(">I", len(TYPE)) + TYPE.encode("ascii") + struct.pack(">I", 32)
_SIZE = len(_HEAD) + 32
_ARMOR = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
# Of a signature's text, and of the list of keys, bytes.
MAX_SIGNATURE, MAX_LINE, MAX_FILE = 16 << 10, 16 << 10, 1 << 20


class Key(NamedTuple):
    """A line of the list: the first of its names, the key's bytes, and the line itself."""

    name: str
    blob: bytes
    line: str


def blob(written):
    """The bytes of a key ``ssh-ed25519 AAAA…``; ``None`` where it is none."""
    words = written.split() if isinstance(written, str) else []
    if len(words) != 2 or words[0] != TYPE:
        return None
    try:
        found = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if found.startswith(_HEAD) and len(found) == _SIZE else None


def text(found):
    """``ssh-ed25519 AAAA…``."""
    return "{} {}".format(TYPE, base64.b64encode(found).decode("ascii"))


def key(name, found):
    """A key as the board's list will have it: for bundles alone."""
    return Key(name, found, '{} namespaces="{}" {}'.format(name, NAMESPACE, text(found)))


def fingerprint(found):
    """As ``ssh-keygen -l`` shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(found).digest()).decode("ascii").rstrip("=")


def lines(path):
    """All lines of the list, whatever they say; bytes that are no text stay what they are.

    Raises:
        Failure: "untrusted": it cannot be read, so that nothing can be trusted.
    """
    try:
        with open(path, "rb") as stream:
            return stream.read(MAX_FILE).decode("utf-8", "surrogateescape").split("\n")
    except OSError as error:
        what = "the list of trusted keys, {}, cannot be read: {}".format(path, error.strerror)
        raise Failure("untrusted", what, "mend it on the board, or remove it to ask for no signatures")


def read(path):
    """The Ed25519 keys of an ``allowed_signers`` file; those of other kinds are ``ssh-keygen``'s alone.

    Raises:
        Failure: As for :func:`lines`.
    """
    found: Any = []
    for item in lines(path):
        words = item.split()
        if len(item) <= MAX_LINE and TYPE in words[1:-1] and not item.startswith("#"):
            at = words.index(TYPE, 1)
            known = blob(" ".join(words[at : at + 2]))
            if known is not None:
                found.append(Key(words[0].strip('"').split(",")[0], known, item))
    return found


def signer(signature):
    """The key that an armored signature names, as lists hold it; ``None`` where that is no Ed25519 key."""
    begin, end = _ARMOR
    inside = signature.strip() if len(signature) <= MAX_SIGNATURE else ""
    if not inside.startswith(begin) or not inside.endswith(end):
        return None
    try:
        data = base64.b64decode("".join(inside[len(begin) : -len(end)].split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    # "SSHSIG", version 1, the key as a string.
    start = b"SSHSIG" + struct.pack(">II", 1, _SIZE)
    found = data[len(start) : len(start) + _SIZE]
    return found if data.startswith(start + _HEAD) and len(found) == _SIZE else None
