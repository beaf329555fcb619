"""A board's cells as they stand: taken up from the sweep's folder, and kept there after every step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from edgenet.published import expected_drift, published_accuracy
from edgenet.report import Report
from edgenet.sweeps.long_run import sustained
from edgenet.sweeps.screening import Screened
from edgenet.sweeps.search import Estimated, of_rounds
from edgenet.sweeps.slots import Slot
from edgenet.sweeps.store import BuildNote, Store
from edgenet.swept import EXPECTED, Cell, CellDrift, CellFps

__all__ = ["BoardCells"]

# States that are taken up again; what failed is tried again, for a build's failure is kept with the build.
KEPT = ("screened", "sustained", "emulated")
TIMELESS = "its frames seemed to take less time than the network alone: something disturbed the board"


class BoardCells(dict[str, Cell]):
    """Key → cell.

    Args:
        slots: Of one board.
        store: Where they are kept.

    Attributes:
        slots: Key → slot.
        scores: Key → how right the answer to each validation image is, where that was measured.
    """

    def __init__(self, slots: Sequence[Slot], store: Store) -> None:
        self.slots: Mapping[str, Slot] = {slot.key: slot for slot in slots}
        self.scores: dict[str, tuple[float, ...]] = {}
        self._store = store
        super().__init__({slot.key: self._begun(slot) for slot in slots})

    def _begun(self, slot: Slot) -> Cell:
        """The cell as it was left, else before its turn."""
        found = self._store.cell(slot.key)
        return found if found is not None and found.state in KEPT else _expected(slot)

    def built(self, key: str, note: BuildNote) -> bool:
        """What came of its build; whether it has a bundle."""
        if note.failure is not None:
            self.fail(key, note.failure)
            return False
        path = self._store.bundle_path(self.slots[key].build_key).relative_to(self._store.folder)
        cell = self[key].changed(bundle=path.as_posix(), size_bytes=note.size_bytes)
        if note.scores is not None:
            self.scores[key] = note.scores
        if note.top1 is not None:
            cell = cell.changed(top1=note.top1)
        if note.drift is not None:
            cell = cell.changed(drift=note.drift)
        self[key] = cell
        return True

    def fail(self, key: str, reason: str) -> None:
        """It cannot be had."""
        self._keep(self[key].changed(state="failed", reason=reason))

    def skip(self, key: str, reason: str) -> None:
        """It is decided without the board."""
        self._keep(self[key].changed(state="skipped", reason=reason))

    def screened(self, key: str, found: Screened, emulated: bool) -> None:
        """Some more rounds of it."""
        cell = self[key]
        rounds = cell.rounds_ms + found.rounds_ms
        if not found.ran:
            return self.fail(key, found.failure or "it did not run") if found.failure else None
        cell = cell.changed(
            state="emulated" if emulated else "screened",
            threads=found.threads,
            memory_mb=found.memory_mb,
            seconds=cell.seconds + found.seconds,
            rounds_ms=rounds,
            identical=found.identical,
            verdict="THROTTLED" if found.throttled else cell.verdict,
        )
        if not emulated and not rounds:
            return self.fail(key, TIMELESS)
        if rounds:
            seen = of_rounds(rounds)
            model = 1e3 / found.model_ms if found.model_ms else cell.fps.model
            interval = seen.interval if math.isfinite(seen.interval[1]) else None
            fps = CellFps(model=model, pipeline=seen.fps, interval=interval)
            p99 = max(found.p99_ms or 0.0, cell.p99_ms or 0.0)
            cell = cell.changed(fps=fps, p99_ms=p99)
        return self._keep(cell)

    def long(self, key: str, report: Report, seconds: float) -> Estimated | None:
        """Its long run; the FPS that it sustained, ``None`` where that is not known."""
        cell, found = self[key], sustained(report)
        cell = cell.changed(
            memory_mb=report.memory_mb.peak,
            verdict=report.verdict.state,
            identical=report.drift.stages.kernel.identical,
            report=self._store.keep_report(key, report),
            seconds=cell.seconds + seconds,
        )
        if report.emulated:
            self._keep(cell.changed(state="emulated"))
        elif found is None:
            self._keep(cell.changed(state="failed", reason=TIMELESS))
        else:
            fps = cell.fps.changed(model=report.fps.model, sustained=found.fps, interval=found.interval)
            p99 = report.pipeline_ms.p99 if report.pipeline_ms else None
            self._keep(cell.changed(state="sustained", fps=fps, p99_ms=p99))
        return found

    def _keep(self, cell: Cell) -> None:
        self._store.keep_cell(cell)
        self[cell.key] = cell


def _expected(slot: Slot) -> Cell:
    """The cell before its turn; of an untrained network with what int8 costs networks of its kind."""
    cell = slot.pending()
    if cell.family is None or cell.alpha is None or cell.resolution is None:
        return cell
    if (known := expected_drift(cell.family, cell.precision)) is not None:
        told = asdict(known)
    elif cell.precision == "int8":
        row = published_accuracy(cell.family, cell.alpha, cell.resolution)
        if row is None or row.int8_top1 is None:
            return cell
        told = {"delta_pp": round(100 * (row.int8_top1 - row.top1), 2), "source": row.int8_source}
    else:
        return cell
    return cell.changed(drift=CellDrift.of(kind=EXPECTED, **told))
