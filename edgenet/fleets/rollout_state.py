"""A rollout as data: how far every board is, and what it ran before. The file that a rollout resumes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from edgenet.errors import EXIT_DONE, EXIT_OVER_LIMIT, EXIT_UNREACHABLE, EdgenetError
from edgenet.json_value import Count, NotNegative, Where
from edgenet.record import Record

__all__ = [
    "CHANGED", "CURRENT", "DONE", "FAILED", "KEPT", "ON_NEW", "PLANNED", "RETURNED", "RETURNING",
    "ROLLED_BACK", "ROLLING_BACK", "RUNNING", "SCHEMA", "STOPPED", "SWITCHED", "SWITCHING", "UNREACHABLE",
    "WAITING", "Rollout", "RolloutBoard",
]  # fmt: skip

SCHEMA = 1
# A board's states (docs/rollout.md).
WAITING = "waiting"
SWITCHING = "switching"
SWITCHED = "switched"
CURRENT = "current"
FAILED = "failed"
UNREACHABLE = "unreachable"
RETURNING = "returning"
RETURNED = "returned"
KEPT = "kept"
CHANGED = "changed"
STATES = (
    WAITING, SWITCHING, SWITCHED, CURRENT, FAILED, UNREACHABLE, RETURNING, RETURNED, KEPT, CHANGED,
)  # fmt: skip
# Those in which a board runs the new build.
ON_NEW = (SWITCHED, CURRENT)
# Those in which this rollout switched the board, or may have.
OURS = (SWITCHING, SWITCHED, RETURNING)
# A rollout's own.
PLANNED = "planned"
RUNNING = "running"
STOPPED = "stopped"
DONE = "done"
ROLLING_BACK = "rolling back"
ROLLED_BACK = "rolled back"
PHASES = (PLANNED, RUNNING, STOPPED, DONE, ROLLING_BACK, ROLLED_BACK)


@dataclass(frozen=True, kw_only=True)
class RolloutBoard(Record):
    """How far one board is.

    Attributes:
        board: Its name.
        device: Its address.
        wave: The place of its wave, from 0.
        state: One of the states above.
        id: Which board it is, as the board itself says.
        build, name: Digest and name of the build it gets; ``None`` until the board was asked what it is.
        before, before_name: What it ran when this rollout found it; ``None`` for nothing.
        fps: Of the pipeline, else of the model.
        p99_ms: Of the model.
        memory_mb: Peak of the model's process.
        drift_pp: What was lost, percentage points.
        seconds: Wall time of the last attempt.
        exit_code: As a command on this board alone would have ended.
        reason, remedy: What went wrong, and what to do about it.
    """

    board: str
    device: str
    wave: Count
    state: str = WAITING
    id: str | None = None
    build: str | None = None
    name: str | None = None
    before: str | None = None
    before_name: str | None = None
    fps: float | None = None
    p99_ms: float | None = None
    memory_mb: float | None = None
    drift_pp: float | None = None
    seconds: NotNegative = 0.0
    exit_code: Count = EXIT_DONE
    reason: str | None = None
    remedy: str | None = None

    def check(self, where: Where) -> None:
        """The state is one of those above; what was switched has a build."""
        if self.state not in STATES:
            raise where.at("state").refuse(self.state, "a state of a board")
        if self.build is None and self.state in (*OURS, *ON_NEW, RETURNED, KEPT):
            raise where.missing("build")

    def found(self, id_: str | None, current: str | None, current_name: str | None, build: str) -> Self:
        """What the board says it runs, over what the file says.

        Args:
            id_: Which board answers.
            current: Digest of what it runs; ``None`` for nothing.
            current_name: Of that.
            build: Digest of what it is to run.

        Returns:
            SWITCHED or CURRENT where it runs that already, by this rollout or before it; else WAITING, and
            what it runs now is what a rollback returns to.
        """
        fine = {"exit_code": EXIT_DONE, "reason": None, "remedy": None, "id": id_, "build": build}
        if current == build:
            ours = self.state in (*OURS, KEPT) and self.build == build and self._is(id_)
            return self.changed(state=SWITCHED if ours else CURRENT, **fine)
        return self.changed(state=WAITING, before=current, before_name=current_name, **fine)

    def taken_back(self, id_: str | None, current: str | None) -> Self:
        """What the board says it runs, when it is to return to what it ran before.

        Returns:
            RETURNED where it runs that; KEPT where there was nothing; CHANGED where it is another board, or
            runs something that is not of this rollout; RETURNING where it has to be switched.
        """
        fine = {"exit_code": EXIT_DONE, "reason": None, "remedy": None}
        if not self._is(id_):
            other = "another board answers there now; it was left alone"
            return self.changed(state=CHANGED, **{**fine, "reason": other})
        if current == self.before:
            return self.changed(state=RETURNED, **fine)
        if current != self.build:
            other = f"somebody else put {str(current)[:12]} there meanwhile; it was left alone"
            return self.changed(state=CHANGED, **{**fine, "reason": other})
        if self.before is None:
            only = "it ran nothing before; the new build stays, so that it runs something"
            return self.changed(state=KEPT, **{**fine, "reason": only})
        return self.changed(state=RETURNING, **fine)

    def failed(self, error: EdgenetError) -> Self:
        """After a failure: what runs the new build, or may, or is on its way back stays so in the file."""
        stays = (*OURS, *ON_NEW)
        away = UNREACHABLE if error.exit_code == EXIT_UNREACHABLE else FAILED
        return self.changed(
            state=self.state if self.state in stays else away,
            exit_code=error.exit_code,
            reason=error.what,
            remedy=error.remedy or None,
        )

    def _is(self, id_: str | None) -> bool:
        return self.id is None or id_ is None or self.id == id_


@dataclass(frozen=True, kw_only=True)
class Rollout(Record):
    """A rollout: what was asked for, and how far every board is.

    Attributes:
        schema: Version of this form.
        request: Digests of what is rolled out, to which boards, in which waves, within which limits.
        phase: "running", "stopped", "done", "rolling back" or "rolled back"; "planned" for a dry run.
        began: When, Unix time of the host.
        boards: In the order of their waves.
        notes: What people should know of it.
        asked_back: Whether it was taken back because its user said so, not because it failed.
    """

    schema: int
    request: Mapping[str, str]
    phase: str
    began: float
    boards: tuple[RolloutBoard, ...]
    notes: tuple[str, ...] = ()
    asked_back: bool = False

    def check(self, where: Where) -> None:
        """The phase is a known one; no board is there twice; there are no more waves than boards."""
        if self.phase not in PHASES:
            raise where.at("phase").refuse(self.phase, "a phase of a rollout")
        if len({row.board for row in self.boards}) != len(self.boards):
            raise where.at("boards").refuse("a board twice", "boards of different names")
        if last := next((row.wave for row in self.boards if row.wave >= len(self.boards)), None):
            raise where.at("boards").refuse(f"wave {last}", f"a wave below {len(self.boards)}")

    @property
    def waves(self) -> tuple[tuple[RolloutBoard, ...], ...]:
        """The boards of each wave."""
        count = max((row.wave for row in self.boards), default=-1) + 1
        return tuple(tuple(row for row in self.boards if row.wave == wave) for wave in range(count))

    @property
    def exit_code(self) -> int:
        """0: all boards run what they should; 3: no board that was tried was reached; 4: else."""
        tried = [row.exit_code for row in self.boards if row.state != WAITING or row.build is not None]
        if tried and all(code == EXIT_UNREACHABLE for code in tried):
            return EXIT_UNREACHABLE
        if self.asked_back:
            ended = self.phase == ROLLED_BACK
            return EXIT_OVER_LIMIT if not ended or self._in((KEPT, CHANGED)) else EXIT_DONE
        on_new = len(self._in(ON_NEW)) == len(self.boards)
        fine = self.phase == PLANNED or (self.phase == DONE and on_new)
        return EXIT_DONE if fine and not any(tried) else EXIT_OVER_LIMIT

    def _in(self, states: Sequence[str]) -> list[RolloutBoard]:
        return [row for row in self.boards if row.state in states]

    def row(self, name: str) -> RolloutBoard:
        """One board's."""
        return next(row for row in self.boards if row.board == name)

    def with_row(self, row: RolloutBoard) -> Self:
        """With another row for a board."""
        return self.changed(boards=tuple(row if item.board == row.board else item for item in self.boards))

    def failures(self, skip_unreachable: bool) -> tuple[RolloutBoard, ...]:
        """The boards that count against the limit; what was lost amid its switch is one of them."""
        bad = (FAILED, SWITCHING) if skip_unreachable else (FAILED, SWITCHING, UNREACHABLE)
        return tuple(row for row in self._in(bad) if row.exit_code)

    def to_return(self) -> tuple[RolloutBoard, ...]:
        """The boards that a rollback is about."""
        return tuple(self._in(OURS))

    def to_table(self) -> dict[str, Any]:
        """JSON-ready, with the exit code for those who read it elsewhere."""
        return {**super().to_table(), "exit_code": self.exit_code}
