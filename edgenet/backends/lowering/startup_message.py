"""LiteRT's startup message: the line on stderr that names its delegate, written by the first file loaded.

The wheel has no call that turns it off (``TF_CPP_MIN_LOG_LEVEL`` is not read by that logger, and its level is
no exported symbol), so descriptor 2 is turned aside while the first file of the process is loaded, and never
again. What anybody else writes to it meanwhile is passed on afterwards; only that message is left out.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_startup_message"]

MESSAGE = re.compile(rb"^INFO: Created TensorFlow Lite .*\n?", re.MULTILINE)

_lock = threading.Lock()
_shown = threading.Event()


@contextmanager
def without_startup_message() -> Iterator[None]:
    """Load files within: the process's first load is alone and silent, all others do not wait.

    A load that fails has not written it, so the next one counts as the first.
    """
    if _shown.is_set():
        yield
        return
    with _lock:
        if _shown.is_set():
            yield
        else:
            with _aside():
                yield
            _shown.set()


@contextmanager
def _aside() -> Iterator[None]:
    """Keep what is written to descriptor 2, and pass it on without the message."""
    saved = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        try:
            os.dup2(kept.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            kept.seek(0)
            rest = MESSAGE.sub(b"", kept.read())
            if rest:
                os.write(saved, rest)
            os.close(saved)
