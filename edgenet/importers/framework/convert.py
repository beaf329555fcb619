"""One conversion: a script in the framework's own Python writes a file that edgenet reads."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgenet.errors import ModelError
from edgenet.files import irregular
from edgenet.importer import Imported
from edgenet.importers.framework import FRAMEWORK_PYTHON
from edgenet.importers.framework.interpreter import find_interpreter
from edgenet.log import log
from edgenet.text import plain

__all__ = ["Form", "convert"]

# A framework takes up to a minute to start on a slow machine, and a conversion some more.
CONVERT_S = 900.0
MAX_BYTES = 4 << 30
AUGMENTATION = b"StatelessRandom"  # operators of Keras's augmentation layers, which a converter refuses
RAISED = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Unsupported\w*): ")


@dataclass(frozen=True)
class Form:
    """How one form is converted.

    Attributes:
        what: The form, for messages, such as "a SavedModel".
        needs: The modules that the script imports.
        script: Its text; it is given the path of the model and that of the file to write.
        suffix: Of the file that it writes.
        read: What reads that file.
        by_hand: What the user runs where no Python has the modules.
    """

    what: str
    needs: Sequence[str]
    script: str
    suffix: str
    read: Callable[[Path], Imported]
    by_hand: Callable[[Path], str]


def convert(path: Path, form: Form) -> Imported:
    """Convert a model.

    The framework reads the file as it would for its user, code that the file brings along included: it is as
    trusted as its author.

    Args:
        path: The file or folder.
        form: Its form.

    Raises:
        ModelError: No Python has the framework, the framework cannot convert the model, or takes too long.
    """
    if reason := _unreadable(path):
        raise ModelError(f"{path}: cannot be read ({reason})", f"give the path of {form.what}")
    python = find_interpreter(form.needs)
    if python is None:
        raise ModelError(
            f"{path}: {form.what}, and no Python found has {' and '.join(form.needs)} to convert it",
            f"name the one that trained it in {FRAMEWORK_PYTHON}; or there {form.by_hand(path)}",
        )
    with tempfile.TemporaryDirectory(prefix="edgenet-convert-") as folder:
        made = Path(folder, "model" + form.suffix)
        _run(python, form, path, made)
        found = form.read(made)
    return Imported(found.proto, (*found.notes, f"converted from {form.what} by {python}"))


def _unreadable(path: Path) -> str:
    """Why nothing can be read there, such as a FIFO, over which a framework would wait."""
    try:
        return "" if path.is_dir() else irregular(path, MAX_BYTES)
    except OSError as error:
        return error.strerror or "no file"


def _run(python: str, form: Form, path: Path, made: Path) -> None:
    log.debug("convert %s with %s", path, python)
    try:
        done = subprocess.run(
            [python, "-c", form.script, str(path.resolve()), str(made)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CONVERT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(
            f"{path}: {python} could not convert it ({type(error).__name__})", form.by_hand(path)
        ) from None
    for line in done.stderr.decode("utf-8", "replace").splitlines():
        log.debug("%s: %s", Path(python).name, line)
    if done.returncode and AUGMENTATION in done.stderr:
        raise ModelError(
            f"{path}: {form.what} with augmentation layers, which change pictures at random, for training",
            "export the model without them: keras.Model(base.input, head(base.output)).export(…)",
        )
    if done.returncode or not made.is_file():
        raise ModelError(
            f"{path}: {form.what} that {python} cannot convert: {_last(done.stderr)}",
            f"see what it says: {form.by_hand(path)}",
        )


def _last(stderr: bytes) -> str:
    """The exception's line of a traceback, the last one that names an exception."""
    lines = [plain(line) for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    raised = [line for line in lines if RAISED.match(line)]
    return (raised or lines or ["it said nothing"])[-1][:300]
