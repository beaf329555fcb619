"""Watching one wait: who falls silent is given up, and people learn what is waited for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from edgenet.devices.deadlines import LIVELY_BYTES, Limit
from edgenet.errors import ConnectionLost

__all__ = ["Watch"]

_TICK_S = 0.5
_AGAIN = "check its power and network, and what else runs there; then run this again"


class Watch:
    """Ends a connection when a limit is over; entered for as long as the wait may last.

    Only time that is spent within ``waiting`` counts, and none in which this process itself did not run.

    Args:
        name: The board.
        limit: What is waited for, and how long.
        news_s: When to tell people.
        cut: Ends the connection, so that every read and write on it returns.
        tell: Takes the line for people, from a thread of its own.

    Attributes:
        error: Why the connection was ended, or None.
    """

    def __init__(
        self, name: str, limit: Limit, news_s: float, cut: Callable[[], None], tell: Callable[[str], None]
    ) -> None:
        self._name, self._limit, self._news_s, self._cut, self._tell = name, limit, news_s, cut, tell
        self._lock, self._over = threading.Lock(), threading.Event()
        self._waiting = self._bytes = 0
        self._silent = self._quiet = self._all = 0.0
        self._stopped = False
        self.error: ConnectionLost | None = None
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Within it this end waits for the other one; from any thread."""
        with self._lock:
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1

    def moved(self, size: int) -> None:
        """So many bytes came or went; some thousand of them are a sign of life."""
        with self._lock:
            self._bytes += size
            if self._bytes >= LIVELY_BYTES and not self._stopped:
                self._bytes, self._silent = 0, 0.0

    def beat(self, stopped: bool) -> None:
        """The agent is there; ``stopped``: a process it waits for is not, so this is no sign of life."""
        with self._lock:
            self._stopped = stopped
            if not stopped:
                self._bytes, self._silent = 0, 0.0

    def news(self) -> None:
        """Something came that tells more than a beat does."""
        self.beat(False)
        with self._lock:
            self._quiet = 0.0

    def hurry(self, what: str) -> None:
        """From now on it may take no longer than silence may, whatever it says."""
        with self._lock:
            self._limit = Limit(what, self._limit.silence_s, self._all + self._limit.silence_s)

    def _run(self) -> None:
        tick = min(_TICK_S, self._limit.silence_s / 10, self._news_s / 4)
        last = time.monotonic()
        while not self._over.wait(tick):
            now = time.monotonic()
            passed, last = min(now - last, 4 * tick), now
            with self._lock:
                told = self._quiet >= self._news_s
                if self._waiting:
                    self._silent, self._quiet, self._all = (
                        before + passed for before in (self._silent, self._quiet, self._all)
                    )
                tell = self._quiet >= self._news_s and not told
                self.error = self._judge()
            if self.error is not None:
                self._cut()
                return
            if tell:
                self._tell(f"waiting for {self._limit.what}")

    def _judge(self) -> ConnectionLost | None:
        what, silence_s, total_s = self._limit
        if total_s is not None and self._all >= total_s:
            return ConnectionLost(
                f"{self._name} took too long: waited {total_s:.0f} s in all for {what}", _AGAIN
            )
        if self._silent < silence_s:
            return None
        if self._stopped:
            return ConnectionLost(
                f"{self._name} does not continue: waited {silence_s:g} s for {what}, "
                "whose process there is stopped",
                "end that process or let it continue (kill -CONT), then run this again",
            )
        return ConnectionLost(f"{self._name} stopped responding: waited {silence_s:g} s for {what}", _AGAIN)
