"""Cells' bundles, and how accurate they are: each made once, kept in the sweep's folder."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edgenet.bundle import Bundle
from edgenet.drift import Drift
from edgenet.errors import ConnectionLost
from edgenet.files import sha256
from edgenet.progress import Progress
from edgenet.statistics import wilson
from edgenet.sweeps.build import Build, BuildJob, Built, build
from edgenet.sweeps.engine import Engine
from edgenet.sweeps.failure import failure
from edgenet.sweeps.images import Images
from edgenet.sweeps.slots import Slot
from edgenet.sweeps.store import BuildNote, Store
from edgenet.swept import MEASURED, CellAccuracy, CellDrift

__all__ = ["Builder"]


@dataclass(frozen=True)
class Builder:
    """Has cells built.

    Attributes:
        store: Where bundles are kept.
        engine: Who builds them.
        calibration, val: Images.
        cache: Whether quantization is shared with other calls and processes.
        progress: Called for every build.
    """

    store: Store
    engine: Engine
    calibration: Images | None
    val: Images | None
    cache: bool
    progress: Progress
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def built(self, slots: Iterable[Slot]) -> dict[str, BuildNote]:
        """What came of each build, by its key; those that are not there yet are made.

        Boards are searched at once: what one has asked for, another that asks meanwhile waits for.

        Raises:
            DataError: They cannot be kept.
            ConnectionLost: The cluster went away.
        """
        with self._turn:
            return self._built(slots)

    def _built(self, slots: Iterable[Slot]) -> dict[str, BuildNote]:
        by_key = {slot.build_key: slot for slot in slots}
        found = {key: note for key in by_key if (note := self.store.build(key)) is not None}
        groups: dict[tuple[object, ...], list[Slot]] = {}
        for key, slot in by_key.items():
            if key not in found:
                same = (slot.candidate.digest, slot.candidate.name, slot.reached.device)
                groups.setdefault(same, []).append(slot)
        jobs = sorted(groups.values(), key=lambda group: -group[0].candidate.macs)  # the longest first
        done = 0
        for outcome in self.engine.run(build, [self._job(group) for group in jobs]):
            group = jobs[outcome.index]
            for slot, note in zip(group, self._kept(group, outcome.value, outcome.error), strict=True):
                found[slot.build_key] = note
            done += len(group)
            self.progress("compiling (bundles)", done, sum(len(group) for group in jobs))
        return found

    def _job(self, group: Sequence[Slot]) -> BuildJob:
        first = group[0]
        builds = tuple(Build(slot.backend, slot.precision, slot.recipe) for slot in group)
        return BuildJob(
            model=first.candidate.source,
            target=first.reached.target,
            builds=builds,
            calibration=self.calibration,
            val=self.val,
            cache=self.cache,
        )

    def _kept(
        self, group: Sequence[Slot], value: Sequence[Built] | None, error: BaseException | None
    ) -> list[BuildNote]:
        """The notes of a job's builds, kept; what no build is to blame for is not kept, and tried again."""
        if error is not None:
            if isinstance(error, ConnectionLost) or not isinstance(error, Exception):
                raise error
            return [BuildNote(failure=failure(error)) for _ in group]
        notes = []
        for slot, made in zip(group, value or (), strict=True):
            note = _note(made)
            if not made.unforeseen:
                self.store.keep_build(slot.build_key, note, made.bundle)
            notes.append(note)
        return notes


def _note(made: Built) -> BuildNote:
    if made.bundle is None or made.failure is not None:
        return BuildNote(failure=made.failure, seconds=made.seconds)
    drift = Drift.from_table(made.drift, "build") if made.drift else None
    return BuildNote(
        bundle=sha256(made.bundle),
        size_bytes=len(Bundle.parse(made.bundle).artifact),
        top1=_accuracy(drift) if drift else None,
        drift=_lost(drift) if drift else None,
        scores=made.scores,
        seconds=made.seconds,
    )


def _accuracy(drift: Drift) -> CellAccuracy | None:
    """The headline measure of the artifact; its interval where it is a share of right answers."""
    if drift.best is None:
        return None
    right = round(drift.best * drift.images)
    share = drift.headline == "top1"
    interval = wilson(right, drift.images) if share else None
    return CellAccuracy(value=drift.best, kind=MEASURED, images=drift.images, interval=interval)


def _lost(drift: Drift) -> CellDrift:
    return CellDrift(
        kind=MEASURED,
        delta_pp=drift.delta_pp,
        interval_pp=drift.interval_pp,
        images=drift.images,
        agreement=drift.agreement,
    )
