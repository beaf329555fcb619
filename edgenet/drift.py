"""What a board's answers lost against the float model's: a report's ``drift``, and how it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from edgenet.confusion_matrix import ConfusionMatrix
from edgenet.json_value import Count, Length, NotNegative, Where, Within
from edgenet.record import Record
from edgenet.tasks import task_module, task_names

__all__ = [
    "CLASSIFICATION",
    "Conversion",
    "Drift",
    "Kernel",
    "Loss",
    "Percent",
    "Place",
    "Preprocess",
    "Quantization",
    "Share",
    "Stages",
    "TaskCurves",
    "TaskTable",
    "Worst",
]  # fmt: skip

Share = Annotated[float, Within(least=0.0, most=1.0)]
Percent = Annotated[float, Within(least=-100.0, most=100.0)]
# What a report, a bundle or a card without a word on its task is of.
CLASSIFICATION = "classification"
# A PNG of at most 96 x 96 pixels as a data URI takes less than 40 kB.
Thumbnail = Annotated[str, Length(131_072)]

# What a task has of its headline measure: the board's, the float model's, the difference.
HEADLINE = ("", "_reference", "_delta_pp")


@dataclass(frozen=True, kw_only=True)
class Conversion(Record):
    """The float artifact against the float model: share of equal answers, largest difference of a value."""

    agreement: Share
    images: Count
    max_abs: NotNegative


@dataclass(frozen=True, kw_only=True)
class Stage(Record):
    """A stage that can cost right answers: ``delta_pp`` of the task's headline measure, won or lost.

    A classifier's is written as ``top1_delta_pp``, as it was before there were other tasks. ``interval_pp``
    is its 95 % interval for paired answers, where each is right or wrong.
    """

    delta_pp: Percent | None = None
    top1_delta_pp: Percent | None = None
    interval_pp: tuple[Percent, Percent] | None = None

    @property
    def change_pp(self) -> float | None:
        """What the stage won or lost; ``None`` where the images are not labelled."""
        return self.delta_pp if self.top1_delta_pp is None else self.top1_delta_pp


@dataclass(frozen=True, kw_only=True)
class FullDecode(Stage):
    """The float model on JPEGs decoded no further than needed against the same decoded in full."""

    images: Count
    agreement: Share


@dataclass(frozen=True, kw_only=True)
class Preprocess(Record):
    """Of so many images, how many have the host's pixels on the board; what it changed to decode less."""

    images: Count
    identical: Count
    full_decode: FullDecode | None = None


@dataclass(frozen=True, kw_only=True)
class Quantization(Stage):
    """This artifact on the host against the float model."""

    images: Count
    agreement: Share
    max_abs: NotNegative
    cosine: float | None = None


@dataclass(frozen=True, kw_only=True)
class Kernel(Stage):
    """This artifact on the board against the host: outputs that differ, by how much at most."""

    images: Count
    agreement: Share
    identical: bool
    different_outputs: Count
    outputs: Count
    max_difference: NotNegative
    unit: str


@dataclass(frozen=True, kw_only=True)
class Stages(Record):
    """Where it was lost, in the order in which a picture goes."""

    preprocess: Preprocess
    conversion: Conversion
    quantization: Quantization
    kernel: Kernel


@dataclass(frozen=True, kw_only=True)
class Place(Record):
    """An object in a picture: its sides in fractions of what the network sees; the truth has no score."""

    label: str
    box: tuple[Share, Share, Share, Share]
    score: Share | None = None


@dataclass(frozen=True, kw_only=True)
class Worst(Record):
    """An image whose answer moved most: both answers with their names, the truth, a small picture.

    Attributes:
        index: Of the image among those that were judged.
        max_abs: Largest difference of a logit, or of a coordinate of a unit vector.
        error: How far the answer moved, by the task's own measure.
        answer, reference: Of the board and of the float model, as numbers that the task knows.
        label: What is true.
        boxes, boxes_reference, boxes_true: Where it is, as board, float model and truth say.
    """

    file: str
    index: Count | None = None
    max_abs: NotNegative
    answer: Count
    reference: Count
    answer_label: str | None = None
    reference_label: str | None = None
    label: str | None = None
    boxes: tuple[Place, ...] | None = None
    boxes_reference: tuple[Place, ...] | None = None
    boxes_true: tuple[Place, ...] | None = None
    error: NotNegative | None = None
    thumbnail: Thumbnail | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Loss:
    """How much was lost, in percentage points: what a limit of drift is held to.

    Attributes:
        name: Of what.
        pp: Lost; below 0 where more was won.
        interval: Its 95 % interval, where labels give one.
    """

    name: str
    pp: float
    interval: tuple[float, float] | None


class TaskCurves(NamedTuple):
    """Lines of a task for people.

    Attributes:
        caption: Their heading.
        x_title, y_title: Of the axes.
        lines: Points (x, y) by name.
    """

    caption: str
    x_title: str
    y_title: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


