"""A build onto a fleet: canaries, then waves; each board is checked before it switches; and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edgenet.board import Board
from edgenet.bundle import Bundle
from edgenet.errors import DataError, LibraryError
from edgenet.fleet import Fleet
from edgenet.fleets.each import BoardProgress, each, unheard
from edgenet.fleets.renew import renew, take_back
from edgenet.fleets.rollout_begin import begun
from edgenet.fleets.rollout_file import RolloutFile, held, saved_rollout
from edgenet.fleets.rollout_job import RolloutJob
from edgenet.fleets.rollout_options import RolloutOptions
from edgenet.fleets.rollout_state import (
    DONE,
    PLANNED,
    ROLLED_BACK,
    ROLLING_BACK,
    STOPPED,
    Rollout,
    RolloutBoard,
)
from edgenet.fleets.waves import waves
from edgenet.progress import Progress
from edgenet.steps.asked import Asked, asked_of, check_images, with_truth
from edgenet.steps.taken import BundleLike, builds_of

__all__ = ["rollout", "state_file"]

# Called with a title and the rows of a wave when it is over.
OnWave = Callable[[str, Sequence[RolloutBoard]], None]
_Work = Callable[[Board, RolloutJob, Progress], None]


def rollout(
    bundles: Sequence[BundleLike] | BundleLike,
    fleet: Fleet | Path | str,
    options: RolloutOptions = RolloutOptions(),  # noqa: B008
    tell: BoardProgress = unheard,
    state: Path | str | None = None,
    on_wave: OnWave | None = None,
) -> Rollout:
    """Bring the boards of a fleet to a new build, a few first.

    On each board the build of its kind is staged, answers its golden images, is measured where there is a
    limit, and is shown to the user's own check, before it becomes the current one. When too many boards
    failed, no further one is begun. All that was done is in the state file before and after it is done, so
    that the same call goes on after any interruption, and does nothing where all is done.

    Args:
        bundles: Builds of one model, or their files; none to take back what the state file tells of, by
            ``options.rollback``.
        fleet: The boards, or the file that lists them.
        options: Waves and limits.
        tell: Called for every stage of every board, from threads.
        state: The state file; beside the fleet's file, or in the working folder, where it is not given.
        on_wave: Called when a wave is over, with its title and its boards' rows.

    Raises:
        DataError: The state file tells of another rollout that has not ended, another process holds it, or it
            cannot be written.
        LibraryError: The fleet or the waves cannot be used.
        BundleError: A bundle cannot be read.

    Examples:
        >>> fleet = edgenet.Fleet.of("local")
        >>> done = edgenet.rollout("signs.edgenet", fleet, edgenet.RolloutOptions(max_memory=2000))
        >>> done.phase, done.exit_code, len(done.boards)
        ('done', 0, 1)
    """
    path = state_file(fleet) if state is None else Path(state)
    fleet = fleet if isinstance(fleet, Fleet) else Fleet.load(fleet)
    boards = _named(fleet.boards)
    made = builds_of(bundles)
    if not made and not options.rollback:
        raise LibraryError("no bundle is given", "give the .edgenet files to roll out, or --rollback")
    with held(None if options.dry_run else path):
        saved = None if made and options.dry_run else saved_rollout(path)  # nothing else is overwritten
        begin = _begin(None if made and options.fresh else saved, made, fleet, options, path)
        file = RolloutFile(None if options.dry_run else path, begin)
        job = RolloutJob(made, options, _asked(made, options), file)
        with _closed(file):
            _Run(job, boards, tell, on_wave).run(back=not made)
        return file.rollout


def state_file(fleet: Fleet | Path | str) -> Path:
    """Where a rollout's state is kept if nobody says: beside the fleet's file, or in the working folder."""
    where = Path(f"{fleet.name or 'fleet'}.toml") if isinstance(fleet, Fleet) else Path(fleet)
    return where.with_name(f"{where.stem}.rollout.json")


class _Run:
    """One run over the boards."""

    def __init__(
        self, job: RolloutJob, boards: dict[str, Board], tell: BoardProgress, on_wave: OnWave | None
    ) -> None:
        self._job, self._boards, self._tell, self._on_wave = job, boards, tell, on_wave

    def run(self, back: bool) -> None:
        """Go on to the end, or back."""
        file = self._job.file
        file.write(lambda begin: begin)
        if back or file.rollout.phase == ROLLING_BACK:
            self._back()
        elif self._forwards():
            self._phase(PLANNED if self._job.options.dry_run else DONE)
        else:
            self._phase(STOPPED)
            if self._job.options.rollback and file.rollout.to_return():
                self._back()

    def _forwards(self) -> bool:
        """Wave after wave; whether none failed."""
        count, canaries = len(self._job.file.rollout.waves), self._job.options.canary != 0
        for number in range(count):
            self._wave(number)
            who = " (canaries)" if canaries and number == 0 else ""
            self._tell_wave(f"wave {number + 1} of {count}{who}", self._job.file.rollout.waves[number])
            if self._stops:
                return False
        return True

    @property
    def _stops(self) -> bool:
        return self._job.over and not self._job.options.dry_run

    def _wave(self, number: int) -> None:
        """Its boards; those that were not begun for others' failures, which then were none, once more."""
        left = [row.board for row in self._job.file.rollout.waves[number]]
        while left and not self._stops:
            skipped: list[str] = []

            def work(board: Board, progress: Progress, skipped: list[str] = skipped) -> None:
                if self._stops:
                    skipped.append(str(board))
                else:
                    renew(board, self._job, progress)

            self._each(left, work)
            left = skipped

    def _back(self) -> None:
        self._phase(ROLLING_BACK)
        names = [row.board for row in self._job.file.rollout.to_return()]
        self._each(names, lambda board, progress: take_back(board, self._job, progress))
        if self._job.options.dry_run:
            self._phase(PLANNED)
        elif not self._job.file.rollout.to_return():
            self._phase(ROLLED_BACK)
        self._tell_wave("back", [self._job.file.rollout.row(name) for name in names])

    def _each(self, names: Sequence[str], work: Callable[[Board, Progress], None]) -> None:
        """Their rows tell what came of it; but where a person could have been asked, only the outcome does.

        Raises:
            DataError: The state file cannot be written.
        """
        outcomes = each([self._boards[name] for name in names], work, self._tell, self._job.options.at_once)
        for outcome in outcomes:
            row = self._job.row(outcome.board)
            if outcome.error is not None and not row.exit_code:
                self._job.file.put(row.failed(outcome.error))

    def _phase(self, phase: str) -> None:
        self._job.file.write(lambda found: found.changed(phase=phase))

    def _tell_wave(self, title: str, rows: Sequence[RolloutBoard]) -> None:
        if self._on_wave is not None:
            self._on_wave(title, rows)


