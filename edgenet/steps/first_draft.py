"""A model's card as far as its file tells: every key that is read, and a question for each that is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgenet.cards.draft import Draft, Line
from edgenet.cards.questions import OPEN
from edgenet.drift import CLASSIFICATION
from edgenet.graph.inside import ending_inside, input_range, normalization_inside
from edgenet.network import Network
from edgenet.pages import page
from edgenet.preprocessing import GRAY, Preprocessing
from edgenet.task import Task, load_task
from edgenet.tasks import task_names

__all__ = ["first_draft", "own_task"]

WITH_BACKGROUND = 1001
# What answers are, by the operator that a graph ends in.
NORMALIZING = ("HardSigmoid", "LpNormalization", "Sigmoid", "Softmax")
# ImageNet's means of red, green and blue, and how far one may be from them.
IMAGENET, NEAR = (123.68, 116.78, 103.94), 3.0
# Normalization that stands inside a network, by the numbers it takes: pixels, and pixels from 0 to 1.
LEAST_STD, UNIT = 16.0, 255.0
MEANS = (50.0, 180.0)
DETECTION, THRESHOLDS = "detection", ("score_threshold", "nms_threshold", "max_detections")
# What quantized inputs hold, by mean and std.
RANGES = {
    (-1.0, 1.0): (127.5, 127.5), (0.0, 1.0): (0.0, 255.0), (0.0, 255.0): (0.0, 1.0),
    (-128.0, 127.0): (128.0, 1.0),
}  # fmt: skip


def own_task(network: Network) -> Task | None:
    """How a network's answers are read, as far as its ending tells; ``None`` where no task takes it.

    What several tasks could read is a classifier's: that is what a card without ``task`` is.
    """
    if network.detection is not None:
        kind = load_task(DETECTION)
        return kind(kind.outputs[0], settings={DETECTION: network.detection})
    claims = _claims(network)
    if CLASSIFICATION in claims:
        return load_task(CLASSIFICATION)(claims[CLASSIFICATION])
    if len(claims) != 1:
        return None
    ((name, output),) = claims.items()
    return load_task(name)(output)


def _others(network: Network) -> tuple[str, ...]:
    """The tasks that could read a network's answers as well."""
    own = own_task(network)
    return tuple(name for name in _claims(network) if own is not None and name != own.name)


def first_draft(network: Network) -> Draft:
    """The card of a network as its file tells it."""
    name = network.path.name
    title = (f"How {name} is fed and read: by edgenet init. {page('preprocessing')} explains every key.",)
    top = _top(network) if network.detection is None else _detector_top(network.detection)
    detection = {} if network.detection is None else _detection(network)
    return Draft(title, top, _preprocessing(network), network.values, detection)


def _claims(network: Network) -> Mapping[str, str]:
    """The tasks that read what the network gives, each with its ``output``."""
    if len(network.proto.graph.output) != 1:
        return {}
    ending = ending_inside(network.proto)
    found = {name: load_task(name).reads(ending, network.values) for name in task_names()}
    return {name: output for name, output in found.items() if output is not None}


def _top(network: Network) -> Mapping[str, Line]:
    task, ending, values = own_task(network), ending_inside(network.proto), network.values
    if task is None:
        claims, what = _claims(network), f"the graph ends in {ending or 'nothing'} and gives {values} values"
        either = f"{what}; write {' or '.join(claims)}" if claims else what
        return {
            "task": Line(OPEN if claims else CLASSIFICATION, either if claims else ""),
            "output": Line(OPEN, "" if claims else what),
        }
    others = _others(network)
    told = ending if ending in NORMALIZING else "no Softmax"
    which = f"or {' or '.join(map(repr, others))}: the graph does not tell".replace("'", '"')
    numbers = f"read: {values} numbers behind {ending}" if values > 1 else "read: one number"
    found = {
        "task": Line(task.name, which if others else numbers),
        "output": Line(task.output, f"read: the graph ends in {told}"),
    }
    if classes := task.classes(values):
        if values == classes == WITH_BACKGROUND:
            found["label_offset"] = Line(OPEN)
        order = "names in the order of the outputs" if classes <= values else "names: what 0 means, then 1"
        found["labels"] = Line(None, f"{classes} {order}; or compile --labels FILE")
    return found


def _detector_top(told: Mapping[str, Any]) -> Mapping[str, Line]:
    columns, background = told["columns"], told.get("background", OPEN)
    names = f"{columns} or, without a background, {columns - 1} names" if columns > 1 else "one name"
    if background != OPEN:
        names = f"{columns - (background != 'none')} names, without the background"
    return {
        "task": Line(
            DETECTION, f"read: {columns} scores and {told['codes']} numbers of a box for each anchor"
        ),
        "labels": Line(None, f"{names}, in the order of the scores; or compile --labels FILE"),
    }


