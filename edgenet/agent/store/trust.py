"""Whether this board asks for signatures; what it does then is a part of its own (:mod:`..trust.signed`)."""

import os

from .. import parts

FOLDER, FILE = "trust", "allowed_signers"
_PART = "signed"


def path(store):
    """Where the keys stand that this board trusts, in the form of OpenSSH's ``allowed_signers``."""
    return store.path(FOLDER, FILE)


def asked(store):
    """Whether deployments must be signed; a file without keys, or one that cannot be read, says so too."""
    return os.path.lexists(path(store))


def keeper(store):
    """The part that knows keys and signatures.

    Raises:
        Failure: "part": the host must send it.
    """
    parts.need(store, ["{}/{}".format(FOLDER, _PART)])
    return parts.load(FOLDER, _PART)


def demand(store, manifest):
    """See that a deployment may become current: all of it is signed by a key that this board trusts.

    Returns:
        The name of the key, or ``None`` where the board asks for no signatures.

    Raises:
        Failure: "untrusted": it may not; "part": the host must send what can tell.
    """
    return keeper(store).demand(store, manifest) if asked(store) else None
