"""Binary classification: whether something is so, by one number, the last of which is a Sigmoid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.classifier_drift import ClassificationDrift
from edgenet.drift import Share
from edgenet.errors import EdgenetError
from edgenet.figures import chance, interval, number, percent, share
from edgenet.imageset import ImageSet
from edgenet.metric import AGREEMENT, Metric
from edgenet.sigmoids import SigmoidTask, is_probability
from edgenet.statistics import roc_area, wilson
from edgenet.task import Answers, Doubt, Truth, real
from edgenet.tasks.classification import Classification

__all__ = ["METRICS", "TASK", "Binary", "BinaryDrift"]

CLASSES = 2


@dataclass(frozen=True, kw_only=True)
class BinaryDrift(ClassificationDrift):
    """Drift of a binary classifier: ``top1`` is its accuracy.

    Attributes:
        auc, auc_reference: Area under the ROC curve of the images of class 1 against those of class 0.
    """

    measure = "accuracy"

    auc: Share | None
    auc_reference: Share | None

    def rows(self) -> list[tuple[str, str]]:
        """Accuracy and ROC area beside the float model's, and what their difference is worth."""
        if self.top1 is None or self.top1_delta_pp is None:
            return []
        return [
            ("accuracy", f"{share(self.top1, 2)} (float {share(self.top1_reference, 2)})"),
            ("difference", f"{self.top1_delta_pp:+.2f} pp"),
            ("its 95 % interval (Newcombe)", interval(self.interval_pp) + " pp"),
            ("McNemar p", chance(self.mcnemar_p)),
            ("area under ROC", f"{number(self.auc, 4)} (float {number(self.auc_reference, 4)})"),
        ]


class Binary(SigmoidTask, Classification):
    """One logit or probability, [1, 1]: that of the second of two classes.

    Where the card has a threshold other than 1/2, logits are compared counted from there.
    """

    name = "binary"
    settings_keys = ("threshold",)
    noun = "a binary classifier"
    shape = "1x1"
    drift = BinaryDrift

    @classmethod
    def read_settings(
        cls, table: Mapping[str, Any], refuse: Callable[[str, str], EdgenetError]
    ) -> Mapping[str, Any]:
        """``threshold``: the probability above which it is class 1."""
        threshold = table.get("threshold", 0.5)
        if not is_probability(threshold):
            raise refuse(f"threshold = {threshold!r}", "write a probability between 0 and 1")
        return dict(table)

    def check(self, values: int) -> tuple[str, str] | None:
        """One number, and a name for both classes."""
        if values != 1:
            return (
                f"{values} outputs, and a binary classifier has one",
                'write task = "multilabel" in the card',
            )
        if self.label_offset:
            return "label_offset = 1, and one number has no background", "leave label_offset out"
        if len(self.labels) not in (0, CLASSES):
            what = f"{len(self.labels)} labels, and a binary classifier has two classes"
            return what, "write two: what it is where the number is 0, then where it is 1"
        return None

    def contradiction(self, ending: str) -> tuple[str, str] | None:
        """A Sigmoid gives a probability; the Softmax of one number is 1 whatever the picture."""
        if ending == "Softmax":
            return "which makes one number 1 whatever the picture", "export the network with a Sigmoid"
        return super().contradiction(ending)

    def divergence(self, wanted: Answers) -> Callable[[NDArray[Any]], float]:
        """Kullback-Leibler divergence from the float run's two probabilities, the mean over the images."""
        judge = super().divergence(_both(wanted))
        return lambda got: judge(_both(got))

    def expected_loss(self, wanted: Answers, got: Answers) -> float:
        """Accuracy that is expected to be lost, by the float network's own probabilities."""
        return super().expected_loss(_both(wanted), _both(got))

    def classes(self, values: int) -> int:  # noqa: ARG002
        """Two."""
        return CLASSES

    def truth(self, images: ImageSet, values: int) -> Truth | None:  # noqa: ARG002
        """0 or 1 of each image: its ``class_index``, or its ``class_name`` among the two labels."""
        return super().truth(images, CLASSES)

    def figures(self, board: Answers, reference: Answers, truth: Truth | None) -> Mapping[str, Any]:
        """Accuracy, ROC area and what the difference is worth."""
        found = self.shares(board, reference, truth)
        if truth is None:
            return {**found, "auc": None, "auc_reference": None}
        areas = {"auc": _area(board, truth), "auc_reference": _area(reference, truth)}
        return {**found, **areas, **self.taken_for(board, reference, truth)}

    def cosine(self, first: Answers, second: Answers) -> float:
        """Mean cosine of the logits of both classes: 1 where the signs are equal, else -1."""
        return super().cosine(_both(first), _both(second))

    def answers(self, values: Answers, truth: Truth | None) -> NDArray[np.int64]:  # noqa: ARG002
        """0 or 1."""
        return np.asarray(values[:, 0] > 0, np.int64)

    def answer_name(self, answer: int, images: Sequence[str]) -> str:
        """The label of a class."""
        return super().answer_name(answer, images) if self.labels else ("no", "yes")[bool(answer)]

    def doubt(self, answers: Answers, truth: Truth) -> Doubt | None:
        """Whether the two classes are exchanged: clearly more is wrong than right."""
        own, count = int(self.scores(answers, truth).sum()), len(answers)
        if wilson(own, count)[1] >= 1 / CLASSES:
            return None
        told = f"the float model is right on {share(own / count)} of the images"
        better = f"with its two classes exchanged it would be {share(1 - own / count)}"
        return Doubt(f"{told}, and {better}: exchange the two labels in the card", 1 - own / count)

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """That of class 1."""
        return np.asarray([self.settings.get("threshold", 0.5)], np.float64)


def _both(values: NDArray[Any]) -> Answers:
    """Logits of both classes, whose softmax is the Sigmoid: [n, 2]."""
    half = values.astype(np.float32) / 2
    return np.concatenate([-half, half], axis=1)


def _area(values: Answers, truth: Truth) -> float | None:
    """ROC area; ``None`` where all images are of one class."""
    positive = np.asarray(truth) == 1
    scores = np.where(real(values), values[:, 0], -np.inf)
    return None if positive.all() or not positive.any() else roc_area(scores[positive], scores[~positive])


TASK = Binary
METRICS = (
    Metric("accuracy_percent", "accuracy", "%", 1, "higher", lambda r: percent(r.drift.best),
           column="accuracy", tell=lambda value: f"{value:.1f} %", axis="accuracy %"),
    Metric("drift_pp", "drift", "pp", 2, "higher", lambda r: r.drift.delta_pp, column="drift pp",
           compared=False),
    AGREEMENT,
)  # fmt: skip
