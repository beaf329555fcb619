"""What a board's answers lost against the float model's: a report's ``drift``, and how it is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from edgenet.json_value import Count, Length, NotNegative, Where, Within
from edgenet.record import Record

__all__ = ["Conversion", "Drift", "Kernel", "Loss", "Preprocess", "Quantization", "Stages", "Worst"]

Share = Annotated[float, Within(least=0.0, most=1.0)]
Percent = Annotated[float, Within(least=-100.0, most=100.0)]
# A PNG of at most 96 x 96 pixels as a data URI takes less than 40 kB.
Thumbnail = Annotated[str, Length(131_072)]


@dataclass(frozen=True, kw_only=True)
class Preprocess(Record):
    """Of so many images, how many have the host's pixels on the board."""

    images: Count
    identical: Count


@dataclass(frozen=True, kw_only=True)
class Conversion(Record):
    """The float artifact against the float model: share of equal answers, largest difference of a logit."""

    agreement: Share
    images: Count
    max_abs: NotNegative


@dataclass(frozen=True, kw_only=True)
class Quantization(Record):
    """This artifact on the host against the float model."""

    images: Count
    agreement: Share
    max_abs: NotNegative
    cosine: float | None = None
    top1_delta_pp: Percent | None = None


@dataclass(frozen=True, kw_only=True)
class Kernel(Record):
    """This artifact on the board against the host: outputs that differ, by how much at most."""

    images: Count
    agreement: Share
    identical: bool
    different_outputs: Count
    outputs: Count
    max_difference: NotNegative
    unit: str
    top1_delta_pp: Percent | None = None


@dataclass(frozen=True, kw_only=True)
class Stages(Record):
    """Where it was lost, in the order in which a picture goes."""

    preprocess: Preprocess
    conversion: Conversion
    quantization: Quantization
    kernel: Kernel


@dataclass(frozen=True, kw_only=True)
class Worst(Record):
    """An image whose logits moved most: indices and names of both answers, the truth, a small picture."""

    file: str
    index: Count | None = None
    max_abs: NotNegative
    answer: Count
    reference: Count
    answer_label: str | None = None
    reference_label: str | None = None
    label: str | None = None
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


@dataclass(frozen=True, kw_only=True)
class Drift(Record):
    """Board against float model on the same images.

    Attributes:
        images, labelled: How many, and whether their true classes are known.
        top1, top1_reference, top5, top5_reference: Share of right answers of board and float model.
        top1_delta_pp, interval_pp: Board minus float in percentage points, and its 95 % interval.
        mcnemar_p: Chance of so unequal a split.
        agreement, agreement_interval: Share of images with the same best class, and its 95 % interval.
        cosine, max_abs: Of the logits.
        smallest_claim_pp, claim: What so many images can tell from nothing.
        stages: Where it was lost.
        worst: The images whose logits moved most.
        source: "val", "calibration" or "synthetic".
        images_digest: Equal where two reports were judged on the same.
    """

    images: Count
    labelled: bool
    top1: Share | None
    top1_reference: Share | None
    top1_delta_pp: Percent | None
    interval_pp: tuple[float, float] | None
    mcnemar_p: Share | None
    agreement: Share
    cosine: float
    max_abs: NotNegative
    agreement_interval: tuple[Share, Share] | None = None
    smallest_claim_pp: NotNegative | None = None
    stages: Stages
    worst: tuple[Worst, ...] = ()
    top5: Share | None = None
    top5_reference: Share | None = None
    claim: str | None = None
    source: str | None = None
    images_digest: str | None = None

    def check(self, where: Where) -> None:
        """Labelled drift has its shares of right answers."""
        for name in ("top1", "top1_reference", "top1_delta_pp") if self.labelled else ():
            if getattr(self, name) is None:
                raise where.at(name).refuse(None, "a number, and the images are labelled")

    @property
    def judged_on(self) -> tuple[object, ...]:
        """Equal for two reports that were judged on the same images."""
        return self.source, self.images, self.labelled, self.images_digest

    @property
    def quality(self) -> float:
        """Share of right answers, without labels of answers that are the float model's."""
        return self.top1 if self.labelled and self.top1 is not None else self.agreement

    def lost(self, since: Drift | None = None) -> Loss:
        """How much was lost against the float model, or against another report's drift.

        Top-1 where the images are labelled, else the share of changed answers, in percentage points. Every
        limit, gate and choice asks here.

        Args:
            since: Of another report of the same model, judged on the same images.
        """
        if since is not None:
            name = "top-1 lost (pp)" if since.labelled else "answers changed more (pp)"
            return Loss(name, 100.0 * (since.quality - self.quality), None)
        if not self.labelled or self.top1_delta_pp is None:
            return Loss("answers changed (pp)", 100.0 * (1.0 - self.agreement), None)
        low, high = self.interval_pp or (self.top1_delta_pp, self.top1_delta_pp)
        return Loss("top-1 lost (pp)", -self.top1_delta_pp, (-high, -low) if self.interval_pp else None)
