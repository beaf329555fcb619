"""Ed25519 public keys as OpenSSH writes them: ``ssh-ed25519 AAAA… comment`` (RFC 8709, sshd(8))."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path

from edgenet.errors import SignatureError
from edgenet.signatures.ssh_fields import ShortField, SshFields, ssh_string
from edgenet.text import plain
from edgenet.text_file import read_text

__all__ = ["ED25519", "MAX_KEY_FILE", "NEW_KEY", "PublicKey", "fingerprint", "key_type"]

ED25519 = "ssh-ed25519"
# Of a key's file; ssh-keygen's are below 4 KiB.
MAX_KEY_FILE = 64 << 10
NEW_KEY = "make one with ssh-keygen -t ed25519"
PRIVATE = "PRIVATE KEY"
_NAMES = {
    "ssh-rsa": "an RSA key",
    "ssh-dss": "a DSA key",
    "sk-ssh-ed25519@openssh.com": "a security key (FIDO)",
    "sk-ecdsa-sha2-nistp256@openssh.com": "a security key (FIDO)",
}


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 public key.

    Attributes:
        raw: Its 32 bytes.
        comment: What its file says behind it, such as "alice@team".
    """

    raw: bytes
    comment: str = ""

    @classmethod
    def of_blob(cls, blob: bytes, where: str, comment: str = "") -> PublicKey:
        """The key within the bytes that ``authorized_keys`` holds in base64.

        Raises:
            SignatureError: Another kind of key, or none.
        """
        kind = key_type(blob, where)
        if kind != ED25519:
            raise SignatureError(
                f"{where}: {_called(kind)}, and edgenet signs with Ed25519 alone, whose signatures are the "
                "same bytes every time",
                NEW_KEY,
            )
        fields = SshFields(blob)
        try:
            fields.string()
            raw = fields.string()
            fields.end()
        except ShortField as error:
            raise SignatureError(f"{where}: a damaged Ed25519 key ({error})", NEW_KEY) from None
        if len(raw) != 32:
            raise SignatureError(f"{where}: an Ed25519 key of {len(raw)} bytes, not 32", NEW_KEY)
        return cls(raw, comment)

    @classmethod
    def parse(cls, line: str, where: str) -> PublicKey:
        """A line ``TYPE BASE64 [COMMENT]``.

        Raises:
            SignatureError: It is not such a line, or of another kind of key.
        """
        words = line.split(None, 2)
        if len(words) < 2:
            raise SignatureError(f"{where}: not a public key", f"give the .pub of a key, or {NEW_KEY}")
        blob = blob_of(words[1], where)
        if key_type(blob, where) != words[0]:
            raise SignatureError(f"{where}: says {words[0]!r} before another kind of key", NEW_KEY)
        return cls.of_blob(blob, where, plain(words[2].strip()) if len(words) > 2 else "")

    @classmethod
    def load(cls, path: Path | str) -> PublicKey:
        """The key of a ``.pub`` file.

        Raises:
            SignatureError: It cannot be read, holds more or less than one public key, or a private one.
        """
        text = read_text(Path(path), SignatureError, "give the .pub of a key", MAX_KEY_FILE)
        if PRIVATE in text or "PuTTY-User-Key-File" in text:
            raise SignatureError(
                f"{path}: a private key, which never leaves your machine; nothing was sent",
                f"give its public half, {path}.pub",
            )
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if len(lines) != 1:
            raise SignatureError(f"{path}: {len(lines)} keys, not one", "give the .pub of a key")
        return cls.parse(lines[0], str(path))

    @property
    def blob(self) -> bytes:
        """Its type and bytes, as signatures and lists hold them."""
        return ssh_string(ED25519.encode()) + ssh_string(self.raw)

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` shows it: ``SHA256:…``."""
        return fingerprint(self.blob)

    @property
    def line(self) -> str:
        """``ssh-ed25519 AAAA…``, without a comment."""
        return f"{ED25519} {base64.b64encode(self.blob).decode()}"


def fingerprint(blob: bytes) -> str:
    """What ``ssh-keygen -l`` shows of a key of any kind."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def blob_of(text: str, where: str) -> bytes:
    """The bytes of a key from its base64.

    Raises:
        SignatureError: It is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError(
            f"{where}: a key that is not base64", "copy the whole line of its .pub"
        ) from None


def key_type(blob: bytes, where: str) -> str:
    """What kind of key some bytes are: "ssh-ed25519", "ssh-rsa" ….

    Raises:
        SignatureError: None.
    """
    try:
        name = SshFields(blob).string().decode("ascii")
    except (ShortField, UnicodeDecodeError):
        name = ""
    if not name or len(name) > 64 or not name.isprintable():
        raise SignatureError(f"{where}: not an SSH public key", "copy the whole line of its .pub")
    return name


def _called(kind: str) -> str:
    if "-cert-" in kind:
        return "a certificate"
    return _NAMES.get(kind, "an ECDSA key" if kind.startswith("ecdsa-") else f"a key of type {kind!r}")
