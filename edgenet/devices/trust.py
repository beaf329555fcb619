"""Whose signatures a board asks for, asked and changed from the host (docs/agent-protocol.md, Signatures)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypeVar

from edgenet.agent import wire
from edgenet.devices.upkeep import sender
from edgenet.json_value import Length
from edgenet.record import Record

__all__ = ["Trust", "Trusted", "TrustedKey"]

_R = TypeVar("_R", bound=Record)
Text = Annotated[str, Length(600)]


@dataclass(frozen=True, kw_only=True)
class TrustedKey(Record):
    """A key that a board trusts: its name there, ``ssh-ed25519 AAAA…``, and ``SHA256:…``."""

    name: Text
    key: Text
    fingerprint: Text


@dataclass(frozen=True, kw_only=True)
class Trusted(Record):
    """Whom a board trusts.

    Attributes:
        asked: Whether it asks for signatures at all.
        keys: Whose.
        changed_: Whether this request changed that.
        refused: Why what is current there now could not become it today; ``None`` where it could.
    """

    asked: bool
    keys: tuple[TrustedKey, ...] = ()
    changed_: bool = False
    refused: Annotated[str, Length(2000)] | None = None


@dataclass(frozen=True, kw_only=True)
class _Proven(Record):
    signer: Text | None = None


class _Ask(Protocol):
    """A request, and its reply as a type."""

    def __call__(self, answer: type[_R], kind: str, header: Mapping[str, Any]) -> _R:
        """As of an agent."""


class Trust:
    """What an agent can be asked about the keys that its board trusts.

    Args:
        ask: The agent's.
    """

    def __init__(self, ask: _Ask) -> None:
        self._ask = ask

    def keys(self) -> Trusted:
        """Whom the board trusts."""
        return self._change("list")

    def add(self, name: str, key: str) -> Trusted:
        """Trust a key, and from the first one on ask for signatures.

        Args:
            name: Letters, digits and ``._@+-``, 64 at most.
            key: ``ssh-ed25519 AAAA…``.

        Raises:
            BoardError: ``untrusted``: the board cannot verify signatures; ``named``: it has another key of
                that name.
        """
        return self._change("add", name=name, key=key)

    def remove(self, name: str) -> Trusted:
        """Trust a key no longer.

        Args:
            name: Its name, or ``SHA256:…``.

        Raises:
            BoardError: ``missing``: there is none; ``last``: it is the last one.
        """
        return self._change("remove", name=name)

    def off(self) -> Trusted:
        """Ask for no signatures any more; all keys are forgotten."""
        return self._change("off")

    def prove(self, manifest: Mapping[str, Any]) -> str | None:
        """Whose signature lets a deployment become current; its signed manifest must be there as a blob.

        Returns:
            The name of the key; ``None`` where the board asks for none.

        Raises:
            BoardError: ``untrusted``: nobody's.
        """
        return self._ask(_Proven, wire.PROVE, {"manifest": dict(manifest)}).signer

    def _change(self, what: str, **told: str) -> Trusted:
        return self._ask(Trusted, wire.TRUST, {"do": what, **told, **sender()})
