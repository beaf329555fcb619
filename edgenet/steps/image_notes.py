"""What a user should know of the images that were given: one sentence each."""

from __future__ import annotations

from edgenet.agent.preprocess import IGNORE
from edgenet.imageset import ImageSet
from edgenet.preprocessing import Preprocessing

__all__ = ["image_notes"]


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