class TaskTable(NamedTuple):
    """Figures of a task for people, more than a row holds.

    Attributes:
        caption: Its heading.
        columns: Their heads.
        rows: Text, as many cells as columns.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Drift(Record):
    """Board against float model on the same images: what every task has; each adds its own figures.

    Attributes:
        measure: The headline measure's name (a class attribute).
        headline: The field that holds it, beside which are those of ``HEADLINE`` (a class attribute).
        moved: What :class:`Worst` ``max_abs`` is of, in words (a class attribute).
        changed_name: What is lost where no labels are, less ``kept`` from all, in words (a class attribute).
        task: Whose figures follow.
        images, labelled: How many, and whether the truth is known.
        interval_pp: 95 % interval of the difference of the headline measure, board minus float.
        agreement, agreement_interval: Share of images with the same answer, and its 95 % interval.
        cosine, max_abs: Of the logits or vectors.
        smallest_claim_pp, claim: What so many images can tell from nothing.
        stages: Where it was lost.
        worst: The images whose answers moved most.
        source: "val", "calibration" or "synthetic".
        images_digest: Equal where two reports were judged on the same.
    """

    measure: ClassVar[str]
    headline: ClassVar[str] = ""
    moved: ClassVar[str]
    changed_name: ClassVar[str] = "answers changed"

    task: str = CLASSIFICATION
    images: Count
    labelled: bool
    interval_pp: tuple[float, float] | None
    agreement: Share
    cosine: float
    max_abs: NotNegative
    agreement_interval: tuple[Share, Share] | None = None
    smallest_claim_pp: NotNegative | None = None
    stages: Stages
    worst: tuple[Worst, ...] = ()
    claim: str | None = None
    source: str | None = None
    images_digest: str | None = None

    @classmethod
    def from_table(cls, value: object, where: Where | str = "") -> Self:
        """Read the drift of whichever task it says it is of.

        Raises:
            ReportError: As :meth:`edgenet.record.Record.from_table`; or there is no such task.
        """
        if cls is not Drift:
            return super().from_table(value, where)
        name = value.get("task", CLASSIFICATION) if isinstance(value, Mapping) else CLASSIFICATION
        try:
            kind: Any = task_module(name).TASK.drift
        except KeyError:
            place = Where(where) if isinstance(where, str) else where
            raise place.at("task").refuse(name, f"one of {', '.join(task_names())}") from None
        return kind.from_table(value, where)  # type: ignore[no-any-return]

    def check(self, where: Where) -> None:
        """Labelled drift has its headline measure, the float model's and the difference."""
        for name in (
            (f"{self.headline}{part}" for part in HEADLINE) if self.labelled and self.headline else ()
        ):
            if getattr(self, name) is None:
                raise where.at(name).refuse(None, "a number, and the images are labeled")

    @property
    def best(self) -> float | None:
        """The headline measure of the board, 0 to 1; ``None`` where the truth is not known."""
        return getattr(self, self.headline) if self.labelled and self.headline else None

    @property
    def delta_pp(self) -> float | None:
        """The same minus the float model's, in percentage points."""
        return getattr(self, f"{self.headline}_delta_pp") if self.labelled and self.headline else None

    @property
    def judged_on(self) -> tuple[object, ...]:
        """Equal for two reports that were judged on the same images."""
        return self.source, self.images, self.labelled, self.images_digest

    @property
    def kept(self) -> float:
        """The headline measure, without labels the share of answers that are the float model's."""
        return self.agreement if self.best is None else self.best

    @property
    def nothing(self) -> str | None:
        """Why there was nothing that could be lost, in words; ``None`` where there was."""
        return None

    def lost(self, since: Drift | None = None) -> Loss:
        """How much was lost against the float model, or against another report's drift.

        The headline measure where the images are labeled, else the share of changed answers, in percentage
        points. Every limit, gate and choice asks here.

        Args:
            since: Of another report of the same model, judged on the same images.
        """
        if since is not None:
            name = f"{self.measure} lost (pp)" if since.labelled else "answers changed more (pp)"
            return Loss(name, 100.0 * (since.kept - self.kept), None)
        if self.delta_pp is None:
            return Loss(f"{self.changed_name} (pp)", 100.0 * (1.0 - self.kept), None)
        low, high = self.interval_pp or (self.delta_pp, self.delta_pp)
        interval = (-high, -low) if self.interval_pp else None
        return Loss(f"{self.measure} lost (pp)", 0.0 - self.delta_pp, interval)

    def rows(self) -> list[tuple[str, str]]:
        """The task's own figures for people: what, and its value as text."""
        return []

    def tables(self) -> list[TaskTable]:
        """What has a row for each class, label or pair, for people."""
        return []

    def confused(self) -> ConfusionMatrix | None:
        """What is taken for what, where each picture is of one of few classes."""
        return None

    def curves(self) -> list[TaskCurves]:
        """What is drawn as lines, for people."""
        return []

    def describe(self, item: Worst) -> str:
        """How far an image's answer moved, in words."""
        return f"{self.moved} off by {item.max_abs:.3g}"
