"""``allowed_signers``: read as ssh-keygen reads it, and refused where nobody knows what a line means."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.errors import EdgenetError, SignatureError
from edgenet.signatures.public_key import PublicKey
from edgenet.signatures.signers import Signers
from edgenet.signatures.ssh_signature import NAMESPACE
from tests.signatures import keys

KEY = " ".join(keys.ALICE_PUB.split()[:2])
ALICE = PublicKey.parse(keys.ALICE_PUB, "alice.pub")
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def whose(line: str, at: datetime = NOW) -> str:
    return Signers.parse(line, "allowed").signer(ALICE, at).principals


@pytest.mark.parametrize(
    "line",
    [
        f"alice@team {KEY}",
        f"  alice@team\t{KEY} a comment of many words",
        f"# who\n\nalice@team {KEY}\r\n",
        f'alice@team namespaces="{NAMESPACE}" {KEY}',
        f'alice@team namespaces="git,edgenet-*" {KEY}',
        f'alice@team NAMESPACES="*" {KEY}',
        f'alice@team valid-after="20200101",valid-before="20270101Z" {KEY}',
        f'alice@team valid-after="202001011200Z" {KEY}',
        f'alice@team valid-before="20270101120030Z",namespaces="{NAMESPACE}" {KEY}',
        f"bob@team {keys.RSA_PUB}\nalice@team {KEY}",
        f'alice@team namespaces="git" {KEY}\nalice@team {KEY}',
        f'"alice@team" {KEY}',
    ],
)
def test_lines_that_count(line: str, tmp_path: Path) -> None:
    assert whose(line) == "alice@team"
    assert accepted_by_keygen(line, tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", r"no key of allowed \(0 there\)"),
        (f"bob@team {keys.BOB_PUB}", r"no key of allowed \(1 there\)"),
        (f'alice@team namespaces="git" {KEY}', "line 1 of allowed may sign git alone, not edgenet-bundle"),
        (f'alice@team namespaces="*,!edgenet-bundle" {KEY}', "may sign"),
        (f'alice@team valid-after="20991231Z" {KEY}', "counts only from 2099-12-31 00:00 UTC on"),
        (f'alice@team valid-before="20200101Z" {KEY}', "counted only until 2020-01-01 00:00 UTC"),
    ],
)
def test_lines_that_do_not_count(line: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SignatureError, match=said):
        whose(line)
    assert not accepted_by_keygen(line, tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"alice@team cert-authority {KEY}", "line 1: cert-authority, and edgenet knows no certificates"),
        (f'alice@team cert-authority,namespaces="git" {KEY}', "cert-authority"),
        (f'alice@team namspaces="git" {KEY}', "does not know the option 'namspaces'"),
        (f"alice@team namespaces=git {KEY}", "does not know the option|without a value"),
        (f'alice@team namespaces="" {KEY}', "without a value"),
        (f'alice@team namespaces="a",namespaces="b" {KEY}', "has namespaces twice"),
        (f'alice@team namespaces="a {KEY}', "not NAME"),
        (f'alice@team valid-after="yesterday" {KEY}', "'yesterday' is not YYYYMMDD"),
        (f'alice@team valid-after="20201301" {KEY}', "is not YYYYMMDD"),
        (f'alice@team valid-after="2020010112" {KEY}', "is not YYYYMMDD"),
        (f'alice@team valid-before="٢٠٢٠٠١٠١" {KEY}', "is not YYYYMMDD"),
        ("alice@team", "not NAME"),
        (KEY, "not NAME"),
        ("alice@team ssh-ed25519 AAAA", "not an SSH public key"),
        ("alice@team ssh-ed25519 !!!!", "not base64"),
        (f"alice@team {KEY.replace('ssh-ed25519', 'ssh-rsa')}", "says 'ssh-rsa' before another"),
        ("some words that are junk", "does not know the option 'words'"),
    ],
)
def test_lines_that_nobody_should_skip(line: str, said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        Signers.parse(line, "allowed")


def test_a_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "allowed").write_text(f"# me\nalice@team {KEY}\njunk\n")
    with pytest.raises(SignatureError, match=r"allowed line 3: not NAME"):
        Signers.load(tmp_path / "allowed")
    (tmp_path / "allowed").write_text("#\n" * 5000)
    with pytest.raises(SignatureError, match="5001 lines, at most 4096"):
        Signers.load(tmp_path / "allowed")


def test_dates_without_a_zone_are_this_machines() -> None:
    zone = datetime(2026, 11, 26).astimezone().utcoffset() or timedelta()
    line = f'alice@team valid-after="202611261200" {KEY}'
    assert whose(line, NOW - zone) == "alice@team"
    with pytest.raises(SignatureError):
        whose(line, NOW - zone - timedelta(seconds=1))


@given(st.text(alphabet=string.printable, max_size=120))
def test_any_text(text: str) -> None:
    try:
        found = Signers.parse(text, "allowed")
    except EdgenetError:
        return
    assert all(line.strip().startswith("#") for line in text.split("\n") if line.strip()) or found.signers


@given(st.text(alphabet='abns="-,! \t0123Z', max_size=60))
def test_any_options(text: str) -> None:
    try:
        found = Signers.parse(f"alice@team {text} {KEY}", "allowed").signers
    except EdgenetError:
        return
    assert [item.blob for item in found] == [ALICE.blob]


def accepted_by_keygen(line: str, folder: Path) -> bool:
    (folder / "allowed").write_text(line + "\n")
    (folder / "m.sig").write_text(keys.SIGNED)
    time = "-Overify-time=20261126120000Z"
    words = ["-Y", "verify", "-f", folder / "allowed", "-I", "alice@team", "-n", NAMESPACE, time]
    return keys.keygen(*words, "-s", folder / "m.sig", message=keys.MESSAGE).returncode == 0
