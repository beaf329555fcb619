"""Model → card: what its file says is filled in, and what only its trainer knows stands there as a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgenet.cards.answer import answered, without_idle
from edgenet.cards.draft import Draft, Line
from edgenet.cards.preset import Preset
from edgenet.cards.questions import OPEN
from edgenet.errors import DataError, ModelError
from edgenet.figures import share
from edgenet.files import write_output
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.network import Network
from edgenet.progress import Progress, silent
from edgenet.steps.first_draft import first_draft, own_task
from edgenet.steps.propose import Proposals, propose
from edgenet.steps.source import read_quantized
from edgenet.task import load_task
from edgenet.verify.card_scores import CardScores

__all__ = ["Card", "init"]

# Keys beside which a proposal is written, by its question.
BESIDE = {"normalization": "mean", "framing": "resize"}


@dataclass(frozen=True)
class Card:
    """The result of :func:`init`.

    Attributes:
        path: Where it was written.
        draft: Its keys, with where each is from.
        proposals: What labelled images say; ``None`` without any.
        notes: What a user should know, one sentence each.
    """

    path: Path
    draft: Draft
    proposals: Proposals | None = None
    notes: tuple[str, ...] = ()

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
    model: Path | str,
    like: Preset | str | None = None,
    images: ImageSet | Path | str | None = None,
    output: Path | str | None = None,
    accept: bool = False,
    force: bool = False,
    progress: Progress = silent,
) -> Card:
    """Write the card of a model.

    Args:
        model: A file in any form that edgenet reads.
        like: What answers the questions that the file leaves open: a preset, its name or its path.
        images: Labelled images that tell which answers are plausible; they give the names of the classes too.
        output: The card; default is the model's path with the suffix ``.toml``.
        accept: Whether to write what the images propose as the answer; else it stays a question.
        force: Whether to write over a card that is there.
        progress: Called for every stage.

    Raises:
        ModelError: The model cannot be read, or has a card already.
        LibraryError: There is no such preset.
        DataError: The images cannot be used.
    """
    path = Path(model)
    written = Path(output) if output else path.with_suffix(".toml")
    if written.exists() and not force:
        raise ModelError(f"{written}: is there already", "give --force to write it anew")
    if path.is_file() and read_quantized(path) is not None:
        raise ModelError(f"{path}: carries its card inside", "give it to edgenet compile as it is")
    preset = Preset.load(like) if isinstance(like, str) else like
    given = ImageSet.load(image_folder(str(images), "calib")) if isinstance(images, Path | str) else images
    progress("read", 0, None)
    network = Network.read(path)
    draft, notes = first_draft(network), network.notes
    if preset is not None:
        draft, told = answered(draft, preset)
        notes = (*notes, *told)
    found = None
    if given is not None:
        draft = _named(draft, given)
        found = _scored(draft, network, given, progress)
        draft = _proposed(draft, found, given, accept) if found else draft
        notes = (*notes, *([found.reason] if found and found.reason else []))
    write_output(written, draft.text().encode())
    return Card(written, draft, found, notes)


def _named(draft: Draft, images: ImageSet) -> Draft:
    """With the names of the classes, where the images tell them all."""
    names, where = _names(images)
    if "labels" not in draft.top or not names:
        return draft
    background = draft.values - len(names)
    if background not in (0, 1):
        return draft
    labels = Line(names, f"read: {where} {images.folder.resolve().name}", draft.top["labels"].above)
    top = {**draft.top, "labels": labels}
    if background:
        why = f"read: {draft.values} outputs for {len(names)} classes"
        top = {"task": top.pop("task"), "output": top.pop("output"), "label_offset": Line(1, why), **top}
        top["label_offset"] = Line(1, why)
    return replace(draft, top=top)


def _names(images: ImageSet) -> tuple[Sequence[str], str]:
    """Names of the classes in their order: folders as Keras and torchvision number them, or labels.csv."""
    rows = images.truth or ()
    if not rows or "class_name" not in rows[0]:
        return (), ""
    if "class_index" not in rows[0]:
        folders = {path.parent.name for path in images.files}
        told = {row["class_name"] for row in rows}
        return (sorted(told), "folders in alphabetical order, in") if told == folders else ((), "")
    numbered = {row["class_index"].strip(): row["class_name"] for row in rows}
    order = [numbered.get(str(index), "") for index in range(len(numbered))]
    return (order, "labels.csv of") if all(order) else ((), "")


def _scored(draft: Draft, network: Network, images: ImageSet, progress: Progress) -> Proposals | None:
    own = own_task(network)
    if own is None or draft.lines["size"].value == OPEN:
        raise DataError(
            f"{network.path.name}: what it gives or what size it sees is open, so images cannot tell the rest",
            "leave --images out and answer that first",
        )
    labels = draft.top.get("labels", Line(None)).value or ()
    offset = draft.top.get("label_offset", Line(0)).value
    task = load_task(own.name)(own.output, tuple(labels), offset if offset in (0, 1) else 0)
    size = draft.lines["size"].value
    as_is = replace(network.as_is, size=(size[0], size[1]))
    return propose(draft, CardScores(network.fed(task, as_is), images, progress), len(images))


def _proposed(draft: Draft, found: Proposals, images: ImageSet, accept: bool) -> Draft:
    """With what the images say beside each question, or, where it is accepted, as its answer."""
    changed: dict[str, Line] = {}
    folder = images.folder.resolve().name
    color = next((item.answer["color"] for item in found.each if item.question == "color"), None)
    for item in found.each:
        answer = dict(item.answer)
        if "mean" in answer and (color or draft.lines["color"].value) == "bgr":
            answer = {key: list(reversed(value)) for key, value in answer.items()}
        if accept and item.told and not found.reason:
            why = f"chosen by {found.images} images of {folder}: {share(item.share)}, the next {share(item.next[1])}"
            changed |= {
                key: Line(value, why if key == next(iter(answer)) else "") for key, value in answer.items()
            }
        elif not found.reason:
            key = BESIDE.get(item.question, item.question)
            key = key if key in draft.open else next(iter(answer))
            line = draft.lines[key]
            changed[key] = replace(line, above=(*line.above, *_remark(item.line, answer, found, item.told)))
    kept = {key: line for key, line in changed.items() if line.value is not None}
    return without_idle(draft.with_lines(kept))


def _remark(line: str, answer: dict[str, Any], found: Proposals, told: bool) -> tuple[str, ...]:
    if not told:
        return (f"{line[0].upper()}{line[1:]}.",)
    low, high = found.interval
    exact = ", ".join(f"{key} = {value}" for key, value in answer.items() if value is not None)
    wanted = f" ({exact})" if "mean" in answer else ""
    interval = f"of {found.images}, 95 %: {100 * low:.1f} to {share(high)}"
    return (f"{line[0].upper()}{line[1:]} ({interval}){wanted}.",)
