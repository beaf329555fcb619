"""``ssh-keygen -Y verify``: what tells on a board whether a signature holds (OpenSSH 8.1 and newer)."""

import os
import shutil
import subprocess

from ..failure import Failure
from . import keys

PLACES = "/usr/bin:/usr/local/bin:/bin"
SECONDS = 60
REMEDY = "install OpenSSH 8.1 or newer on the board, or let it ask for no signatures"
# A key that signed "edgenet" once and is used for nothing else: what every ssh-keygen that fits accepts.
_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAILi7rAfhamR5nFEm1ZljYNksHIDojqglSN36jGc+6Z8L"
_SIGNATURE = (
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAguLusB+FqZHmcUSbVmWNg2SwcgO\n"
    "iOqCVI3fqMZz7pnwsAAAAOZWRnZW5ldC1idW5kbGUAAAAAAAAABnNoYTUxMgAAAFMAAAAL\n"
    "c3NoLWVkMjU1MTkAAABA7L1JsT85hfrC2PbYwjfYOJE8SP4bmPaqNJRT9I7ku8T+bc7mag\n"
    "vdTkrJJ3grOCsOxEHq0Sb1OJBNQ25MHPu1Aw==\n"
    "-----END SSH SIGNATURE-----\n"
)


def refused(key, signature, message):
    """Why a signature does not hold, in the words of ``ssh-keygen``; empty where it does.

    Args:
        key: The line of ``allowed_signers`` whose key it must be by.
        signature: Its text.
        message: A stream of what was signed; it is closed.

    Raises:
        Failure: "untrusted": this board cannot tell.
    """
    trusted, given = _pipe(key.line), _pipe(signature)
    names = ["/dev/fd/{}".format(stream.fileno()) for stream in (trusted, given)]
    options = ["-f", names[0], "-I", key.name, "-n", keys.NAMESPACE, "-s", names[1]]
    with trusted, given, message:
        program = _program()
        process = subprocess.Popen(
            [program, "-Y", "verify"] + options,
            stdin=message,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[trusted.fileno(), given.fileno()],
            env=dict(os.environ, LC_ALL="C"),
        )
        try:
            said = process.communicate(timeout=SECONDS)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Failure("untrusted", "{} took more than {} s".format(program, SECONDS), "run this again")
    words = " ".join(said.decode("utf-8", "replace").split())[:200]
    return "" if process.returncode == 0 else words or "exit status {}".format(process.returncode)


def try_out():
    """See that this board's ``ssh-keygen`` accepts a good signature and refuses a wrong one.

    Raises:
        Failure: "untrusted": there is none, or it does not.
    """
    key = keys.key("edgenet", keys.blob("{} {}".format(keys.TYPE, _KEY)))
    said = [refused(key, _SIGNATURE, _pipe(text)) for text in ("edgenet", "something else")]
    if said[0] or not said[1]:
        what = "{} of this board cannot verify signatures: {}"
        raise Failure("untrusted", what.format(_program(), said[0] or "it accepts any"), REMEDY)


def _program():
    """Where ``ssh-keygen`` is; an agent started over ssh may have a short PATH."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), PLACES])
    found = shutil.which("ssh-keygen", path=path)
    if found is None:
        raise Failure("untrusted", "this board has no ssh-keygen, which verifies signatures", REMEDY)
    return found


def _pipe(text):
    """A stream that gives a text, at most what a pipe holds (64 KiB); nothing is written to the card."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream:
        stream.write(text.encode("utf-8", "surrogateescape"))
    return os.fdopen(reading, "rb")
