"""What an agent tells while it works on a request, as types (docs/agent-protocol.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from edgenet.json_value import Count, NotNegative, Where, Within
from edgenet.record import Record

__all__ = ["DemoPicture", "DemoReady", "DemoTick", "ProgressEvent"]

Port = Annotated[int, Within(least=1, most=65_535)]
SECRET = re.compile(r"[\w-]{16,128}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ProgressEvent(Record):
    """How far a request is: ``done`` of ``of``, or ``seconds`` and ``runs`` of a measurement."""

    stage: str | None = None
    done: Count | None = None
    of_: Count | None = None
    runs: Count | None = None
    seconds: NotNegative | None = None
    of_seconds: NotNegative | None = None

    def check(self, where: Where) -> None:
        """A measurement tells both times."""
        if self.of_seconds is not None and self.seconds is None:
            raise where.missing("seconds")

    def known(self) -> dict[str, Any]:
        """What is told, JSON-ready."""
        return {name: value for name, value in self.to_table().items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class DemoReady(Record):
    """A demo that runs: its source and models, and how its page is reached where it has one."""

    source: Mapping[str, Any]
    models: tuple[Mapping[str, Any], ...]
    port: Port | None = None
    token: str | None = None
    phone: str | None = None
    key: str | None = None

    def check(self, where: Where) -> None:
        """Every model has a name; a page has a token and a key, which become parts of addresses."""
        for index, model in enumerate(self.models):
            if not isinstance(model.get("name"), str):
                raise where.at("models").at(index).missing("name")
        told = ("token", "key") if self.phone is None else ("token", "key", "phone")
        for name in told if self.port is not None else ():
            if not SECRET.fullmatch(getattr(self, name) or ""):
                raise where.at(name).refuse("…", "16 to 128 letters and digits")


@dataclass(frozen=True, kw_only=True)
class DemoTick(Record):
    """How a demo goes (docs/demo.md, state), and the answers since the last tick."""

    state: Mapping[str, Any]
    answers: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DemoPicture(Record):
    """The name of a picture to be kept, whose bytes follow, and what the models answered to it."""

    name: str
    frame: Count | None = None
    answers: tuple[Any, ...] = ()
