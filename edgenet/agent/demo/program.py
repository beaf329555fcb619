"""A program of the board whose output is pictures: ended politely, so that it lets the camera go."""

import os
import select
import signal
import subprocess
import threading
from typing import Any

from ..child import environment
from ..wire import redacted

_KEPT = 4096
# What a camera program may take to end when it is asked to, seconds.
_PATIENCE_S = 1.5
# Stands in a command for the descriptor that pictures go to, where stdout carries chatter.
DESCRIPTOR = "{descriptor}"


class Program(object):
    """A started program.

    Args:
        command: With ``DESCRIPTOR`` in an argument where pictures go to a pipe of their own.
        given: What it finds on its stdin, at most 4 KiB: command lines are seen by every user of the board.
            ``None`` leaves its stdin open for ``tell``.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, command, given=b""):
        self._reader, writer = os.pipe()
        apart = any(DESCRIPTOR in word for word in command)
        try:
            self._process: Any = subprocess.Popen(
                [word.replace(DESCRIPTOR, str(writer)) for word in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL if apart else writer,
                stderr=subprocess.PIPE,
                env=environment(None),  # without the model's runtime, whose numpy is not picamera2's
                pass_fds=(writer,) if apart else (),
                start_new_session=True,
            )
        except OSError:
            os.close(self._reader)
            raise
        finally:
            os.close(writer)
        if given is not None:
            self.tell(given)
            _shut(self._process.stdin)
        self._tail = b""
        self._collector = threading.Thread(target=self._collect)
        self._collector.daemon = True
        self._collector.start()

    def _collect(self):
        with self._process.stderr as stream:
            for piece in iter(lambda: stream.read1(_KEPT), b""):
                self._tail = (self._tail + piece)[-_KEPT:]

    def read(self, count, seconds):
        """At most ``count`` bytes; none at its end.

        Raises:
            ValueError: Nothing came for so many seconds.
        """
        if not select.select([self._reader], [], [], seconds)[0]:
            raise ValueError("no picture for {:.0f} seconds".format(seconds))
        return os.read(self._reader, count)

    def tell(self, data):
        """Write to its stdin, which has room for what is little."""
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except (OSError, ValueError):
            pass  # it ended already; its last words say why

    def last_words(self):
        """Why it ended: the last line of its stderr, or its exit status."""
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            code = None
        self._collector.join(0.5)
        lines = [line.strip() for line in self._tail.decode("utf-8", "replace").split("\n")]
        said = [line for line in lines if line]
        return redacted(said[-1])[:300] if said else "exit status {}".format(code)

    def end(self):
        """Ask it to end, then make it end; never raises. ``read`` in another thread sees the end."""
        for number, patience in ((signal.SIGINT, _PATIENCE_S), (signal.SIGKILL, _PATIENCE_S)):
            try:
                os.killpg(self._process.pid, number)
            except OSError:
                pass
            try:
                self._process.wait(patience)
                break
            except subprocess.TimeoutExpired:
                continue

    def close(self):
        """Give the pipe back, when nobody reads any more."""
        self.end()
        _shut(self._process.stdin)
        self._collector.join(0.5)
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1


def _shut(stream):
    try:
        stream.close()
    except OSError:
        pass  # what was written last was not read
