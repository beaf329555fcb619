"""What a user should know of the card and the images that were given: one sentence each."""

from __future__ import annotations

from edgenet.agent.preprocess import IGNORE
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.soundness import doubts

__all__ = ["image_notes", "input_notes"]


def input_notes(model: Model, images: ImageSet | None, most: int) -> tuple[str, ...]:
    """What was left out of a model's file, what is doubtful in its card, and :func:`image_notes`."""
    how = model.preprocessing
    return (*model.notes, *doubts(model.proto, how), *image_notes(images, how, most))


def image_notes(images: ImageSet | None, preprocessing: Preprocessing, most: int = 0) -> tuple[str, ...]:
    """What of a folder is not used, and what of its images.

    Args:
        images: The set.
        preprocessing: How the network is fed.
        most: So many images are used; 0 is all.
    """
    if images is None:
        return ()
    told, used = [], images.head(most)
    if images.left_out:
        told.append(f"{images.folder.resolve().name}: {images.left_out}")
    if preprocessing.orientation == IGNORE and (count := used.turned()):
        told.append(
            f"{count} of {len(used)} images carry a rotation that is ignored "
            '(orientation = "apply" in the card turns them upright)'
        )
    return tuple(told)
