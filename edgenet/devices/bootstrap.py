"""First contact: from nothing but ``sh`` to a running agent, in one process.

The script goes to the stdin of ``sh`` as one compound command, so that ``sh`` has read all of it
before it runs any of it; nothing more is sent until the board says a line beginning with
``EDGENET``. So no shell that reads ahead can swallow the agent or the frames.
"""

from __future__ import annotations

import base64
import re
import shlex
import zlib
from importlib import resources

from edgenet.agent import wire
from edgenet.devices.archive import Archive
from edgenet.devices.connection import Connection
from edgenet.devices.homes import UNUSABLE, unsafe_home, unusable_home
from edgenet.errors import ConnectionFailed, ConnectionLost
from edgenet.pages import page
from edgenet.text import last_line

__all__ = ["BOOT", "handshake", "script"]

# Before the agent says its first line, a board may print this much (banners, rc files), bytes.
MAX_CHATTER = 64 * 1024

# Runs on Python 3.6 and newer; arguments: digest, size. No single quotes: it is quoted for sh.
# Variables of the user's own Pythons stop here: -E keeps them from this process, del from all that it starts
# (but for where `pip install --user` puts packages).
# What came of an agent before a cut is kept as a part, claimed by renaming it.
# The home is found without links, once: who may write where a link lies cannot turn it afterwards.
_BOOT = r"""
import sys
sys.path[:] = [p for p in sys.path if p]
%s
import errno, hashlib
for name in [n for n in os.environ if n.startswith("PYTHON") and n != "PYTHONUSERBASE"]:
    del os.environ[name]
digest, size = sys.argv[1], int(sys.argv[2])
home = os.environ.get("EDGENET_HOME") or os.path.join(os.path.expanduser("~"), ".edgenet")
home = os.environ["EDGENET_HOME"] = os.path.realpath(home)
path = os.path.join(home, "agent", digest + ".pyz")
os.umask(0o077)
def say(text):
    os.write(1, ("\nEDGENET " + text + "\n").encode("utf-8", "surrogateescape"))
def good(path):
    try:
        with open(path, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest() == digest
    except OSError:
        return False
def check():
    disk = os.statvfs(home)
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < size:
        raise OSError(errno.ENOSPC, "")
    link = path + "." + str(os.getpid())
    try:
        os.symlink("x", link)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
            raise
        say("no-links " + home)
        sys.exit(1)
    os.unlink(link)
def fetch():
    part = path + ".part"
    temporary = path + "." + str(os.getpid())
    try:
        os.rename(part, temporary)
    except OSError:
        pass
    try:
        with open(temporary, "ab") as f:
            here = f.tell()
            say("need %%d" %% here if here else "need")
            while here < size:
                piece = os.read(0, min(65536, size - here))
                if not piece:
                    break
                f.write(piece)
                here += len(piece)
            f.flush()
            os.fsync(f.fileno())
        if here < size:
            os.rename(temporary, part)
            sys.exit(1)
        if not good(temporary):
            say("damaged")
            sys.exit(1)
        os.rename(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
try:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    found = unsafe(home)
    if found:
        say("unsafe-home {0} {2} {1}".format(*found))
        sys.exit(1)
    if not good(path):
        check()
        fetch()
except OSError as error:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    closed = "read-only " if error.errno == errno.EROFS else "cannot-write "
    say(("no-space " if full else closed) + home)
    sys.exit(1)
say("ready")
sys.path.insert(0, path)
sys.argv = [path]
from edgenet_agent.main import main
sys.exit(main([]))
"""
_SAFE = resources.files("edgenet").joinpath("agent/store/safe.py").read_text("utf-8")
BOOT = _BOOT % re.sub(r' *"""[\s\S]*?"""\n', "", _SAFE)  # less its docstrings

