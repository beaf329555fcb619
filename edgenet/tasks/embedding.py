"""Embedding: a vector for each image; images of the same identity lie close to each other.

Vectors are compared by the cosine, whatever their length. The answer to an image is its nearest neighbor:
where the set says who is who, in a gallery of the first picture of everyone, else among all other images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.tasks.embedding import unit
from edgenet.drift import Drift, Percent, Share, Worst
from edgenet.errors import DataError, EdgenetError
from edgenet.figures import chance, interval, number, percent, share
from edgenet.imageset import ImageSet
from edgenet.metric import AGREEMENT, Metric
from edgenet.report import Report
from edgenet.statistics import paired
from edgenet.task import Answers, Task, Truth, real
from edgenet.verification import Pairs, Verified

__all__ = ["METRICS", "TASK", "Embedding", "EmbeddingDrift", "identities"]

# Columns of labels.csv that say who is in a picture; the first that is there counts.
COLUMNS = ("identity", "person", "class_name", "class_index")
POINTS = 32
DIMENSIONS = 2  # the fewest


@dataclass(frozen=True, kw_only=True)
class EmbeddingDrift(Drift):
    """Drift of an embedding.

    Attributes:
        cosine_median, cosine_p5, cosine_least: Of the cosines of board's and float model's vector, one an
            image: the median, what 95 % of the images reach, and the least.
        rank1, rank1_reference: Share of images whose nearest gallery picture is of the same identity.
        rank1_delta_pp: Board minus float in percentage points.
        mcnemar_p: Chance of so unequal a split.
        auc, auc_reference: Area under the ROC curve of telling same from different over all pairs.
        auc_delta_interval: 95 % interval of their difference, board minus float.
        accepts_1pc, accepts_1pc_reference: Share of the pairs of one identity that are nearer than all but
            1 % of those of two.
        accepts_01pc, accepts_01pc_reference: Than all but 0.1 %.
    """

    measure = "rank-1"
    headline = "rank1"
    moved = "vectors"

    cosine_median: float
    rank1: Share | None
    rank1_reference: Share | None
    rank1_delta_pp: Percent | None
    mcnemar_p: Share | None
    auc: Share | None
    auc_reference: Share | None
    cosine_p5: float | None = None
    cosine_least: float | None = None
    auc_delta_interval: tuple[float, float] | None = None
    accepts_1pc: Share | None = None
    accepts_1pc_reference: Share | None = None
    accepts_01pc: Share | None = None
    accepts_01pc_reference: Share | None = None

    def rows(self) -> list[tuple[str, str]]:
        """The vectors' cosine; rank-1, the ROC area and true accepts beside the float model's."""
        rows = [
            ("median cosine of board and float", number(self.cosine_median, 5)),
            ("95 % of the images reach", number(self.cosine_p5, 5)),
            ("the least", number(self.cosine_least, 5)),
        ]
        if self.rank1 is None or self.rank1_delta_pp is None:
            return rows
        rows += [
            ("rank-1", f"{share(self.rank1, 2)} (float {share(self.rank1_reference, 2)})"),
            ("difference", f"{self.rank1_delta_pp:+.2f} pp"),
            ("its 95 % interval (Newcombe)", interval(self.interval_pp) + " pp"),
            ("McNemar p", chance(self.mcnemar_p)),
        ]
        return [*rows, *self._verification()] if self.auc is not None else rows

    def describe(self, item: Worst) -> str:
        """How near the board's vector is to the float model's."""
        return super().describe(item) if item.error is None else f"cosine {1.0 - item.error:.4f}"

    def _verification(self) -> list[tuple[str, str]]:
        return [
            ("area under ROC", f"{number(self.auc, 4)} (float {number(self.auc_reference, 4)})"),
            ("its difference's 95 % interval (bootstrap)", interval(self.auc_delta_interval, 4)),
            ("true accepts at 1 % false", _beside(self.accepts_1pc, self.accepts_1pc_reference)),
            ("true accepts at 0.1 % false", _beside(self.accepts_01pc, self.accepts_01pc_reference)),
        ]


class Embedding(Task):
    """A vector, [1, dimensions], of any length or of length 1."""

    name = "embedding"
    outputs = ("embedding", "normalized")
    heads = ("logits",)
    ending = "l2-normalization"
    settings_keys = ("metric", "threshold", "alignment")
    enrolls = True
    noun = "an embedding"
    shape = "1xDIMENSIONS"
    drift = EmbeddingDrift

    def check(self, values: int) -> tuple[str, str] | None:
        """An embedding has two dimensions at least, and no classes."""
        if values < DIMENSIONS:
            return "its output is one number, and an embedding is a vector", "export the layer that gives it"
        if self.labels:
            return f"{len(self.labels)} labels, and an embedding has no classes", "leave the labels out"
        return None

    @classmethod
    def reads(cls, ending: str, values: int) -> str | None:
        """Vectors are of length 1 behind an L2 normalization, and no probabilities."""
        if ending == "LpNormalization":
            return "normalized"
        return None if ending in ("Softmax", "Sigmoid", "HardSigmoid") else super().reads(ending, values)

    @classmethod
    def read_settings(
        cls, table: Mapping[str, Any], refuse: Callable[[str, str], EdgenetError]
    ) -> Mapping[str, Any]:
        """``metric``: "cosine"; ``threshold``: below this cosine nobody is known; ``alignment``: points."""
        if table.get("metric", "cosine") != "cosine":
            raise refuse(f"metric = {table['metric']!r}", 'write "cosine", or leave it out')
        threshold = table.get("threshold", 0.0)
        if not _number(threshold, 1.0):
            raise refuse(f"threshold = {threshold!r}", "write a cosine from -1 to 1")
        points = table.get("alignment", {})
        if not isinstance(points, Mapping) or len(points) > POINTS or not all(map(_point, points.values())):
            raise refuse("[alignment] is not a table of points", "write name = [x, y], in pixels")
        return dict(table)

    def comparable(self, values: NDArray[Any], meaning: str) -> Answers:  # noqa: ARG002
        """Vectors of length 1."""
        return unit(values)

    def divergence(self, wanted: Answers) -> Callable[[NDArray[Any]], float]:
        """One less the cosine, the mean over the images."""
        ours = unit(wanted)
        return lambda got: float(1.0 - np.einsum("nv,nv->n", ours, unit(got)).mean())

    def expected_loss(self, wanted: Answers, got: Answers) -> float:
        """The share of images whose nearest neighbor is another: what could be lost at most."""
        return float(1.0 - self.same(unit(wanted), unit(got), None).mean())

    def truth(self, images: ImageSet, values: int) -> Truth | None:  # noqa: ARG002
        """Who is in each image.

        Raises:
            DataError: No column says it, or nobody is there twice.
        """
        if images.truth is None:
            return None
        names = identities(images)
        if len(set(names)) == len(names):
            raise DataError(
                f"{images.folder}: nobody is in two pictures, so recognition cannot be measured",
                "give at least two pictures of one identity, or leave labels.csv out",
            )
        return names

    def same(self, first: Answers, second: Answers, truth: Truth | None) -> NDArray[np.bool_]:
        """The same nearest neighbor, of the images that are no gallery pictures; NaN has none."""
        ours, theirs = (self.answers(values, truth) for values in (first, second))
        return np.asarray((ours == theirs) & real(first) & real(second))[_probes(truth, len(first))]

    def quality(self, answers: Answers, truth: Truth) -> float:
        """Rank-1."""
        return float(self._right(answers, truth).mean())

    def scores(self, answers: Answers, truth: Truth) -> NDArray[np.float64]:
        """1 where the nearest gallery picture is of the same identity, else 0; [probes]."""
        return self._right(answers, truth).astype(np.float64)

    def figures(self, board: Answers, reference: Answers, truth: Truth | None) -> Mapping[str, Any]:
        """Cosine, rank-1 and ROC area, and what the difference is worth."""
        near = np.einsum("nv,nv->n", board, reference)
        own: dict[str, Any] = {
            "cosine_median": float(np.median(near)),
            "cosine_p5": float(np.percentile(near, 5)),
            "cosine_least": float(near.min()),
        }
        if truth is None:
            names = ("rank1", "rank1_reference", "rank1_delta_pp", "mcnemar_p", "auc", "auc_reference")
            return {**own, **dict.fromkeys((*names, "interval_pp"))}
        found = paired(self._right(board, truth), self._right(reference, truth))
        pairs = Pairs(truth)
        return {
            **own,
            "rank1": found.first,
            "rank1_reference": found.second,
            "rank1_delta_pp": found.delta_pp,
            "interval_pp": found.interval_pp,
            "mcnemar_p": found.mcnemar_p,
            **_verified("", pairs.judged(board)),
            **_verified("_reference", pairs.judged(reference)),
            "auc_delta_interval": pairs.interval(board, reference),
        }

    def cosine(self, first: Answers, second: Answers) -> float:
        """Mean cosine of the vectors."""
        return float(np.einsum("nv,nv->n", first, second).mean())

    def error(self, first: Answers, second: Answers) -> NDArray[np.float64]:
        """One less the cosine."""
        return np.asarray(1.0 - np.einsum("nv,nv->n", first, second, dtype=np.float64))

    def answers(self, values: Answers, truth: Truth | None) -> NDArray[np.int64]:
        """Index of the nearest image of the gallery."""
        gallery = _gallery(truth, len(values))
        near = values @ values[gallery].T
        near[gallery, np.arange(len(gallery))] = -np.inf if len(gallery) > 1 else 0.0  # not itself
        return np.asarray(gallery[near.argmax(axis=1)])

    def answer_name(self, answer: int, images: Sequence[str]) -> str:
        """The name of the nearest image."""
        return images[answer] if 0 <= answer < len(images) else f"image {answer}"

    def truth_name(self, truth: Any) -> str:
        """Who it is."""
        return str(truth)

    def gallery_names(self, images: ImageSet) -> Sequence[str]:
        """Who is in each picture, or the file's name without its suffix where nobody says it."""
        return identities(images) if images.truth else [path.stem for path in images.files]

    def _right(self, values: Answers, truth: Truth) -> NDArray[np.bool_]:
        who, probes = np.asarray(truth), _probes(truth, len(values))
        return np.asarray((who[self.answers(values, truth)[probes]] == who[probes]) & real(values)[probes])


