"""Images on their way to a worker, part by part."""

from __future__ import annotations

from pathlib import Path

from distributed import Client

from edgenet.errors import DataError
from edgenet.files import file_digest
from edgenet.sweeps.images import Images
from edgenet.sweeps.on_worker import take_in

__all__ = ["send"]

# Bytes of a part: scheduler and worker hold one at a time.
PART = 16 << 20


def send(client: Client, archive: Path, images: Images, worker: str) -> None:
    """Give a worker an archive of images, to be kept there.

    Args:
        client: Of the cluster.
        archive: What :meth:`edgenet.sweeps.images.Images.pack` wrote.
        images: Those.
        worker: Its address.

    Raises:
        DataError: They do not come over, or cannot be kept there.
    """
    size, offset = archive.stat().st_size, 0
    whole = file_digest(archive)
    with archive.open("rb") as stream:
        while offset < size:
            data = stream.read(PART)
            last = offset + len(data) >= size
            _part(client, worker, images, offset, data, whole if last else None)
            offset += len(data)


def _part(client: Client, worker: str, images: Images, offset: int, data: bytes, whole: str | None) -> None:
    answers = client.run(take_in, images, offset, data, whole, workers=[worker], on_error="return")
    for error in answers.values():
        if isinstance(error, DataError):
            raise error
        if error is not None:
            what = f"{images.folder}: does not reach the worker {worker} ({type(error).__name__}: {error})"
            raise DataError(what, "run it again: finished work is kept")
