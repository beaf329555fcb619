"""Whether only its user can change what lies in a folder, as StrictModes of sshd asks of ``~/.ssh``.

The bootstrap carries this file to the board and asks before it runs anything from there; so it
imports the standard library only, and has no single quotes.
"""

import os
import stat

# What the home holds; each may be a link to a larger disk.
FOLDERS = ("agent", "blobs", "runtimes", "deployments", "trust")


def unsafe(home):
    """The folder that lets another user change what ``home`` holds, and how; ``None`` where none does.

    Every folder above counts too, up to the home directory of the user, or to the root outside of it.

    Returns:
        ``("open", path, mode)`` where group or others may write it, ``("foreign", path, uid)`` where it
        belongs to neither this user nor root.
    """
    if not hasattr(os, "getuid"):
        return None  # Windows, where only `local` runs: the profile is closed to others
    held = [os.path.join(home, name) for name in FOLDERS]
    found = (_unsafe_from(path) for path in [home] + held if os.path.exists(path))
    return next((about for about in found if about), None)


def _unsafe_from(path):
    """The first unsafe folder from this one upwards, links followed."""
    last, path = os.path.realpath(os.path.expanduser("~")), os.path.realpath(path)
    about = _unsafe(path, False)
    while about is None and path not in (last, os.path.dirname(path)):
        path = os.path.dirname(path)
        about = _unsafe(path, True)
    return about


def _unsafe(path, above):
    """One folder; in a sticky one ``above``, such as /tmp, nobody can replace what others own."""
    about = os.stat(path)
    if about.st_uid not in (0, os.getuid()):
        return "foreign", path, about.st_uid
    if about.st_mode & 0o022 and not (above and about.st_mode & stat.S_ISVTX):
        return "open", path, stat.S_IMODE(about.st_mode)
    return None
