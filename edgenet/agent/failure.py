"""What can go wrong on the board, in a form that travels: kind, what, remedy."""

import errno

from . import wire

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Failure(Exception):
    """An expected failure of a request.

    Args:
        kind: A short name that the host may act on.
        what: The thing and the reason, one sentence without a final stop.
        remedy: What the user can do now.
        facts: More JSON values for the host.
    """

    def __init__(self, kind, what, remedy="", **facts):
        Exception.__init__(self, what)
        self.kind = kind
        self.what = what
        self.remedy = remedy
        self.facts = facts

    def as_json(self):
        """The ``error`` of a reply."""
        error = {"kind": self.kind, "what": shown(self.what), "remedy": shown(self.remedy)}
        error.update(self.facts)
        return error


def shown(text):
    """A text fit to be shown: addresses without their secrets, and names of files in UTF-8 again where this
    Python holds them as surrogates (C locale)."""
    text = wire.redacted(text)
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text  # surrogates that no file name brought; the host replaces them


def cause(error):
    """The one line of another's exception that tells the cause, at most 300 characters.

    Libraries put it first and explain below; an import fails at the bottom of a chain, and numpy puts a page
    of advice before it.
    """
    while isinstance(error, ImportError) and isinstance(error.__cause__, ImportError):
        error = error.__cause__
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    lines = lines or [type(error).__name__]
    return lines[-1 if isinstance(error, ImportError) else 0][:300]


def no_space(needed, free, where):
    """The failure of a full disk; sizes in bytes."""
    what = "no space on the board: {} needs {:.1f} MB, {:.1f} MB are free".format(
        where, needed / 1e6, free / 1e6
    )
    if needed <= free:  # no inode is left, or the user has a limit
        what = "no space on the board: {} takes no more, though {:.1f} MB are free (files or quota)".format(
            where, free / 1e6
        )
    return Failure(
        wire.NO_SPACE, what, "free some space on the board and run this again", needed=needed, free=free
    )


def of_board(error):
    """The failure that any other ``OSError`` means."""
    if error.errno != errno.EROFS:
        return Failure("os", "the board: {}".format(error))
    what = "the board: its file system is mounted read-only: {}".format(error.filename or "edgenet's folder")
    return Failure("os", what, "name another folder with --board-home DIR, or with EDGENET_HOME there")


def from_os_error(error, needed, free, where):
    """The failure that an ``OSError`` from writing ``where`` means."""
    if error.errno in FULL:
        return no_space(needed, free, where)
    return Failure(
        "cannot-write", "cannot write {}: {}".format(where, error.strerror or error), "check its permissions"
    )
