"""Threads: as many as there are cores to use, and one where the number would change the last bit."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from edgenet import threads
from edgenet.threads import _limit, one_blas_thread, usable_threads
from tests.house.tree import ROOT

BLAS = threads._blas()


@pytest.mark.parametrize(
    ("limit", "threads"), [("", 8), ("1", 1), ("3", 3), ("2,4", 2), ("99", 8), ("0", 8), ("many", 8)]
)
def test_the_usual_limit_is_kept(limit: str, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgenet.threads._cores", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    _limit.cache_clear()
    try:
        assert usable_threads() == threads
        monkeypatch.delenv("OMP_NUM_THREADS")
        assert usable_threads() == threads, "it was told when it was started"
    finally:
        _limit.cache_clear()


@pytest.mark.skipif(BLAS is None, reason="numpy's BLAS has no such switch")
def test_products_have_one_thread_and_afterwards_as_many_as_before() -> None:
    assert BLAS is not None
    before = BLAS.get()
    try:
        BLAS.set(2)
        with one_blas_thread():
            with one_blas_thread():
                assert BLAS.get() == 1
            assert BLAS.get() == 1, "the outer one still lasts"
        with pytest.raises(ZeroDivisionError), one_blas_thread():
            raise ZeroDivisionError
        assert BLAS.get() == 2
    finally:
        BLAS.set(before)


PROGRAM = """
import hashlib
import numpy as np
from edgenet.threads import one_blas_thread
draw = np.random.default_rng(1)
a, b = (draw.normal(size=(400, 700)).astype(np.float32) for _ in range(2))
with one_blas_thread():
    product = a @ b.T
    found = product.tobytes() + np.linalg.inv(product).tobytes()
print(hashlib.sha256(found).hexdigest())
"""


@pytest.mark.skipif(BLAS is None, reason="numpy's BLAS has no such switch")
def test_any_number_of_threads_gives_the_same_bits() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": count},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for count in ("1", "2", "5")
    }
    assert len(found) == 1


def test_numpy_of_wheels_has_the_switch() -> None:
    """Else a quantized model would depend on the number of cores."""
    if "openblas" in str(np.show_config("dicts")["Build Dependencies"]["blas"]["name"]):
        assert BLAS is not None
