"""Signatures by keys that only the user's ssh-agent holds, made by the ``ssh-keygen`` that can ask it."""

from __future__ import annotations

import subprocess

from edgenet.errors import SignatureError
from edgenet.signatures.key_file import KeyFile
from edgenet.signatures.ssh_signature import NAMESPACE, SshSignature
from edgenet.text import last_line

__all__ = ["sign_by_agent"]

# A token may wait for a touch, seconds.
SECONDS = 120


def sign_by_agent(file: KeyFile, message: bytes) -> SshSignature:
    """The signature of a message by the key of a ``.pub`` file; nothing is asked on the terminal.

    Raises:
        SignatureError: There is no ssh-keygen here, or no agent has the key.
    """
    command = ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(file.path)]
    try:
        done = subprocess.run(command, input=message, capture_output=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise SignatureError("no ssh-keygen here, which asks the ssh-agent", "give the private key") from None
    except subprocess.TimeoutExpired:
        raise SignatureError(f"{file.path}: the ssh-agent did not sign in {SECONDS} s", "try again") from None
    if done.returncode:
        words = last_line(done.stderr.decode("utf-8", "replace"))
        raise SignatureError(
            f"{file.path}: a public key, and no ssh-agent signs with it ({words})",
            f"add the key with ssh-add, or give the private key, {file.path.with_suffix('')}",
        )
    return SshSignature.parse(done.stdout, f"what ssh-keygen made with {file.path}")
