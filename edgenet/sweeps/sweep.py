"""Many networks, builds and boards → one answer a board."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgenet import __version__
from edgenet.errors import ConnectionLost, DataError, PlanError
from edgenet.files import write_output
from edgenet.json_file import json_bytes
from edgenet.measure.camera_case import photographs
from edgenet.progress import Progress, silent
from edgenet.sweeps.answer import answer, chosen_of, saved
from edgenet.sweeps.board import Reached, reach
from edgenet.sweeps.board_search import BoardSearch
from edgenet.sweeps.builder import Builder
from edgenet.sweeps.candidates import Candidate, candidates
from edgenet.sweeps.engine import Engine
from edgenet.sweeps.engines import engine_for
from edgenet.sweeps.images import Images
from edgenet.sweeps.pairs import against
from edgenet.sweeps.plan import SweepPlan
from edgenet.sweeps.slots import Slot, images_of, slots_of
from edgenet.sweeps.store import Store
from edgenet.swept import SCHEMA, Cell, Sweep
from edgenet.views.sweep_page import sweep_page
from edgenet.views.sweep_text import sweep_csv, sweep_markdown
from edgenet.views.sweep_words import counted

__all__ = ["Prepared", "prepared", "sweep"]

UNTRAINED = (
    "the networks are untrained: their speed is measured, their accuracy is published, and what int8 costs "
    "is expected from networks of their kind"
)


@dataclass(frozen=True)
class Prepared:
    """A sweep before any work: its plan, networks, boards that answered, images and cells."""

    plan: SweepPlan
    networks: tuple[Candidate, ...]
    boards: tuple[Reached, ...]
    calibration: Images | None
    val: Images | None
    slots: tuple[Slot, ...]

    @property
    def measure(self) -> str:
        """The headline measure's name."""
        return self.networks[0].task.drift.headline or "agreement"


def sweep(
    plan: SweepPlan | Path | str,
    folder: Path | str = "sweep",
    progress: Progress = silent,
    scheduler: str | None = None,
    workers: int | None = None,
    cache: bool = True,
    fresh: bool = False,
) -> Sweep:
    """Find the most accurate network that keeps up with a camera on each board.

    Whatever is done lies in the folder, so that a sweep that was ended goes on where it stopped.

    Args:
        plan: What is swept, or the name or path of a plan.
        folder: Where ``sweep.json``, ``index.html``, ``sweep.csv``, ``sweep.md``, bundles and reports go.
        progress: Called for every step.
        scheduler: Address of a Dask cluster's scheduler; a cluster of this machine's cores if ``None``.
        workers: Of that one; 1 for no cluster, and as many as there are cores if ``None``.
        cache: Whether quantization is shared with other calls and processes.
        fresh: Whether what lies in the folder is made anew.

    Raises:
        PlanError: It cannot be swept.
        ConnectionFailed: A board cannot be reached before anything was done.
        ConnectionLost: All boards went away and did not come back; what is done is kept.
        DataError: The images cannot be used, or the folder cannot be written.

    Examples:
        Every build is measured, which takes minutes:

        >>> plan = edgenet.SweepPlan().changed(files="signs", boards="local", val="signs", fps=24)
        >>> edgenet.sweep(plan, "out").answers[0].sentence  # doctest: +SKIP
    """
    plan = (plan if isinstance(plan, SweepPlan) else SweepPlan.load(plan)).checked()
    store = Store(folder, fresh)
    with store.held(), _engine(scheduler, workers, plan) as engine:
        ready = prepared(plan, progress, engine)
        searches = _searches(ready, store, engine, progress, cache)
        try:
            _run(searches, any(board.device == "local" for board in ready.boards))
        except BaseException:  # what is done is shown, whatever ended it
            with contextlib.suppress(DataError):
                _write(_result(ready, searches), store.folder)
            raise
        found = _result(ready, searches)
        _write(found, store.folder)
        _check_reached(searches)
        return found


def prepared(plan: SweepPlan, progress: Progress, engine: Engine) -> Prepared:
    """Read the networks and images, ask the boards, and lay out the cells.

    Raises:
        PlanError, DataError, ModelError, ConnectionFailed: As for :func:`sweep`.
    """
    calibration, val = images_of(plan)
    networks = candidates(plan, progress)
    boards = []
    for board in plan.boards:
        progress(f"asking {board.device} what it is", 0, None)
        (outcome,) = engine.run(reach, [board], board=board.device)
        if outcome.error is not None:
            raise outcome.error
        boards.append(outcome.value)
    slots = slots_of(plan, networks, boards, calibration, val)
    ready = Prepared(plan, networks, tuple(boards), calibration, val, slots)
    _check_labels(ready)
    return ready


