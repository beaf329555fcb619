"""Signatures in OpenSSH's form: the very bytes of ssh-keygen's, and only our own errors from damage."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.errors import SignatureError
from edgenet.signatures.ed25519 import PrivateKey, verify
from edgenet.signatures.public_key import PublicKey
from edgenet.signatures.ssh_signature import MAX_SIGNATURE, NAMESPACE, SshSignature
from tests.signatures import keys

pytest.importorskip("cryptography")


def parsed(text: str) -> SshSignature:
    return SshSignature.parse(text.encode(), "m.sig")


def test_ours_is_what_ssh_keygen_wrote_byte_for_byte() -> None:
    made = PrivateKey(keys.ALICE.encode(), None, "alice").sign(keys.MESSAGE)
    assert made.armored() == keys.SIGNED.encode()
    assert parsed(keys.SIGNED) == made


@pytest.mark.parametrize("text", [keys.SIGNED, keys.SIGNED_SHA256, keys.SIGNED.replace("\n", "\r\n")])
def test_what_ssh_keygen_signed_holds(text: str) -> None:
    signature = parsed(text)
    verify(signature, keys.MESSAGE, "m")
    assert signature.key.fingerprint == keys.FINGERPRINT


def test_another_message_is_refused() -> None:
    with pytest.raises(SignatureError, match="the bundle or the signature was changed"):
        verify(parsed(keys.SIGNED), keys.MESSAGE + b" ", "m")


def test_a_signature_of_something_else_is_none_of_a_bundle() -> None:
    with pytest.raises(SignatureError, match="signed for 'git', not for 'edgenet-bundle'"):
        verify(parsed(keys.SIGNED_FOR_GIT), keys.MESSAGE, "m")


def test_other_kinds_of_keys_are_named() -> None:
    with pytest.raises(SignatureError, match="an ECDSA key, and edgenet signs with Ed25519 alone"):
        parsed(keys.SIGNED_BY_ECDSA)


def test_every_changed_bit_is_refused() -> None:
    """Of the key, the signature and the words between."""
    begin, *middle, end = keys.SIGNED.split("\n")[:-1]
    data = bytearray(base64.b64decode("".join(middle)))
    for at in range(len(data)):
        data[at] ^= 1
        text = "\n".join([begin, base64.b64encode(data).decode(), end])
        with pytest.raises(SignatureError):
            verify(parsed(text), keys.MESSAGE, "m")
        data[at] ^= 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        b"\xff\xfe binary",
        keys.SIGNED.encode() * 100,
        b"-----BEGIN SSH SIGNATURE-----\n" + b"A" * MAX_SIGNATURE,
        keys.SIGNED.replace("U1NIU0lH", "AAAAAAAA").encode(),
        keys.SIGNED.encode().rpartition(b"\n-----END")[0],
        (keys.SIGNED + keys.SIGNED).encode(),
    ],
)
def test_what_is_none_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(SignatureError, match=r"SSH signature"):
        SshSignature.parse(data, "m.sig")


@given(st.binary(max_size=400))
def test_any_bytes_within_the_armor(data: bytes) -> None:
    text = base64.b64encode(b"SSHSIG\0\0\0\1" + data).decode()
    with pytest.raises(SignatureError):
        SshSignature.parse(
            f"-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n".encode(), "m.sig"
        )


@given(
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=64, max_size=64),
    st.sampled_from(["sha512", "sha256"]),
)
def test_what_is_written_is_read(raw: bytes, value: bytes, hashed: str) -> None:
    signature = SshSignature(PublicKey(raw), NAMESPACE, hashed, value)
    text = signature.armored()
    assert SshSignature.parse(text, "m.sig") == signature
    assert max(map(len, text.splitlines())) == 70
    assert re.fullmatch(rb"[ -~\n]+", text)


def test_ssh_keygen_accepts_ours(tmp_path: Path) -> None:
    (tmp_path / "m.sig").write_bytes(PrivateKey(keys.ALICE.encode(), None, "alice").sign(b"hello").armored())
    (tmp_path / "allowed").write_text(f'alice@team namespaces="{NAMESPACE}" {keys.ALICE_PUB}\n')
    words = ["-Y", "verify", "-f", tmp_path / "allowed", "-I", "alice@team", "-n", NAMESPACE]
    good = keygen_verify(tmp_path, words, b"hello")
    assert b"Good" in good
    assert b"Good" not in keygen_verify(tmp_path, words, b"hallo")


def keygen_verify(folder: Path, words: list[str | Path], message: bytes) -> bytes:
    return keys.keygen(*words, "-s", folder / "m.sig", message=message).stdout


@given(message=st.binary(max_size=64))
def test_a_signature_is_the_same_every_time(message: bytes) -> None:
    key = PrivateKey(keys.ALICE.encode(), None, "alice")
    assert key.sign(message).armored() == key.sign(message).armored()


@pytest.mark.parametrize("body", ["\n" * 16000, "A\n" * 8000, " " * 16000 + "!"])
def test_a_file_of_blanks_is_refused_at_once(body):
    text = f"-----BEGIN SSH SIGNATURE-----{body}-----END"
    with pytest.raises(SignatureError, match="not an SSH signature"):
        SshSignature.parse(text.encode(), "s.sig")
