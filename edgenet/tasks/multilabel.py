"""Several labels a picture, each true or not by itself: attributes, tags. A graph of many Sigmoids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.tasks import sigmoid
from edgenet.crossed_loss import crossed_loss
from edgenet.csv_table import shown
from edgenet.drift import Drift, Percent, Share, TaskTable
from edgenet.errors import DataError, EdgenetError
from edgenet.figures import interval, number, percent, share
from edgenet.imageset import ImageSet
from edgenet.metric import AGREEMENT, Metric
from edgenet.record import Record
from edgenet.sigmoids import SigmoidTask, is_probability
from edgenet.statistics import paired_bootstrap
from edgenet.task import Answers, Truth, real

__all__ = ["METRICS", "TASK", "Label", "Multilabel", "MultilabelDrift", "f1_scores"]

FEWEST = 2
# Columns of labels.csv that name all labels of a picture; else there is one of its own for each label.
COLUMNS = ("labels", "tags", "attributes")
SEPARATORS = ";|"
YES, NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "-1", "false", "no", "")
# Labels that an answer can be told with: bits of a whole number of 64.
TOLD = 62


@dataclass(frozen=True, kw_only=True)
class Label(Record):
    """One label on the board and in float.

    Attributes:
        images: How many have it.
        f1, f1_reference: F1 at the card's threshold.
        accuracy, accuracy_reference: Share of all images on which it is right.
        agreement: Share on which both say the same.
    """

    name: str
    images: int
    f1: Share
    f1_reference: Share
    accuracy: Share | None = None
    accuracy_reference: Share | None = None
    agreement: Share | None = None


@dataclass(frozen=True, kw_only=True)
class MultilabelDrift(Drift):
    """Drift of a network of several labels a picture.

    Attributes:
        f1, f1_reference: Mean of the labels' F1 scores, of those that some image has.
        f1_delta_pp: Board minus float in percentage points.
        bits_agree: Share of all labels of all images that are the same on board and in float.
        accuracy, accuracy_reference: Share of right labels, of all labels of all images.
        by_label: Each label, the one that lost most first.
    """

    measure = "F1"
    headline = "f1"
    moved = "logits"

    f1: Share | None
    f1_reference: Share | None
    f1_delta_pp: Percent | None
    bits_agree: Share
    accuracy: Share | None = None
    accuracy_reference: Share | None = None
    by_label: tuple[Label, ...] = ()

    def rows(self) -> list[tuple[str, str]]:
        """Equal labels; F1 beside the float model's, and the label that lost most."""
        rows = [("labels that are the same", share(self.bits_agree, 2))]
        if self.f1 is None or self.f1_delta_pp is None:
            return rows
        rows += [
            ("F1, mean of the labels", f"{share(self.f1, 2)} (float {share(self.f1_reference, 2)})"),
            ("difference", f"{self.f1_delta_pp:+.2f} pp"),
            ("its 95 % interval (bootstrap)", interval(self.interval_pp) + " pp"),
            ("right labels", f"{share(self.accuracy, 2)} (float {share(self.accuracy_reference, 2)})"),
        ]
        for item in self.by_label[:1]:
            told = f"{item.name}: {share(item.f1, 2)} (float {share(item.f1_reference, 2)})"
            rows.append(("label that lost most", f"{told}, {number(item.images, 0)} images"))
        return rows

    def tables(self) -> list[TaskTable]:
        """Each label, the one that lost most first."""
        columns = ("label", "images", "F1", "float", "accuracy", "float", "same answer")
        rows = [
            (item.name, str(item.images), share(item.f1, 2), share(item.f1_reference, 2),
             share(item.accuracy, 2), share(item.accuracy_reference, 2), share(item.agreement, 2))
            for item in self.by_label
        ]  # fmt: skip
        return [TaskTable("Labels", columns, rows)] if rows else []


