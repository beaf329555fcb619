"""A sweep's engine whose boards are scripted: builds are real, times are said by the test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgenet.bundle import Bundle
from edgenet.facts import Facts
from edgenet.report import Report, latency
from edgenet.sweeps.board import Reached, reach
from edgenet.sweeps.build import build
from edgenet.sweeps.engine import Outcome
from edgenet.sweeps.long_run import LongJob, run_long
from edgenet.sweeps.plan import SweepPlan
from edgenet.sweeps.screening import Screened, Screening, ScreenJob, screen
from edgenet.target import Target
from tests.reports import report

ALPHAS, SIZES = (0.25, 0.5), (128, 160)
PLAN = SweepPlan(
    families=("v1",),
    alphas=ALPHAS,
    resolutions=SIZES,
    precisions=("fp32",),
    backends=("tflite",),
)
# ms of a frame; the line is 41.7 ms.
MS = {"v1-0.25-128": 10.0, "v1-0.25-160": 20.0, "v1-0.5-128": 30.0, "v1-0.5-160": 60.0}


_MADE: dict[str, Any] = {}


def made(job: Any) -> Any:
    """A build, which several tests share."""
    key = repr((job.model, job.builds, job.target.name))
    if key not in _MADE:
        _MADE[key] = build(job)
    return _MADE[key]


@dataclass
class Scripted:
    """The engine.

    Args:
        ms: Milliseconds of a frame by the network's name: (screened, run long), or one for both.
        emulated: What the boards say of themselves.
        failing: Names that the board cannot run.
        timeless: Names whose long run shows no speed that can be believed.
        events: Called before every job that needs the board, with its number; may raise.

    Attributes:
        screened, long: How many rounds, and long runs, each network had.
        built: How many builds there were.
    """

    ms: dict[str, Any] = field(default_factory=lambda: dict(MS))
    emulated: bool = False
    failing: frozenset[str] = frozenset()
    timeless: frozenset[str] = frozenset()
    events: Callable[[int], None] = lambda number: None
    screened: Counter[str] = field(default_factory=Counter)
    long: Counter[str] = field(default_factory=Counter)
    built: int = 0
    asked: int = 0

    def run(
        self, work: Callable[[Any], Any], jobs: Sequence[Any], board: str | None = None
    ) -> Iterator[Outcome]:
        for index, job in enumerate(jobs):
            try:
                yield Outcome(index, self._done(work, job, board))
            except Exception as error:
                yield Outcome(index, error=error)

    def close(self) -> None: ...

    def _done(self, work: Callable[[Any], Any], job: Any, board: str | None) -> Any:
        if work is build:
            assert board is None
            self.built += len(job.builds)
            return made(job)
        assert board is not None
        if work is reach:
            facts = Facts.of(
                cores=4, board=f"Board of {job.device}", emulated=self.emulated, machine="aarch64"
            )
            return Reached(job.device, facts, Target.load(job.target or "raspberry-pi-4"))
        self.asked += 1
        self.events(self.asked)
        return self._screen(job) if work is screen else self._long(job, work)

    def _screen(self, job: ScreenJob) -> Screening:
        return Screening(tuple(self._turn(turn.bundle, turn.rounds) for turn in job.turns))

    def _turn(self, bundle: bytes, rounds: int) -> Screened:
        name = Bundle.parse(bundle).manifest.model.name
        self.screened[name] += rounds
        if name in self.failing:
            return Screened(failure="it died there; take another", seconds=1.0)
        if self.emulated:
            return Screened(ran=True, identical=True, threads=4, seconds=1.0, memory_mb=50.0)
        ms = self._ms(name, 0)
        times = tuple(ms * (1 + 0.001 * number) for number in range(rounds))
        return Screened(times, ms / 2, ms * 1.1, 50.0, 4, 2.0 * rounds, True)

    def _long(self, job: LongJob, work: Callable[[Any], Any]) -> Report:
        assert work is run_long
        name = Bundle.parse(job.bundle).manifest.model.name
        self.long[name] += 1
        if name in self.timeless:
            return report(pipeline_ms=None, verdict={"state": "NOISY"})
        samples = np.random.default_rng(1).normal(self._ms(name, 1), 0.1, 400)
        return report(pipeline_ms={**latency(samples).to_table(), "parts": {"invoke": 1.0}})

    def _ms(self, name: str, which: int) -> float:
        given = self.ms[name]
        return float(given[which] if isinstance(given, tuple) else given)
