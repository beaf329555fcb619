"""The images that a board answers, with the answers it is held to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.preprocess import encode_ppm, opened, pixels_of
from edgenet.arrays import array_bytes, read_array
from edgenet.bundle import Bundle
from edgenet.cache import DIGEST, Cache
from edgenet.files import sha256
from edgenet.imageset import ImageSet
from edgenet.preprocessing import Preprocessing
from edgenet.progress import Progress, silent
from edgenet.task import Answers, Truth
from edgenet.verify.host import run_bundle
from edgenet.verify.reference import Reference

__all__ = [
    "Encoder",
    "Expected",
    "FloatReference",
    "encoder_for",
    "from_golden",
    "from_set",
    "golden_images",
    "true_of",
    "truth",
]

# Turns an encoded image into one that the board can decode.
Encoder = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Expected:
    """Images and what they must give.

    Attributes:
        names: For people.
        encoded: Each image as the board gets it, read when its turn comes; to be iterated once.
        pixels_sha256: Of each image's pixels on this machine.
        host: Raw outputs [n, values] of the same artifact on this machine.
        reference: float32 [n, values] of the float model, as the task compares them.
        truth: What is true of each, or ``None``.
        source: "calibration", "synthetic" or "val".
        preprocessing: How the network is fed.
        read: Gives one image's pixels again, fed in any way, uint8 [H, W, 3].
    """

    names: Sequence[str]
    encoded: Iterable[bytes]
    pixels_sha256: Sequence[str]
    host: NDArray[Any]
    reference: NDArray[np.float32]
    truth: Truth | None
    source: str
    preprocessing: Preprocessing
    read: Callable[[int, Preprocessing], NDArray[np.uint8]]

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """One image as the network sees it, uint8 [H, W, 3]."""
        return self.read(index, self.preprocessing)

    @property
    def digest(self) -> str:
        """sha256 over the pixels and the truth, in order: what two reports must share to be compared."""
        told = "".join(self.pixels_sha256) + "".join(f" {item}" for item in self.truth or ())
        return sha256(told.encode())


def encoder_for(formats: Sequence[str], preprocessing: Preprocessing) -> Encoder:
    """What makes images fit for a board that decodes these formats: nothing to do, or an upright PPM."""
    if "jpeg" in formats:
        return lambda data: data
    how = preprocessing.fit_spec()
    return lambda data: data if data[:2] == b"P6" else encode_ppm(np.asarray(opened(data, how)))


def golden_images(bundle: Bundle, encode: Encoder) -> list[bytes]:
    """The images inside the bundle."""
    return [encode(bundle.files[item.file]) for item in bundle.manifest.golden.images]


def from_golden(bundle: Bundle, encode: Encoder) -> Expected:
    """The bundle's own images; what they must give was computed when it was compiled."""
    golden = bundle.manifest.golden
    return Expected(
        names=[item.file for item in golden.images],
        encoded=golden_images(bundle, encode),
        pixels_sha256=[item.pixels_sha256 for item in golden.images],
        host=bundle.array("golden/artifact.npy"),
        reference=bundle.array("golden/reference.npy"),
        truth=None,
        source=golden.source,
        preprocessing=bundle.manifest.preprocessing,
        read=lambda index, how: _golden_pixels(bundle, index, how),
    )


@dataclass(frozen=True)
class FloatReference:
    """What the float model says on a set of images, for any bundle of that model.

    Attributes:
        model: The digest of the model.
        preprocessing: How it was fed.
        images: The set.
        pixels_sha256: Of each image's pixels on this machine.
        answers: float32 [n, values], as the task compares them.
    """

    model: str
    preprocessing: Preprocessing
    images: ImageSet
    pixels_sha256: tuple[str, ...]
    answers: Answers

    def serves(self, bundle: Bundle, images: ImageSet) -> bool:
        """Whether it is of this bundle's model, fed in the same way, and of these images."""
        about = bundle.manifest
        same = (self.model, self.preprocessing) == (about.model.digest, about.preprocessing)
        return same and self.images == images


