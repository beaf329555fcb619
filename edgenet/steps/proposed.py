"""What labeled images propose, in a card: beside its questions, or, where accepted, as the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edgenet.cards.answer import without_idle
from edgenet.cards.draft import Draft, Line
from edgenet.cards.questions import OPEN
from edgenet.figures import share
from edgenet.steps.plausible import words
from edgenet.steps.propose import Proposal, Proposals

__all__ = ["proposed"]

# Keys beside which a proposal is written, by its question.
BESIDE = {"normalization": "mean", "framing": "resize"}


def proposed(
    asked: Draft, draft: Draft, found: Proposals, folder: str, accept: bool
) -> tuple[Draft, tuple[str, ...]]:
    """A card with what images say of it; nothing is decided but what is accepted.

    An open question gets the proposal above it. So does what a preset has answered, where the images clearly
    speak for another answer; an order of names that was read from folders becomes a question then.

    Args:
        asked: The card as the model's file tells it.
        draft: The same, answered as far as it is.
        found: What the images say.
        folder: What they are called.
        accept: Whether to write what can be told as the answer.

    Returns:
        The card, and what a user should know of it.
    """
    notes = [found.reason] if found.reason else []
    whole = replace(draft, preprocessing={**asked.preprocessing, **draft.preprocessing})
    changed: dict[str, Line] = {}
    color = next((item.answer["color"] for item in found.each if item.question == "color"), None)
    for item in () if found.reason else found.each:
        answer = _by_channel(item.answer, draft, color)
        lines = {key: whole.lines[key] for key in answer}
        key = BESIDE.get(item.question, item.question)
        answered = lines[key].value != OPEN
        if answered and (not item.told or _stands(answer, lines)):
            continue
        if accept and item.told:
            changed |= _accepted(item, answer, found, folder)
            continue
        above = (*lines[key].above, *_remark(item, answer, found))
        changed[key] = replace(lines[key], above=above)
        if item.question == "labels":
            changed[key] = replace(changed[key], value=OPEN, why="")
        elif answered:
            notes.append(f"{lines[key].why} says {words(_values(lines))}; {item.line}")
    return without_idle(whole.with_lines(changed)), tuple(notes)


def _by_channel(answer: Mapping[str, Any], draft: Draft, color: str | None) -> dict[str, Any]:
    """With mean and std in the network's order of channels."""
    if "mean" in answer and (color or draft.lines["color"].value) == "bgr":
        return {key: list(reversed(value)) for key, value in answer.items()}
    return dict(answer)


def _stands(answer: Mapping[str, Any], lines: Mapping[str, Line]) -> bool:
    """Whether a card says so already."""
    return all(value in (None, lines[key].value) for key, value in answer.items())


def _values(lines: Mapping[str, Line]) -> dict[str, Any]:
    return {key: line.value for key, line in lines.items() if line.value != OPEN}


def _accepted(item: Proposal, answer: Mapping[str, Any], found: Proposals, folder: str) -> dict[str, Line]:
    why = f"chosen by {found.images} images of {folder}: {share(item.share)}, the next {share(item.next[1])}"
    first = next(iter(answer))
    return {
        key: Line(value, why if key == first else "") for key, value in answer.items() if value is not None
    }


def _remark(item: Proposal, answer: Mapping[str, Any], found: Proposals) -> tuple[str, ...]:
    line = f"{item.line[0].upper()}{item.line[1:]}"
    if not item.told:
        return (f"{line}.",)
    low, high = found.interval
    told = f"{line} (of {found.images}, 95 %: {100 * low:.1f} to {share(high)})."
    exact = "      ".join(f"{key} = {value}" for key, value in answer.items())
    return (told, f"  {exact}") if "mean" in answer else (told,)
