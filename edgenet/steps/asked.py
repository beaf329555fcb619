"""What is to be measured of a build, and against what: the same for one board and for many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edgenet.bundle import Bundle
from edgenet.errors import LibraryError
from edgenet.frame import Frame
from edgenet.imageset import ImageSet
from edgenet.progress import Progress, silent
from edgenet.protocol import Protocol
from edgenet.steps.taken import images_of, protocol_of
from edgenet.verify.expected import FloatReference, true_of, truth

__all__ = ["Asked", "asked_of", "check_images", "with_truth"]


@dataclass(frozen=True)
class Asked:
    """What is to be measured; as for :func:`edgenet.steps.profile.profile`."""

    rules: Protocol
    images: ImageSet | None = None
    min_fps: float | None = None
    max_drift: float | None = None
    known: FloatReference | None = None
    frame: Frame | None = None


def asked_of(
    protocol: Protocol | Path | str = "single-stream",
    val: ImageSet | Path | str | None = None,
    min_fps: float | None = None,
    max_drift: float | None = None,
    frame: Frame | str | None = None,
) -> Asked:
    """What is to be measured, of values, names and paths as :func:`edgenet.steps.profile.profile` takes them.

    Raises:
        DataError: The validation images cannot be used, or there is no such frame.
        LibraryError: There is no such protocol, or it measures no pipeline, and ``frame`` asks for one.
    """
    rules = protocol_of(protocol)
    return Asked(rules, images_of(val, "val"), min_fps, max_drift, frame=_frame(frame, rules))


def check_images(asked: Asked, bundle: Bundle) -> None:
    """Refuse images that are not of a model's task, before any work.

    Raises:
        DataError: What is told of them is not of that task.
    """
    if asked.images is not None:
        true_of(bundle, asked.images)


def with_truth(asked: Asked, bundle: Bundle, progress: Progress = silent) -> Asked:
    """With what the float model says on the images: found out once, for many boards.

    Args:
        asked: What is to be measured.
        bundle: One of the builds.
        progress: Called for every image.

    Raises:
        DataError: The images are not of the model's task, or one cannot be used.
    """
    check_images(asked, bundle)
    return asked if asked.images is None else replace(asked, known=truth(bundle, asked.images, progress))


def _frame(given: Frame | str | None, rules: Protocol) -> Frame | None:
    """What was asked for, where the protocol measures it."""
    if given is not None and not rules.pipeline:
        what = f"the protocol {rules.name} measures no pipeline, and frames are measured in it"
        raise LibraryError(what, "choose another protocol, such as single-stream")
    return Frame.parse(given) if isinstance(given, str) else given
