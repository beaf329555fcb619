"""On which boards of a fleet a command is still to be done: what ``--retry`` asks for."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterable, Sequence

from edgenet.board import Board
from edgenet.errors import LibraryError
from edgenet.files import cache_dir, read_regular, sha256, write_atomic
from edgenet.locks import locked

__all__ = ["Failed"]

MAX_BYTES = 4 << 20


class Failed:
    """The boards on which one command, on one fleet and with the same bundles, is not done.

    It is a small file of the user's cache. A board is in it from when the command begins there until it
    succeeded, so that an interrupted run is retried too.

    Args:
        source: What names the fleet.
        verb: The command's name.
        key: What else makes a run the same: digests of bundles.
    """

    def __init__(self, source: str, verb: str, key: Sequence[str] = ()) -> None:
        self._verb, self._lock = verb, threading.Lock()
        digest = sha256(json.dumps([source, verb, sorted(key)]).encode())
        self._path = cache_dir() / "fleets" / f"{digest[:32]}.json"

    def of(self, boards: Sequence[Board]) -> tuple[Board, ...]:
        """Those of some boards on which it is not done, in their order.

        Raises:
            LibraryError: It never ran.
        """
        names = self._read()
        if names is None:
            raise LibraryError(
                f"no edgenet {self._verb} on these boards, of these bundles, is remembered",
                "run the command on all of them first",
            )
        return tuple(board for board in boards if str(board) in names)

    def begin(self, boards: Iterable[Board]) -> None:
        """It begins on these boards."""
        self._write({str(board) for board in boards}, set())

    def done(self, board: Board) -> None:
        """It succeeded on a board."""
        self._write(set(), {str(board)})

    def _write(self, more: set[str], fewer: set[str]) -> None:
        """What cannot be kept is not: a full disk here is no reason not to deploy."""
        with self._lock, contextlib.suppress(OSError), locked(self._path):
            names = sorted(((self._read() or set()) | more) - fewer)
            write_atomic(self._path, json.dumps(names, indent=1).encode())

    def _read(self) -> set[str] | None:
        """The names; ``None`` where nothing is remembered, or not as it was written."""
        try:
            found = json.loads(read_regular(self._path, MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            return None
        return {item for item in found if isinstance(item, str)} if isinstance(found, list) else None
