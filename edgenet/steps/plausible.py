"""The plausible answers to a card's questions: those of the presets, and how people call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgenet.agent.preprocess import INTERPOLATIONS
from edgenet.cards.draft import Draft, Line
from edgenet.cards.preset import Preset
from edgenet.preprocessing import GRAY
from edgenet.task import Task

__all__ = ["Answer", "options", "words"]

RGB = ("rgb", "bgr")
FILTERS = ("bilinear-antialias", "bicubic-antialias", "tf-bilinear", "nearest")
# Two normalizations whose numbers differ by less than this share of their span are one.
ALIKE = 0.05

# Keys of a card with values that belong together.
Answer = Mapping[str, Any]


def options(
    draft: Draft, asked: Sequence[str], task: Task, known: Sequence[Preset]
) -> dict[str, list[Answer]]:
    """Every question with its plausible answers, where there are several.

    Beside the questions of the card, one is the order of two names that folders tell: of one number behind a
    Sigmoid nobody says which of them it is the probability of.

    Args:
        draft: A card whose size is known.
        asked: The keys that the model's file leaves open, whoever has answered them since.
        task: How the network's answers are read.
        known: The presets.

    Returns:
        By question ("color", "normalization", "framing", "interpolation", "label_offset", "labels") keys of
        the card with their values; mean and std in the order of red, green, blue.
    """
    still, lines = set(asked), draft.lines
    height, width = lines["size"].value
    found: dict[str, list[Answer]] = {}
    if "color" in still:
        found["color"] = [{"color": name} for name in RGB]
    if {"mean", "std"} <= still:
        found["normalization"] = _normalizations(known, lines["color"].value == GRAY)
    if "resize" in still:
        found["framing"] = _framings(known, (height, width))
    if "interpolation" in still:
        found["interpolation"] = [{"interpolation": name} for name in _filters(lines["interpolation"].value)]
    if "label_offset" in still:
        found["label_offset"] = [{"label_offset": offset} for offset in (0, 1)]
    labels = lines.get("labels", Line(None)).value
    if labels and draft.values < task.classes(draft.values):  # one number for two classes
        found["labels"] = [{"labels": list(labels)}, {"labels": list(labels)[::-1]}]
    given = {key: line.value for key, line in lines.items()}
    for answers in found.values():  # what stands in the card comes first, and so wins where it is as good
        answers.sort(
            key=lambda answer: any(value not in (None, given.get(key)) for key, value in answer.items())
        )
    return {name: answers for name, answers in found.items() if len(answers) > 1}


def _filters(given: object) -> list[str]:
    """One of each kind, and what the card says: those of a kind differ by too little for scores to tell."""
    return [*FILTERS, *(name for name in INTERPOLATIONS if name == given and name not in FILTERS)]


def _normalizations(known: Sequence[Preset], gray: bool) -> list[Answer]:
    """Those of the presets in the order of red, green, blue, and none.

    Of those that are nearly the same the one that most presets have; of a gray network those that are the
    same for every channel.
    """
    tables = [item.table for item in known if "mean" in item.table and "std" in item.table]
    given: list[Answer] = [{"mean": [0.0] * 3, "std": [1.0] * 3}]
    for table in tables:
        turn = -1 if table.get("color") == "bgr" else 1
        given.append({key: list(table[key])[::turn] for key in ("mean", "std")})
    found: list[Answer] = []
    for answer in sorted(given, key=given.count, reverse=True):
        plain = all(len(set(values)) == 1 for values in answer.values())
        if (plain or not gray) and not any(_alike(answer, other) for other in found):
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


def words(answer: Answer) -> str:
    """An answer as people say it: "rgb", "[-1, 1]", "short-side 256"."""
    if "mean" in answer:
        ends = [[(p - m) / s for m, s in zip(answer["mean"], answer["std"], strict=True)] for p in (0, 255)]
        return f"[{min(ends[0]):.3g}, {max(ends[1]):.3g}]"
    return " ".join(str(value) for key, value in answer.items() if value is not None) + (
        " as label_offset" if "label_offset" in answer else ""
    )
