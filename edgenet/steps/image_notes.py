"""What a user should know of the images that were given: one sentence each."""

from __future__ import annotations

from edgenet.imageset import ImageSet

__all__ = ["image_notes"]


def image_notes(images: ImageSet | None) -> tuple[str, ...]:
    """What of a folder is not used."""
    if images is None or not images.left_out:
        return ()
    return (f"{images.folder.resolve().name}: {images.left_out}",)
