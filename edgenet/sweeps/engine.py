"""Where a sweep's jobs are worked on: here, one after another, or by the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Engine", "Here", "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """What came of one job.

    Attributes:
        index: Of the job.
        value: What the work returned; ``None`` where it failed.
        error: What it raised.
    """

    index: int
    value: Any = None
    error: BaseException | None = None


class Engine(Protocol):
    """Runs jobs, which are plain picklable values, by a function of a module."""

    def run(
        self, work: Callable[[Any], Any], jobs: Sequence[Any], board: str | None = None
    ) -> Iterator[Outcome]:
        """Each job's outcome when it is there, in any order.

        Args:
            work: A function of a module that takes a job.
            jobs: For it.
            board: The board that the jobs need for themselves: one job at a time, on a worker that has it.
        """
        ...

    def close(self) -> None:
        """End what was started."""
        ...


class Here:
    """In this process, in order."""

    def run(
        self,
        work: Callable[[Any], Any],
        jobs: Sequence[Any],
        board: str | None = None,  # noqa: ARG002
    ) -> Iterator[Outcome]:
        """As :meth:`Engine.run`; a board needs no guard, for nothing runs at once."""
        for index, job in enumerate(jobs):
            try:
                yield Outcome(index, work(job))
            except Exception as error:  # the sweep decides what a failed cell means
                yield Outcome(index, error=error)

    def close(self) -> None:
        """Nothing was started."""
