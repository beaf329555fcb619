"""Two int8 builds of one model on the same pixels: the same answers, and if not, from which layer on?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.preprocess import pixels_of
from edgenet.backend import load_backend
from edgenet.bundle import Bundle
from edgenet.errors import PlanError
from edgenet.imageset import ImageSet, Skipped
from edgenet.measure.drift import kernel
from edgenet.notebook import Shown
from edgenet.steps.taken import BundleLike, bundle_of, images_of
from edgenet.verify.artifact import LayerMismatch
from edgenet.verify.host import run_bundle

__all__ = ["Parity", "parity"]

WALKED = 2  # images on which the layers are compared
SKIP_PERCENT = 5.0


@dataclass(frozen=True)
class Parity(Shown):
    """How far two builds agree.

    Attributes:
        a: Name of the one bundle.
        b: Name of the other.
        images: How many images both ran.
        scores: Numbers compared: images times classes.
        identical: Share of scores that are the same int8 number.
        within_one: Share of scores at most one step apart.
        largest: The largest difference, in steps.
        agreement: Share of images with the same answer, as the model's task reads it.
        layers: Tensors that were compared one by one; 0 where a runtime does not show them.
        parts: The first of them that differs; ``None`` where none does, or none was compared.
    """

    a: str
    b: str
    images: int
    scores: int
    identical: float
    within_one: float
    largest: int
    agreement: float
    layers: int
    parts: LayerMismatch | None

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def parity(a: BundleLike, b: BundleLike, images: ImageSet | Path | str | None = None) -> Parity:
    """Run two int8 builds of one model on this machine and compare their integers.

    Args:
        a: A bundle.
        b: Another of the same model with the same scales, for another runtime.
        images: A set, a folder, or the name of a set that ships; the images in bundle ``a`` if ``None``.

    Raises:
        BundleError: A file is not a bundle.
        PlanError: The two do not share one model and one set of scales, or the board finishes one.
        DataError: No image can be read.

    Examples:
        >>> edgenet.parity("signs.edgenet", "signs.edgenet").identical
        1.0
    """
    first, second = bundle_of(a), bundle_of(b)
    _check(first, second)
    pixels = _pixels(first, images)
    answers = [run_bundle(bundle, pixels) for bundle in (first, second)]
    ours, theirs = (raw.astype(int) for raw in answers)
    apart = np.abs(ours - theirs)
    layers, parts = _walk(first, second, pixels[np.argsort(-apart.max(axis=1), kind="stable")[:WALKED]])
    return Parity(
        a=first.name,
        b=second.name,
        images=len(pixels),
        scores=int(apart.size),
        identical=float((apart == 0).mean()),
        within_one=float((apart <= 1).mean()),
        largest=int(apart.max()),
        agreement=kernel(
            first.manifest.task, answers[0], answers[1], first.manifest.artifact.output
        ).agreement,
        layers=layers,
        parts=parts,
    )


def _check(first: Bundle, second: Bundle) -> None:
    remedy = "compile both from one file of edgenet quantize"
    if first.manifest.model.digest != second.manifest.model.digest:
        raise PlanError(f"{first.name} and {second.name} are not builds of one model", remedy)
    for bundle in (first, second):
        if bundle.manifest.artifact.build is not None:
            raise PlanError(f"{bundle.name} is built on the board, not here", "give builds for CPUs")
    outputs = [bundle.manifest.artifact.output for bundle in (first, second)]
    if any(output.dtype != "int8" for output in outputs):
        raise PlanError(
            f"{first.name} and {second.name}: not int8 scores", "compile both as int8 that gives logits"
        )
    if outputs[0] != outputs[1]:
        raise PlanError(f"{first.name} and {second.name} have different scales", remedy)
    if first.manifest.recipe != second.manifest.recipe:
        raise PlanError(f"{first.name} and {second.name} were quantized in different ways", remedy)


def _pixels(bundle: Bundle, images: ImageSet | Path | str | None) -> NDArray[np.uint8]:
    """uint8 [n, H, W, 3]."""
    preprocessing = bundle.manifest.preprocessing
    found = images_of(images, "val")
    if found is None:
        names = [item.file for item in bundle.manifest.golden.images]
        return np.stack([pixels_of(bundle.files[name], preprocessing.fit_spec()) for name in names])
    return np.concatenate(list(Skipped(found, preprocessing, SKIP_PERCENT)))


def _walk(first: Bundle, second: Bundle, pixels: NDArray[np.uint8]) -> tuple[int, LayerMismatch | None]:
    """Compare layer by layer: how many, and the first that differs on the image that differs there first."""
    writers = [load_backend(bundle.manifest.backend) for bundle in (first, second)]
    if not all(writer.exact for writer in writers):
        return 0, None
    order: list[str] = []
    apart: dict[str, LayerMismatch] = {}
    for picture in pixels:
        ours, theirs = (
            writer.layers(bundle.artifact, picture[None]).layers
            for writer, bundle in zip(writers, (first, second), strict=True)
        )
        order = [name for name in ours if name in theirs and ours[name].size == theirs[name].size]
        for name in order:
            found = LayerMismatch.of(name, ours[name], theirs[name])
            if found is not None:
                apart.setdefault(name, found)
    return len(order), next((apart[name] for name in order if name in apart), None)