_SCRIPT = r"""{
%(variables)susable() {
  "$1" -E -c "import sys; sys.exit(sys.version_info < (3, 6))" </dev/null >/dev/null 2>&1
}
if [ -n "$EDGENET_PYTHON" ]; then set -- "$EDGENET_PYTHON"
else set -- python3 %(names)s /usr/bin/python3 /usr/local/bin/python3; fi
for python do
  if usable "$python"; then
    exec "$python" -E -c '%(boot)s' %(digest)s %(size)d
  fi
done
printf '\nEDGENET no-python %%s\n' "$1"
exit 1
}
"""


def script(digest: str, size: int, home: str = "", python: str = "") -> bytes:
    """The script for ``sh`` that starts the agent with this sha256 and size in bytes.

    Args:
        digest: Of the agent.
        size: Of the agent, bytes.
        home: The folder there that holds all of edgenet's; "" leaves it to the board.
        python: The Python there; "" for the first that fits.
    """
    names = " ".join(f"python3.{minor}" for minor in range(14, 5, -1))
    packed = base64.b64encode(zlib.compress(BOOT.encode("ascii"), 9)).decode("ascii")  # it travels every time
    boot = f'import base64, zlib; exec(zlib.decompress(base64.b64decode("{packed}")))'
    variables = _exported("EDGENET_HOME", home) + _exported("EDGENET_PYTHON", python)
    text = _SCRIPT % {"names": names, "boot": boot, "digest": digest, "size": size, "variables": variables}
    return text.encode()


def _exported(name: str, path: str) -> str:
    """A line of ``sh`` that sets a variable to a path, which may begin with ``~/``; nothing for none."""
    if not path:
        return ""
    value = f'"$HOME"/{shlex.quote(path[2:])}' if path.startswith("~/") else shlex.quote(path)
    return f"{name}={value}; export {name}\n"


def handshake(connection: Connection, archive: Archive) -> tuple[int, int]:
    """Bring a started connection to where frames begin; the agent is sent if the board asks for it.

    Returns:
        Bytes (sent, received).

    Raises:
        ConnectionFailed: The board did not get there.
    """
    sent = received = 0
    chatter = b""
    while True:
        line = connection.stdout.readline(MAX_CHATTER)
        received += len(line)
        if received > MAX_CHATTER:
            raise ConnectionFailed(
                f"{connection.name} printed more than {MAX_CHATTER // 1024} KiB and no agent",
                f"make its login files quiet: see what `ssh {connection.name} true` prints",
            )
        if not line:
            raise connection.failed(last_line(chatter.decode("utf-8", "replace")))
        if not line.startswith(wire.MARK):
            chatter = (chatter + line)[-1024:]
            continue
        word, _, rest = line[len(wire.MARK) :].decode("utf-8", "replace").strip().partition(" ")
        if word == "ready":
            return sent, received
        if word == "unsafe-home":
            raise unsafe_home(connection.name, *last_line(rest).split(" ", 2))
        if word != "need":
            raise _refusal(connection.name, word, last_line(rest))
        if not (rest or "0").isdecimal() or len(rest) > 9:
            raise _refusal(connection.name, word, last_line(rest))
        sent += _send(connection, archive.data[int(rest or "0") :])


def _send(connection: Connection, data: bytes) -> int:
    try:
        connection.stdin.write(data)
        connection.stdin.flush()
    except OSError:
        raise ConnectionLost(
            f"the connection to {connection.name} broke while the agent was being sent", "try again"
        ) from None
    return len(data)


def _refusal(board: str, word: str, rest: str) -> ConnectionFailed:
    if word in UNUSABLE:
        return unusable_home(board, word, rest)
    match word:
        case "no-python" if rest == "python3":
            return ConnectionFailed(
                f"{board} has no Python 3.6 or newer",
                "install python3 there, or set EDGENET_PYTHON there to one outside the PATH "
                f"({page('troubleshooting', 'no-python-on-the-board')})",
            )
        case "no-python":
            return ConnectionFailed(
                f"EDGENET_PYTHON on {board} is not a Python 3.6 or newer: {rest}", "correct or unset it there"
            )
        case "damaged":
            return ConnectionFailed(f"the agent arrived damaged on {board}", "try again; check the network")
    return ConnectionFailed(f"{board} answered something unknown: {word} {rest}"[:300], "update edgenet")
