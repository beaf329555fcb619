"""Classification: one of many classes, by the largest logit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.tasks import log_softmax
from edgenet.classifier_drift import ClassificationDrift
from edgenet.confusion import by_class
from edgenet.crossed_loss import crossed_loss
from edgenet.csv_table import shown, whole_number
from edgenet.drift import CLASSIFICATION, Drift
from edgenet.errors import DataError, EdgenetError
from edgenet.figures import percent, share
from edgenet.imageset import ImageSet
from edgenet.labels import ClassNames
from edgenet.metric import AGREEMENT, Metric
from edgenet.mistakes import taken_for
from edgenet.statistics import paired, wilson
from edgenet.task import Answers, Doubt, Task, Truth, load_task, real

__all__ = ["METRICS", "TASK", "Classification"]

# Columns of labels.csv.
CLASS_INDEX, CLASS_NAME = "class_index", "class_name"
LOGITS, PROBABILITIES = "logits", "probabilities"
CLASSES = 2  # the fewest
RIVALS = 9  # classes that may take an answer's place
# Right answers, as a share, that a doubt must promise beyond what there are.
CLEAR = 0.2


class Classification(Task):
    """A classifier's logits or probabilities, [1, classes]."""

    name = CLASSIFICATION
    outputs = (LOGITS, PROBABILITIES)
    synonyms: ClassVar[Mapping[str, str]] = {"softmax": PROBABILITIES}
    heads: ClassVar[tuple[str, ...]] = ("logits", "softmax", "argmax")
    ending = "softmax"
    noun = "a classifier"
    shape = "1xCLASSES"
    settings_keys: ClassVar[tuple[str, ...]] = ("background",)
    drift: ClassVar[type[Drift]] = ClassificationDrift

    @classmethod
    def meant(cls, output: object, names: int) -> type[Task]:
        """A card that says "sigmoid" of a classifier's output means one of two classes, or several labels."""
        if cls is not Classification or output != "sigmoid":
            return cls
        return load_task("multilabel" if names > CLASSES else "binary")

    def check(self, values: int) -> tuple[str, str] | None:
        """Labels are one a class."""
        background = self.settings.get("background", 0)
        if background >= values:
            what = f"background = {background}, and the model has {values} outputs, the first of them 0"
            return what, "write the index of the output that stands for none of the classes"
        if values < CLASSES:
            what = "its output is one number, and a classifier gives one for each of its classes"
            return what, 'write task = "binary" in the card'
        named = values - self.label_offset
        if len(self.labels) in (0, named):
            return None
        return f"{len(self.labels)} labels for {named} classes", "give one label a class, in order"

    @classmethod
    def read_settings(
        cls, table: Mapping[str, Any], refuse: Callable[[str, str], EdgenetError]
    ) -> Mapping[str, Any]:
        """``background``: index of the output that stands for none of the classes, whatever its name."""
        given = table.get("background", 0)
        if not isinstance(given, int) or isinstance(given, bool) or given < 0:
            raise refuse(f"background = {given!r}", "write the index of an output, or leave it out")
        return dict(table)

    def contradiction(self, ending: str) -> tuple[str, str] | None:
        """A Softmax gives probabilities; a Sigmoid one of its own for each class, which is another task."""
        if ending in ("Sigmoid", "HardSigmoid"):
            what = "which gives each class a probability of its own: no classifier of one class in many"
            return what, 'write task = "multilabel" in the card'
        if ending == "LpNormalization":
            return (
                "which gives vectors of length 1, as an embedding does",
                'write task = "embedding" in the card',
            )
        if (ending == "Softmax") == (self.output == PROBABILITIES):
            return None
        given = PROBABILITIES if ending == "Softmax" else LOGITS
        return (
            f"which gives {given}, and the card says {self.output!r}",
            f'write output = "{given}" in the card',
        )

    def comparable(self, values: NDArray[Any], meaning: str) -> Answers:
        """Logits; from probabilities their logarithms.

        Where the user's graph or these values are probabilities, which say nothing about the mean of the
        logits, it is set to zero. Probabilities below float32's least number are that number.
        """
        logits, least = values.astype(np.float32), np.finfo(np.float32).tiny
        if meaning == PROBABILITIES:
            logits = np.log(np.maximum(logits, least))
        elif self.output == PROBABILITIES and np.ptp(logits, axis=1).max(initial=0.0) > -np.log(least) / 2:
            shares = log_softmax(logits)  # as far as the user's own probabilities go down
            logits = np.where(shares < np.log(least), np.log(least), shares).astype(np.float32)
        return self.matched(logits, PROBABILITIES if self.output == PROBABILITIES else meaning)

    def matched(self, reference: Answers, meaning: str) -> Answers:
        """Probabilities say nothing about the mean of the logits."""
        return reference if meaning == LOGITS else reference - reference.mean(axis=-1, keepdims=True)

    def divergence(self, wanted: Answers) -> Callable[[NDArray[Any]], float]:
        """Kullback-Leibler divergence from the float run's class probabilities, the mean over the images."""
        p = log_softmax(wanted)
        return lambda got: float((np.exp(p) * (p - log_softmax(got))).sum(axis=1).mean())

    def probes(self, wanted: Answers, count: int, generator: np.random.Generator) -> Answers:
        """The gradient of the log-likelihood of classes that the network itself would draw."""
        p = np.exp(log_softmax(wanted))[0]
        vectors = np.tile(-p, (count, 1))
        vectors[np.arange(count), generator.choice(len(p), count, p=p / p.sum())] += 1
        return vectors.astype(np.float32)

    def expected_loss(self, wanted: Answers, got: Answers) -> float:
        """Top-1 that is expected to be lost.

        An image whose answer changes from class a to class b loses p(a) - p(b) of a right answer, p being the
        float network's own probabilities; an image that keeps its answer loses nothing. As far as the network
        knows itself, this is what labeled images would show, with a fraction of their noise. Which answers
        change is estimated by :func:`edgenet.crossed_loss.crossed_loss`, among the ten likeliest classes.
        """
        best = np.argsort(-wanted, axis=1, kind="stable")[:, : 1 + RIVALS]
        values, noisy, p = (
            np.take_along_axis(item, best, axis=1).astype(np.float64)
            for item in (wanted, got, np.exp(log_softmax(wanted)))
        )
        margins = values[:, :1] - values[:, 1:]
        return crossed_loss(margins, p[:, :1] - p[:, 1:], noisy[:, :1] - noisy[:, 1:] - margins)

    def truth(self, images: ImageSet, values: int) -> Truth | None:
        """The class of each image: its ``class_index``, or its ``class_name`` among the model's labels.

        Raises:
            DataError: It is missing, or the model has no such class.
        """
        if images.truth is None:
            return None
        columns = images.truth[0].keys() if images.truth else ()
        if CLASS_INDEX not in columns and CLASS_NAME not in columns:
            raise DataError(
                f"{images.folder}: labels.csv has the columns file, {', '.join(columns) or 'and no other'}",
                f"name the one with the class {CLASS_INDEX} or {CLASS_NAME}",
            )
        if CLASS_NAME not in columns or any(row.get(CLASS_INDEX) for row in images.truth):
            return self._indexed(images, images.truth, values - self.label_offset)
        return self._by_name(images, [row.get(CLASS_NAME, "") for row in images.truth])

    def _indexed(self, images: ImageSet, rows: Sequence[Mapping[str, str]], classes: int) -> tuple[int, ...]:
        names, found = ClassNames(self.labels), []
        for at, row in enumerate(rows):
            index = whole_number(cell := row.get(CLASS_INDEX, ""))
            if index is None:
                wrong = f"the {CLASS_INDEX} {shown(cell)}, not an integer" if cell else f"no {CLASS_INDEX}"
                raise DataError(
                    f"{images.folder}: in labels.csv, {images.name(at)} has {wrong}",
                    f"write the number of its class, or its name in a column {CLASS_NAME}",
                )
            if index >= classes:
                raise DataError(
                    f"{images.folder}: {CLASS_INDEX} {index} in labels.csv, the model has {classes} classes",
                    "use the images and labels of this model's task",
                )
            told = row.get(CLASS_NAME, "")
            if (called := names.classes(told)) and index not in called:
                raise DataError(
                    f"{images.folder}: in labels.csv, {images.name(at)} is of class {index} and called "
                    f"{told!r}, which is class {called[0]} of the model",
                    "give the images and the labels of one order of classes",
                )
            found.append(index)
        return tuple(found)

    def _by_name(self, images: ImageSet, told: Sequence[str]) -> tuple[int, ...]:
        if not self.labels:
            order = ", ".join(sorted(set(told))[:5])
            raise DataError(
                f"{images.folder}: the images' classes are named ({order} …), and the model has no labels",
                "compile it again with --labels FILE, one name on each line in the order of its outputs; "
                "Keras and torchvision number folders of classes in alphabetical order",
            )
        names = ClassNames(self.labels)
        classes = {name: names.classes(name) for name in dict.fromkeys(told)}
        wrong = [name for name, called in classes.items() if len(called) != 1]
        if not wrong:
            return tuple(classes[name][0] for name in told)
        name = wrong[0]
        count = f"{len(wrong)} of {len(classes)} class names" if len(wrong) > 1 else "the class name"
        where = f"{images.folder}: {count} cannot be found, first {name!r} of {images.name(told.index(name))}"
        if several := classes[name]:
            raise DataError(
                f"{where}: the model calls {len(several)} classes so ({', '.join(map(str, several[:5]))})",
                f"write {CLASS_INDEX} in labels.csv",
            )
        near = names.nearest(name)
        raise DataError(
            f"{where}: the model has no such label",
            f"did you mean {near!r}?" if near else "use the images and labels of this model's task",
        )

    def classes(self, values: int) -> int:
        """One a value, but for the background."""
        return values - self.label_offset

    def class_names(self, images: ImageSet) -> tuple[str, ...]:
        """Folders in alphabetical order, as Keras and torchvision number them, or as ``labels.csv`` does."""
        rows = images.truth or ()
        if not rows or CLASS_NAME not in rows[0]:
            return ()
        if CLASS_INDEX not in rows[0]:
            folders = {path.parent.name for path in images.files}
            return tuple(sorted(folders)) if folders == {row[CLASS_NAME] for row in rows} else ()
        numbered = {whole_number(row[CLASS_INDEX]): row[CLASS_NAME] for row in rows}
        order = tuple(numbered.get(index, "") for index in range(len(numbered)))
        return order if all(order) else ()

    def same(self, first: Answers, second: Answers, truth: Truth | None) -> NDArray[np.bool_]:
        """The same best class; NaN is no answer, and so the same as none."""
        alike = self.answers(first, truth) == self.answers(second, truth)
        return np.asarray(alike & real(first) & real(second))

    def quality(self, answers: Answers, truth: Truth) -> float:
        """Top-1."""
        return float(self._right(answers, truth).mean())

    def scores(self, answers: Answers, truth: Truth) -> NDArray[np.float64]:
        """1 where the answer is right, else 0."""
        return self._right(answers, truth).astype(np.float64)

    def doubt(self, answers: Answers, truth: Truth) -> Doubt | None:
        """Whether the classes are counted otherwise, or stand in another order: much would be right then."""
        own, count = int(self._right(answers, truth).sum()), len(answers)
        told = f"the float model is right on {share(own / count)} of the images, and with its classes"
        shifts = {
            by: int(replace(self, label_offset=self.label_offset + by)._right(answers, truth).sum())
            for by in (-1, 1)
        }
        by, better = max(shifts.items(), key=lambda item: item[1])
        if wilson(better, count)[0] > max(CLEAR, 4 * wilson(own, count)[1]):
            found = better / count
            return Doubt(f"{told} shifted by {by:+d} it would be {share(found)}: {self._counted(by)}", found)
        mapped, judged = _in_best_order(self.answers(answers, truth), np.asarray(truth))
        if wilson(mapped, judged)[0] <= wilson(own, count)[1] + CLEAR:
            return None
        found = mapped / judged
        remedy = "write the labels in the order of the outputs, as the training numbered them"
        return Doubt(f"{told} in another order it would be {share(found)}: {remedy}", found)

    def _counted(self, by: int) -> str:
        if self.label_offset + by in (0, 1):
            return f"write label_offset = {self.label_offset + by} in the card"
        return f"number the classes of labels.csv {'one lower' if by < 0 else 'one higher'}"

    def figures(self, board: Answers, reference: Answers, truth: Truth | None) -> Mapping[str, Any]:
        """Top-1, top-5 and what their difference is worth."""
        found = self.shares(board, reference, truth)
        if truth is None:
            return found
        classes = np.asarray(truth) + self.label_offset
        best = {"top5": _top(board, classes, 5), "top5_reference": _top(reference, classes, 5)}
        right = self._right(board, truth), self._right(reference, truth)
        names = self.truth_name, lambda answer: self.answer_name(answer, ())
        means = by_class(np.asarray(truth), self.answers(board, truth), right, names)
        return {**found, **best, **means, **self.taken_for(board, reference, truth)}

    def taken_for(self, board: Answers, reference: Answers, truth: Truth) -> Mapping[str, Any]:
        """What is taken for what, class by class."""
        given = (self.answers(board, truth), self.answers(reference, truth))
        right = (self._right(board, truth), self._right(reference, truth))
        classes = (given[0] - self.label_offset, given[1] - self.label_offset)
        return taken_for(np.asarray(truth), classes, right, self.truth_name)

    def shares(self, board: Answers, reference: Answers, truth: Truth | None) -> Mapping[str, Any]:
        """The shares of right answers, and what their difference is worth."""
        if truth is None:
            names = ("top1", "top1_reference", "top1_delta_pp", "interval_pp", "mcnemar_p")
            return dict.fromkeys(names)
        found = paired(self._right(board, truth), self._right(reference, truth))
        return {
            "top1": found.first,
            "top1_reference": found.second,
            "top1_delta_pp": found.delta_pp,
            "interval_pp": found.interval_pp,
            "mcnemar_p": found.mcnemar_p,
        }

    def cosine(self, first: Answers, second: Answers) -> float:
        """Mean cosine of the centered logits: a constant added to all of them changes no answer."""
        a, b = (values - values.mean(axis=1, keepdims=True) for values in (first, second))
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        return float((np.einsum("nc,nc->n", a, b) / np.maximum(norms, 1e-30)).mean())

    def error(self, first: Answers, second: Answers) -> NDArray[np.float64]:
        """The largest difference of a logit."""
        return np.asarray(np.abs(first - second).max(axis=1), np.float64)

    def answers(self, values: Answers, truth: Truth | None) -> NDArray[np.int64]:  # noqa: ARG002
        """Output index of the best class."""
        return np.asarray(values.argmax(axis=1))

    def answer_name(self, answer: int, images: Sequence[str]) -> str:  # noqa: ARG002
        """The label of an output."""
        index = answer - self.label_offset
        return self.labels[index] if 0 <= index < len(self.labels) else f"output {answer}"

    def truth_name(self, truth: Any) -> str:
        """The label of a class."""
        return self.answer_name(int(truth) + self.label_offset, ())

    def _right(self, answers: Answers, truth: Truth) -> NDArray[np.bool_]:
        given = self.answers(answers, truth) - self.label_offset
        return np.asarray((given == np.asarray(truth)) & real(answers))