def _detection(network: Network) -> Mapping[str, Line]:
    """What the file says of its boxes, and questions for what it does not."""
    told = dict(network.detection or {})
    names = [item["name"] for item in network.facts["outputs"]]
    found = {}
    for key in ("scores", "boxes"):
        value = names.index(told[key]) if told[key] in names else told[key]
        found[key] = Line(value, f"read: {told[key]!r}" if value != told[key] else "read: a tensor within")
    inside = told["activation"]
    read = Line("none", f"read: the graph ends its scores in {inside} itself")
    found["score_activation"] = read if inside != "none" else Line(OPEN)
    for key in ("background", "coding", "order", "variances", "points", *THRESHOLDS):
        if key in told:
            found[key] = Line(told[key], "read: of what decodes and picks the boxes")
        elif key in ("background", "coding"):
            found[key] = Line(OPEN)
    written = Line(None, "read: the file has them")
    return {**found, "anchors": written if "anchors" in told else Line(OPEN)}


def _preprocessing(network: Network) -> Mapping[str, Line]:
    size: Line = Line(list(network.size), "read: height, width of the input")
    if network.free:
        size = Line(OPEN, "[height, width] of the pictures it was trained with: the file takes any size")
    mean, std, color = _normalization(network)
    found = {"size": size, "color": _one_channel(network) or color, "mean": mean, "std": std}
    return {**found, "resize": Line(OPEN), "resize_to": Line(OPEN, _RESIZE_TO), "interpolation": Line(OPEN)}


_RESIZE_TO = 'of "short-side" alone: Resize(256), or size / crop_pct; else remove the line'


def _one_channel(network: Network) -> Line | None:
    return Line(GRAY, "read: the input has one channel") if network.gray else None


def _normalization(network: Network) -> tuple[Line, Line, Line]:
    """The lines of mean, std and color."""
    if network.quantized:
        return *_of_scale(network), Line(OPEN)
    task = own_task(network) or load_task(CLASSIFICATION)(load_task(CLASSIFICATION).outputs[0])
    inside, own = normalization_inside(network.fed(task)), network.as_is
    if network.kind not in ("float32", "float16", "float64", "bfloat16"):
        why = f"read: the input takes {network.kind}, pixels as they are"
        return Line(list(own.mean), why), Line(list(own.std), ""), _color(inside, 1.0)
    if (inside.mean, inside.std) == (own.mean, own.std):
        return Line(OPEN), Line(OPEN), _color(inside, 0.0)
    unit = _takes(inside)
    most = 1 if unit == UNIT else 255
    told = f"the graph normalizes: {_range(inside, unit or 1.0)} of pixels from 0 to {most}"
    if not unit:
        doubtful = (
            "The graph scales its input itself, as if it were normalized before: look at what your code does."
        )
        return Line(OPEN, above=(doubtful,)), Line(OPEN), _color(inside, 0.0)
    return Line([0.0] * 3, f"read: {told}"), Line([unit] * 3), _color(inside, unit)


def _takes(inside: Preprocessing) -> float:
    """What divides pixels before a network that normalizes by itself: 1; 255, for 0 to 1; 0, not clear."""
    mean, std = np.asarray(inside.mean), np.asarray(inside.std)
    if np.any(std <= 0):
        return 0.0
    for unit in (1.0, UNIT):
        centered = np.all((mean * unit >= MEANS[0]) & (mean * unit <= MEANS[1]))
        scaled, plain = np.all(std * unit >= LEAST_STD), np.all(std * unit == unit)
        if unit == 1.0 and ((scaled and (centered or not mean.any())) or (plain and centered)):
            return unit
        if unit == UNIT and centered and (scaled or plain) and np.all(std <= 1.05):
            return unit
    return 0.0


def _range(inside: Preprocessing, unit: float) -> str:
    """The numbers behind the normalization, "[-1, 1]"."""
    most = 255.0 / unit
    low = min((0 - mean) / std for mean, std in zip(inside.mean, inside.std, strict=True))
    high = max((most - mean) / std for mean, std in zip(inside.mean, inside.std, strict=True))
    return f"[{low:.3g}, {high:.3g}]"


def _color(inside: Preprocessing, unit: float) -> Line:
    """The order of channels, where ImageNet's means tell it; an exchange inside is told else."""
    means = [value * unit for value in inside.mean]
    exchanged = inside.color == "bgr"
    for order, wanted in (("rgb", IMAGENET), ("bgr", IMAGENET[::-1])):
        if unit and all(abs(a - b) <= NEAR for a, b in zip(means, wanted, strict=True)):
            color = order if not exchanged else "rgb" if order == "bgr" else "bgr"
            return Line(color, "read: by the order of ImageNet's means in the graph")
    above = ("The graph exchanges the first and the last channel: this is the order before that.",)
    return Line(OPEN, above=above if exchanged else ())


def _of_scale(network: Network) -> tuple[Line, Line]:
    """Mean and std as the scale of a quantized input tells them."""
    held = input_range(network.proto)
    if held is None:
        return Line(OPEN), Line(OPEN)
    for (low, high), (mean, std) in RANGES.items():
        near = 0.02 * (high - low)
        if abs(held[0] - low) <= near and abs(held[1] - high) <= near:
            return Line([mean] * 3, f"read: the quantized input holds {low:g} to {high:g}"), Line([std] * 3)
    return Line(OPEN, above=(f"The quantized input holds {held[0]:.3g} to {held[1]:.3g}.",)), Line(OPEN)