def _begin(
    saved: Rollout | None, made: Sequence[Bundle], fleet: Fleet, options: RolloutOptions, path: Path
) -> Rollout:
    if not made:
        if saved is None:
            raise DataError(
                f"{path}: no rollout was begun", "give its own --state, or the bundles to roll out"
            )
        if unknown := [row.board for row in saved.to_return() if row.board not in _named(fleet.boards)]:
            raise DataError(
                f"{path}: {unknown[0]} is not in this fleet", "give the fleet that was rolled out to"
            )
        return saved.changed(asked_back=True)
    plan = waves(fleet.boards, options.canary, options.waves)
    request = options.request(made, fleet.boards)
    return begun(saved, request, plan, fleet.notes)


def _named(boards: Sequence[Board]) -> dict[str, Board]:
    found = {str(board): board for board in boards}
    if not found:
        raise LibraryError("the fleet has no boards", "name others")
    return found


def _asked(made: Sequence[Bundle], options: RolloutOptions) -> Asked | None:
    """What is measured, with what the float model says on the images, once for all boards."""
    if not (options.measures and made):
        return None
    asked = asked_of(options.protocol, options.val, options.min_fps, options.max_drift)
    if options.dry_run:
        check_images(asked, made[0])
        return asked
    return with_truth(asked, made[0])


@contextmanager
def _closed(file: RolloutFile) -> Iterator[None]:
    """Threads that Ctrl-C leaves behind do not go on with their boards."""
    try:
        yield
    finally:
        file.close()
