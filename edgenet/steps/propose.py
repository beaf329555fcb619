"""Which answers to a card's open questions labelled images speak for, and how clearly."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.preprocess import INTERPOLATIONS
from edgenet.cards.draft import Draft
from edgenet.cards.preset import Preset, presets
from edgenet.cards.questions import OPEN
from edgenet.figures import share
from edgenet.preprocessing import COLORS, Preprocessing
from edgenet.statistics import mcnemar, wilson
from edgenet.verify.card_scores import Card, CardScores

__all__ = ["Proposal", "Proposals", "propose"]

# Images for the first look at all answers, and for the last at the best of them.
COARSE, FINE = 48, 300
CERTAIN = 0.05
ROUNDS = 3
RGB = ("rgb", "bgr")
# Two normalizations whose numbers differ by less than this share of their span are one.
ALIKE = 0.05

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Proposal:
    """One question and what the images say of it.

    Attributes:
        question: "color", "normalization", "framing", "interpolation" or "label_offset".
        answer: Keys of the card with the values that are best.
        share: Of right answers with them, 0 to 1.
        next: The best other answer in words, and its share.
        told: Whether the images tell it from every other (McNemar against each of them).
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
        return f"proposed by the images: {words(self.answer)}, {share(self.share)}; the next, {name}, {share(other)}"


@dataclass(frozen=True)
class Proposals:
    """What labelled images say of all open questions.

    Attributes:
        images: How many were looked at.
        share: Of right answers under the best card.
        interval: Its 95 % interval (Wilson).
        each: One a question that is open.
        reason: Why nothing is proposed; empty where something may be.
    """

    images: int
    share: float
    interval: tuple[float, float]
    each: tuple[Proposal, ...]
    reason: str = ""

    @property
    def summary(self) -> str:
        """One line: the answers that can be told from all others, their figure and its interval, and the next."""
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
                "top1": item.share,
                "next": item.next[0],
                "next_top1": item.next[1],
                "proposed": item.told and not self.reason,
            }
            for item in self.each
        ]
        return {"images": self.images, "top1": self.share, "interval": list(self.interval), "questions": each}


def propose(draft: Draft, scores: CardScores, available: int) -> Proposals | None:
    """Try the plausible answers to a draft's open questions on labelled images.

    All combinations of color and normalization, then of framing and filter, on a few images; then the best
    card against the best with one answer changed, for every other answer, on more. The plausible answers are
    those of the presets.

    Args:
        draft: A card whose size is known.
        scores: Of its network.
        available: How many images there are.

    Returns:
        ``None`` where nothing is open that images could tell.
    """
    options = _options(draft)
    if not options:
        return None
    best = {question: answers[0] for question, answers in options.items()}
    for pair in (("color", "normalization", "label_offset"), ("framing", "interpolation")):
        tried = _combined(best, {name: options[name] for name in pair if name in options})
        right = scores.right([_card(draft, item) for item in tried], COARSE)
        best = dict(tried[int(right.sum(axis=1).argmax())])
    for _ in range(ROUNDS):
        tried = [best, *_neighbors(best, options)]
        right = scores.right([_card(draft, item) for item in tried], FINE)
        first = int(right.sum(axis=1).argmax())
        if right[first].sum() == right[0].sum():
            break
        best = dict(tried[first])
    count = min(FINE, available)
    each = tuple(_proposal(name, best, options[name], tried, right) for name in options)
    return _judged(each, right[0], scores.constant(count))


def words(answer: Answer) -> str:
    """An answer as people say it: "rgb", "[-1, 1]", "short-side 256"."""
    if "mean" in answer:
        ends = [[(p - m) / s for m, s in zip(answer["mean"], answer["std"], strict=True)] for p in (0, 255)]
        return f"[{min(ends[0]):.3g}, {max(ends[1]):.3g}]"
    return " ".join(str(value) for key, value in answer.items() if value is not None) + (
        " as label_offset" if "label_offset" in answer else ""
    )


