"""What only a model's trainer knows, as questions in its card: an open one is a key whose value is "?"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from edgenet.agent.preprocess import NEEDS, RESIZES
from edgenet.pages import page
from edgenet.preprocessing import COLORS

__all__ = ["ANSWERS", "OPEN", "asked", "open_keys"]

OPEN = "?"


def _either(choices: Iterable[str]) -> str:
    return "write " + " or ".join(f'"{item}"' for item in choices)


# Filters, and what calls them; docs/preprocessing.md has those too that nobody is asked for any more.
RESAMPLING = {
    "bilinear-antialias": "torchvision's Resize, PIL",
    "bicubic-antialias": "timm where interpolation is bicubic, PIL's BICUBIC",
    "tf-bilinear": "image_dataset_from_directory, tf.image.resize",
    "tf-bilinear-antialias": "tf.image.resize with antialias=True",
    "opencv-linear": "cv2.resize, albumentations",
    "opencv-area": "cv2.resize with INTER_AREA",
    "opencv-cubic": "cv2.resize with INTER_CUBIC",
    "nearest": "flow_from_directory of Keras' ImageDataGenerator",
}
# key: how to answer it, as the remedy of an error.
ANSWERS: Mapping[str, str] = {
    "task": "write what the network is for",
    "output": "write what the graph gives",
    "labels": "write [names], in the order of the outputs",
    "label_offset": "write 1 if output 0 is a background class, else 0",
    "size": "write [height, width], in pixels",
    "color": _either(COLORS),
    "mean": "write three numbers, for pixels from 0 to 255",
    "std": "write three numbers, for pixels from 0 to 255",
    "resize": _either(RESIZES),
    "resize_to": "write the short side in pixels before the crop",
    "interpolation": _either(RESAMPLING),
    "score_activation": _either(("sigmoid", "softmax", "none")),
    "background": 'write the column of the scores that is no class, or "none"',
    "coding": _either(("center-size", "corner-offset")),
    "anchors": "write [detection.anchors], or like = PRESET in its place",
}


def open_keys(table: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of a card's table that are still questions, those of [preprocessing] among them, in order."""
    inner = table.get("preprocessing")
    found = [key for key, value in table.items() if value == OPEN]
    if isinstance(inner, dict):
        found += [key for key, value in inner.items() if value == OPEN and not _idle(key, inner)]
    own = table.get("detection")
    if isinstance(own, dict):
        found += [key for key, value in own.items() if value == OPEN]
    return tuple(found)


def _idle(key: str, table: Mapping[str, Any]) -> bool:
    """Whether nobody reads a key any more: resize_to where the answer to resize needs none."""
    resize = table.get("resize")
    return key == "resize_to" and resize != OPEN and NEEDS.get(str(resize)) != key


def asked(key: str, size: str, values: int) -> tuple[str, ...]:
    """The question of a key, as lines of a comment: what can be answered, and by what in the trainer's code.

    Args:
        key: A key of the card.
        size: What the network sees, "224x224"; "" where that is open too.
        values: How many its output has.
    """
    return _QUESTIONS[key](size, values) if key in _QUESTIONS else ()


def _color(*_: object) -> tuple[str, ...]:
    return (
        "The order of the channels that the network was trained on.",
        '  "rgb"   Keras, torchvision, timm, PIL; cv2.imread with cvtColor(…, COLOR_BGR2RGB)',
        '  "bgr"   cv2.imread alone; Caffe',
    )


def _normalization(*_: object) -> tuple[str, ...]:
    return (
        "x = (pixel - mean) / std with pixels from 0 to 255: what your code does before the network, as",
        "  x / 127.5 - 1, preprocess_input  mean = [127.5, 127.5, 127.5]      std = [127.5, 127.5, 127.5]",
        "  x / 255, ToTensor() alone        mean = [0, 0, 0]                  std = [255, 255, 255]",
        "  ToTensor(), ImageNet's Normalize mean = [123.675, 116.28, 103.53]  std = [58.395, 57.12, 57.375]",
        "  nothing                          mean = [0, 0, 0]                  std = [1, 1, 1]",
    )


def _resize(size: str, _: int) -> tuple[str, ...]:
    sides = ", ".join(size.split("x")) if size else "height, width"
    return (
        f"How a picture of any size becomes {size or 'what the network sees'}.",
        f'  "stretch"      the whole picture: image_dataset_from_directory, cv2.resize, Resize(({sides}))',
        f'  "short-side"   the short side to resize_to, then the middle: Resize(256), CenterCrop(({sides}))',
        '  "none"         pictures have that size already',
        f"  others         Keras' and timm's crops and borders: see {page('preprocessing')}",
    )


def _interpolation(*_: object) -> tuple[str, ...]:
    names = {name: f'"{name}"' for name in RESAMPLING}
    widest = max(map(len, names.values()))
    lines = (f"  {shown:{widest}}   {RESAMPLING[name]}" for name, shown in names.items())
    return ("The filter that resizes.", *lines)


def _label_offset(_: str, values: int) -> tuple[str, ...]:
    return (
        f'Of {values} outputs, is the first a class that means "none of the others"?',
        "  1   yes: TF-Slim, TF Hub",
        "  0   no: output 0 is the first class",
    )


def _output(*_: object) -> tuple[str, ...]:
    return (f"No task of this edgenet reads what the graph ends in; see {page('preprocessing')}.",)


def _labels(*_: object) -> tuple[str, ...]:
    return ("The names of the classes, in the order of the outputs.",)


def _score_activation(*_: object) -> tuple[str, ...]:
    return (
        "What makes probabilities of the scores: the graph ends in nothing of that kind.",
        '  "sigmoid"   TensorFlow\'s Object Detection API, BlazeFace',
        '  "softmax"   torchvision; with a background among the columns',
        '  "none"      the scores are probabilities',
    )


def _background(*_: object) -> tuple[str, ...]:
    return (
        "Which column of the scores means that nothing is there.",
        "  0        the first: TensorFlow's Object Detection API, torchvision",
        '  "none"   no column: BlazeFace, YOLO',
    )


def _coding(*_: object) -> tuple[str, ...]:
    return (
        f"How boxes are counted from their anchors ({page('detection')}).",
        '  "center-size"     center and size: SSD; then order, and variances or scale, say how',
        '  "corner-offset"   each side by itself',
    )


def _anchors(*_: object) -> tuple[str, ...]:
    return (
        "The boxes that others are counted from, in the order of the outputs. In place of this line write",
        f"[detection.anchors] behind all else, with maps, sizes and ratios ({page('detection')}).",
    )


_QUESTIONS: Mapping[str, Callable[[str, int], tuple[str, ...]]] = {
    "labels": _labels,
    "output": _output,
    "label_offset": _label_offset,
    "color": _color,
    "mean": _normalization,
    "resize": _resize,
    "interpolation": _interpolation,
    "score_activation": _score_activation,
    "background": _background,
    "coding": _coding,
    "anchors": _anchors,
}
