"""What a sweep has done, in its folder: each cell and each build in a file that is named by what made it.

So a sweep that was ended, however it was, goes on where it stopped, and nothing is done twice. A file is
written whole or not at all; one that cannot be read is made again.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgenet.errors import DataError, EdgenetError
from edgenet.files import read_regular, sha256, write_output
from edgenet.json_file import json_bytes
from edgenet.json_value import NotNegative
from edgenet.locks import exclusive
from edgenet.record import Record
from edgenet.report import Report
from edgenet.swept import Cell, CellAccuracy, CellDrift

__all__ = ["BuildNote", "Store"]

MAX_BYTES = 256_000_000
_R = TypeVar("_R", bound=Record)


@dataclass(frozen=True, kw_only=True)
class BuildNote(Record):
    """What came of a build.

    Attributes:
        failure: Why there is no bundle.
        bundle: sha256 of its file.
        size_bytes: Of the artifact.
        top1, drift: Measured on this machine; ``None`` without validation images.
        scores: How right the answer to each of these is, 0 to 1.
        seconds: That it took.
    """

    failure: str | None = None
    bundle: str | None = None
    size_bytes: int | None = None
    top1: CellAccuracy | None = None
    drift: CellDrift | None = None
    scores: tuple[float, ...] | None = None
    seconds: NotNegative = 0.0


class Store:
    """The folder of a sweep.

    Args:
        folder: Made where it is not there.
        fresh: Whether what lies there is not taken up.

    Raises:
        DataError: It cannot be written.
    """

    def __init__(self, folder: Path | str, fresh: bool = False) -> None:
        self.folder, self._fresh = Path(folder), fresh
        self._made: set[Path] = set()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep other sweeps out of the folder.

        Raises:
            DataError: Another one is at work there, or it cannot be written.
        """
        holding = contextlib.ExitStack()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            holding.enter_context(exclusive(self.folder / ".sweep.lock"))
        except BlockingIOError:
            raise DataError(
                f"{self.folder}: another sweep is running there",
                "wait for it, or choose another folder with -o",
            ) from None
        except OSError as error:
            raise DataError(
                f"{self.folder}: cannot be written ({error.strerror})", "free space, or choose another folder"
            ) from None
        with holding:
            yield

    # -- builds

    def build(self, key: str) -> BuildNote | None:
        """A build that was done, with its bundle whole."""
        note = self._read(self._path("builds", key, "json"), BuildNote)
        if note is not None and note.bundle is not None and self._bundle(key, note.bundle) is None:
            return None
        return note

    def bundle(self, key: str) -> bytes:
        """The file of a build that :meth:`build` knows.

        Raises:
            DataError: Somebody removed or changed it meanwhile.
        """
        note = self._read(self._path("builds", key, "json"), BuildNote)
        data = self._bundle(key, note.bundle) if note and note.bundle else None
        if data is None:
            raise DataError(
                f"{self.bundle_path(key)}: removed or changed while the sweep ran", "run it again"
            )
        return data

    def bundle_path(self, key: str) -> Path:
        """Where a bundle lies."""
        return self._path("bundles", key, "edgenet")

    def keep_build(self, key: str, note: BuildNote, bundle: bytes | None) -> None:
        """Keep a build; its bundle first, so that no note speaks of one that is not there.

        Raises:
            DataError: It cannot be written.
        """
        if bundle is not None:
            self._write(self.bundle_path(key), bundle)
        self._write(self._path("builds", key, "json"), json_bytes(note.to_table()))

    def _bundle(self, key: str, digest: str) -> bytes | None:
        try:
            data = read_regular(self.bundle_path(key), MAX_BYTES)
        except OSError:
            return None
        return data if sha256(data) == digest else None

    # -- cells

    def cell(self, key: str) -> Cell | None:
        """A cell as it was left."""
        found = self._read(self._path("cells", key, "json"), Cell)
        return found if found is not None and found.key == key else None

    def keep_cell(self, cell: Cell) -> None:
        """Keep a cell.

        Raises:
            DataError: It cannot be written.
        """
        self._write(self._path("cells", cell.key, "json"), json_bytes(cell.to_table()))

    def keep_report(self, key: str, report: Report) -> str:
        """Keep a long run's report; its path within the folder.

        Raises:
            DataError: It cannot be written.
        """
        path = self._path("reports", key, "json")
        self._write(path, json_bytes(report.to_table()))
        return path.relative_to(self.folder).as_posix()

    # -- files

    def _path(self, kind: str, key: str, suffix: str) -> Path:
        return self.folder / kind / f"{key}.{suffix}"

    def _write(self, path: Path, data: bytes) -> None:
        write_output(path, data)
        self._made.add(path)

    def _read(self, path: Path, kind: type[_R]) -> _R | None:
        """What a file holds; ``None`` where it is not there or holds something else."""
        if self._fresh and path not in self._made:
            return None
        try:
            return kind.from_table(json.loads(read_regular(path, MAX_BYTES)), str(path))
        except (OSError, ValueError, RecursionError, EdgenetError):
            return None
