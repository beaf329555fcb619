"""How fast a stage goes, and how long it still takes."""

from __future__ import annotations

import re
import time

from edgenet.figures import duration

__all__ = ["Pace"]

UNIT = re.compile(r" \(([A-Za-z]+)\)\Z")
# What is told before so many seconds, or before so much was done, would be a guess.
SOONEST_S = 1.0


class Pace:
    """One stage of the work.

    Args:
        stage: As a :data:`edgenet.progress.Progress` is told it: "calibrating (images)".
        done: How much was done when it was first told of.
        now: ``time.monotonic()``, s.

    Attributes:
        name: The stage without the unit.
        unit: What is counted; empty where nothing is.
        seconds: How long it has lasted.
    """

    def __init__(self, stage: str, done: int, now: float) -> None:
        self.stage, found = stage, UNIT.search(stage)
        self.name, self.unit = (stage[: found.start()], found[1]) if found else (stage, "")
        self._first, self._began, self.seconds = done, now, 0.0
        self._done, self._total = done, None  # type: tuple[int, int | None]

    def update(self, done: int, total: int | None, now: float | None = None) -> None:
        """Take notice of how far it is."""
        self._done, self._total = done, total
        self.seconds = (time.monotonic() if now is None else now) - self._began

    @property
    def count(self) -> str:
        """How far it is: "120/500 images", "1.2/8.0 MB"; empty where nothing is counted."""
        if self.unit == "kB":
            done, total = self._done / 1e3, None if self._total is None else self._total / 1e3
            return f"{done:.1f} MB" if total is None else f"{done:.1f}/{total:.1f} MB"
        if not self._total and not self._done:
            return ""
        of = f"/{self._total}" if self._total else ""
        return f"{self._done}{of} {self.unit}".rstrip()

    @property
    def rate(self) -> str:
        """How much in a second: "45 images/s", "3.2 MB/s"; empty where it is not known, or is time itself."""
        per_s = self._per_s
        if per_s is None or self.unit in ("", "s"):
            return ""
        if self.unit == "kB":
            return f"{per_s / 1e3:.1f} MB/s"
        return f"{per_s:.3g} {self.unit}/s" if per_s < 100 else f"{per_s:.0f} {self.unit}/s"

    @property
    def left(self) -> str:
        """How long it still takes at this rate: "8 s left"; empty where that is not known."""
        per_s = 1.0 if self.unit == "s" else self._per_s
        if not per_s or not self._total or self._done >= self._total:
            return ""
        return f"{duration((self._total - self._done) / per_s)} left"

    @property
    def words(self) -> str:
        """The stage, how far it is, how fast and how long still, in one line."""
        parts = [text for text in (self.count, self.rate, self.left) if text]
        return f"{self.name}: {', '.join(parts)}" if parts else self.name

    @property
    def _per_s(self) -> float | None:
        moved = self._done - self._first
        return moved / self.seconds if moved > 0 and self.seconds >= SOONEST_S else None
