"""Detection: what is in a picture, and where. SSD and its kin: scores of classes and a box, of each anchor.

However many outputs a detector has, its answer is one row: the scores of all anchors, then their box codes.
Answers are compared as probabilities and codes; what they mean is decoded as on the board.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from numpy.typing import NDArray

from edgenet.agent.detection.anchors import count_of
from edgenet.agent.detection.coding import code_count
from edgenet.agent.detection.detector import Detector, Found, background_of
from edgenet.agent.detection.row import NONE, Row
from edgenet.agent.tasks.detection import NOTHING
from edgenet.cards.preset import Preset, presets
from edgenet.detection.average_precision import Precision
from edgenet.detection.coco import find_coco
from edgenet.detection.divergence import Divergence
from edgenet.detection.drift import JUDGED, DetectionDrift
from edgenet.detection.figures import box_figures, notes, places, precision_figures
from edgenet.detection.matching import matched, moved
from edgenet.detection.settings import read_detection
from edgenet.detection.truth import true_pictures
from edgenet.errors import EdgenetError, LibraryError, ModelError
from edgenet.figures import percent
from edgenet.imageset import ImageSet
from edgenet.metric import AGREEMENT, Metric
from edgenet.original.detector.row import row_of
from edgenet.pages import page
from edgenet.preprocessing import Preprocessing
from edgenet.recipe import Recipe
from edgenet.report import Report
from edgenet.task import Answers, Task, Truth, real

__all__ = ["METRICS", "TASK", "Detection"]

KEY, LIKE = "detection", "like"
LOGITS, PROBABILITIES = "logits", "probabilities"
# What the graph says, in a table that one has completed.
RESOLVED = {"activation", "codes", "columns"}
# Without these nothing can be decoded.
NEEDED = ("coding", "background", "anchors")
# Chosen on calibration images left out: the mean of two halves, two detectors (docs/detection.md).
HEADROOM = 0.25
# More classes than any card names: an answer is a count and a class in one number.
CLASSES = 1 << 20


class Detection(Task):
    """Scores and box codes of anchors, [1, N * C + N * K]."""

    name = "detection"
    outputs = (LOGITS, PROBABILITIES)
    heads = (LOGITS,)
    ending = "heads"
    settings_keys = (KEY,)
    together = 4
    noun = "a detector"
    shape = "1xVALUES, scores and box codes"
    drift = DetectionDrift

    @classmethod
    def read_settings(
        cls, table: Mapping[str, Any], refuse: Callable[[str, str], EdgenetError]
    ) -> Mapping[str, Any]:
        """``detection``: see :mod:`edgenet.detection.settings`; ``like``: a preset that answers the rest."""
        own = table.get(KEY, {})
        if isinstance(own, Mapping) and LIKE in own:
            own = {**_like(own[LIKE], refuse), **{key: value for key, value in own.items() if key != LIKE}}
        return {KEY: read_detection(own, refuse)}

    @classmethod
    def reads(cls, ending: str, values: int) -> str | None:  # noqa: ARG003
        """One row of numbers does not tell that it is of a detector."""
        return None

    def joined(self, proto: onnx.ModelProto, preprocessing: Preprocessing, path: Path) -> Task:
        """Scores and boxes as one row (:mod:`edgenet.original.detector.row`); what is one stays so."""
        if set(self._own) >= RESOLVED:
            return self
        row = row_of(proto, self._own, len(self.labels), preprocessing, path)
        settings = read_detection(row.settings, lambda what, remedy: ModelError(f"{path}: {what}", remedy))
        return replace(self, output=row.meaning, settings={KEY: settings})

    def check(self, values: int) -> tuple[str, str] | None:
        """The card says how boxes are coded, and its anchors are those of the file."""
        if lacking := [key for key in NEEDED if key not in self._own]:
            return (
                f"[detection] does not say {lacking[0]}",
                f"write {', '.join(lacking)} ({page('detection')})",
            )
        if "tensor" in self._own["anchors"]:
            name = self._own["anchors"]["tensor"]
            return f"the anchors are a tensor {name!r}, which nobody read", "give the file that has it"
        if self.label_offset:
            return (
                "label_offset = 1",
                "remove it: background in [detection] names the column of no class",
            )
        return self._check_names() or self._check_anchors(values)

    def _check_names(self) -> tuple[str, str] | None:
        columns = self._own.get("columns")
        if columns is None or len(self.labels) in (0, columns - (self._background is not None)):
            return None
        remedy = "name every class in the order of the columns, without the background"
        return f"{len(self.labels)} classes, and the scores have {columns} columns", remedy

    def _check_anchors(self, values: int) -> tuple[str, str] | None:
        count, codes = count_of(self._own["anchors"]), code_count(self._own)
        width = self._own.get("columns", self._named_columns)
        if width is None:
            fits = values % count == 0 and values // count > codes
            found = f"{values:,} values"
        else:
            fits = values == count * (width + codes)
            each, over = divmod(values, width + codes)
            found = f"{values:,} values" if over else f"{each:,}"
        remedy = "correct [detection.anchors]: maps and sizes of every map that the network has heads on"
        return None if fits else (f"{count:,} anchors in the card, {found} in the file", remedy)

    def recipe(self, recipe: Recipe) -> Recipe:
        """Ranges of all that was seen, and headroom beyond.

        Objects are few among thousands of anchors, and where there is one, activations are the largest of
        the picture. A range of the least mean squared error gives up what is so rare, and a range of what was
        seen leaves no room for what a few calibration images did not show. Nor can few images choose between
        variants: what is rare is in none of them.
        """
        if recipe.observer != "error":
            return recipe
        return replace(recipe, observer="min-max", headroom=HEADROOM, variants=())

    def comparable(self, values: NDArray[Any], meaning: str) -> Answers:
        """Probabilities of all anchors and columns, then the box codes in the network's own units."""
        shape = self._shape(values.shape[1])
        row = Row({"meaning": meaning}, shape, self._own.get("activation", NONE), self._background)
        made = values.astype(np.float32)
        for index, own in enumerate(made):
            made[index, : shape[0] * shape[1]] = row.probabilities(own).reshape(-1)
        return made

    def divergence(self, wanted: Answers) -> Callable[[NDArray[Any]], float]:
        """Of classes, at the anchors that matter, and of the boxes that survive suppression.

        See :class:`edgenet.detection.divergence.Divergence`.
        """
        return Divergence(
            self._detector(wanted.shape[1]), self._shape(wanted.shape[1]), self._background, wanted
        )

    def expected_loss(self, wanted: Answers, got: Answers) -> float:
        """The share of the objects of both that only one of them finds, each counted by its probability."""
        alone, total = 0.0, 0.0
        for reference, own in zip(self._all(wanted), self._all(got), strict=True):
            found = matched(own, reference)
            alone += float(reference.scores[found.lost].sum() + own.scores[found.new].sum())
            total += float(reference.scores.sum() + own.scores.sum())
        return alone / total if total else 0.0

    def told_loss(self, pp: float) -> str:
        """It is no loss of mAP: most of what only one finds is faint."""
        return f"{pp:.2f} % of objects, by probability, in one only"

    def truth(self, images: ImageSet, values: int) -> Truth | None:
        """What is in each image, by the annotations in COCO's form beside them.

        Raises:
            DataError: They are not of these images, or not of this model's classes.
        """
        coco = find_coco(images.annotations)
        return None if coco is None else true_pictures(images, coco, self.labels, self.classes(values))

    def seen(self, truth: Truth, preprocessing: Preprocessing) -> Truth:
        """Where in each picture the network's input lies."""
        return tuple(picture.seen(preprocessing) for picture in truth)

    def same(self, first: Answers, second: Answers, truth: Any) -> NDArray[np.bool_]:  # noqa: ARG002
        """The same objects at the same places, of those that are shown; NaN is no answer."""
        pairs = zip(self._shown(first), self._shown(second), strict=True)
        alike = np.asarray([matched(ours, theirs).same for ours, theirs in pairs], bool)
        return np.asarray(alike & real(first) & real(second))

    def quality(self, answers: Answers, truth: Truth) -> float:
        """mAP at an intersection over union of 0.5."""
        return self._precision(answers, truth).mean()[0]

    def figures(self, board: Answers, reference: Answers, truth: Truth | None) -> Mapping[str, Any]:
        """mAP and what the difference is worth; boxes that are kept, lost and new."""
        pairs = list(zip(self._shown(board), self._shown(reference), strict=True))
        detector = self._detector(board.shape[1])
        own = box_figures(pairs, [detector.faint(item) for item in board])
        if truth is None:
            return {**own, **dict.fromkeys((*JUDGED, "map50_interval", "map_interval", "interval_pp"))}
        both = self._precision(board, truth), self._precision(reference, truth)
        return {**own, **precision_figures(*both, self._name), "truth_notes": notes(truth)}

    def cosine(self, first: Answers, second: Answers) -> float:
        """Mean cosine of the rows."""
        norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        return float((np.einsum("nv,nv->n", first, second) / np.maximum(norms, 1e-30)).mean())

    def error(self, first: Answers, second: Answers) -> NDArray[np.float64]:
        """Scores of the objects that only one of both shows, and what the others' boxes lack of each."""
        pairs = zip(self._shown(first), self._shown(second), strict=True)
        return np.asarray([moved(ours, theirs) for ours, theirs in pairs], np.float64)

    def answers(self, values: Answers, truth: Any) -> NDArray[np.int64]:  # noqa: ARG002
        """How many objects are shown of an image, and the class of the most certain one."""
        told = [
            len(found.scores) * CLASSES + int(found.classes[0]) if len(found.scores) else 0
            for found in self._shown(values)
        ]
        return np.asarray(told, np.int64)

    def placed(self, board: Answers, reference: Answers, truth: Any) -> Mapping[str, Any]:
        """Where board, float model and truth see something."""
        detector = self._detector(len(board))
        ours, theirs = (places(detector.shown(own), self._name) for own in (board, reference))
        told = {"boxes": ours, "boxes_reference": theirs}
        return told if truth is None else {**told, "boxes_true": places(truth.fractions(), self._name)}

    def answer_name(self, answer: int, images: Sequence[str]) -> str:  # noqa: ARG002
        """The most certain object, and how many others."""
        count, best = divmod(answer, CLASSES)
        if not count:
            return NOTHING
        return self._name(best) if count == 1 else f"{self._name(best)} +{count - 1} more"

    def truth_name(self, truth: Any) -> str:
        """How many objects there are of each class."""
        counts = Counter(truth.objects.classes[~truth.objects.crowd].tolist())
        return ", ".join(f"{count} {self._name(index)}" for index, count in counts.most_common()) or NOTHING

    def classes(self, values: int) -> int:
        """One a column, but for the background."""
        return self._shape(values)[1] - (self._background is not None)

    def _name(self, index: int) -> str:
        return self.labels[index] if index < len(self.labels) else f"class {index}"

    def _shape(self, values: int) -> tuple[int, int, int]:
        """Anchors, columns and codes of a row of so many values."""
        anchors, codes = count_of(self._own["anchors"]), code_count(self._own)
        return anchors, self._own.get("columns", values // anchors - codes), codes

    def _detector(self, values: int) -> Detector:
        settings = {**self._own, "columns": self._shape(values)[1]}
        return Detector(settings, {"meaning": PROBABILITIES})

    def _shown(self, answers: Answers) -> list[Found]:
        detector = self._detector(answers.shape[1])
        return [detector.shown(own) for own in answers]

    def _all(self, answers: Answers) -> list[Found]:
        detector = self._detector(answers.shape[1])
        return [detector.all(own) for own in answers]

    def _precision(self, answers: Answers, truth: Truth) -> Precision:
        """Judged in the order in which the annotations number the pictures."""
        order = sorted(range(len(truth)), key=lambda index: truth[index].id)
        found = self._all(answers)
        return Precision(
            [truth[index].objects for index in order], [truth[index].judged(found[index]) for index in order]
        )

    @property
    def _own(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.settings.get(KEY, {})
        return found

    @property
    def _background(self) -> int | None:
        found: int | None = background_of(self._own)
        return found

    @property
    def _named_columns(self) -> int | None:
        return len(self.labels) + (self._background is not None) if self.labels else None


def _own(report: Report) -> DetectionDrift:
    """Its drift: metrics of this task read its own reports only."""
    return cast("DetectionDrift", report.drift)


def _like(name: object, refuse: Callable[[str, str], EdgenetError]) -> Mapping[str, Any]:
    """What a preset says of detectors."""
    try:
        found = Preset.load(str(name)).detection
    except LibraryError as error:
        raise refuse(f"[detection] like: {error.what}", error.remedy) from None
    if not found:
        of = ", ".join(item.name for item in presets() if item.detection)
        raise refuse(f"[detection] like = {name!r} is a preset of no detector", f"write one of {of}")
    return found


TASK = Detection
METRICS = (
    Metric("map50_percent", "mAP@0.5", "%", 1, "higher", lambda r: percent(r.drift.best), column="mAP@0.5",
           tell=lambda value: f"{value:.1f} %", axis="mAP@0.5 %"),
    Metric("map_percent", "mAP@[.5:.95]", "%", 1, "higher", lambda r: percent(_own(r).map),
           label="mAP %", column="mAP", tell=lambda value: f"{value:.1f} %"),
    Metric("drift_pp", "drift", "pp", 2, "higher", lambda r: r.drift.delta_pp, column="drift pp",
           compared=False),
    Metric("boxes_kept_percent", "boxes kept", "%", 1, "higher", lambda r: percent(_own(r).boxes_kept),
           column="boxes kept", tell=lambda value: f"{value:.1f} %"),
    AGREEMENT,
)  # fmt: skip
