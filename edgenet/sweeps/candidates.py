"""The networks of a sweep: what each is, how accurate, and which are surely not slower than another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgenet.card import ModelCard
from edgenet.drift import CLASSIFICATION
from edgenet.errors import PlanError
from edgenet.files import sha256
from edgenet.graph.cost import cost
from edgenet.importer import Imported
from edgenet.model import Model
from edgenet.pages import page
from edgenet.preprocessing import Preprocessing
from edgenet.progress import Progress, silent
from edgenet.published import PublishedAccuracy, published_accuracies
from edgenet.quantize.quantized import Quantized
from edgenet.steps.source import read_source
from edgenet.sweeps.plan import SweepPlan
from edgenet.swept import PUBLISHED, CellAccuracy
from edgenet.task import Task, load_task
from edgenet.zoo.named import NamedNetwork

__all__ = ["Candidate", "Untrained", "candidates"]

HALF = (127.5, 127.5, 127.5)
# (operator, multiply-adds) of each node.
Work = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Untrained:
    """A network of the zoo with drawn weights."""

    network: NamedNetwork

    def model(self) -> Model:
        """It, fed as the published ones were, the same on every machine."""
        side = self.network.resolution
        how = Preprocessing(
            size=(side, side),
            color="rgb",
            resize="short-side",
            resize_to=side * 256 // 224,
            interpolation="bilinear-antialias",
            mean=HALF,
            std=HALF,
        )
        card = ModelCard(load_task(CLASSIFICATION)("logits", (), 0, {}), how)
        return Model.imported(Imported(self.network.build()), self.network.name, card)


@dataclass(frozen=True)
class Candidate:
    """One network.

    Attributes:
        name: Of it, for people and reports; no two of a sweep share it.
        source: A file, or the name of an untrained network.
        digest: sha256 of its content, card included.
        answers: Values of one answer.
        resolution: The input's height in pixels.
        work: Operator and multiply-adds of each node, in order.
        family: Of the zoo's, or the first of the files of one architecture.
        alpha: Of the zoo's; ``None`` of a file.
        published: Accuracy of the float network; ``None`` of a file.
        task: What its answers mean.
    """

    name: str
    source: Path | Untrained
    digest: str
    resolution: int
    answers: int
    work: Work = field(repr=False)
    task: Task = field(repr=False)
    family: str | None = None
    alpha: float | None = None
    published: CellAccuracy | None = None

    @property
    def macs(self) -> int:
        """Multiply-adds for one image."""
        return sum(count for _, count in self.work)

    def within(self, other: Candidate) -> bool:
        """Whether it is surely not slower than another, built and run in the same way.

        That is so where both have the same operators in the same order, and no node has more multiply-adds
        here: both multipliers of the MobileNets shrink layers and change nothing else.
        """
        if len(self.work) != len(other.work):
            return False
        pairs = zip(self.work, other.work, strict=True)
        return all(mine[0] == its[0] and mine[1] <= its[1] for mine, its in pairs)


def candidates(plan: SweepPlan, progress: Progress = silent) -> tuple[Candidate, ...]:
    """The networks that a plan names.

    Args:
        plan: Checked.
        progress: Called for every network.

    Raises:
        ModelError: A file cannot be used.
        PlanError: They are not comparable with each other, or nothing is published of such networks.
    """
    found = _files(plan, progress) if plan.files else _networks(plan, progress)
    names = [item.name for item in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise PlanError(f"two models are called {twice}", "rename one of the files")
    return tuple(found)


def _files(plan: SweepPlan, progress: Progress) -> list[Candidate]:
    found, first = [], None
    for done, name in enumerate(plan.files):
        source = read_source(name)
        model = source.original if isinstance(source, Quantized) else source
        first = first or model
        _check_comparable(first, model)
        found.append(_of_model(Path(name), model))
        progress("reading models (models)", done + 1, len(plan.files))
    return _families(found)


def _families(found: Sequence[Candidate]) -> list[Candidate]:
    """The same, each with the name of the first that has its operators: files have no family of their own."""
    first: dict[tuple[str, ...], str] = {}
    return [
        replace(item, family=first.setdefault(tuple(op for op, _ in item.work), item.name)) for item in found
    ]


def _of_model(source: Path | Untrained, model: Model) -> Candidate:
    return Candidate(
        name=model.name,
        source=source,
        digest=_digest(model),
        resolution=model.preprocessing.size[0],
        answers=model.classes,
        work=_work(model),
        task=model.task,
    )


def _digest(model: Model) -> str:
    """sha256 of a model and its card."""
    card = [
        model.output,
        model.label_offset,
        model.labels,
        model.preprocessing.to_table(),
        dict(model.settings),
    ]
    told = json.dumps([model.digest, model.precision, model.task_name, card], sort_keys=True, default=str)
    return sha256(told.encode())


def _work(model: Model) -> Work:
    macs = {row.name: row.macs for row in cost(model.proto).layers}
    return tuple((node.op_type, macs.get(node.name or node.output[0], 0)) for node in model.proto.graph.node)


def _check_comparable(first: Model, other: Model) -> None:
    """Refuse models whose accuracies mean different things."""
    if first.task_name != other.task_name:
        what = f"{first.name} is of the task {first.task_name}, {other.name} of {other.task_name}"
    elif first.labels != other.labels:
        mine, its = _told(first.labels), _told(other.labels)
        what = f"{first.name} and {other.name} tell other labels apart ({mine}; {its})"
    elif first.task_name == CLASSIFICATION and _classes(first) != _classes(other):
        what = f"{first.name} tells {_classes(first)} classes apart, {other.name} {_classes(other)}"
    else:
        return
    raise PlanError(
        f"{what}: how accurate they are cannot be compared", "sweep models of one task and one set of labels"
    )


def _classes(model: Model) -> int:
    """How many classes it tells apart, without those before the first label."""
    return model.classes - model.label_offset


def _told(labels: Sequence[str]) -> str:
    begin = ", ".join(labels[:3])
    return f"{len(labels)}: {begin}{', …' if len(labels) > 3 else ''}" if labels else "none named"


def _networks(plan: SweepPlan, progress: Progress) -> list[Candidate]:
    rows = [row for row in published_accuracies() if row.family in plan.families and _wanted(row, plan)]
    if not rows:
        raise PlanError(
            "no published accuracy is known for these networks, so none could be recommended",
            f"choose an alpha and a resolution that {page('answer')} lists, or give trained files and --val",
        )
    _check_each("alpha", plan.alphas, {row.alpha for row in rows})
    _check_each("resolution", plan.resolutions, {row.resolution for row in rows})
    found = []
    for done, row in enumerate(rows):
        found.append(_of_row(row))
        progress("building networks (networks)", done + 1, len(rows))
    return found


def _check_each(what: str, asked: Sequence[float], known: set[float]) -> None:
    """Refuse a value that no network has: it would be left out unsaid."""
    if missing := [value for value in asked if value not in known]:
        raise PlanError(
            f"no accuracy is published of such networks with {what} {missing[0]:g}",
            f"leave it out; of the others there are {', '.join(f'{value:g}' for value in sorted(known))}",
        )


def _wanted(row: PublishedAccuracy, plan: SweepPlan) -> bool:
    return (not plan.alphas or row.alpha in plan.alphas) and (
        not plan.resolutions or row.resolution in plan.resolutions
    )


def _of_row(row: PublishedAccuracy) -> Candidate:
    source = Untrained(NamedNetwork(row.family, row.alpha, row.resolution))
    return replace(
        _of_model(source, source.model()),
        family=row.family,
        alpha=row.alpha,
        published=CellAccuracy(value=row.top1, kind=PUBLISHED, source=row.source),
    )