@contextlib.contextmanager
def _engine(scheduler: str | None, workers: int | None, plan: SweepPlan) -> Iterator[Engine]:
    engine = engine_for(scheduler, workers, [board.device for board in plan.boards])
    try:
        yield engine
    finally:
        engine.close()


def _searches(
    ready: Prepared, store: Store, engine: Engine, progress: Progress, cache: bool
) -> list[BoardSearch]:
    plan, val = ready.plan, ready.val
    builder = Builder(store, engine, ready.calibration, val, cache, _one_at_a_time(progress))
    given = val or (ready.calibration if plan.calibration else None)
    pictures = photographs(given.here()) if given else []
    return [
        BoardSearch(
            [slot for slot in ready.slots if slot.reached is board],
            plan,
            builder,
            builder.progress,
            pictures,
        )
        for board in ready.boards
    ]


def _write(found: Sweep, folder: Path) -> None:
    """All that a sweep writes for others.

    Raises:
        DataError: It cannot be written.
    """
    write_output(folder / "index.html", sweep_page(found).encode())
    write_output(folder / "sweep.csv", sweep_csv(found).encode())
    write_output(folder / "sweep.md", sweep_markdown(found).encode())
    write_output(folder / "sweep.json", json_bytes(found.to_table()))


def _check_labels(ready: Prepared) -> None:
    """Refuse validation images that say nothing about which model is the more accurate."""
    if not ready.plan.files or ready.val is None:
        return
    first = ready.networks[0]
    if first.task.truth(ready.val.here(), first.answers) is None:
        raise PlanError(
            "without labels every model is held to its own float form, and none to another",
            "add labels.csv to the images of --val, or use one folder for each class",
        )


def _check_reached(searches: Sequence[BoardSearch]) -> None:
    """Fail where no board stayed; else those that did have their answers, and a note tells of the others."""
    lost = [search.lost for search in searches if search.lost is not None]
    if len(lost) == len(searches):
        raise ConnectionLost(lost[0], "run it again when the board is back: finished work is kept")


def _one_at_a_time(progress: Progress) -> Progress:
    """Boards are searched at once, and the terminal is one."""
    lock = threading.Lock()

    def told(stage: str, done: int, total: int | None) -> None:
        with lock:
            progress(stage, done, total)

    return told


def _run(searches: Sequence[BoardSearch], local: bool) -> None:
    """All boards at once, or one after another where this machine is one of them: builds would disturb it."""
    if local or len(searches) == 1:
        for search in searches:
            search.run()
        return
    ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def one(search: BoardSearch) -> None:
        try:
            search.run()
        except BaseException as error:
            ended.put(error)
        else:
            ended.put(None)

    try:
        for search in searches:  # daemons: nobody waits for a board's long run after Ctrl-C
            threading.Thread(target=one, args=(search,), daemon=True).start()
        errors = [ended.get() for _ in searches]
    except BaseException:
        for search in searches:
            search.stop()
        raise
    for error in filter(None, errors):
        raise error


def _result(ready: Prepared, searches: Sequence[BoardSearch]) -> Sweep:
    plan, answers, spared, cells = ready.plan, [], [], []
    for board, search in zip(ready.boards, searches, strict=True):
        own = _own(search, plan.fps)
        answers.append(answer(own, board.device, board.title, plan.fps, ready.measure))
        spared.append(saved(own, board.device))
        cells += own
    return Sweep(
        schema=SCHEMA,
        measure=ready.measure,
        fps_line=plan.fps,
        frame=str(plan.frame),
        plan=plan.to_table(),
        boards={board.device: board.facts.anonymous().to_table() for board in ready.boards},
        cells=tuple(cells),
        answers=tuple(answers),
        saved=tuple(spared),
        notes=tuple(_notes(ready, searches)),
        tool=f"edgenet {__version__}",
    )


def _own(search: BoardSearch, line: float) -> list[Cell]:
    """A board's cells, each against the answer where their accuracies were measured."""
    chosen = chosen_of(list(search.cells.values()), line)
    cells = search.cells if chosen is None else against(search.cells, search.cells.scores, chosen.key)
    return list(cells.values())


def _notes(ready: Prepared, searches: Sequence[BoardSearch]) -> Iterator[str]:
    """What tells how to read it."""
    for board, search in zip(ready.boards, searches, strict=True):
        if search.lost is not None:
            yield f"{board.device} did not come back ({search.lost}): run it again, what is done is kept"
        if hot := sum(cell.verdict in ("THROTTLED", "UNDERVOLT") for cell in search.cells.values()):
            hurt, were = "throttled, or had too little voltage,", "was" if hot == 1 else "were"
            yield f"{board.device} {hurt} while {counted(hot, 'cell')} {were} measured"
    if ready.plan.families:
        yield UNTRAINED
