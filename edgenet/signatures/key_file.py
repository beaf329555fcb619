"""What the user's key file is, before anyone is asked for its passphrase (PROTOCOL.key of OpenSSH)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path

from edgenet.errors import SignatureError
from edgenet.signatures.public_key import MAX_KEY_FILE, NEW_KEY, PublicKey
from edgenet.signatures.ssh_fields import ShortField, SshFields
from edgenet.text_file import read_text

__all__ = ["KeyFile"]

_MAGIC = b"openssh-key-v1\0"
_ARMOR = re.compile(r"\s*-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----\s([\x20-\x7e\s]*?)-----END \1-----\s*\Z")
_OWN = "OPENSSH PRIVATE KEY"


@dataclass(frozen=True)
class KeyFile:
    """A key's file.

    Attributes:
        path: Where it lies.
        public: The key's public half.
        data: The private key's file; ``None`` where this is the public half, whose other one an ssh-agent or
            the file without ``.pub`` may hold.
        encrypted: Whether it needs a passphrase.
    """

    path: Path
    public: PublicKey
    data: bytes | None
    encrypted: bool = False

    @classmethod
    def load(cls, path: Path | str) -> KeyFile:
        """Read what stands in the open.

        Raises:
            SignatureError: It is no key of OpenSSH's, or of another kind than Ed25519.
        """
        path = Path(path)
        text = read_text(path, SignatureError, f"give your private key, or {NEW_KEY}", MAX_KEY_FILE)
        found = _ARMOR.match(text)
        if found is None:
            if "PuTTY-User-Key-File" in text:
                raise SignatureError(
                    f"{path}: a key in PuTTY's form",
                    f"export it: puttygen {path} -O private-openssh-new -o K",
                )
            return cls(path, PublicKey.load(path), None)
        if found[1] != _OWN:
            raise SignatureError(f"{path}: a {found[1].title()}, not one in OpenSSH's own form", NEW_KEY)
        try:
            return cls._of(path, text, base64.b64decode("".join(found[2].split()), validate=True))
        except (ShortField, binascii.Error, ValueError) as error:
            raise SignatureError(f"{path}: a damaged private key ({error})", NEW_KEY) from None

    @classmethod
    def _of(cls, path: Path, text: str, data: bytes) -> KeyFile:
        fields = SshFields(data)
        if fields.take(len(_MAGIC)) != _MAGIC:
            raise ShortField("it does not begin as OpenSSH's do")
        cipher = fields.string()
        fields.string(), fields.string()
        if (count := fields.number()) != 1:
            raise ShortField(f"{count} keys in it, not one")
        return cls(path, PublicKey.of_blob(fields.string(), str(path)), text.encode(), cipher != b"none")
