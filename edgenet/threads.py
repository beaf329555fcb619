"""Threads: as many as there are cores to use, and one where the number would change the last bit."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["one_blas_thread", "usable_threads"]

# What limits the threads of numerical libraries everywhere (OpenMP 5.2, section 21.1.2); the number of the
# outermost region comes first. Dask sets it to 1 for its workers.
LIMIT = "OMP_NUM_THREADS"
# (set, get) of the libraries that numpy is built with: OpenBLAS as numpy's wheels carry it, with 64 and
# 32 bits; as systems do; MKL.
SYMBOLS = (
    ("scipy_openblas_set_num_threads64_", "scipy_openblas_get_num_threads64_"),
    ("scipy_openblas_set_num_threads", "scipy_openblas_get_num_threads"),
    ("openblas_set_num_threads64_", "openblas_get_num_threads64_"),
    ("openblas_set_num_threads", "openblas_get_num_threads"),
    ("MKL_Set_Num_Threads", "MKL_Get_Max_Threads"),
)


def usable_threads() -> int:
    """How many threads this process may keep busy: the limit that it was started with, else its cores."""
    return min(_limit() or _cores(), _cores())


@functools.cache
def _limit() -> int | None:
    """What the process was told when it was started; asked once, as numerical libraries do."""
    told = os.environ.get(LIMIT, "").partition(",")[0].strip()
    return int(told) if told.isdecimal() and int(told) > 0 else None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Blas(NamedTuple):
    set: Callable[[int], object]
    get: Callable[[], int]


_lock = threading.Lock()
_inside = 0
_before = 1


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have numpy's products of matrices computed by one thread, of whichever caller, while this lasts.

    A BLAS adds up in another order with another number of threads, and what is rounded to nearest then goes
    the other way here and there. The products of a MobileNet's layers are small: more threads cost more than
    they gain. A library that has no such switch (Apple's Accelerate) stays as it is.
    """
    global _inside, _before  # noqa: PLW0603
    blas = _blas()
    if blas is None:
        yield
        return
    with _lock:
        if _inside == 0:
            _before = blas.get()
            blas.set(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                blas.set(_before)


@functools.cache
def _blas() -> _Blas | None:
    """The switch of the library that numpy is using."""
    for path in _libraries():
        with contextlib.suppress(OSError):
            library = ctypes.CDLL(str(path))
            for set_name, get_name in SYMBOLS:
                if hasattr(library, set_name) and hasattr(library, get_name):
                    return _Blas(getattr(library, set_name), getattr(library, get_name))
    return None


def _libraries() -> Iterator[Path]:
    """numpy's compiled core, through which what it links is found too; for Windows, what lies beside it."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if name.startswith("numpy.") and name.endswith("_multiarray_umath") and not file.endswith(".py"):
            yield Path(file)
            yield from sorted(Path(file).parents[2].glob("numpy.libs/*openblas*"))
