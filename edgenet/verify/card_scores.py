"""How often the float network is right on labelled images under one card or another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import DataError, ModelError
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.progress import Progress, silent
from edgenet.verify.reference import Reference

__all__ = ["Card", "CardScores"]

# How a network is fed, and the output index of class 0.
Card = tuple[Preprocessing, int]


class CardScores:
    """Answers of one network under several cards, each computed once.

    Args:
        model: The float network with its task.
        images: Labelled images.
        progress: Called for every card and image.

    Raises:
        DataError: The images' labels are not of the model's task, or there are none.
        ModelError: The task judges answers together, so that a card cannot be scored by few images.
    """

    def __init__(self, model: Model, images: ImageSet, progress: Progress = silent) -> None:
        truth = model.task.truth(images, model.classes)
        if truth is None:
            raise DataError(
                f"{images.folder}: its images have no labels, and only those tell which card is right",
                "put the images of each class into a folder of its own, or write labels.csv (file,class_index)",
            )
        self._images, self._truth, self._model, self._progress = images, list(truth), model, progress
        self._network = Reference(model.proto, model.preprocessing, model.task)
        self._known: dict[tuple[Preprocessing, int], NDArray[np.float32] | None] = {}

    def constant(self, count: int) -> float:
        """The share of the most frequent class among the first images: what answering nothing else would get."""
        own = [self._truth[index] for index in self._chosen(count)]
        return max(own.count(item) for item in set(own)) / len(own)

    def right(self, cards: Sequence[Card], count: int) -> NDArray[np.bool_]:
        """Which images are answered rightly under each card, bool [cards, images], on images spread evenly.

        An image that cannot be read is wrong under every card, and so is one on which a card gives NaN.

        Args:
            cards: Of the network's size.
            count: At most so many images.
        """
        chosen = self._chosen(count)
        needed = list(dict.fromkeys(how for how, _ in cards))
        total = len(chosen) * len(needed)
        for done, index in enumerate(chosen):
            self._answer(needed, index)
            self._progress("cards", (done + 1) * len(needed), total)
        return np.stack([self._judged(card, chosen) for card in cards])

    def _chosen(self, count: int) -> list[int]:
        total = len(self._images)
        used = min(count, total)
        return [index * total // used for index in range(used)]

    def _answer(self, needed: Sequence[Preprocessing], index: int) -> None:
        """Run one image under each way to feed it; pictures that are resized alike are resized once."""
        made: dict[str, NDArray[np.uint8] | None] = {}
        for how in needed:
            if (how, index) in self._known:
                continue
            fitted = repr(how.fit_spec())
            if fitted not in made:
                made[fitted] = self._pixels(index, how)
            self._known[how, index] = self._run(how, made[fitted])

    def _pixels(self, index: int, how: Preprocessing) -> NDArray[np.uint8] | None:
        try:
            return self._images.pixels(index, how)
        except DataError:
            return None

    def _run(self, how: Preprocessing, pixels: NDArray[np.uint8] | None) -> NDArray[np.float32] | None:
        if pixels is None:
            return None
        try:
            return self._network.fed(how).run(pixels)
        except ModelError:  # NaN: no card of this network
            return None

    def _judged(self, card: Card, chosen: Sequence[int]) -> NDArray[np.bool_]:
        how, offset = card
        task = replace(self._model.task, label_offset=offset)
        given = [self._known[how, index] for index in chosen]
        answers = np.stack([item if item is not None else self._nothing for item in given])
        right = task.right(answers, [self._truth[index] for index in chosen])
        if right is None:
            raise ModelError(
                f"{task.noun} has no right answer to a single image, so images cannot tell its card",
                "leave --images out",
            )
        return right

    @property
    def _nothing(self) -> NDArray[np.float32]:
        return np.full(self._model.classes, np.nan, np.float32)