def truth(
    bundle: Bundle, images: ImageSet, progress: Progress = silent, cache: bool = True
) -> FloatReference:
    """Run a bundle's float model on images, on this machine, or find that this was done before.

    Args:
        bundle: The bundle.
        images: The images.
        progress: Called for every image.
        cache: Whether to take what was made before of the same model and images, and to keep what is made.

    Raises:
        DataError: An image cannot be used; it is named.
    """
    model, preprocessing = bundle.manifest.model, bundle.manifest.preprocessing
    made_from = {
        "model": bundle.manifest.files[bundle.manifest.reference.file].sha256,
        "task": [model.task, model.output, dict(model.settings)],
        "preprocessing": preprocessing.to_table(),
        "images": images.digest(),
    }
    entry = Cache("reference", made_from, cache, progress)
    if (held := entry.get()) is not None:
        if (known := _unpacked(held, len(images))) is not None:
            progress("running the float model (images)", len(images), len(images))
            return FloatReference(model.digest, preprocessing, images, *known)
        entry.drop()
    hashes, answers = _answered(bundle, images, progress)
    entry.put("".join(hashes).encode() + array_bytes(answers))
    return FloatReference(model.digest, preprocessing, images, hashes, answers)


def _answered(
    bundle: Bundle, images: ImageSet, progress: Progress
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """The sha256 of each image's pixels, and the float model's answers, float32 [n, values]."""
    preprocessing = bundle.manifest.preprocessing
    reference = Reference(bundle.reference, preprocessing, bundle.manifest.task)
    hashes, answers = [], []
    for index, pixels in enumerate(images.all_pixels(preprocessing)):
        hashes.append(sha256(np.ascontiguousarray(pixels[0]).tobytes()))
        answers.append(reference.run(pixels))
        progress("running the float model (images)", index + 1, len(images))
    return tuple(hashes), np.stack(answers)


def _unpacked(held: bytes, count: int) -> tuple[tuple[str, ...], NDArray[np.float32]] | None:
    """What the cache keeps of :func:`truth`: the digests, then the answers; ``None`` if it is not that."""
    text, rest = held[: DIGEST * count], held[DIGEST * count :]
    try:
        answers = read_array(rest)
        hashes = [text[begin : begin + DIGEST].decode("ascii") for begin in range(0, len(text), DIGEST)]
    except ValueError:
        return None
    fits = answers.dtype == np.float32 and answers.ndim == 2 and len(answers) == len(hashes) == count
    return (tuple(hashes), answers) if fits else None


def from_set(
    bundle: Bundle, images: ImageSet, known: FloatReference | None, encode: Encoder, progress: Progress
) -> Expected:
    """A user's images: the float model and the artifact run on them here, before the board does.

    Args:
        bundle: The bundle.
        images: The images.
        known: What the float model says, if that is known already.
        encode: Makes an image fit for the board.
        progress: Called for every image.

    Raises:
        DataError: An image cannot be used; it is named. Or the set's truth is not of the bundle's task.
    """
    if known is None or not known.serves(bundle, images):
        known = truth(bundle, images, progress)
    preprocessing = bundle.manifest.preprocessing
    host = run_bundle(bundle, _counted_pixels(images, preprocessing, progress))
    return Expected(
        names=[images.name(index) for index in range(len(images))],
        encoded=(encode(images.read(index)) for index in range(len(images))),
        pixels_sha256=known.pixels_sha256,
        host=host,
        reference=known.answers,
        truth=true_of(bundle, images),
        source="val",
        preprocessing=preprocessing,
        read=lambda index, how: images.pixels(index, how)[0],
    )


def true_of(bundle: Bundle, images: ImageSet) -> Truth | None:
    """What is true of images in the words of a bundle's task; ``None`` where the folder does not tell.

    Raises:
        DataError: It tells what is not of that task.
    """
    task = bundle.manifest.task
    found = task.truth(images, bundle.manifest.artifact.output.classes)
    return None if found is None else task.seen(found, bundle.manifest.preprocessing)


def _golden_pixels(bundle: Bundle, index: int, how: Preprocessing) -> NDArray[np.uint8]:
    data = bundle.files[bundle.manifest.golden.images[index].file]
    return np.asarray(pixels_of(data, how.fit_spec()), np.uint8)


def _counted_pixels(
    images: ImageSet, preprocessing: Preprocessing, progress: Progress
) -> Iterator[NDArray[np.uint8]]:
    for index, pixels in enumerate(images.all_pixels(preprocessing)):
        yield pixels[0]
        progress("running the build here (images)", index + 1, len(images))