class Multilabel(SigmoidTask):
    """Logits or probabilities, [1, labels], each of its own."""

    name = "multilabel"
    settings_keys = ("thresholds",)
    noun = "a network of several labels a picture"
    shape = "1xLABELS"
    drift = MultilabelDrift

    @classmethod
    def read_settings(
        cls, table: Mapping[str, Any], refuse: Callable[[str, str], EdgenetError]
    ) -> Mapping[str, Any]:
        """``thresholds``: the probability above which a label holds, one number, or one for each label."""
        given = table.get("thresholds", 0.5)
        listed = list(given) if isinstance(given, list | tuple) else [given]
        if not listed or not all(map(is_probability, listed)):
            raise refuse(
                "thresholds are no probabilities", "write a number between 0 and 1, or one for each label"
            )
        return dict(table)

    def check(self, values: int) -> tuple[str, str] | None:
        """Names and thresholds are one a label."""
        if values < FEWEST:
            return (
                "its output is one number, and there are several labels",
                'write task = "binary" in the card',
            )
        if self.label_offset:
            return "label_offset = 1, and labels have no background", "leave label_offset out"
        if len(self.labels) not in (0, values):
            return f"{len(self.labels)} labels for {values} outputs", "give one name an output, in order"
        if self.thresholds.size not in (1, values):
            return f"{self.thresholds.size} thresholds for {values} outputs", "give one an output, in order"
        return None

    def contradiction(self, ending: str) -> tuple[str, str] | None:
        """A Sigmoid gives probabilities; a Softmax chooses one class in many, which is another task."""
        if ending == "Softmax":
            return (
                "which shares one probability among all classes",
                'write task = "classification" in the card',
            )
        return super().contradiction(ending)

    def divergence(self, wanted: Answers) -> Callable[[NDArray[Any]], float]:
        """Kullback-Leibler divergence of each label's two probabilities, summed; the mean over the images."""
        p = sigmoid(wanted)
        return lambda got: float(
            (p * (_log_sigmoid(wanted) - _log_sigmoid(got))
             + (1 - p) * (_log_sigmoid(-wanted) - _log_sigmoid(-got))).sum(axis=1).mean()
        )  # fmt: skip

    def expected_loss(self, wanted: Answers, got: Answers) -> float:
        """The share of right labels that is expected to be lost, by the float network's own probabilities."""
        margins, gains = np.abs(wanted), np.abs(2 * sigmoid(wanted) - 1)
        noise = np.where(wanted > 0, got, -got) - margins
        labels = zip(margins.T, gains.T, noise.T, strict=True)
        return float(np.mean([crossed_loss(*(item[:, None] for item in label)) for label in labels]))

    def classes(self, values: int) -> int:
        """A label a value."""
        return values

    def class_names(self, images: ImageSet) -> tuple[str, ...]:
        """The columns of ``labels.csv`` in which there is a yes or no for every image."""
        rows = images.truth or ()
        told = (name for name in (rows[0] if rows else ()) if name not in COLUMNS)
        flags = {*YES, *NO} - {""}
        return tuple(name for name in told if all(row[name].strip().casefold() in flags for row in rows))

    def truth(self, images: ImageSet, values: int) -> Truth | None:
        """Which labels each image has: a tuple of bools.

        Raises:
            DataError: The columns of ``labels.csv`` do not say it, or name a label that the model lacks.
        """
        if images.truth is None:
            return None
        columns = images.truth[0].keys() if images.truth else ()
        listed = next((name for name in COLUMNS if name in columns), None)
        names = self.labels or tuple(map(str, range(values)))
        if listed is not None:
            return tuple(
                _listed(images, at, row.get(listed, ""), names) for at, row in enumerate(images.truth)
            )
        missing = [name for name in names if name not in columns]
        if missing:
            raise DataError(
                f"{images.folder}: labels.csv has no column {missing[0]!r} and none of {', '.join(COLUMNS)}",
                f"write a column {COLUMNS[0]} with the names of each picture's labels, separated by ';'",
            )
        return tuple(_flags(images, at, row, names) for at, row in enumerate(images.truth))

    def same(self, first: Answers, second: Answers, truth: Truth | None) -> NDArray[np.bool_]:  # noqa: ARG002
        """All labels the same; NaN agrees with nothing."""
        return np.asarray(((first > 0) == (second > 0)).all(axis=1) & real(first) & real(second))

    def quality(self, answers: Answers, truth: Truth) -> float:
        """Mean F1 of the labels."""
        return float(_mean_f1(answers > 0, np.asarray(truth, bool)))

    def scores(self, answers: Answers, truth: Truth) -> NDArray[np.float64]:
        """The share of right labels."""
        alike = ((answers > 0) == np.asarray(truth, bool)) & real(answers)[:, None]
        return np.asarray(alike.mean(axis=1, dtype=np.float64))

    def constant(self, truth: Truth) -> float:
        """Each label as most images have it."""
        held = np.asarray(truth, bool).mean(axis=0)
        return float(np.maximum(held, 1 - held).mean())

    def figures(self, board: Answers, reference: Answers, truth: Truth | None) -> Mapping[str, Any]:
        """F1, equal labels, each label by itself, and what the difference is worth."""
        ours, theirs = board > 0, reference > 0
        equal = (ours == theirs) & real(board)[:, None] & real(reference)[:, None]
        own: dict[str, Any] = {"bits_agree": float(equal.mean())}
        if truth is None:
            return {**own, **dict.fromkeys(("f1", "f1_reference", "f1_delta_pp", "interval_pp"))}
        true = np.asarray(truth, bool)
        first, second = _mean_f1(ours, true), _mean_f1(theirs, true)
        low, high = paired_bootstrap(
            lambda chosen: _mean_f1(ours[chosen], true[chosen]) - _mean_f1(theirs[chosen], true[chosen]),
            len(true),
        )
        return {
            **own,
            "f1": first,
            "f1_reference": second,
            "f1_delta_pp": 100.0 * (first - second),
            "interval_pp": (100.0 * low, 100.0 * high),
            "accuracy": float((_right(board, true)).mean()),
            "accuracy_reference": float((_right(reference, true)).mean()),
            "by_label": self._by_label(board, reference, true),
        }

    def cosine(self, first: Answers, second: Answers) -> float:
        """Mean cosine of the logits."""
        norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        return float((np.einsum("nc,nc->n", first, second) / np.maximum(norms, 1e-30)).mean())

    def error(self, first: Answers, second: Answers) -> NDArray[np.float64]:
        """The largest difference of a logit."""
        return np.asarray(np.abs(first - second).max(axis=1), np.float64)

    def answers(self, values: Answers, truth: Truth | None) -> NDArray[np.int64]:  # noqa: ARG002
        """A bit for each label, of the first 62."""
        told = values[:, :TOLD] > 0
        return np.asarray((told << np.arange(told.shape[1], dtype=np.int64)).sum(axis=1), np.int64)

    def answer_name(self, answer: int, images: Sequence[str]) -> str:  # noqa: ARG002
        """The labels that hold."""
        held = [bit for bit in range(TOLD) if answer >> bit & 1]
        return ", ".join(self._name(bit) for bit in held) or "none"

    def truth_name(self, truth: Any) -> str:
        """The labels that hold."""
        return ", ".join(self._name(bit) for bit, held in enumerate(truth) if held) or "none"

    def _by_label(self, board: Answers, reference: Answers, true: NDArray[np.bool_]) -> tuple[Label, ...]:
        ours, theirs = board > 0, reference > 0
        f1 = [f1_scores(given, true) for given in (ours, theirs)]
        right = [_right(values, true).mean(axis=0) for values in (board, reference)]
        alike = ((ours == theirs) & np.isfinite(board) & np.isfinite(reference)).mean(axis=0)
        order = np.lexsort((right[0] - right[1], f1[0] - f1[1]))
        return tuple(
            Label(
                name=self._name(int(at)),
                images=int(true[:, at].sum()),
                f1=float(f1[0][at]),
                f1_reference=float(f1[1][at]),
                accuracy=float(right[0][at]),
                accuracy_reference=float(right[1][at]),
                agreement=float(alike[at]),
            )
            for at in order
        )

    def _name(self, index: int) -> str:
        return self.labels[index] if index < len(self.labels) else f"output {index}"

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """One for all labels, or one each."""
        return np.atleast_1d(np.asarray(self.settings.get("thresholds", 0.5), np.float64))


