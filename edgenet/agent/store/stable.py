"""What a board's own programs see of it: one path that never changes, and one file that changes on a switch.

``current/`` in the home leads, by the one link that a switch replaces, into the current deployment's folder,
where ``model.SUFFIX`` leads to the artifact, or to the engine that the board made of it. ``switched`` is
rewritten, in place, once a switch is done: its closing is what ``PathChanged=`` of systemd sees.
"""

import contextlib
import os
import re

from . import engines
from .home import sync_folder

SIGNAL = "switched"
# Beside each deployment's folder: what becomes ``deployments/current``, made while there is room.
LINK = ".link"
_FILE = re.compile(r"model\.[a-z0-9]{1,16}\Z")


def prepare(store, manifest):
    """Complete a deployment's folder, so that a switch to it needs no room on the card."""
    folder = store.path("deployments", manifest["digest"])
    model = _model(store, manifest)
    if model is not None:
        name, path = model
        _link(os.path.relpath(os.path.realpath(path), os.path.realpath(folder)), os.path.join(folder, name))
        for other in os.listdir(folder):
            if _FILE.match(other) and other != name:
                os.unlink(os.path.join(folder, other))
    _link(manifest["digest"], folder + LINK)
    _link(os.path.join("deployments", "current"), store.path("current"))


def artifact(store, manifest):
    """The stable name of a deployment's artifact, in its folder; ``None`` for an engine that is not there."""
    model = _model(store, manifest)
    return store.path("deployments", manifest["digest"], model[0]) if model else None


def opened(store):
    """The names of the files that programs open now, by the stable path."""
    folder = store.path("deployments", "current")
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return {
        os.path.basename(os.path.realpath(os.path.join(folder, name))) for name in names if _FILE.match(name)
    }


def point(store, digest):
    """Make a prepared deployment the current one: one rename of a link that is there already."""
    link = store.path("deployments", "current")
    temporary = "{}.{}.tmp".format(link, os.getpid())
    if os.path.lexists(temporary):
        os.unlink(temporary)
    try:
        os.link(store.path("deployments", digest + LINK), temporary, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system where links have one name each
        os.symlink(digest, temporary)
    os.replace(temporary, link)
    sync_folder(store.path("deployments"))


def tell(store, digest):
    """Say that a switch is done, where that is not said yet; after a cut the next contact does."""
    text = "{}\n".format(digest or "-").encode("ascii")
    path = store.path(SIGNAL)
    with contextlib.suppress(OSError), open(path, "rb") as stream:
        if stream.read(len(text) + 1) == text:
            return
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.write(handle, text)
            os.ftruncate(handle, len(text))
            os.fsync(handle)
        finally:
            os.close(handle)


def _model(store, manifest):
    """``(name, path)`` of what a program loads."""
    if manifest.get("build"):
        every = engines.others(store.path("engines"), manifest["digest"])
        made = [key for key, what in every if what.get("graph") == manifest["artifact"]]
        return ("model.engine", store.path("engines", made[-1] + ".engine")) if made else None
    path = store.blob_path(manifest["artifact"])
    name = manifest.get("file")
    return (name if isinstance(name, str) and _FILE.match(name) else _by_content(path)), path


def _by_content(path):
    """The name for an artifact of an older agent's deployment, whose manifest has none."""
    with open(path, "rb") as stream:
        return "model.tflite" if stream.read(8)[4:] == b"TFL3" else "model.onnx"


def _link(target, path):
    """A symbolic link, replaced at once where it leads elsewhere."""
    if os.path.islink(path) and os.readlink(path) == target:
        return
    temporary = "{}.{}.tmp".format(path, os.getpid())
    if os.path.lexists(temporary):
        os.unlink(temporary)
    os.symlink(target, temporary)
    os.replace(temporary, path)
