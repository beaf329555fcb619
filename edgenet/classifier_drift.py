"""What a classifier's answers lost: the form of its reports' ``drift``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.confusion import Confusion
from edgenet.confusion_matrix import ClassAccuracy, ConfusionMatrix, Mistake
from edgenet.drift import Drift, Percent, Share, TaskTable
from edgenet.figures import chance, interval, share
from edgenet.json_value import Count
from edgenet.statistics import wilson

__all__ = ["ClassificationDrift"]

# Classes and pairs of a table for people.
SHOWN, PAIRS = 20, 10


@dataclass(frozen=True, kw_only=True)
class ClassificationDrift(Drift):
    """Drift of a classifier.

    Attributes:
        top1, top1_reference, top5, top5_reference: Share of right answers of board and float model.
        top1_delta_pp: Board minus float in percentage points.
        mcnemar_p: Chance of so unequal a split.
        class_accuracy, class_accuracy_reference: Mean over the classes that some image has of their share of
            right answers.
        class_delta_interval_pp: 95 % interval of its difference, board minus float.
        classes: How many classes some image has.
        confusions: Where the float model is right and the board wrong, by pair, the most frequent first.
        by_class: Each class that some image has, the one that lost most first; at most 2,000.
        mistakes: What the board takes for what, by pair, the most frequent first; at most 50.
        matrix: All of it, of at most 100 classes.
    """

    measure = "top-1"
    headline = "top1"
    moved = "logits"

    top1: Share | None
    top1_reference: Share | None
    top1_delta_pp: Percent | None
    mcnemar_p: Share | None
    top5: Share | None = None
    top5_reference: Share | None = None
    class_accuracy: Share | None = None
    class_accuracy_reference: Share | None = None
    class_delta_interval_pp: tuple[Percent, Percent] | None = None
    classes: Count | None = None
    confusions: tuple[Confusion, ...] = ()
    by_class: tuple[ClassAccuracy, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    matrix: ConfusionMatrix | None = None

    def rows(self) -> list[tuple[str, str]]:
        """Top-1 and top-5 beside the float model's, and what their difference is worth."""
        if self.top1 is None or self.top1_delta_pp is None:
            return []
        return [
            ("top-1", f"{share(self.top1, 2)} (float {share(self.top1_reference, 2)})"),
            ("top-5", f"{share(self.top5, 2)} (float {share(self.top5_reference, 2)})"),
            ("difference", f"{self.top1_delta_pp:+.2f} pp"),
            ("its 95 % interval (Newcombe)", interval(self.interval_pp) + " pp"),
            ("McNemar p", chance(self.mcnemar_p)),
            *self._by_class(),
        ]

    def _by_class(self) -> list[tuple[str, str]]:
        if self.class_accuracy is None:
            return []
        told = f"{share(self.class_accuracy, 2)} (float {share(self.class_accuracy_reference, 2)})"
        rows = [(f"mean of {self.classes} classes' accuracy", told)]
        if self.class_delta_interval_pp is not None:
            text = interval(self.class_delta_interval_pp) + " pp"
            rows.append(("its difference's 95 % interval (bootstrap)", text))
        for item in self.confusions[:1]:
            rows.append(("lost most often", f"{item.label} taken for {item.answer}, {item.images} images"))
        return rows

    def tables(self) -> list[TaskTable]:
        """Each class, what is taken for what, and what only the board gets wrong."""
        return [item for item in (self._classes(), self._mistakes(), self._confusions()) if item.rows]

    def _classes(self) -> TaskTable:
        what, listed = self._listed()
        precise = any(item.precision is not None for item in listed)
        columns = ("class", "images", "board", "float", "change pp", "95 % interval (board)")
        rows = [
            (item.name, str(item.images), share(item.accuracy), share(item.accuracy_reference),
             f"{100.0 * (item.accuracy - item.accuracy_reference):+.1f}", _spread(item),
             *((share(item.precision),) if precise else ()))
            for item in listed
        ]  # fmt: skip
        images = [item.images for item in listed] or [0]
        each = f"{min(images)}" if min(images) == max(images) else f"{min(images)} to {max(images)}"
        heads = (*columns, "precision") if precise else columns
        return TaskTable(f"{what}, {each} images each", heads, rows)

    def _listed(self) -> tuple[str, Sequence[ClassAccuracy]]:
        """All of few classes; of many those that lost most, or where none did the least accurate."""
        if len(self.by_class) <= SHOWN:
            return "Accuracy of each class", self.by_class
        lost = [item for item in self.by_class if item.accuracy < item.accuracy_reference][:SHOWN]
        if lost:
            return f"The {len(lost)} classes of {self.classes} that lost most", lost
        least = sorted(self.by_class, key=lambda item: item.accuracy)[:SHOWN]
        return f"No class lost anything; the {len(least)} least accurate of {self.classes}", least

    def _mistakes(self) -> TaskTable:
        columns = ("class", "the board says", "images", "float model", "images of the class")
        rows = [
            (item.label, item.answer, str(item.images), str(item.images_reference), str(item.of_images))
            for item in self.mistakes[:PAIRS]
        ]
        return TaskTable("What is taken for what, most often first", columns, rows)

    def _confusions(self) -> TaskTable:
        columns = ("class", "the board says", "images", "of those that the float model knows")
        rows = [(item.label, item.answer, str(item.images), str(item.known)) for item in self.confusions]
        return TaskTable("Right in float, wrong on the board", columns, rows)

    def confused(self) -> ConfusionMatrix | None:
        """The whole matrix, of few classes."""
        return self.matrix


def _spread(item: ClassAccuracy) -> str:
    """The Wilson interval of a class's accuracy, in percent."""
    low, high = wilson(round(item.accuracy * item.images), item.images)
    return f"{interval((100.0 * low, 100.0 * high), 1)} %"
