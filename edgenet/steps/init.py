"""Model → card: what its file says is filled in, what only its trainer knows stands there as a question."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgenet.cards.answer import answered
from edgenet.cards.draft import Draft, Line
from edgenet.cards.preset import Preset, presets
from edgenet.cards.questions import OPEN
from edgenet.errors import DataError, ModelError
from edgenet.files import write_output
from edgenet.imageset import ImageSet
from edgenet.labels import check_names, read_labels
from edgenet.network import Network
from edgenet.notebook import Grid, Shown
from edgenet.progress import Progress, silent
from edgenet.steps.first_draft import first_draft, own_task
from edgenet.steps.propose import Proposals, propose
from edgenet.steps.proposed import proposed
from edgenet.steps.source import Source, model_path, read_quantized
from edgenet.steps.taken import images_of
from edgenet.task import Task
from edgenet.verify.card_scores import CardScores

__all__ = ["Card", "init"]


@dataclass(frozen=True)
class Card(Shown):
    """The result of :func:`init`.

    Attributes:
        path: Where it was written.
        draft: Its keys, with where each is from.
        proposals: What labeled images say; ``None`` without any.
        notes: What a user should know, one sentence each.
    """

    path: Path
    draft: Draft
    proposals: Proposals | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        asked = f"open: {', '.join(self.open)}" if self.open else "nothing is open"
        return f"<Card {self.path}, {asked}>"

    def _rows(self) -> Mapping[str, Any]:
        return {"file": self.path, "open": self.open or "nothing", "notes": self.notes}

    def _grids(self) -> Sequence[Grid]:
        rows = [
            [key, line.value, line.why] for key, line in self.draft.lines.items() if line.value is not None
        ]
        return (Grid(("key", "answer", "from"), rows),)

    @property
    def open(self) -> tuple[str, ...]:
        """The keys that are still questions."""
        return self.draft.open

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        lines = self.draft.lines
        return {
            "card": str(self.path),
            "answers": {key: line.value for key, line in lines.items() if line.value not in (None, OPEN)},
            "from": {key: line.why for key, line in lines.items() if line.value not in (None, OPEN)},
            "open": list(self.open),
            "proposals": self.proposals.to_table() if self.proposals else None,
            "notes": list(self.notes),
        }


def init(
    model: Source,
    like: Preset | Path | str | None = None,
    images: ImageSet | Path | str | None = None,
    labels: Path | str | None = None,
    output: Path | str | None = None,
    accept: bool = False,
    force: bool = False,
    progress: Progress = silent,
) -> Card:
    """Write the card of a model.

    Args:
        model: A file in any form that edgenet reads; what is loaded already has a card.
        like: What answers the questions that the file leaves open: a preset, its name or its path.
        images: Labelled images that tell which answers are plausible; they give the names of the classes too.
        labels: A file of class names.
        output: The card; default is the model's path with the suffix ``.toml``.
        accept: Whether to write what the images propose as the answer; else it stays a question.
        force: Whether to write over a card that is there.
        progress: Called for every stage.

    Raises:
        ModelError: The model cannot be read, or has a card already.
        LibraryError: There is no such preset.
        DataError: The images cannot be used.

    Examples:
        >>> edgenet.init("mobilenet.onnx", like="keras", force=True)
        <Card mobilenet.toml, nothing is open>
    """
    path = _file(model)
    written = Path(output) if output else path.with_suffix(".toml")
    if written.exists() and not force:
        raise ModelError(f"{written}: exists already", "give --force to overwrite it")
    preset = Preset.load(like) if isinstance(like, Path | str) else like
    given = images_of(images, "calib")
    progress("reading the model", 0, None)
    network = Network.read(path)
    task, draft, notes = own_task(network), first_draft(network), network.notes
    asked = draft
    if preset is not None:
        draft, told = answered(draft, preset)
        notes = (*notes, *told)
    if labels is not None:
        draft = _listed(draft, task, Path(labels))
    found = None
    if given is not None:
        if task is not None and labels is None:
            draft = _named(draft, task, task.class_names(given), given.folder.resolve().name)
        scores = _scores(draft, network, task, given, progress)
        known = (*((preset,) if preset else ()), *(item for item in presets() if not item.detection))
        found = propose(draft, asked.open, scores, known)
    if given is not None and found is not None:
        draft, told = proposed(asked, draft, found, given.folder.resolve().name, accept)
        notes = (*notes, *told)
    write_output(written, draft.text().encode())
    return Card(written, draft, found, notes)


def _file(model: Source) -> Path:
    if isinstance(model, str | os.PathLike):
        path = Path(model)
        if model_path(path) != path or (path.is_file() and read_quantized(path) is not None):
            raise ModelError(f"{path}: already contains its card", "give it to edgenet compile as it is")
        return path
    name = getattr(model, "name", type(model).__name__)
    raise ModelError(f"{name}: is in memory, a card stands beside a file", "give the path of its file")


def _listed(draft: Draft, task: Task | None, file: Path) -> Draft:
    """With the names of a file."""
    if task is None:
        raise ModelError(
            f"{file}: what the network gives is open", "leave --labels out, and answer that first"
        )
    names = read_labels(file)
    named = _named(draft, task, names, file.name)
    if named is draft and (wrong := replace(task, labels=names).check(draft.values)):
        raise ModelError(f"{file}: {wrong[0]}", wrong[1])
    return named


def _named(draft: Draft, task: Task, names: Sequence[str], where: str) -> Draft:
    """With the names of the classes, where they are as many as the network has, or one less: a background."""
    fits = (
        offset
        for offset in (0, 1)
        if names and replace(task, labels=tuple(names), label_offset=offset).check(draft.values) is None
    )
    if (offset := next(fits, None)) is None:
        return draft
    check_names(names, where)
    top = {**draft.top, "labels": Line(list(names), f"read: {where}", draft.top["labels"].above)}
    if offset:
        told = Line(offset, f"read: {draft.values} outputs for {len(names)} classes")
        top = {"task": top.pop("task"), "output": top.pop("output"), **top, "label_offset": told}
        top = {**top, "labels": top.pop("labels")}
    return replace(draft, top=top)


def _scores(
    draft: Draft, network: Network, task: Task | None, images: ImageSet, progress: Progress
) -> CardScores:
    if task is None or draft.lines["size"].value == OPEN:
        raise DataError(
            f"{network.path.name}: what it gives or what size it sees is open, so images cannot tell more",
            "leave --images out and answer that first",
        )
    labels = draft.top.get("labels", Line(None)).value or ()
    offset = draft.top.get("label_offset", Line(0)).value
    task = replace(task, labels=tuple(labels), label_offset=offset if offset in (0, 1) else 0)
    height, width = draft.lines["size"].value
    if (height, width) != network.size:
        network = Network.read(network.path, (height, width))
    try:
        return CardScores(network.fed(task), images, progress)
    except DataError:
        named, classes = task.class_names(images), task.classes(network.values)
        if labels or not named or len(named) == classes:
            raise
        raise DataError(
            f"{images.folder}: its images are of {len(named)} classes, and the network has {classes}",
            "give --labels FILE with the names of all classes, one on each line in the order of the outputs",
        ) from None
