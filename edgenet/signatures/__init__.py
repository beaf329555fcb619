"""Signatures by people's SSH keys: OpenSSH's own form, its public keys and its lists of allowed signers."""
