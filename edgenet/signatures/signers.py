"""Whose signatures count: OpenSSH's ``allowed_signers`` file (ssh-keygen(1), ALLOWED SIGNERS)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from edgenet.errors import SignatureError
from edgenet.signatures.public_key import PublicKey, blob_of, key_type
from edgenet.signatures.ssh_signature import NAMESPACE
from edgenet.text import near
from edgenet.text_file import read_text

__all__ = ["Signer", "Signers"]

MAX_FILE, MAX_LINES = 1 << 20, 4096
OPTIONS = ("cert-authority", "namespaces", "valid-after", "valid-before")
FORMS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
# Text up to a blank that is not within double quotes.
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
# As OpenSSH reads them: a value stands in double quotes.
_OPTION = re.compile(r'([A-Za-z-]+)(?:="([^"]*)")?(?:,|\Z)')
_TYPE = re.compile(r"(?:ssh|ecdsa|sk)-[\w@.-]+\Z")


@dataclass(frozen=True)
class Signer:
    """One line: whose key it is, and for what and when it counts.

    Attributes:
        principals: Who, as the file says: names or patterns, separated by commas.
        blob: The key, of any kind.
        namespaces: What it may sign, patterns separated by commas; ``None`` for everything.
        after, before: The first and the last moment, in UTC; ``None`` for no limit.
        line: Where it stands.
    """

    principals: str
    blob: bytes
    namespaces: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    line: int = 0

    def why_not(self, at: datetime) -> str:
        """Why its signature of a bundle does not count at a time; empty where it does."""
        if self.namespaces is not None and not _listed(NAMESPACE, self.namespaces):
            return f"may sign {self.namespaces} alone, not {NAMESPACE}"
        if self.after is not None and at < self.after:
            return f"counts only from {self.after:%Y-%m-%d %H:%M} UTC on"
        if self.before is not None and at > self.before:
            return f"counted only until {self.before:%Y-%m-%d %H:%M} UTC"
        return ""


@dataclass(frozen=True)
class Signers:
    """An ``allowed_signers`` file.

    Attributes:
        where: What it is called.
        signers: Its lines.
    """

    where: str
    signers: tuple[Signer, ...] = field(default=())

    @classmethod
    def load(cls, path: Path | str) -> Signers:
        """Read a file.

        Raises:
            SignatureError: It cannot be read, or a line cannot; nothing in it is skipped but comments.
        """
        remedy = "give an allowed_signers file: NAME ssh-ed25519 AAAA… on each line"
        return cls.parse(read_text(Path(path), SignatureError, remedy, MAX_FILE), str(path))

    @classmethod
    def parse(cls, text: str, where: str) -> Signers:
        """Read a text; see :meth:`load`."""
        lines = text.split("\n")
        if len(lines) > MAX_LINES:
            raise SignatureError(f"{where}: {len(lines)} lines, at most {MAX_LINES} are read", "remove some")
        said = [(number, line.strip()) for number, line in enumerate(lines, 1)]
        kept = [_signer(line, where, number) for number, line in said if line and not line.startswith("#")]
        return cls(where, tuple(kept))

    def signer(self, key: PublicKey, at: datetime | None = None) -> Signer:
        """Whose key it is.

        Args:
            key: That signed.
            at: When its signature must count; now.

        Raises:
            SignatureError: Nobody's, or not for bundles, or not at that time.
        """
        why = f"no key of {self.where} ({len(self.signers)} there)"
        for signer in self.signers:
            if signer.blob == key.blob:
                reason = signer.why_not(at or datetime.now(UTC))
                if not reason:
                    return signer
                why = f"which in line {signer.line} of {self.where} {reason}"
        raise SignatureError(
            f"signed by {key.fingerprint}, {why}", "have it signed by one of them, or add the key there"
        )


def _signer(line: str, where: str, number: int) -> Signer:
    place = f"{where} line {number}"
    words = _WORD.findall(line)
    if len(words) < 3 or line.count('"') % 2:
        raise SignatureError(f"{place}: not NAME [OPTIONS] TYPE KEY", "correct the line or remove it")
    principals, *rest = words
    options: dict[str, Any] = {}
    if not _TYPE.match(rest[0]):
        options = _options(rest[0], place)
        rest = rest[1:]
    if len(rest) < 2 or not _TYPE.match(rest[0]):
        raise SignatureError(f"{place}: no key in it", "write NAME ssh-ed25519 AAAA…")
    blob = blob_of(rest[1], place)
    if key_type(blob, place) != rest[0]:
        raise SignatureError(f"{place}: says {rest[0]!r} before another kind of key", "correct the line")
    return Signer(principals.strip('"'), blob, line=number, **options)


def _options(text: str, place: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    while at < len(text):
        match = _OPTION.match(text, at)
        name = match[1].lower() if match else ""
        if match is None or name not in OPTIONS:
            unknown = name or text[at : at + 40]
            remedy = near(unknown, OPTIONS, "'") or "correct the line or remove it"
            raise SignatureError(f"{place}: does not know the option {unknown!r}", remedy)
        if name == "cert-authority":
            raise SignatureError(
                f"{place}: cert-authority, and edgenet knows no certificates",
                "list each signer's own key, in a file of their own for --signers",
            )
        key = name.removeprefix("valid-")
        if not match[2] or key in found:
            wrong = f"has {name} twice" if match[2] else f"{name} without a value in double quotes"
            raise SignatureError(f"{place}: {wrong}", "correct the line")
        found[key] = match[2] if key == name else _moment(match[2], f"{place}: {name}")
        at = match.end()
    return found


def _moment(text: str, place: str) -> datetime:
    """``YYYYMMDD[HHMM[SS]][Z]``, in this machine's time zone where no Z says UTC."""
    utc, digits = text.endswith("Z"), text.removesuffix("Z")
    try:
        if not digits.isascii() or not digits.isdigit():
            raise ValueError
        found = datetime.strptime(digits, FORMS[len(digits)])
        return found.replace(tzinfo=UTC) if utc else found.astimezone(UTC)
    except (ValueError, KeyError, OverflowError, OSError):
        raise SignatureError(f"{place} {text!r} is not YYYYMMDD[HHMM[SS]][Z]", "correct the line") from None


def _listed(name: str, patterns: str) -> bool:
    """Whether a list of patterns, with ``*``, ``?`` and ``!`` for not, has a name (match_pattern_list)."""
    found = False
    for pattern in patterns.split(","):
        if fnmatchcase(name, pattern.removeprefix("!").replace("[", "[[]")):
            if pattern.startswith("!"):
                return False
            found = True
    return found
