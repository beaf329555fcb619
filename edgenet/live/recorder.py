"""What the user keeps of a demo: snapshots with their answers, recorded frames, every answer as a line."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from edgenet.errors import DataError
from edgenet.files import write_atomic

__all__ = ["Recorder"]

# Pictures of each kind that are kept of one demo: its board may not fill this machine's disk.
MOST = 2000
_NAME = re.compile(r"(snapshot|drift)-\d{6,}\.(jpg|png)\Z")


class Recorder:
    """Writes what a board sends; a context manager.

    Args:
        folder: For ``snapshots/`` (picture, JSON) and ``drift/`` (pictures, for ``compile --calibration``).
        answers: File for every answer, a stream that is open, or ``None``.

    Raises:
        DataError: A file cannot be written.
    """

    # Where collected frames go, within the folder.
    DRIFT = "drift"

    def __init__(self, folder: Path, answers: Path | TextIO | None) -> None:
        self._folder = folder
        self._path = answers if isinstance(answers, Path) else None
        self._stream = None if isinstance(answers, Path) else answers
        self._saved = {"snapshot": 0, "drift": 0}
        self._left_out = 0

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._stream = self._path.open("w", encoding="utf-8")
            except OSError as error:
                raise DataError(
                    f"{self._path}: cannot be written ({error.strerror})", "choose another"
                ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None and self._path is not None:
            with contextlib.suppress(OSError):  # what was not written was told when it was to be
                self._stream.close()

    def save(self, name: str, frame: int | None, answers: Sequence[Any], body: bytes) -> str | None:
        """Keep a picture and what was answered to it, or say why that cannot be.

        Names that are not ours and pictures over `MOST` go.
        """
        found = _NAME.fullmatch(name)
        if not found or self._saved[found[1]] >= MOST:
            self._left_out += 1
            return None
        folder = self._folder / ("snapshots" if found[1] == "snapshot" else self.DRIFT)
        path = _free(folder / found[0])
        try:
            write_atomic(path, body)
            if found[1] == "snapshot":
                text = json.dumps({"frame": frame, "answers": answers}, indent=1)
                write_atomic(path.with_suffix(".json"), text.encode())
        except OSError as error:
            self._left_out += 1
            return f"{folder}: cannot be written ({error.strerror})"
        self._saved[found[1]] += 1
        return None

    def answers(self, found: Sequence[Any]) -> None:
        """Keep answers, one line each, at once: a program may wait for them.

        Raises:
            DataError: Their file cannot be written.
        """
        if self._stream is None:
            return
        try:
            self._stream.writelines(json.dumps(answer) + "\n" for answer in found)
            self._stream.flush()
        except OSError as error:
            if self._path is None:
                raise
            raise DataError(
                f"{self._path}: cannot be written ({error.strerror})", "make room, or choose another"
            ) from None

    def kept(self) -> dict[str, Any]:
        """``snapshots``, ``drift`` (how many), ``folder`` (``None`` where nothing was kept), ``left_out``."""
        some = any(self._saved.values())
        return {
            "snapshots": self._saved["snapshot"],
            "drift": self._saved["drift"],
            "folder": str(self._folder) if some else None,
            **({"left_out": self._left_out} if self._left_out else {}),
        }


def _free(path: Path) -> Path:
    """A name that no picture has: every demo counts its frames from 0, and those of earlier ones stay."""
    names = itertools.chain([path.name], (f"{path.stem}-{n}{path.suffix}" for n in itertools.count(2)))
    return next(free for name in names if not (free := path.with_name(name)).exists())
