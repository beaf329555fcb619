"""What every task is: how a network's answers are read, compared, judged and shown.

A task is one module of ``edgenet/tasks/`` with a class named by ``TASK``; it is found by its file name, which
is also the name of its half on the board (``edgenet/agent/tasks/``). Nothing outside these two asks for a
task by its name. See docs/add-a-task.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray

from edgenet.drift import Drift
from edgenet.errors import EdgenetError
from edgenet.imageset import ImageSet
from edgenet.preprocessing import Preprocessing
from edgenet.recipe import Recipe
from edgenet.tasks import task_module

__all__ = ["Answers", "Doubt", "Task", "Truth", "load_task", "real"]

# What a network gives for each image, made comparable: float32 [n, values].
Answers = NDArray[np.float32]
# What is true of each image, in the task's own form.
Truth = Sequence[Any]


class Doubt(NamedTuple):
    """Labels that are not those of a network's outputs, as its answers show.

    Attributes:
        told: What is wrong, and what to do.
        right: The share of right answers that there would be else, 0 to 1.
    """

    told: str
    right: float


@dataclass(frozen=True)
class Task(ABC):
    """How the answers of one model are read.

    Attributes:
        name: The module's name, and ``task`` of a card.
        outputs: What a card may say that the graph gives; the first is the default, and what a prepared
            model gives.
        synonyms: Other words of a card for some of them.
        heads: What an artifact can end in, see :mod:`edgenet.graph.passes.head`.
        ending: What may stand at a graph's end and is taken off before it is quantized, see
            :mod:`edgenet.graph.passes.ending`.
        settings_keys: Keys of a card that this task alone knows.
        enrolls: Whether a demo looks its answers up in a gallery of pictures.
        together: How many signs a demo's synthetic camera shows together.
        noun: What a network of this task is called in messages.
        shape: Of its output, in messages.
        drift: The form of its reports' ``drift``.
        output: What the user's graph gives, one of ``outputs``.
        labels: Names of the classes, or ``()``.
        label_offset: Output index of class 0.
        settings: What the card says under ``settings_keys``, checked.
    """

    name: ClassVar[str]
    outputs: ClassVar[tuple[str, ...]]
    synonyms: ClassVar[Mapping[str, str]] = {}
    heads: ClassVar[tuple[str, ...]]
    ending: ClassVar[str]
    settings_keys: ClassVar[tuple[str, ...]] = ()
    enrolls: ClassVar[bool] = False
    together: ClassVar[int] = 1
    noun: ClassVar[str]
    shape: ClassVar[str]
    drift: ClassVar[type[Drift]]

    output: str
    labels: tuple[str, ...] = ()
    label_offset: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def meant(cls, output: object, names: int) -> type[Task]:  # noqa: ARG003
        """The task that a card of this one means, by what it says of the output and how many names it has."""
        return cls

    @abstractmethod
    def check(self, values: int) -> tuple[str, str] | None:
        """What is wrong with a model of this task whose output has so many values, and the remedy."""

    def joined(self, proto: onnx.ModelProto, preprocessing: Preprocessing, path: Path) -> Task:  # noqa: ARG002
        """Let a user's graph give one row of numbers, in place, before anything else is done to it.

        Args:
            proto: As it was read.
            preprocessing: The card's.
            path: For messages.

        Returns:
            The task with what the graph says of it.

        Raises:
            ModelError: The card and the graph do not fit.
        """
        return self

    def contradiction(self, ending: str) -> tuple[str, str] | None:  # noqa: ARG002
        """What the card's ``output`` cannot be where a graph ends in this ONNX operator, and the remedy."""
        return None

    @classmethod
    def reads(cls, ending: str, values: int) -> str | None:
        """What a card of this task says in ``output`` of a graph that ends in this ONNX operator.

        Args:
            ending: Its last operator, "LpNormalization" for any way to write that, or "".
            values: How many it gives.

        Returns:
            One of ``outputs``, or ``None`` where such a graph is of another task.
        """
        if cls(cls.outputs[0]).check(values) is not None:
            return None
        return next((name for name in cls.outputs if cls(name).contradiction(ending) is None), None)

    def recipe(self, recipe: Recipe) -> Recipe:
        """A recipe as it is followed for this task: with what its answers ask of the ranges."""
        return recipe

    @abstractmethod
    def comparable(self, values: NDArray[Any], meaning: str) -> Answers:
        """Answers as they are compared, from real values [n, values] of this meaning (one of ``outputs``)."""

    def matched(self, reference: Answers, meaning: str) -> Answers:  # noqa: ARG002
        """Somebody else's comparable answers without what answers of this meaning cannot tell."""
        return reference

    @abstractmethod
    def divergence(self, wanted: Answers) -> Callable[[NDArray[Any]], float]:
        """A measure of how far an int8 run's answers [n, values] are from these of the float run.

        Both are made comparable first. Small noise from different sources adds up in it, so that it can be
        predicted.
        """

    def probes(self, wanted: Answers, count: int, generator: np.random.Generator) -> Answers:
        """Random vectors whose covariance is the Hessian of the divergence, or near to it.

        Args:
            wanted: The float run's answer to one image, [1, values].
            count: How many.
            generator: Where they come from.

        Returns:
            float32 [count, values].
        """
        return generator.standard_normal((count, wanted.shape[1])).astype(np.float32)

    @abstractmethod
    def expected_loss(self, wanted: Answers, got: Answers) -> float:
        """The share of right answers that is expected to be lost, without any truth."""

    def told_loss(self, pp: float) -> str:
        """``expected_loss``, in percentage points, for people."""
        return f"expected {self.drift.measure} loss {pp:.2f} pp"

    @abstractmethod
    def truth(self, images: ImageSet, values: int) -> Truth | None:
        """What is true of each image, for a model with so many values; ``None`` where the folder is silent.

        Raises:
            DataError: What it tells is not of this model's task.
        """

    def seen(self, truth: Truth, preprocessing: Preprocessing) -> Truth:  # noqa: ARG002
        """The truth of pictures as this preprocessing shows them to the network."""
        return truth

    def classes(self, values: int) -> int:  # noqa: ARG002
        """How many names a model with so many values has; 0 where nothing of it has a name."""
        return 0

    def class_names(self, images: ImageSet) -> tuple[str, ...]:  # noqa: ARG002
        """The names of all classes in their order, as a folder of images tells them; else ()."""
        return ()

    @abstractmethod
    def same(self, first: Answers, second: Answers, truth: Truth | None) -> NDArray[np.bool_]:
        """Which answers are the same in both."""

    @abstractmethod
    def quality(self, answers: Answers, truth: Truth) -> float:
        """The task's headline measure, 0 to 1, where the truth is known."""

    def scores(self, answers: Answers, truth: Truth) -> NDArray[np.float64] | None:  # noqa: ARG002
        """How right the answer to each image is, 0 to 1; ``None`` where only all together can be judged.

        Where some of the images are what the others are compared with, these have no answer of their own.
        """
        return None

    def constant(self, truth: Truth) -> float:
        """The best mean of such scores by always the same answer."""
        told = list(truth)
        return max(told.count(item) for item in set(told)) / len(told)

    def doubt(self, answers: Answers, truth: Truth) -> Doubt | None:  # noqa: ARG002
        """What the float model's answers say of wrong labels, where that is clear."""
        return None

    @abstractmethod
    def figures(self, board: Answers, reference: Answers, truth: Truth | None) -> Mapping[str, Any]:
        """The fields of the report's ``drift`` that only this task has, its interval among them."""

    @abstractmethod
    def cosine(self, first: Answers, second: Answers) -> float:
        """Mean cosine of the answers."""

    @abstractmethod
    def error(self, first: Answers, second: Answers) -> NDArray[np.float64]:
        """How far each answer moved [n]: the worst images are those where it is largest."""

    @abstractmethod
    def answers(self, values: Answers, truth: Truth | None) -> NDArray[np.int64]:
        """The answer to each image as a number that :meth:`answer_name` knows."""

    def placed(self, board: Answers, reference: Answers, truth: Any) -> Mapping[str, Any]:  # noqa: ARG002
        """Fields of :class:`edgenet.drift.Worst` that only this task has, of one image's answers [values]."""
        return {}

    @abstractmethod
    def answer_name(self, answer: int, images: Sequence[str]) -> str:
        """An answer in words; ``images`` are the names of those that were judged."""

    @abstractmethod
    def truth_name(self, truth: Any) -> str:
        """What is true of an image in words."""

    def gallery_names(self, images: ImageSet) -> Sequence[str]:
        """What the pictures of a demo's gallery are called, where the task ``enrolls`` them."""
        return [path.stem for path in images.files]

    def change_pp(self, after: Answers, before: Answers, truth: Truth | None) -> float | None:
        """What the headline measure won or lost, in percentage points; ``None`` without truth."""
        if truth is None:
            return None
        return 100.0 * (self.quality(after, truth) - self.quality(before, truth))

    @classmethod
    def read_settings(
        cls,
        table: Mapping[str, Any],
        refuse: Callable[[str, str], EdgenetError],  # noqa: ARG003
    ) -> Mapping[str, Any]:
        """The settings of a card or a manifest.

        Args:
            table: Keys among ``settings_keys`` with their values.
            refuse: Makes the error for what is wrong, from the reason and the remedy.
        """
        return dict(table)


def real(answers: Answers) -> NDArray[np.bool_]:
    """Which answers [n, values] are numbers throughout: a comparison with NaN is never an agreement."""
    return np.asarray(np.isfinite(answers).all(axis=1))


def load_task(name: str) -> type[Task]:
    """The task of that name.

    Raises:
        KeyError: There is none.
    """
    found: type[Task] = task_module(name).TASK
    return found
