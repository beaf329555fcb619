"""Which answers to a card's open questions labeled images speak for, and how clearly."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.card import ModelCard
from edgenet.cards.draft import Draft
from edgenet.cards.preset import Preset
from edgenet.cards.questions import OPEN
from edgenet.figures import share
from edgenet.preprocessing import Preprocessing
from edgenet.statistics import mcnemar, wilson
from edgenet.steps.plausible import Answer, options, words
from edgenet.task import Task
from edgenet.verify.card_scores import CardScores

__all__ = ["Proposal", "Proposals", "propose"]

# Images for the first look at all answers, and for the last at the best of them.
COARSE, FINE = 48, 300
CERTAIN = 0.05
# Right answers, as a share, that other labels must promise beyond those of the best card.
BETTER = 0.2
ROUNDS = 3


@dataclass(frozen=True)
class Proposal:
    """One question and what the images say of it.

    Attributes:
        question: "color", "normalization", "framing", "interpolation", "label_offset" or "labels".
        answer: Keys of the card with the values that are best.
        share: Of right answers with them, 0 to 1.
        next: The best other answer in words, and its share.
        told: Whether the images tell it from every other: a sign test of the images' scores against each,
            which is McNemar's test where a score is right or wrong.
    """

    question: str
    answer: Answer
    share: float
    next: tuple[str, float]
    told: bool

    @property
    def line(self) -> str:
        """For the card and for the screen."""
        name, other = self.next
        if not self.told:
            return (
                f"these images do not tell: {words(self.answer)} {share(self.share)}, {name} {share(other)}"
            )
        best = f"{words(self.answer)}, {share(self.share)}"
        return f"proposed by the images: {best}; the next, {name}, {share(other)}"


@dataclass(frozen=True)
class Proposals:
    """What labeled images say of all open questions.

    Attributes:
        images: How many were looked at.
        share: Of right answers under the best card.
        interval: Its 95 % interval (Wilson).
        each: One a question that is open.
        reason: Why nothing is proposed; empty where something may be.
        given: Share of right answers under the card as it was answered before; ``None`` where it is open.
    """

    images: int
    share: float
    interval: tuple[float, float]
    each: tuple[Proposal, ...]
    reason: str = ""
    given: float | None = None

    @property
    def summary(self) -> str:
        """One line: the answers that can be told from all others, their figure, its interval and the next."""
        low, high = self.interval
        best = f"{share(self.share)} of {self.images} images (95 %: {100 * low:.1f} to {share(high)})"
        told = [item for item in self.each if item.told]
        if not told:
            return f"no answer can be told from the others; the best card: {best}"
        answers = ", ".join(words(item.answer) for item in told)
        return f"{answers}: {best}; the next {share(max(item.next[1] for item in told))}"

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        each = [
            {
                "question": item.question,
                "answer": dict(item.answer),
                "right": item.share,
                "next": item.next[0],
                "next_right": item.next[1],
                "proposed": item.told and not self.reason,
            }
            for item in self.each
        ]
        return {
            "images": self.images,
            "right": self.share,
            "interval": list(self.interval),
            "given": self.given,
            "questions": each,
            "reason": self.reason or None,
        }


def propose(
    draft: Draft, asked: Sequence[str], scores: CardScores, known: Sequence[Preset]
) -> Proposals | None:
    """Try the plausible answers to a draft's open questions on labeled images.

    All combinations of color and normalization, then of framing and filter, on a few images; then the best
    card against the best with one answer changed, for every other answer, on more. The plausible answers are
    those of the presets.

    Args:
        draft: A card whose size is known.
        asked: The keys that the model's file leaves open, whoever has answered them since.
        scores: Of its network.
        known: The presets.

    Returns:
        ``None`` where nothing is open that images could tell.
    """
    task = scores.task
    questions = options(draft, asked, task, known)
    if not questions:
        return None

    def cards(tried: Sequence[Mapping[str, Answer]]) -> list[ModelCard]:
        return [_card(draft, task, item) for item in tried]

    best = {question: answers[0] for question, answers in questions.items()}
    for pair in (("color", "normalization", "label_offset", "labels"), ("framing", "interpolation")):
        tried = _combined(best, {name: questions[name] for name in pair if name in questions})
        right = scores.scores(cards(tried), COARSE)
        best = dict(tried[int(right.sum(axis=1).argmax())])
    for _ in range(ROUNDS):
        tried = [best, *_neighbors(best, questions)]
        right = scores.scores(cards(tried), FINE)
        first = int(right.sum(axis=1).argmax())
        if right[first].sum() == right[0].sum():
            break
        best = dict(tried[first])
    else:
        tried = [best, *_neighbors(best, questions)]
        right = scores.scores(cards(tried), FINE)
    each = tuple(_proposal(name, best, questions[name], tried, right) for name in questions)
    standing = [] if draft.open else [_card(draft, task, {})]
    given = [float(item.mean()) for item in scores.scores(standing, FINE)] if standing else [None]
    found = _judged(each, right[0], scores.constant(_card(draft, task, best), FINE))
    reason = _doubted(cards(tried) + standing, found, scores) or found.reason
    return replace(found, given=given[0], reason=reason)


def _doubted(seen: Sequence[ModelCard], found: Proposals, scores: CardScores) -> str:
    """What the answers say of the images' labels, under the best card or, where that is better, another."""
    doubts = [scores.doubt(card, FINE) for card in seen]
    if doubts[0] is not None:
        return doubts[0].told
    others = [item for item in doubts if item is not None and item.right > found.interval[1] + BETTER]
    return max(others, key=lambda item: item.right).told if others else ""


