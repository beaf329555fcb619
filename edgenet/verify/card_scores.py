"""How right the float network is on labeled images under one card or another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgenet.card import ModelCard
from edgenet.errors import DataError, ModelError
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.progress import Progress, silent
from edgenet.task import Doubt, Task, Truth
from edgenet.verify.reference import Reference

__all__ = ["CardScores"]


class CardScores:
    """Answers of one network under several cards, each computed once.

    Args:
        model: The float network with its task.
        images: Labelled images.
        progress: Called for every card and image.

    Attributes:
        task: The network's.

    Raises:
        DataError: The images' labels are not of the model's task, or there are none.
    """

    def __init__(self, model: Model, images: ImageSet, progress: Progress = silent) -> None:
        self.task = model.task
        self._images, self._model, self._progress = images, model, progress
        self._network = Reference(model.proto, model.preprocessing, model.task)
        self._known: dict[tuple[Preprocessing, int], NDArray[np.float32] | None] = {}
        self._truths: dict[tuple[int, tuple[str, ...]], Truth] = {}
        self._truth(model.task)

    def constant(self, card: ModelCard, count: int) -> float:
        """What always the same answer would score on the images of :meth:`scores`."""
        truth = self._truth(card.task)
        return card.task.constant([truth[index] for index in self._chosen(count)])

    def doubt(self, card: ModelCard, count: int) -> Doubt | None:
        """What the answers say of wrong labels under a card that was scored, where that is clear."""
        answers, truth = self._answers(card, self._chosen(count))
        return card.task.doubt(answers, truth)

    def scores(self, cards: Sequence[ModelCard], count: int) -> NDArray[np.float64]:
        """How right each image is under each card, 0 to 1, [cards, images], on images spread evenly.

        An image that cannot be read is wrong under every card, and so is one on which a card gives NaN.

        Args:
            cards: Of the network's size.
            count: At most so many images.

        Raises:
            ModelError: The task judges answers together, so that a card cannot be scored by single images.
        """
        chosen = self._chosen(count)
        needed = list(dict.fromkeys(card.preprocessing for card in cards))
        total = len(chosen) * len(needed)
        for done, index in enumerate(chosen):
            self._run(needed, index)
            self._progress("scoring the choices (images)", (done + 1) * len(needed), total)
        return np.stack([self._judged(card, chosen) for card in cards])

    def _truth(self, task: Task) -> Truth:
        key = (task.label_offset, task.labels)
        if key not in self._truths:
            truth = task.truth(self._images, self._model.classes)
            if truth is None:
                raise DataError(
                    f"{self._images.folder}: its images have no labels, and those tell which card is right",
                    "put the images of each class into a folder of its own, or write labels.csv beside them",
                )
            self._truths[key] = list(truth)
        return self._truths[key]

    def _chosen(self, count: int) -> list[int]:
        total = len(self._images)
        used = min(count, total)
        return [index * total // used for index in range(used)]

    def _run(self, needed: Sequence[Preprocessing], index: int) -> None:
        """Run one image under each way to feed it; pictures that are resized alike are resized once."""
        made: dict[tuple[object, ...], NDArray[np.uint8] | None] = {}
        for how in needed:
            if (how, index) in self._known:
                continue
            fitted = tuple(map(str, how.fit_spec().items()))
            if fitted not in made:
                made[fitted] = self._pixels(index, how)
            self._known[how, index] = self._answer(how, made[fitted])

    def _pixels(self, index: int, how: Preprocessing) -> NDArray[np.uint8] | None:
        try:
            return self._images.pixels(index, how)
        except DataError:
            return None

    def _answer(self, how: Preprocessing, pixels: NDArray[np.uint8] | None) -> NDArray[np.float32] | None:
        if pixels is None:
            return None
        try:
            return self._network.fed(how).run(pixels)
        except ModelError:  # NaN: no card of this network
            return None

    def _answers(self, card: ModelCard, chosen: Sequence[int]) -> tuple[NDArray[np.float32], Truth]:
        given = [self._known[card.preprocessing, index] for index in chosen]
        none = np.full(self._model.classes, np.nan, np.float32)
        truth = self._truth(card.task)
        answers = np.stack([none if item is None else item for item in given])
        return answers, [truth[index] for index in chosen]

    def _judged(self, card: ModelCard, chosen: Sequence[int]) -> NDArray[np.float64]:
        found = card.task.scores(*self._answers(card, chosen))
        if found is None:
            raise ModelError(
                f"{card.task.noun} has no right answer to a single image, so images cannot tell its card",
                "leave --images out",
            )
        return found
