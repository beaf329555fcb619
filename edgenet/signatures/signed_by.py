"""Whether a bundle is signed, by whom, and whether that counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgenet.bundle import Bundle
from edgenet.errors import SignatureError
from edgenet.notebook import Shown
from edgenet.signatures.ed25519 import verify
from edgenet.signatures.signers import Signers
from edgenet.signatures.ssh_signature import SshSignature

__all__ = ["SignedBy", "signed_by"]

SIGN = "sign it: edgenet sign BUNDLE --key K"


@dataclass(frozen=True)
class SignedBy(Shown):
    """A signature of a bundle that holds.

    Attributes:
        fingerprint: Of the key: ``SHA256:…``.
        signer: Whose key that is, as the list of allowed signers says; ``None`` where none was given.
    """

    fingerprint: str
    signer: str | None = None

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"key": self.fingerprint, "signer": self.signer}


def signed_by(bundle: Bundle, signers: Signers | None = None) -> SignedBy:
    """Verify a bundle's signature.

    Args:
        bundle: It.
        signers: Whose signatures count; ``None``: anybody's.

    Raises:
        PackageError: cryptography is not installed.
        SignatureError: It has none, or one of another bundle, or none that counts.
    """
    where = f"{bundle.name} ({bundle.digest[:12]})"
    if bundle.signature is None:
        raise SignatureError(f"{where} is not signed", SIGN)
    signature = SshSignature.parse(bundle.signature, f"the signature of {where}")
    verify(signature, bundle.raw, where)
    if signers is None:
        return SignedBy(signature.key.fingerprint)
    try:
        signer = signers.signer(signature.key)
    except SignatureError as error:
        raise SignatureError(f"{where} is {error.what}", error.remedy) from None
    return SignedBy(signature.key.fingerprint, signer.principals)
