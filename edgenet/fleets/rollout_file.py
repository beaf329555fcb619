"""The file that a rollout resumes from: locked against a second rollout, written at every step."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from edgenet.errors import DataError, DeviceError
from edgenet.files import check_output
from edgenet.fleets.rollout_state import SCHEMA, Rollout, RolloutBoard
from edgenet.json_file import check_schema, read_json, write_json
from edgenet.json_value import Where
from edgenet.locks import exclusive

__all__ = ["RolloutFile", "held", "saved_rollout"]

MAX_BYTES = 64 << 20
ANEW = "give another --state, or remove this file if nothing in it is needed"


def saved_rollout(path: Path) -> Rollout | None:
    """What a state file holds; ``None`` where there is none.

    Raises:
        DataError: It is no rollout's, or damaged.
    """
    if not path.exists():
        return None
    values = read_json(path, "rollout", MAX_BYTES, ANEW)
    check_schema(values, SCHEMA, path, ANEW)
    return Rollout.from_table(values, Where(str(path), remedy=ANEW))


class RolloutFile:
    """A rollout under way, in memory and in its file; both are the same after every change.

    Args:
        path: Of the file; ``None`` where nothing is kept.
        rollout: How far it is.
    """

    def __init__(self, path: Path | None, rollout: Rollout) -> None:
        self._path, self._lock = path, threading.RLock()
        self._rollout, self._closed = rollout, False
        self._broken: DataError | None = None

    @property
    def rollout(self) -> Rollout:
        """How far it is now."""
        with self._lock:
            return self._rollout

    def write(self, change: Callable[[Rollout], Rollout]) -> Rollout:
        """Change it: first the file, then what others see.

        Raises:
            DataError: It cannot be written; nothing changed, and nothing will.
            DeviceError: The rollout has ended: a thread that was left behind may not touch its board.
        """
        with self._lock:
            if self._broken is not None:
                raise self._broken
            if self._closed:
                raise DeviceError("the rollout was ended", "run the same command again")
            changed = change(self._rollout)
            if self._path is not None:
                self._save(self._path, changed)
            self._rollout = changed
            return changed

    def _save(self, path: Path, rollout: Rollout) -> None:
        try:
            write_json(path, rollout.to_table())
        except DataError as error:
            self._broken = error
            raise

    def put(self, row: RolloutBoard) -> RolloutBoard:
        """Put a board's row in place of the one it had."""
        self.write(lambda rollout: rollout.with_row(row))
        return row

    def claim(self, name: str, id_: str | None) -> None:
        """Note which board answers to a name.

        Raises:
            DeviceError: It answers to another name of this rollout too.
        """

        def claimed(rollout: Rollout) -> Rollout:
            twin = next((row for row in rollout.boards if row.id == id_ and row.board != name), None)
            if id_ is not None and twin is not None:
                raise DeviceError(
                    f"{name} and {twin.board} are one board",
                    "take one of the two names out of the fleet",
                )
            row = rollout.row(name)
            return rollout if row.id is not None else rollout.with_row(row.changed(id=id_))

        self.write(claimed)

    def close(self) -> None:
        """Let nobody write any more."""
        with self._lock:
            self._closed = True


@contextlib.contextmanager
def held(path: Path | None) -> Iterator[None]:
    """Hold a state file, or refuse where another rollout holds it.

    Raises:
        DataError: Another one holds it, or it cannot be written.
    """
    if path is None:
        yield
        return
    check_output(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(path.with_name(f".{path.name}.lock")))
        except BlockingIOError:
            raise DataError(
                f"{path}: another rollout is under way with it", "wait until it is done, or end it"
            ) from None
        except OSError as error:
            reason = f"{path}: cannot be written ({error.strerror})"
            raise DataError(reason, "choose another place") from None
        yield
