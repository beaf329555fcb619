"""Short rounds on one board, taking turns: which cells are near the line, and which are far from it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.connect import connect
from edgenet.devices.session import BenchResult, Session
from edgenet.errors import ConnectionLost
from edgenet.frame import Frame
from edgenet.measure.camera_case import CameraCase
from edgenet.measure.plausibility import impossible_pipeline
from edgenet.measure.verdict import throttling
from edgenet.progress import silent
from edgenet.protocol import Protocol
from edgenet.steps.stage import brought
from edgenet.sweeps.failure import failure
from edgenet.verify.expected import encoder_for, golden_images

__all__ = ["ScreenJob", "Screened", "Screening", "Turn", "screen"]

# How long a board that throttled in a cell's first round rests before that is measured again, seconds.
REST_S = 30.0


@dataclass(frozen=True)
class Turn:
    """One cell's turn: its bundle's file as bytes, the runtime's threads (0: every core), how many rounds."""

    bundle: bytes = field(repr=False)
    threads: int
    rounds: int


@dataclass(frozen=True)
class ScreenJob:
    """Cells that take turns on a board.

    Attributes:
        device: The board.
        turns: One a cell.
        rules: Of one round.
        frame: The camera's.
        photographs: That the frames are made of, encoded; the bundles' own few images where there are none.
    """

    device: str
    turns: tuple[Turn, ...]
    rules: Protocol
    frame: Frame
    photographs: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Screened:
    """What the rounds of one cell gave.

    Attributes:
        rounds_ms: Mean ms of the pipeline in each round; empty on an emulated board, and where it failed.
        model_ms: Mean ms of the network alone.
        p99_ms: Of the pipeline, over all rounds.
        memory_mb: The most that its process took.
        threads: Of the runtime.
        seconds: That it had the board for.
        ran: Whether it ran.
        identical: Whether it answered the bundle's golden images bit for bit as the host.
        failure: Why it did not, with the remedy; ``None`` also where its turn did not come.
        throttled: What the board reported meanwhile, such as "under-voltage".
    """

    rounds_ms: tuple[float, ...] = ()
    model_ms: float | None = None
    p99_ms: float | None = None
    memory_mb: float | None = None
    threads: int = 0
    seconds: float = 0.0
    ran: bool = False
    identical: bool | None = None
    failure: str | None = None
    throttled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Screening:
    """What a batch gave: one result a turn, and why it ended early where the board went away."""

    cells: tuple[Screened, ...]
    lost: str | None = None


def screen(job: ScreenJob) -> Screening:
    """Time cells in turns: one round of each, then the next, so that a clock that falls falls for all.

    A cell that cannot run is a result. An emulated board runs each once, and its times are left out.

    Raises:
        ConnectionFailed, ConnectionLost: The board cannot be reached, or went away before anything was timed.
        DataError: A photograph cannot be used.
    """
    cells = [_Cell(turn, job) for turn in job.turns]
    with connect(job.device) as agent:
        emulated, lost = agent.facts().emulated, None
        try:
            for number in range(1 if emulated else max(turn.rounds for turn in job.turns)):
                for cell in cells:
                    if number < cell.turn.rounds and not cell.failure:
                        cell.take(agent)
        except ConnectionLost as error:
            if not any(cell.rounds for cell in cells):
                raise
            lost = str(error)
    return Screening(tuple(cell.result(emulated) for cell in cells), lost)


class _Cell:
    """A cell while it is screened."""

    def __init__(self, turn: Turn, job: ScreenJob) -> None:
        self.turn, self._job = turn, job
        self.rounds: list[BenchResult] = []
        self.failure: str | None = None
        self._staged: tuple[Bundle, Mapping[str, Any]] | None = None
        self._frames: Sequence[bytes] = ()
        self._threads, self._seconds = turn.threads, 0.0
        self._throttled: set[str] = set()
        self._identical: bool | None = None

    def take(self, agent: Agent) -> None:
        """One round; a second time after a rest where the board throttled."""
        began = time.perf_counter()
        try:
            bench = self._round(agent)
            if throttling(bench.sensors) and not self._throttled:
                time.sleep(REST_S)
                bench = self._round(agent)
            self._throttled |= set(throttling(bench.sensors))
            self.rounds.append(bench)
        except ConnectionLost:
            raise
        except Exception as error:  # one cell's fault ends no other's turn
            self.failure = failure(error)
        self._seconds += time.perf_counter() - began

    def _round(self, agent: Agent) -> BenchResult:
        bundle, manifest = self._staged = self._staged or self._bring(agent)
        self._threads = self.turn.threads or agent.facts().cores
        session = agent.open(None, self._threads, manifest)
        if not self._frames:
            self._identical = _identical(session, bundle)
            frame, some = self._job.frame, self._job.photographs
            case = CameraCase.of_photographs(frame, bundle, some, session.loaded.decodes)
            self._frames = case.pictures
        rules = replace(self._job.rules, threads=self._threads)
        bench = session.bench(rules.to_table(), self._frames, frame=self._job.frame)
        session.close()
        return bench

    def _bring(self, agent: Agent) -> tuple[Bundle, Mapping[str, Any]]:
        bundle = Bundle.parse(self.turn.bundle, "bundle")
        return bundle, brought(agent, bundle, agent.name, silent)

    def result(self, emulated: bool) -> Screened:
        """What came of it."""
        if not self.rounds:
            return Screened(failure=self.failure, seconds=self._seconds)
        told = _sane(self.rounds)
        times = [bench.pipeline_ms for bench in told]
        peaks = [bench.memory_mb["peak"] for bench in self.rounds if bench.memory_mb.get("peak")]
        about = Screened(
            memory_mb=max((peak for peak in peaks if peak), default=None),
            threads=self._threads,
            seconds=self._seconds,
            ran=True,
            identical=self._identical,
            failure=self.failure,
            throttled=tuple(sorted(self._throttled)),
        )
        if emulated or not times:
            return about
        return replace(
            about,
            rounds_ms=tuple(round(float(item.mean()), 6) for item in times),
            model_ms=float(np.mean([bench.model_ms.mean() for bench in told])),
            p99_ms=float(np.percentile(np.concatenate(times), 99)),
        )


def _identical(session: Session, bundle: Bundle) -> bool | None:
    """Whether a board answers the golden images as the host did; ``None`` where there are none."""
    encode = encoder_for(session.loaded.decodes, bundle.manifest.preprocessing)
    answers = list(session.replay(golden_images(bundle, encode)))
    if not answers:
        return None
    return bool(np.array_equal([item.output for item in answers], bundle.array("golden/artifact.npy")))


def _sane(rounds: Sequence[BenchResult]) -> list[BenchResult]:
    """The rounds whose figures do not contradict each other."""
    return [bench for bench in rounds if impossible_pipeline(bench) is None]
