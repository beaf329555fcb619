"""What an agent answers about the life of its board, as types (docs/agent-protocol.md, Upkeep)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from edgenet.json_value import Length, NotNegative
from edgenet.record import Record

__all__ = [
    "BoardStatus",
    "Checked",
    "Happened",
    "Kept",
    "LastReport",
    "Noted",
    "Placed",
    "Removed",
    "Switched",
]

Digest = Annotated[str, Length(64)]
Words = Annotated[str, Length(300)]


@dataclass(frozen=True, kw_only=True)
class Kept(Record):
    """A deployment on a board.

    Attributes:
        digest: The bundle's.
        name: Model, backend and precision.
        backend: What runs it.
        since, since_board: When it last became current by the host's clock and by the board's, Unix time.
        by, host: Who made it so, and on which machine.
        runtime: The digest of its runtime, ``None`` for the board's own packages.
        runtime_version: What that said of itself when it was deployed.
    """

    digest: Digest
    name: Words | None = None
    backend: Words | None = None
    since: NotNegative | None = None
    since_board: NotNegative | None = None
    by: Words | None = None
    host: Words | None = None
    runtime: Digest | None = None
    runtime_version: Words | None = None


@dataclass(frozen=True, kw_only=True)
class Happened(Record):
    """A line of a board's history.

    Attributes:
        n: Its number; a later line has a higher one, whatever the clocks say.
        at_board, at_host: When, by the board's clock and by the host's, Unix time.
        who, host: Whose doing, and from which machine.
        what: ``deploy``, ``rollout``, ``rollback``, ``switch``, ``place``, ``prune``, ``remove`` or
            ``profile``; ``found``: it was current, and a cut had lost the line that says how it became so.
        digest, name: Of the deployment, where it was done to one.
        result: ``ok``, or why not.
        told: More about it.
    """

    n: int
    at_board: NotNegative | None = None
    at_host: NotNegative | None = None
    who: Words | None = None
    host: Words | None = None
    what: Words
    digest: Digest | None = None
    name: Words | None = None
    result: Words
    told: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class LastReport(Record):
    """What was last measured on a board; ``at`` is the host's Unix time."""

    at: NotNegative | None = None
    digest: Digest | None = None
    fps: NotNegative | None = None
    p99_ms: NotNegative | None = None
    verdict: Words | None = None


@dataclass(frozen=True, kw_only=True)
class BoardStatus(Record):
    """What is on a board and how it came.

    Attributes:
        board_id: A random name that the board gave itself: two names of one board have one id.
        current, previous: The deployment that runs, and the one that was current before it.
        deployments: All, the newest first.
        free_mb: On its card.
        temperature_c: Of its hottest zone.
        clock_s: What its clock says, Unix time.
        last_report: What was last measured there.
        trusted: Whether it takes signed bundles only.
        history: The newest first.
    """

    board_id: Words | None = None
    current: Kept | None = None
    previous: Kept | None = None
    deployments: tuple[Kept, ...]
    free_mb: NotNegative
    temperature_c: float | None = None
    clock_s: NotNegative
    last_report: LastReport | None = None
    trusted: bool = False
    history: tuple[Happened, ...]

    @property
    def id(self) -> str | None:
        """As ``board_id``; on the wire this word is taken."""
        return self.board_id


@dataclass(frozen=True, kw_only=True)
class Switched(Record):
    """The deployment that is current now, whether it was another before, and the sha256 of its signature."""

    changed_: bool
    digest: Digest
    name: Words
    runtime: Digest | None = None
    runtime_version: Words | None = None
    signature: Digest | None = None


@dataclass(frozen=True, kw_only=True)
class Placed(Record):
    """Whether the folder of a deployment is another than before, and what was removed for it, in words."""

    changed_: bool
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Removed(Record):
    """What a board removed, in words."""

    removed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Checked(Record):
    """How a user's own check ended: 0 is well, below 0 a signal; and the last lines that it printed."""

    exit_status: int
    timed_out: bool
    lines: tuple[str, ...]

    @property
    def output(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


@dataclass(frozen=True, kw_only=True)
class Noted(Record):
    """A line of the history was taken."""
