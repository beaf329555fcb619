"""Bundle + the user's SSH key → a signature beside it, which boards and colleagues can ask for."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgenet.agent.signed.kept import kept
from edgenet.bundle import Bundle, signature_path
from edgenet.devices.ssh_agent import sign_by_agent
from edgenet.errors import BundleError, SignatureError
from edgenet.files import write_output
from edgenet.manifest import AGAIN
from edgenet.notebook import Shown
from edgenet.signatures.ed25519 import PrivateKey, verify
from edgenet.signatures.key_file import KeyFile
from edgenet.signatures.ssh_signature import SshSignature
from edgenet.steps.taken import several

__all__ = ["Signed", "sign"]


@dataclass(frozen=True)
class Signed(Shown):
    """A signature that was written, or was there.

    Attributes:
        bundle: The bundle's file.
        signature: The signature's file.
        digest: Of the bundle; a signature does not change it.
        key: The fingerprint of the key, ``SHA256:…``.
        changed: Whether it was written now; else the same one was there.
    """

    bundle: str
    signature: str
    digest: str
    key: str
    changed: bool

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def sign(
    bundles: Path | str | Sequence[Path | str],
    key: Path | str,
    passphrase: str | Callable[[], str] | None = None,
    force: bool = False,
) -> tuple[Signed, ...]:
    """Sign bundles: write ``FILE.edgenet.sig`` beside each.

    The same key and bundle give the same bytes, those of ``ssh-keygen -Y sign -n edgenet-bundle`` over the
    bundle's ``manifest.json``.

    Args:
        bundles: Their files.
        key: An Ed25519 key of OpenSSH's; the ``.pub`` of one that an ssh-agent holds.
        passphrase: Of an encrypted key, or what asks for it.
        force: Whether to replace the signature of another key, or one that does not hold any more.

    Raises:
        BundleError: A bundle cannot be read, or is of an edgenet whose bundles cannot be signed.
        PackageError: cryptography is not installed (``edgenet[sign]``).
        SignatureError: The key cannot be used, or another signature is there. No signature is written unless
            every bundle can be signed.

    Examples:
        >>> edgenet.sign("signs.edgenet", "team_key")[0].signature
        'signs.edgenet.sig'
    """
    paths = [Path(path) for path in several(bundles)]
    read = [Bundle.load(path) for path in paths]
    for path, bundle in zip(paths, read, strict=True):
        _check_signable(path, bundle)
    signer = _signer(KeyFile.load(key), passphrase)
    made = [signer(bundle.raw) for bundle in read]
    signed = list(zip(paths, read, made, strict=True))
    if not force:
        for path, bundle, signature in signed:
            _check_free(path, bundle, signature)
    return tuple(_written(*item) for item in signed)


def _signer(file: KeyFile, passphrase: str | Callable[[], str] | None) -> Callable[[bytes], SshSignature]:
    """What signs with a key."""
    if file.data is None:
        return lambda message: sign_by_agent(file, message)
    words = None
    if file.encrypted:
        words = passphrase() if callable(passphrase) else passphrase
        if not words:
            raise SignatureError(
                f"{file.path}: the key is encrypted", "set EDGENET_KEY_PASSPHRASE, or sign at a terminal"
            )
    return PrivateKey(file.data, words, str(file.path)).sign


def _check_signable(path: Path, bundle: Bundle) -> None:
    """Refuse what boards would refuse: a manifest that says otherwise what this edgenet reads in it."""
    whole, file = json.loads(bundle.raw), bundle.manifest.artifact.file
    try:
        same = kept(whole, bundle.digest, file) == kept(bundle.manifest.to_table(), bundle.digest, file)
    except (KeyError, TypeError, AttributeError):
        same = False
    if not same:
        raise BundleError(
            f"{path}: its manifest is of another edgenet, and boards could not follow it", AGAIN
        )


def _check_free(path: Path, bundle: Bundle, made: SshSignature) -> None:
    """Refuse to replace what is not the same signature."""
    if bundle.signature in (None, made.armored()):
        return
    raise SignatureError(f"{signature_path(path)} is there, and another", "give --force to replace it")


def _written(path: Path, bundle: Bundle, made: SshSignature) -> Signed:
    verify(made, bundle.raw, str(path))
    target, changed = signature_path(path), bundle.signature != made.armored()
    if changed:
        write_output(target, made.armored())
    return Signed(str(path), str(target), bundle.digest, made.key.fingerprint, changed)
