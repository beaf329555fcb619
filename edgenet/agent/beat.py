"""Signs of life: while a request is worked on, or comes in, the host is told that this end is there."""

import os
import sys
import threading
import time
from typing import Any

from . import wire


class Beat(object):
    """When the host was heard, what it says, and what it is told meanwhile.

    Attributes:
        busy: Whether a request is worked on.
        heard: When something last came.
        stalled: Whether a demo says that a process of its own is stopped.
    """

    def __init__(self, send):
        self._send, self.heard = send, time.monotonic()
        self._begun = self.busy = self.stalled = False

    def read(self, size):
        """Of the next ``size`` bytes of stdin those that are there."""
        stream: Any = sys.stdin.buffer
        data = stream.read1(min(size, 65536))
        self.heard = time.monotonic()
        return data

    def begin(self, seconds):
        """From now on say every so many seconds that this end is there."""
        if not self._begun:
            self._begun = True
            thread = threading.Thread(target=self._run, args=(seconds,))
            thread.daemon = True
            thread.start()

    def _run(self, seconds):
        while True:
            time.sleep(seconds)
            if self.busy or time.monotonic() - self.heard < seconds:
                self._send({"event": wire.ALIVE, "stopped": self.stalled or stopped()})


def stopped():
    """Whether a process that this one started is stopped (SIGSTOP), so that waiting for it is in vain."""
    try:
        return os.waitid(os.P_ALL, 0, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
    except (AttributeError, OSError):  # not on every system; or there is no process
        return False