def identities(images: ImageSet) -> tuple[str, ...]:
    """Who is in each image of a set that says so.

    Raises:
        DataError: It does not.
    """
    rows = images.truth or ()
    column = next((name for name in COLUMNS if all(row.get(name) for row in rows)), None)
    if column is None:
        raise DataError(
            f"{images.folder}: labels.csv does not say who is in each picture",
            f"write file and one of {', '.join(COLUMNS)}",
        )
    return tuple(row[column] for row in rows)


def _gallery(truth: Truth | None, count: int) -> NDArray[np.int64]:
    """Indices of the first picture of every identity; of all pictures where nobody says who is who."""
    if truth is None:
        return np.arange(count)
    return np.sort(np.unique(np.asarray(truth), return_index=True)[1])


def _probes(truth: Truth | None, count: int) -> NDArray[np.int64]:
    """Indices of the other pictures; of all of them where nobody says who is who."""
    return np.arange(count) if truth is None else np.setdiff1d(np.arange(count), _gallery(truth, count))


def _verified(whose: str, found: Verified | None) -> dict[str, float | None]:
    """Under their names in a report."""
    names = ("auc", "accepts_1pc", "accepts_01pc")
    values = (None,) * len(names) if found is None else (found.auc, *found.accepts)
    return {f"{name}{whose}": value for name, value in zip(names, values, strict=True)}


def _beside(ours: float | None, theirs: float | None) -> str:
    return f"{share(ours, 2)} (float {share(theirs, 2)})"


def _number(value: object, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most


def _point(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(_number(x, 16_384) for x in value)


def _auc(report: Report) -> float | None:
    return getattr(report.drift, "auc", None)


TASK = Embedding
METRICS = (
    Metric("rank1_percent", "rank-1", "%", 1, "higher", lambda r: percent(r.drift.best), column="rank-1",
           tell=lambda value: f"{value:.1f} %", axis="rank-1 %"),
    Metric("drift_pp", "drift", "pp", 2, "higher", lambda r: r.drift.delta_pp, column="drift pp",
           compared=False),
    Metric("cosine", "cosine", "", 4, "higher", lambda r: r.drift.cosine, column="cosine"),
    Metric("auc", "area under ROC", "", 4, "higher", _auc, column="ROC area"),
    AGREEMENT,
)  # fmt: skip
