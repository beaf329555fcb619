"""Options of commands that look at signatures, and what they say of one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from edgenet.bundle import Bundle
    from edgenet.steps.signed_by import SignedBy

__all__ = ["checked", "require_signature_option", "signature_line", "signers_option"]

_F = TypeVar("_F", bound=Callable[..., Any])
USUAL = "~/.ssh/allowed_signers"


def signers_option(function: _F) -> _F:
    """Whose signatures count."""
    return click.option(
        "--signers",
        envvar="EDGENET_SIGNERS",
        show_envvar=True,
        type=click.Path(exists=True, dir_okay=False),
        metavar="F",
        help="Whose signatures count: an allowed_signers file of OpenSSH.",
    )(function)


def require_signature_option(function: _F) -> _F:
    """What is not signed is not sent."""
    return signers_option(
        click.option(
            "--require-signature",
            is_flag=True,
            help=f"Send nothing that none of the --signers signed.  [default of these: {USUAL}]",
        )(function)
    )


def checked(files: tuple[str, ...], required: bool, signers: str | None) -> tuple[Bundle, ...]:
    """The bundles of some files, read once, and refused where signatures are required and one's is none.

    Raises:
        BundleError, SignatureError: One cannot be read, or its signature does not count.
    """
    from edgenet.bundle import Bundle
    from edgenet.signatures.signers import Signers
    from edgenet.steps.signed_by import signed_by

    loaded = tuple(map(Bundle.load, files))
    if required:
        allowed = Signers.load(signers or os.path.expanduser(USUAL))
        for bundle in loaded:
            signed_by(bundle, allowed)
    return loaded


def signature_line(found: SignedBy | None) -> str:
    """A bundle's signature in words."""
    if found is None:
        return "none"
    if found.valid is None:
        return f"by {found.key}, not verified: {found.why}"
    if not found.valid:
        return f"NOT VALID: {found.why}"
    if found.signer is None:
        return f"valid, by {found.key}; --signers F tells whose key that is"
    return f"valid, by {found.signer}, {found.key}"
