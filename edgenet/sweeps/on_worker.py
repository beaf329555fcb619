"""A cluster's worker's side of a sweep: jobs done, images taken in."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from distributed import get_worker

from edgenet.cache import made_by
from edgenet.errors import DataError
from edgenet.sweeps.engine import Outcome
from edgenet.sweeps.images import Images
from edgenet.sweeps.parcel import Parcel
from edgenet.threads import usable_threads

__all__ = ["LIMITS", "Foreign", "Missing", "dask_setup", "made_there", "perform", "take_in"]


# What numerical libraries ask for when they are loaded.
LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Missing:
    """Images that a worker needs first."""

    images: tuple[Images, ...]
    worker: str


@dataclass(frozen=True)
class Foreign:
    """What makes a worker's results others than those of whoever asked."""

    made_by: Mapping[str, str]
    worker: str


def dask_setup(worker: object) -> None:  # noqa: ARG001
    """Called by Dask when a process of this machine's own cluster begins.

    Its limits are its own: a board's agent that it starts here is measured as one that is started elsewhere.
    """
    usable_threads()
    for name in LIMITS:
        os.environ.pop(name, None)


def made_there() -> dict[str, str]:
    """What the results of this process depend on beside their jobs."""
    return made_by()


def perform(parcel: Parcel, made_for: Mapping[str, str]) -> Parcel:
    """Do a job.

    Args:
        parcel: The function and its job.
        made_for: What made the one who asks.

    Returns:
        The :class:`Outcome`, its index 0; or :class:`Missing` or :class:`Foreign`, and nothing was done.
    """
    here = get_worker().address
    if made_by() != made_for:
        return Parcel.of(Foreign(made_by(), here))
    try:
        work, job = parcel.open()
        if missing := tuple(item for item in _images_of(job) if not _is_here(item)):
            return Parcel.of(Missing(missing, here))
        return Parcel.of(Outcome(0, work(job)))
    except Exception as error:  # as in edgenet.sweeps.engine.Here
        return Parcel.of(Outcome(0, error=_picklable(error)))


def take_in(images: Images, offset: int, data: bytes, whole: str | None) -> None:
    """Take the next part of a folder's archive; the last one completes it. See :meth:`Images.take_in`."""
    images.take_in(offset, data, whole)


def _images_of(value: Any) -> Iterator[Images]:
    """Those anywhere in a job."""
    if isinstance(value, Images):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _images_of(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _images_of(item)


def _is_here(images: Images) -> bool:
    try:
        images.here()
    except DataError:
        return False
    return True


def _picklable(error: Exception) -> Exception:
    """An error as it is, or its type and text where it cannot travel."""
    with contextlib.suppress(Exception):
        if type(Parcel.of(error).open()) is type(error):
            return error
    return RuntimeError(f"{type(error).__name__}: {error}")
