"""LiteRT's greeting: the line on stderr that names its delegate, written by the first file that is loaded.

The wheel has no call that turns it off (``TF_CPP_MIN_LOG_LEVEL`` is not read by that logger, and its level is
no exported symbol), so descriptor 2 is turned aside while the first file of the process is loaded, and never
again. What anybody else writes to it meanwhile is passed on afterwards; only the greeting is left out.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_greeting"]

GREETING = re.compile(rb"^INFO: Created TensorFlow Lite .*\n?", re.MULTILINE)

_lock = threading.Lock()
_greeted = threading.Event()


@contextmanager
def without_greeting() -> Iterator[None]:
    """Load files within: the process's first load is alone and silent, all others do not wait.

    A load that fails has not greeted, so the next one counts as the first.
    """
    if _greeted.is_set():
        yield
        return
    with _lock:
        if _greeted.is_set():
            yield
        else:
            with _aside():
                yield
            _greeted.set()


@contextmanager
def _aside() -> Iterator[None]:
    """Keep what is written to descriptor 2, and pass it on without the greeting."""
    saved = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        try:
            os.dup2(kept.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            kept.seek(0)
            rest = GREETING.sub(b"", kept.read())
            if rest:
                os.write(saved, rest)
            os.close(saved)
