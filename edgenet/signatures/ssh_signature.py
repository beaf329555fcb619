"""OpenSSH's signatures of files: what ``ssh-keygen -Y sign`` writes (PROTOCOL.sshsig of OpenSSH)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from edgenet.errors import SignatureError
from edgenet.signatures.public_key import ED25519, PublicKey
from edgenet.signatures.ssh_fields import ShortField, SshFields, ssh_string

__all__ = ["MAX_SIGNATURE", "NAMESPACE", "SIGN_AGAIN", "SshSignature", "signed_text"]

# What a signature is for; one made for mail or a commit is none of a bundle.
NAMESPACE = "edgenet-bundle"
# Bytes of a signature's file; Ed25519's take some 300.
MAX_SIGNATURE = 16 << 10
SIGN_AGAIN = "sign the bundle again with edgenet sign BUNDLE --key K --force"
HASHES = ("sha512", "sha256")
_MAGIC, _VERSION = b"SSHSIG", 1
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
# One way only to match each text: no time is lost on one that is all blanks.
_ARMOR = re.compile(rf"\s*{_BEGIN}\s([A-Za-z0-9+/=\s]*){_END}\s*\Z")
# ssh-keygen breaks lines here.
_COLUMNS = 70


@dataclass(frozen=True)
class SshSignature:
    """A signature, read but not verified.

    Attributes:
        key: Whose it says it is.
        namespace: What it says it is for.
        hashed: How the message was hashed: "sha512" or "sha256".
        value: Ed25519's 64 bytes.
    """

    key: PublicKey
    namespace: str
    hashed: str
    value: bytes

    @classmethod
    def parse(cls, data: bytes, where: str) -> SshSignature:
        """Read an armored signature.

        Raises:
            SignatureError: It is none, or by another kind of key than Ed25519.
        """
        found = _ARMOR.match(data.decode("ascii", "replace")) if len(data) <= MAX_SIGNATURE else None
        if found is None:
            raise SignatureError(f"{where}: not an SSH signature", SIGN_AGAIN)
        try:
            return cls._of(base64.b64decode("".join(found[1].split()), validate=True), where)
        except (ShortField, UnicodeDecodeError, binascii.Error, ValueError) as error:
            raise SignatureError(f"{where}: a damaged SSH signature ({error})", SIGN_AGAIN) from None

    @classmethod
    def _of(cls, blob: bytes, where: str) -> SshSignature:
        fields = SshFields(blob)
        if fields.take(len(_MAGIC)) != _MAGIC or fields.number() != _VERSION:
            raise ShortField("it does not begin as version 1 does")
        key = PublicKey.of_blob(fields.string(), where)
        namespace, _, hashed = (fields.string().decode() for _ in range(3))
        inner = SshFields(fields.string())
        fields.end()
        if inner.string().decode() != ED25519 or hashed not in HASHES:
            raise ShortField("of an algorithm that is not Ed25519 over SHA-512 or SHA-256")
        value = inner.string()
        inner.end()
        if len(value) != 64:
            raise ShortField(f"{len(value)} bytes, where Ed25519's are 64")
        return cls(key, namespace, hashed, value)

    def armored(self) -> bytes:
        """The file's bytes, the same as ``ssh-keygen`` writes."""
        fields = (self.key.blob, self.namespace.encode(), b"", self.hashed.encode())
        inner = ssh_string(ED25519.encode()) + ssh_string(self.value)
        blob = _MAGIC + _VERSION.to_bytes(4, "big") + b"".join(map(ssh_string, (*fields, inner)))
        text = base64.b64encode(blob).decode()
        lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
        return "\n".join([_BEGIN, *lines, _END, ""]).encode()


def signed_text(namespace: str, hashed: str, message: bytes) -> bytes:
    """The bytes that the key itself signs of a message."""
    digest = hashlib.new(hashed, message).digest()
    return _MAGIC + b"".join(map(ssh_string, (namespace.encode(), b"", hashed.encode(), digest)))
