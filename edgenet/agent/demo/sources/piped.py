"""Pictures that a program of the board writes: what its kinds share."""

from typing import Any

from ...failure import Failure
from ..program import Program
from .base import Ended, Lost, Source
from .need import SIZE
from .streams import Jpegs

FPS = 30
# How long a camera may take for its first picture and between two, seconds.
FIRST_S, NEXT_S = 20.0, 5.0


class Piped(Source):
    """A program that writes pictures.

    A kind has ``command()`` and ``reader(read)``; ``again`` says whether it may come back when it ends.
    """

    again = True

    def __init__(self, options):
        Source.__init__(self, options)
        self._asked = options.get("size")
        self._program: Any = None
        self._reader: Any = None
        self._first: Any = None
        self._closed = False

    def command(self):
        """The program and its arguments.

        Raises:
            Failure: There is none on the board.
        """
        raise Failure("source", "no program for {}".format(self.name))

    def given(self):
        """What the program finds on its stdin."""
        return b""

    def reader(self, read):
        """What makes pictures of its output."""
        return Jpegs(read)

    def wanted(self):
        """The options as the user gave them: ``size`` is what came of it."""
        return dict(self.options, size=self._asked)

    def size(self):
        """(width, height) that is asked for."""
        return tuple(self._asked or SIZE)

    def rate(self):
        """Pictures a second that are asked for, an integer."""
        return max(1, int(round(self.options.get("fps") or FPS)))

    def open(self):
        """Start the program and wait for its first picture."""
        try:
            self._start(FIRST_S)
            self._first = self._reader.next()
        except (OSError, ValueError) as error:
            self.close()
            raise Failure("source", "{}: {}".format(self.name, error), "see that the camera is connected")
        if self._first is None:
            words = self._program.last_words()
            self.close()
            raise Failure("source", "{} gave no picture: {}".format(self.name, words), self.remedy())
        self.options["size"] = list(self._first.size or self._asked or []) or None
        self.fps = self.options.get("fps") or self.fps
        self._seconds = NEXT_S

    def remedy(self):
        """What to do where it gives nothing."""
        return "see that the camera is connected and that no other program uses it"

    def _start(self, seconds):
        self._seconds = seconds
        self._program = Program(self.command(), self.given())
        program = self._program
        self._reader = self.reader(lambda count: program.read(count, self._seconds))

    def read(self):
        """The next picture."""
        frame, self._first = self._first, None
        try:
            frame = frame or (self._reader and self._reader.next())
        except (OSError, ValueError) as error:
            raise Lost("{}: {}".format(self.name, error))
        if frame is None:
            if self._closed or not self.again:
                raise Ended()
            raise Lost("{} ended: {}".format(self.name, self._program.last_words()))
        return frame

    def reopen(self):
        """Start the program again."""
        if self._program is not None:
            self._program.close()
        if not self._closed:
            try:
                self._start(FIRST_S)
            except OSError:
                self._reader = None

    def interrupt(self):
        """End the program, so that whoever waits for a picture goes on."""
        self._closed = True
        if self._program is not None:
            self._program.end()

    def close(self):
        """End the program and give its pipe back."""
        self._closed = True
        if self._program is not None:
            self._program.close()
