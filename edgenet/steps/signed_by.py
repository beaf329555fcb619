"""Bundle + allowed signers → who signed it, or a refusal: what is asked before anything is sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgenet.errors import PackageError, SignatureError
from edgenet.notebook import Shown
from edgenet.signatures.ed25519 import verify
from edgenet.signatures.signers import Signers
from edgenet.signatures.ssh_signature import SshSignature
from edgenet.steps.taken import BundleLike, bundle_of

__all__ = ["SignedBy", "SignersLike", "examined_signature", "signed_by"]

# What names allowed signers: them, or their file.
SignersLike = Signers | Path | str


@dataclass(frozen=True)
class SignedBy(Shown):
    """The signature of a bundle.

    Attributes:
        key: The fingerprint of the key that it names, ``SHA256:…``; ``None`` where it could not be read.
        valid: Whether it holds, and counts where allowed signers were given; ``None`` where that could not be
            told, because cryptography is not installed.
        signer: Whose key it is, as the list of allowed signers says; ``None`` where none was given.
        why: The reason where it is not valid; else empty.
    """

    key: str | None
    valid: bool | None = True
    signer: str | None = None
    why: str = ""

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def signed_by(bundle: BundleLike, signers: SignersLike | None = None) -> SignedBy:
    """See who signed a bundle.

    Args:
        bundle: It, with what lies beside its file; or its file.
        signers: Whose signatures count: OpenSSH's ``allowed_signers``, or their file; ``None``: anybody's.

    Raises:
        BundleError: The bundle cannot be read.
        PackageError: cryptography is not installed (``edgenet[sign]``).
        SignatureError: It is not signed, was changed since, or is signed by nobody that counts.

    Examples:
        >>> edgenet.signed_by("signs.edgenet", "allowed_signers").signer
        'alice@team'
    """
    bundle, signers = bundle_of(bundle), _signers_of(signers)
    where = f"{bundle.name} ({bundle.digest[:12]})"
    if bundle.signature is None:
        raise SignatureError(f"{where} is not signed", "sign it: edgenet sign BUNDLE --key K")
    signature = SshSignature.parse(bundle.signature, f"the signature of {where}")
    verify(signature, bundle.raw, where)
    if signers is None:
        return SignedBy(signature.key.fingerprint)
    try:
        signer = signers.signer(signature.key)
    except SignatureError as error:
        raise SignatureError(f"{where} is {error.what}", error.remedy) from None
    return SignedBy(signature.key.fingerprint, signer=signer.principals)


def examined_signature(bundle: BundleLike, signers: SignersLike | None = None) -> SignedBy | None:
    """:func:`signed_by` for a look: what is wrong with a signature is told; ``None`` where there is none.

    Raises:
        BundleError: The bundle cannot be read.
        SignatureError: The list of signers cannot.
    """
    bundle, signers = bundle_of(bundle), _signers_of(signers)
    if bundle.signature is None:
        return None
    try:
        key = SshSignature.parse(bundle.signature, "it").key.fingerprint
    except SignatureError as error:
        return SignedBy(None, False, why=error.what)
    try:
        return signed_by(bundle, signers)
    except PackageError as error:
        return SignedBy(key, None, why=error.what)
    except SignatureError as error:
        return SignedBy(key, False, why=error.what)


def _signers_of(given: SignersLike | None) -> Signers | None:
    return given if given is None or isinstance(given, Signers) else Signers.load(given)