def _judged(each: tuple[Proposal, ...], right: NDArray[np.bool_], constant: float) -> Proposals:
    own, count = int(right.sum()), len(right)
    interval = wilson(own, count)
    reason = ""
    if interval[0] <= constant:
        reason = (
            f"under no card are more than {share(own / count)} of {count} images right, and always the same class "
            f"would be {share(constant)}: these are not this network's classes, or not in its order"
        )
    return Proposals(count, own / count, interval, each, reason)


def _proposal(
    name: str,
    best: Mapping[str, Answer],
    answers: Sequence[Answer],
    tried: Sequence[Mapping[str, Answer]],
    right: NDArray[np.bool_],
) -> Proposal:
    """Compare the best card with those that answer one question otherwise."""
    rows = [index for index, item in enumerate(tried) if index and item[name] != best[name]]
    chances = [mcnemar(*_apart(right[0], right[index])) for index in rows]
    nearest = max(rows, key=lambda index: int(right[index].sum()))
    told = all(chance < CERTAIN for chance in chances)
    other = words(tried[nearest][name]), float(right[nearest].mean())
    return Proposal(name, best[name], float(right[0].mean()), other, told and len(answers) > 1)


def _apart(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int]:
    return int((first & ~second).sum()), int((second & ~first).sum())


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


def _card(draft: Draft, answers: Mapping[str, Answer]) -> Card:
    """The card that some answers make of a draft; mean and std, in the order of red, green, blue, follow the color."""
    given = {key: line.value for key, line in draft.lines.items() if line.value not in (None, OPEN)}
    given |= {key: value for answer in answers.values() for key, value in answer.items()}
    if given["color"] == "bgr" and "normalization" in answers:
        given |= {key: list(reversed(given[key])) for key in ("mean", "std")}
    table = {key: given[key] for key in Preprocessing.__dataclass_fields__ if given.get(key) is not None}
    return Preprocessing.from_table(table, "a card"), int(given.get("label_offset", 0))


def _options(draft: Draft) -> dict[str, list[Answer]]:
    """Every open question with its plausible answers."""
    still, lines = set(draft.open), draft.lines
    height, width = lines["size"].value
    known = presets()
    found: dict[str, list[Answer]] = {}
    if "color" in still:
        found["color"] = [{"color": name} for name in RGB if name in COLORS]
    if {"mean", "std"} <= still:
        found["normalization"] = _normalizations(known)
    if "resize_to" in still:
        framings = _framings(known, (height, width))
        given = [{"resize_to": item["resize_to"]} for item in framings if item["resize_to"]]
        found["framing"] = framings if "resize" in still else given
    if "interpolation" in still:
        found["interpolation"] = [{"interpolation": name} for name in INTERPOLATIONS]
    if "label_offset" in still:
        found["label_offset"] = [{"label_offset": offset} for offset in (0, 1)]
    return {name: answers for name, answers in found.items() if len(answers) > 1}


def _normalizations(known: Sequence[Preset]) -> list[Answer]:
    """Those of the presets in the order of red, green, blue, and none; what is nearly the same once."""
    found: list[Answer] = []
    tables = [item.table for item in known if "mean" in item.table and "std" in item.table]
    for table in (*tables, {"mean": [0.0] * 3, "std": [1.0] * 3}):
        turn = -1 if table.get("color") == "bgr" else 1
        answer = {key: list(table[key])[::turn] for key in ("mean", "std")}
        if not any(_alike(answer, other) for other in found):
            found.append(answer)
    return found


def _alike(first: Answer, second: Answer) -> bool:
    ends = [
        (np.array([0.0, 255.0])[:, None] - np.asarray(item["mean"])) / np.asarray(item["std"])
        for item in (first, second)
    ]
    return bool(np.abs(ends[0] - ends[1]).max() < ALIKE * float(np.ptp(ends[0])))


def _framings(known: Sequence[Preset], size: tuple[int, int]) -> list[Answer]:
    found: list[Answer] = []
    for item in known:
        given = item.answers(size)
        if "resize" not in given or (given["resize"] == "short-side" and "resize_to" not in given):
            continue
        answer = {"resize": given["resize"], "resize_to": given.get("resize_to")}
        if answer not in found:
            found.append(answer)
    return found