def _judged(each: tuple[Proposal, ...], right: NDArray[np.float64], constant: float) -> Proposals:
    count = len(right)
    own, interval = float(right.mean()), wilson(round(right.sum()), count)
    reason = ""
    if interval[0] <= constant:
        reason = (
            f"under no card are more than {share(own)} of {count} images right, and always the same answer "
            f"would be {share(constant)}: these are not this network's classes, or not in its order"
        )
    return Proposals(count, own, interval, each, reason)


def _proposal(
    name: str,
    best: Mapping[str, Answer],
    answers: Sequence[Answer],
    tried: Sequence[Mapping[str, Answer]],
    right: NDArray[np.float64],
) -> Proposal:
    """Compare the best card with those that answer one question otherwise."""
    rows = [index for index, item in enumerate(tried) if index and item[name] != best[name]]
    chances = [mcnemar(*_apart(right[0], right[index])) for index in rows]
    nearest = max(rows, key=lambda index: float(right[index].sum()))
    told = all(chance < CERTAIN for chance in chances)
    other = words(tried[nearest][name]), float(right[nearest].mean())
    return Proposal(name, best[name], float(right[0].mean()), other, told and len(answers) > 1)


def _apart(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[int, int]:
    return int((first > second).sum()), int((second > first).sum())


def _combined(best: Mapping[str, Answer], options: Mapping[str, Sequence[Answer]]) -> list[dict[str, Answer]]:
    return [
        {**best, **dict(zip(options, chosen, strict=True))} for chosen in itertools.product(*options.values())
    ]


def _neighbors(
    best: Mapping[str, Answer], options: Mapping[str, Sequence[Answer]]
) -> list[dict[str, Answer]]:
    return [
        {**best, name: answer}
        for name, answers in options.items()
        for answer in answers
        if answer != best[name]
    ]


def _card(draft: Draft, task: Task, answers: Mapping[str, Answer]) -> ModelCard:
    """The card that some answers make of a draft; mean and std, of red, green, blue, follow the color."""
    given = {key: line.value for key, line in draft.lines.items() if line.value not in (None, OPEN)}
    given |= {key: value for answer in answers.values() for key, value in answer.items()}
    if given["color"] == "bgr" and "normalization" in answers:
        given |= {key: list(reversed(given[key])) for key in ("mean", "std")}
    table = {key: given[key] for key in Preprocessing.__dataclass_fields__ if given.get(key) is not None}
    offset, labels = int(given.get("label_offset", 0)), tuple(given.get("labels", ()))
    return ModelCard(
        replace(task, label_offset=offset, labels=labels),
        Preprocessing.from_table(table, "a card").of_colors(),
    )
