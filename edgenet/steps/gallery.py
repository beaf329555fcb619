"""The pictures that a demo's answers are looked up in, where its task does that."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from pathlib import Path

from edgenet.agent.preprocess import decode, encode_ppm
from edgenet.bundle import Bundle
from edgenet.devices.blobs import Blob
from edgenet.errors import DataError, PlanError
from edgenet.files import sha256
from edgenet.imageset import ImageSet
from edgenet.steps.taken import images_of
from edgenet.verify.golden import shrunk

__all__ = ["gallery"]

# The board answers each of them before it begins.
MOST = 1000
# In a chain: times the size of the first network's input, so that a part of it is sharp enough.
LARGER = 4


def gallery(
    bundles: Sequence[Bundle], folder: ImageSet | Path | str | None, chain: bool = False
) -> list[tuple[str, Blob]]:
    """Names and pictures of the gallery, in a form that every board reads; each picture once.

    Args:
        bundles: What will answer.
        folder: The user's pictures; the first bundle's own few where there are none.
        chain: Whether the first bundle finds in them what the second looks up.

    Raises:
        DataError: A picture cannot be read or has two names, or there are too many.
        PlanError: There is a folder, and no bundle that looks anything up; or a chain without a folder.
    """
    able = [bundle for bundle in bundles if type(bundle.manifest.task).enrolls]
    if not able:
        if folder is not None:
            noun = bundles[0].manifest.task.noun
            raise PlanError(f"{noun} does not use a gallery", "leave --gallery out")
        return []
    first = able[0]
    if folder is None and chain:
        raise PlanError(
            "what the first model finds is looked up in a gallery", "name its folder, --gallery DIR"
        )
    images = images_of(folder, "val")
    if images is None:
        named = [(Path(item.file).stem, first.files[item.file]) for item in first.manifest.golden.images]
    else:
        if len(images) > MOST:
            raise DataError(
                f"{images.folder}: {len(images)} pictures, a gallery has at most {MOST}", "take fewer"
            )
        names = first.manifest.task.gallery_names(images)
        named = [(name, images.read(index)) for index, name in enumerate(names)]
    seen, times = (bundles[0], LARGER) if chain else (first, 1)
    return _once([(name, _blob(name, data, seen, times)) for name, data in named])


def _once(pictures: Sequence[tuple[str, Blob]]) -> list[tuple[str, Blob]]:
    """Without those that are there again under the same name."""
    names: dict[str, str] = {}
    for name, blob in pictures:
        if names.setdefault(blob.digest, name) != name:
            what = f"one picture of the gallery is there twice, as {names[blob.digest]} and as {name}"
            raise DataError(what, "leave out the wrong one")
    first = {blob.digest: index for index, (_, blob) in reversed(list(enumerate(pictures)))}
    return [pictures[index] for index in sorted(first.values())]


def _blob(name: str, data: bytes, bundle: Bundle, times: int) -> Blob:
    how = bundle.manifest.preprocessing
    try:
        picture = encode_ppm(shrunk(decode(data, how.orientation), how, times))
    except ValueError as error:
        raise DataError(f"gallery picture {name}: {error}", "replace or remove the file") from None
    return Blob(sha256(picture), len(picture), functools.partial(io.BytesIO, picture))
