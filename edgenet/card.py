"""A model's card: what ``MODEL.toml`` says beside ``MODEL.onnx``."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenet.cards.draft import Draft, Line
from edgenet.cards.questions import ANSWERS, open_keys
from edgenet.drift import CLASSIFICATION
from edgenet.errors import ModelError
from edgenet.files import write_output
from edgenet.labels import check_names
from edgenet.notebook import Shown
from edgenet.pages import page
from edgenet.preprocessing import Preprocessing
from edgenet.task import Task, load_task
from edgenet.tasks import task_names
from edgenet.text import cause
from edgenet.text_file import read_text

__all__ = ["ModelCard", "read_card"]

MAX_CARD = 8 << 20
NAMES = ("labels", "classes")
KEYS = ("task", "output", "label_offset", *NAMES, "preprocessing")


@dataclass(frozen=True)
class ModelCard(Shown):
    """How a model is fed and read.

    Attributes:
        task: How its answers are read.
        preprocessing: How it is fed.
    """

    task: Task
    preprocessing: Preprocessing

    def __repr__(self) -> str:
        height, width = self.preprocessing.size
        return f"<ModelCard {self.task.name}, {self.task.output}, {height}x{width}>"

    def _rows(self) -> Mapping[str, Any]:
        known = {"task": self.task.name, "gives": self.task.output, "labels": self.task.labels}
        return {**known, **self.preprocessing.to_table()}

    def to_text(self) -> str:
        """The card as a file: what :func:`read_card` reads as this."""
        task = self.task
        top: dict[str, Any] = {"task": task.name, "output": task.output}
        top |= {"label_offset": task.label_offset} if task.label_offset else {}
        top |= {"labels": task.labels} if task.labels else {}
        return Draft(
            (f"How the model beside it is fed and read; {page('preprocessing')} explains every key.",),
            {key: Line(value) for key, value in (top | dict(task.settings)).items()},
            {key: Line(value) for key, value in self.preprocessing.to_table().items()},
        ).text()

    def write(self, path: Path | str) -> Path:
        """Write the card, all of it or nothing.

        Raises:
            DataError: It cannot be written.
        """
        return write_output(path, self.to_text().encode())


def read_card(path: Path) -> ModelCard:
    """Read a model card.

    Raises:
        ModelError: The file is missing, not TOML, a question in it is open, or a value is not valid.
    """
    text = read_text(path, ModelError, "give --preprocessing FILE", MAX_CARD)
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: TOML's own, and numbers of too many digits
        raise ModelError(f"{path}: not valid TOML ({cause(error)})", "correct the file") from None
    _check_answered(table, text, path)
    if not isinstance(table.get("preprocessing"), dict):
        near = difflib.get_close_matches("preprocessing", table, 1)
        raise ModelError(
            f"{path}: no [preprocessing] table",
            f"write [preprocessing] in place of {near[0]!r}"
            if near
            else f"say how the network is fed ({page('preprocessing')})",
        )
    return ModelCard(_task(table, path), Preprocessing.from_table(table["preprocessing"], str(path)))


def _check_answered(table: Mapping[str, Any], text: str, path: Path) -> None:
    """Refuse a card of ``edgenet init`` in which a question is open."""
    if still := open_keys(table):
        first, *others = still
        also = (
            f", and so are {', '.join(others)}"
            if len(others) > 1
            else f", and so is {others[0]}"
            if others
            else ""
        )
        answer = ANSWERS.get(first, "write its value")
        raise ModelError(
            f"{path}{_line(text, first)}: {first} is an open question{also}",
            f'{answer} in place of "?" ({page("troubleshooting", "open-question-in-the-card")})',
        )


def _line(text: str, key: str) -> str:
    """Where a key stands, as words; nothing where it is written in an unusual way."""
    written = re.compile(rf"\s*{re.escape(key)}\s*=")
    found = (number for number, line in enumerate(text.splitlines(), 1) if written.match(line))
    return f", line {number}" if (number := next(found, None)) else ""


def _task(table: Mapping[str, Any], path: Path) -> Task:
    name = table.get("task", CLASSIFICATION)
    if name not in task_names():
        raise ModelError(f"{path}: task {name!r} is not supported", f"write one of {', '.join(task_names())}")
    names = _names(table, path)
    kind = load_task(name).meant(table.get("output"), len(names))
    keys = (*KEYS, *kind.settings_keys)
    if unknown := sorted(set(table) - set(keys)):
        near = difflib.get_close_matches(unknown[0], keys, 1)
        remedy = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(sorted(keys))}"
        raise ModelError(f"{path}: does not know {unknown[0]!r}", remedy)
    output = table.get("output", kind.outputs[0])
    output, offset = kind.synonyms.get(str(output), output), table.get("label_offset", 0)
    if output not in kind.outputs:
        raise ModelError(f"{path}: output = {output!r}", f"write one of {', '.join(kind.outputs)}")
    if not isinstance(offset, int) or isinstance(offset, bool) or not 0 <= offset <= 1:
        raise ModelError(f"{path}: label_offset = {offset!r}", "write 0, or 1 for a background class")
    own = {key: table[key] for key in kind.settings_keys if key in table}
    settings = kind.read_settings(own, lambda what, remedy: ModelError(f"{path}: {what}", remedy))
    return kind(output, names, offset, settings)


def _names(table: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    """Class names: ``labels``, which some call ``classes``."""
    given = [key for key in NAMES if key in table]
    if len(given) > 1:
        raise ModelError(f"{path}: labels and classes say the same", "leave classes out")
    labels = table[given[0]] if given else []
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ModelError(f"{path}: {given[0]} is not a list of names", "write one string for each class")
    check_names(labels, str(path))
    return tuple(labels)
