"""Ed25519 itself, by the package ``cryptography``: the one place that signs and verifies."""

from __future__ import annotations

import importlib
from typing import Any

from edgenet.errors import PackageError, SignatureError
from edgenet.signatures.public_key import NEW_KEY, PublicKey
from edgenet.signatures.ssh_signature import NAMESPACE, SIGN_AGAIN, SshSignature, signed_text
from edgenet.text import cause

__all__ = ["INSTALL", "PrivateKey", "verify"]

INSTALL = 'pip install "edgenet[sign]"'
HASH = "sha512"


class PrivateKey:
    """A key that signs; from the bytes of an OpenSSH private key's file.

    Args:
        data: The file.
        passphrase: Where it is encrypted.
        where: What it is called in messages.

    Raises:
        PackageError: cryptography, or for an encrypted key bcrypt, is not installed.
        SignatureError: The passphrase is wrong, or the file is damaged.
    """

    def __init__(self, data: bytes, passphrase: str | None, where: str) -> None:
        forms, _, failures = _cryptography()
        try:
            self._key = forms.load_ssh_private_key(data, passphrase.encode() if passphrase else None)
        except failures.UnsupportedAlgorithm as error:
            if "bcrypt" in str(error):
                raise PackageError("an encrypted key needs bcrypt, which is not installed", INSTALL) from None
            raise SignatureError(f"{where}: cannot be read ({cause(error)})", NEW_KEY) from None
        except (ValueError, TypeError) as error:
            if passphrase:
                raise SignatureError(f"{where}: the passphrase is wrong", "give the key's own") from None
            raise SignatureError(f"{where}: a damaged private key ({cause(error)})", NEW_KEY) from None
        raw = self._key.public_key().public_bytes(forms.Encoding.Raw, forms.PublicFormat.Raw)
        self.public = PublicKey(raw)

    def sign(self, message: bytes) -> SshSignature:
        """The signature of a message, for edgenet; always the same one (RFC 8032)."""
        value = self._key.sign(signed_text(NAMESPACE, HASH, message))
        return SshSignature(self.public, NAMESPACE, HASH, value)


def verify(signature: SshSignature, message: bytes, where: str) -> None:
    """See that a signature is of this message, for edgenet, and by the key that it names.

    Raises:
        PackageError: cryptography is not installed.
        SignatureError: It is not.
    """
    if signature.namespace != NAMESPACE:
        raise SignatureError(
            f"{where}: signed for {signature.namespace!r}, not for {NAMESPACE!r}", SIGN_AGAIN
        )
    _, keys, failures = _cryptography()
    text = signed_text(signature.namespace, signature.hashed, message)
    try:
        keys.Ed25519PublicKey.from_public_bytes(signature.key.raw).verify(signature.value, text)
    except (failures.InvalidSignature, ValueError):
        raise SignatureError(
            f"{where}: no signature of this bundle by {signature.key.fingerprint}: the bundle or the "
            "signature was changed",
            SIGN_AGAIN,
        ) from None


def _cryptography() -> tuple[Any, Any, Any]:
    """Its forms of keys, its Ed25519 and its errors."""
    try:
        return (
            importlib.import_module("cryptography.hazmat.primitives.serialization"),
            importlib.import_module("cryptography.hazmat.primitives.asymmetric.ed25519"),
            importlib.import_module("cryptography.exceptions"),
        )
    except ImportError:
        raise PackageError("signatures need cryptography, which is not installed", INSTALL) from None