def f1_scores(given: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray[np.float64]:
    """F1 of each label, [labels], from [images, labels]: 2 hits / (given + true); 1 where both are none."""
    hits, total = (given & true).sum(axis=0), given.sum(axis=0) + true.sum(axis=0)
    return np.where(total > 0, 2 * hits / np.maximum(total, 1), 1.0)


def _right(values: Answers, true: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which labels are right, [images, labels]; NaN is none."""
    return np.asarray(((values > 0) == true) & np.isfinite(values))


def _mean_f1(given: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """The mean over the labels that some image has; over all of them where none has any."""
    scores, there = f1_scores(given, true), true.any(axis=0)
    return float(scores[there].mean() if there.any() else scores.mean())


def _listed(images: ImageSet, at: int, cell: str, names: Sequence[str]) -> tuple[bool, ...]:
    for separator in SEPARATORS[1:]:
        cell = cell.replace(separator, SEPARATORS[0])
    given = {name.strip() for name in cell.split(SEPARATORS[0]) if name.strip()}
    if unknown := sorted(given - set(names)):
        raise DataError(
            f"{images.folder}: in labels.csv, {images.name(at)} has the label {shown(unknown[0])}, and the "
            "model has none of this name",
            "use the images and labels of this model's task",
        )
    return tuple(name in given for name in names)


def _flags(images: ImageSet, at: int, row: Mapping[str, str], names: Sequence[str]) -> tuple[bool, ...]:
    cells = [row.get(name, "").strip().casefold() for name in names]
    wrong = next((name for name, cell in zip(names, cells, strict=True) if cell not in (*YES, *NO)), None)
    if wrong is not None:
        raise DataError(
            f"{images.folder}: in labels.csv, {images.name(at)} has {shown(row.get(wrong, ''))} for {wrong}",
            "write 1 or 0",
        )
    return tuple(cell in YES for cell in cells)


def _log_sigmoid(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(-np.logaddexp(0.0, -values.astype(np.float64)))


TASK = Multilabel
METRICS = (
    Metric("f1_percent", "F1", "%", 1, "higher", lambda r: percent(r.drift.best), column="F1",
           tell=lambda value: f"{value:.1f} %", axis="F1 %"),
    Metric("drift_pp", "drift", "pp", 2, "higher", lambda r: r.drift.delta_pp, column="drift pp",
           compared=False),
    AGREEMENT,
)  # fmt: skip
