"""A user's own check of a deployment on the board, in a process group of its own that ends with it."""

import os
import signal
import subprocess
import threading
from typing import Any

TAIL = 4096


class Check(object):
    """One command of ``sh``, bounded in time and in what is kept of its words (the last ``TAIL`` bytes)."""

    def __init__(self, command, variables, folder):
        self._tail = b""
        self._process: Any = subprocess.Popen(
            ["sh", "-c", command],
            cwd=folder,
            env=dict(os.environ, **variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._collect)
        self._reader.daemon = True
        self._reader.start()

    def _collect(self):
        for piece in iter(lambda: self._process.stdout.read1(TAIL), b""):
            self._tail = (self._tail + piece)[-TAIL:]

    def wait(self, seconds):
        """``{"exit_status", "timed_out", "lines"}`` once it ended, or was ended, with its whole group.

        What it put into a session of its own, as ``setsid`` does, runs on.
        """
        timed_out = False
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            timed_out = True
        self.end()
        status = self._process.wait()
        self._reader.join(1.0)
        if not self._reader.is_alive():
            self._process.stdout.close()
        lines = self._tail.decode("utf-8", "replace").splitlines()
        return {"exit_status": status, "timed_out": timed_out, "lines": lines}

    def end(self):
        """End the whole group, without waiting."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except OSError:
            pass  # all of it has ended
