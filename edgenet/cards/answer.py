"""A preset's answers to a draft's questions; where the model's file says otherwise, the file is right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edgenet.agent.preprocess import NEEDS
from edgenet.cards.draft import Draft, Line
from edgenet.cards.preset import Preset
from edgenet.cards.questions import OPEN
from edgenet.preprocessing import GRAY

__all__ = ["answered", "without_idle"]

KEYS = ("color", "mean", "std", "resize", "resize_to", "interpolation")


def answered(draft: Draft, preset: Preset) -> tuple[Draft, tuple[str, ...]]:
    """The draft with a preset's answers, and what a user should know of them.

    Args:
        draft: A card; where its size is open, the preset's is taken.
        preset: What the framework does.
    """
    changed: dict[str, Line] = {}
    lines, told = draft.lines, [f"{preset.name}: {preset.note}"] if preset.note else []
    if lines["size"].value == OPEN and "size" in preset.table:
        changed["size"] = Line(list(preset.table["size"]), f"as {preset.name}; the file takes any")
    size = changed.get("size", lines["size"]).value
    answers: dict[str, Any] = {} if size == OPEN else dict(preset.answers((size[0], size[1])))
    if size == OPEN:
        answers = {key: value for key, value in preset.table.items() if key in KEYS and key != "resize_to"}
    if preset.label_offset is not None:
        answers["label_offset"] = preset.label_offset
    if lines["color"].value == GRAY:
        answers.pop("color", None)
        if any(len(set(answers[key])) > 1 for key in ("mean", "std") if key in answers):
            told.append(f"a gray network has one channel, and {preset.name}'s mean and std are of three")
            answers = {key: value for key, value in answers.items() if key not in ("mean", "std")}
    for key, value in answers.items():
        line = lines.get(key)
        if line is not None and line.value == OPEN:
            changed[key] = Line(value, f"as {preset.name}")
        elif line is not None and line.value != value and key not in ("std", "label_offset"):
            told.append(_contradiction(preset, key))
            changed[key] = Line(line.value, f"{line.why}; not as {preset.name}")
    if draft.detection and preset.detection:
        draft = _like(draft, preset)
    title = (*draft.title, *((f"Of {preset.name}: {preset.note}.",) if preset.note else ()))
    return without_idle(replace(draft.with_lines(changed), title=title)), tuple(told)


def _like(draft: Draft, preset: Preset) -> Draft:
    """A detector's draft with the preset in place of what is open; what the file says stays beside it."""
    named = {"points"} & preset.detection.keys()  # the file knows how many, the preset what they are
    kept = {
        key: line
        for key, line in draft.detection.items()
        if line.value not in (OPEN, None) and key not in named
    }
    return replace(draft, detection={"like": Line(preset.name, "answers what is not said here"), **kept})


def _contradiction(preset: Preset, key: str) -> str:
    if key == "mean":
        return f"the graph normalizes its input itself, so {preset.name}'s mean and std do not apply"
    return f"the file says another {key} than {preset.name}, and the file is right"


def without_idle(draft: Draft) -> Draft:
    """Without resize_to where the answer to resize needs none."""
    resize = draft.lines["resize"].value
    if resize == OPEN or NEEDS.get(resize) == "resize_to":
        return draft
    inner = {key: line for key, line in draft.preprocessing.items() if key != "resize_to"}
    return replace(draft, preprocessing=inner)
