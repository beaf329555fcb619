"""Key files: OpenSSH's own, Ed25519, one each; everything else is named before it is used or sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.errors import EdgenetError, SignatureError
from edgenet.signatures.ed25519 import PrivateKey
from edgenet.signatures.key_file import KeyFile
from edgenet.signatures.public_key import PublicKey
from tests.signatures import keys

PEM = "-----BEGIN {0}-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END {0}-----\n"


def test_a_public_key_and_its_fingerprint(tmp_path: Path) -> None:
    found = PublicKey.load(keys.write(tmp_path)["alice.pub"])
    assert (found.fingerprint, found.comment) == (keys.FINGERPRINT, "alice@team")
    assert found.line == " ".join(keys.ALICE_PUB.split()[:2])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (keys.ALICE, "a private key, which never leaves your machine; nothing was sent"),
        (keys.BOB, "a private key"),
        (PEM.format("RSA PRIVATE KEY"), "a private key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\n", "a private key"),
        (keys.RSA_PUB, "an RSA key, and edgenet signs with Ed25519 alone"),
        (keys.ECDSA_PUB, "an ECDSA key"),
        (keys.CERTIFICATE, "a certificate"),
        (keys.ALICE_PUB + "\n" + keys.BOB_PUB, "2 keys, not one"),
        ("", "0 keys, not one"),
        ("hello world", "not base64"),
        ("hello", "not a public key"),
        (keys.ALICE_PUB.replace("ssh-ed25519", "ssh-rsa"), "says 'ssh-rsa' before another kind of key"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAA==", "0 bytes, not 32"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA", "damaged"),
        ("ssh-ed25519 AAAA", "not an SSH public key"),
    ],
)
def test_what_is_no_ed25519_public_key(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "k.pub").write_text(text)
    with pytest.raises(SignatureError, match=said):
        PublicKey.load(tmp_path / "k.pub")


def test_a_private_key_is_known_before_its_passphrase(tmp_path: Path) -> None:
    files = keys.write(tmp_path)
    open_, locked, public = (KeyFile.load(files[name]) for name in ("alice", "bob", "bob.pub"))
    assert (open_.public.fingerprint, open_.encrypted) == (keys.FINGERPRINT, False)
    assert (locked.public.raw, locked.encrypted) == (public.public.raw, True)
    assert public.data is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PEM.format("RSA PRIVATE KEY"), "a Rsa Private Key, not one in OpenSSH's own form"),
        (PEM.format("PRIVATE KEY"), "not one in OpenSSH's own form"),
        (PEM.format("OPENSSH PRIVATE KEY"), "damaged private key"),
        (keys.ALICE.replace("b3BlbnNzaC1r", "AAAAAAAAAAAA"), "damaged private key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\n", "a key in PuTTY's form"),
        (keys.RSA_PUB, "an RSA key"),
        ("\0", "NUL"),
        ("x" * (65 << 10), "at most"),
    ],
)
def test_what_is_no_key_of_openssh(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "k").write_text(text)
    with pytest.raises(SignatureError, match=said):
        KeyFile.load(tmp_path / "k")


def test_an_encrypted_key_opens_with_its_passphrase_alone() -> None:
    pytest.importorskip("bcrypt")
    data = keys.BOB.encode()
    assert PrivateKey(data, keys.PASSPHRASE, "bob").public.line == " ".join(keys.BOB_PUB.split()[:2])
    with pytest.raises(SignatureError, match="the passphrase is wrong"):
        PrivateKey(data, "another", "bob")


def test_a_damaged_key_is_no_wrong_passphrase() -> None:
    damaged = keys.ALICE.splitlines()
    damaged[-3] = damaged[-3][::-1]
    with pytest.raises(SignatureError, match="a damaged private key"):
        PrivateKey("\n".join(damaged).encode(), None, "alice")


@given(st.text(max_size=200))
def test_any_line(line: str) -> None:
    with pytest.raises(EdgenetError):
        PublicKey.parse(line, "k.pub")


@given(st.binary(max_size=80))
def test_any_blob(blob: bytes) -> None:
    """What follows the type is one string of 32 bytes, or it is no key."""
    begun = b"\0\0\0\x0bssh-ed25519" + blob
    try:
        assert PublicKey.of_blob(begun, "k.pub").blob == begun
    except SignatureError:
        assert blob[:4] != b"\0\0\0\x20" or len(blob) != 36
