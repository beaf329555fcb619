"""A model's card: what ``MODEL.toml`` says beside ``MODEL.onnx``."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenet.drift import CLASSIFICATION
from edgenet.errors import ModelError
from edgenet.labels import check_names
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
class ModelCard:
    """How a model is fed and read.

    Attributes:
        task: How its answers are read.
        preprocessing: How it is fed.
    """

    task: Task
    preprocessing: Preprocessing


def read_card(path: Path) -> ModelCard:
    """Read a model card.

    Raises:
        ModelError: The file is missing, not TOML, or a value is not valid.
    """
    text = read_text(path, ModelError, "give --preprocessing FILE", MAX_CARD)
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: TOML's own, and numbers of too many digits
        raise ModelError(f"{path}: not valid TOML ({cause(error)})", "correct the file") from None
    if not isinstance(table.get("preprocessing"), dict):
        near = difflib.get_close_matches("preprocessing", table, 1)
        raise ModelError(
            f"{path}: no [preprocessing] table",
            f"write [preprocessing] in place of {near[0]!r}"
            if near
            else "say how the network is fed (docs/preprocessing.md)",
        )
    return ModelCard(_task(table, path), Preprocessing.from_table(table["preprocessing"], str(path)))


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
        raise ModelError(f"{path}: {given[0]} is not a list of names", "write one string a class")
    check_names(labels, str(path))
    return tuple(labels)