def _in_best_order(answers: NDArray[np.int64], truth: NDArray[np.int64]) -> tuple[int, int]:
    """Right answers, and of how many, if each output meant the class it mostly stands for in other images.

    What outputs mean is learned of every other image of a class and judged on the rest, so that chance does
    not make it better than it is.
    """
    order = np.argsort(truth, kind="stable")
    learned, judged = order[0::2], order[1::2]
    meant = {
        output: Counter(truth[learned[answers[learned] == output]].tolist()).most_common(1)[0][0]
        for output in set(answers[learned].tolist())
    }
    right = sum(meant.get(int(answers[index])) == int(truth[index]) for index in judged)
    return right, max(len(judged), 1)


def _top(values: Answers, truth: NDArray[np.int64], count: int) -> float:
    """Share of images with fewer than ``count`` values above the true class's."""
    own = np.take_along_axis(values, truth[:, None], axis=1)
    return float(((values > own).sum(axis=1) < count).mean())


TASK = Classification
METRICS = (
    Metric("top1_percent", "top-1", "%", 1, "higher", lambda r: percent(r.drift.best), column="top-1",
           tell=lambda value: f"{value:.1f} %", axis="top-1 %"),
    Metric("drift_pp", "drift", "pp", 2, "higher", lambda r: r.drift.delta_pp, column="drift pp",
           compared=False),
    AGREEMENT,
)  # fmt: skip
