"""Boards that are a few variables, for the order of a rollout's steps: no process, no connection."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgenet.board import Board
from edgenet.bundle import Bundle, pack
from edgenet.devices.replies import BoardError
from edgenet.errors import ConnectionFailed, ConnectionLost, HealthError
from edgenet.fleet import Fleet
from edgenet.fleets import renew, rollout_file
from edgenet.fleets.rollout import rollout
from edgenet.fleets.rollout_options import RolloutOptions
from edgenet.fleets.rollout_state import Rollout
from tests.manifests import manifest

BUNDLE = Bundle.parse(pack(manifest("new", "null", "a.json", "a.json"), {"a.json": b"{}"}))
OLD, NEW = hashlib.sha256(b"old").hexdigest(), BUNDLE.digest


class Killed(BaseException):
    """The host went away: nothing of it goes on."""


@dataclass
class FakeBoard:
    """One board.

    Attributes:
        current: Digest of what it runs.
        kept: Digests of the builds that it has.
        away: It does not answer.
        ill: The build is over a limit there.
        cut: Of the next switch: "before" it happens, or "after" it, the connection is lost; "refused".
        id: Which board it says it is; its name where that is empty.
        key: Its host key is known; else a person would have to be asked.
    """

    name: str
    current: str | None = OLD
    away: bool = False
    ill: bool = False
    cut: str = ""
    id: str = ""
    key: bool = True
    kept: set[str] = field(default_factory=lambda: {OLD})
    asked: int = 0
    staged: int = 0
    switched: list[str] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)

    def status(self, lines: int) -> Any:
        self.asked += 1
        current = (
            None if self.current is None else SimpleNamespace(digest=self.current, name=self.current[:4])
        )
        return SimpleNamespace(id=self.id or self.name, current=current)

    def note(self, what: str, digest: str, result: str) -> None:
        self.noted.append(result)

    def place(self, placed: Any) -> None:
        self.kept.add(placed["digest"])

    def switch(self, digest: str, what: str) -> None:
        cut, self.cut = self.cut, ""
        if cut == "refused":
            raise BoardError("no-space", f"{self.name}: no space", "free some", {})
        if cut == "before":
            raise ConnectionLost(f"{self.name} was lost")
        if digest not in self.kept:
            raise BoardError("missing", f"{self.name}: {digest[:12]} is not there any more", "deploy it", {})
        self.current = digest
        self.switched.append(digest)
        if cut == "after":
            raise ConnectionLost(f"{self.name} was lost")


class FakeFleet:
    """Boards behind what a rollout calls; the host is killed at the ``dies``-th write of its state file."""

    def __init__(self, boards: Sequence[FakeBoard], folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.boards = {board.name: board for board in boards}
        self.path = folder / "rollout.json"
        self.dies, self.torn, self.writes = 0, False, 0
        self.begun: Callable[[FakeBoard], None] = lambda board: None
        patch.setattr(renew, "connect", self._connect)
        patch.setattr(renew, "stage", self._stage)
        patch.setattr(renew, "fit_to_switch", self._fit)
        patch.setattr(renew, "chosen_by", lambda agent, bundles, board: bundles[0])
        patch.setattr(rollout_file, "write_json", self._write)

    def run(self, **options: Any) -> Rollout:
        """Roll out, with options."""
        boards = tuple(Board(f"pi@{name}", name=name) for name in self.boards)
        self.writes = 0
        bundles = options.pop("bundles", [BUNDLE])
        return rollout(bundles, Fleet("fleet", boards), RolloutOptions(**options), state=self.path)

    @property
    def saved(self) -> Rollout | None:
        return rollout_file.saved_rollout(self.path)

    def _alive(self) -> None:
        if self.dies and self.writes >= self.dies:
            raise Killed

    def _write(self, path: Path, table: Any) -> None:
        self._alive()
        self.writes += 1
        if not (self.writes == self.dies and self.torn):
            path.write_text(json.dumps(table))
        self._alive()

    @contextlib.contextmanager
    def _connect(self, board: Board, waiting: object) -> Iterator[Any]:
        self._alive()
        fake = self.boards[board.name]
        if fake.away:
            raise ConnectionFailed(f"{board} does not answer", "switch it on")
        if not fake.key and not board.asks:
            raise ConnectionFailed(f"the host key of {board} is not known", "look at it", unasked=True)
        yield SimpleNamespace(upkeep=fake, facts=lambda backends: None)

    def _stage(self, agent: Any, bundle: Any, name: str, progress: object, offline: bool) -> Any:
        fake = self.boards[name]
        fake.staged += 1
        self.begun(fake)
        return SimpleNamespace(manifest={"digest": bundle.digest})

    def _fit(self, agent: Any, bundle: Any, placed: Any, row: Any, job: Any, progress: object) -> Any:
        if self.boards[row.board].ill:
            raise HealthError(f"{row.board}: 3 FPS, at least 24 is allowed", "choose another build")
        return row
