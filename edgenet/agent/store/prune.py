"""Make room: old deployments go, never the current one, nor the one before it.

A board keeps its last ``KEEP`` deployments, so that going back is quick; where room is short, ``LEAST``.
"""

import os
import shutil
from typing import Any

from .. import parts, wire
from ..failure import Failure
from . import deployments, engines, history, stable, unpack
from .home import read_json

KEEP, LEAST = 4, 2
# A deployment's folder that is being removed; a cut leaves it to the next removal.
_GONE = ".gone"


def with_room(store, work):
    """``(removed, work())``; where the disk is full and the deploy lock is held, again after making room:
    first what is old goes, then all but the current deployment and the one before it."""
    removed: Any = []
    for keep in (KEEP, LEAST):
        try:
            return removed, work()
        except Failure as failure:
            if failure.kind != wire.NO_SPACE or not store.locked:
                raise
            removed += prune(store, keep)
    return removed, work()


def trim(store):
    """After a deploy: forget the deployments beyond ``KEEP`` and what they alone use.

    What an interrupted deploy has sent so far stays, to be resumed. Returns what was removed, in words.
    """
    return _drop(store, *_divided(store, KEEP))


def remove(store, digest):
    """Forget one deployment and what it alone uses; it is not the current one, or that is none then.

    Needs the deploy lock. Returns what was removed, in words.
    """
    store.need_lock()
    if deployments.current(store) == digest:
        for link in (store.path("current"), store.path("deployments", "current")):
            if os.path.lexists(link):
                os.unlink(link)
    listed = deployments.listing(store)
    gone = [item for item in listed if item["digest"] == digest]
    return _drop(store, [item for item in listed if item["digest"] != digest], gone)


def _drop(store, kept, gone):
    uses = [(item["runtime"], [_artifact(store, item), item["digest"]]) for item in gone]
    removed = _forget(store, kept, gone)
    used = _used(store, kept)
    for runtime, blobs in uses:
        removed += _runtimes(store, [runtime] if runtime not in used else [])
        removed += _blobs(store, [name for name in blobs if name not in used])
    return removed


def prune(store, keep=KEEP):
    """Where room is short: remove deployments beyond ``keep``, and all that neither the rest nor this
    connection uses.

    Needs the deploy lock. Returns what was removed, in words.
    """
    store.need_lock()
    kept, gone = _divided(store, keep)
    removed = _forget(store, kept, gone)
    used = _used(store, kept)
    every = [sorted(os.listdir(store.path(folder))) for folder in ("runtimes", "blobs")]
    removed += _runtimes(store, [name for name in every[0] if name not in used])
    return removed + _blobs(store, [name for name in every[1] if name.partition(".")[0] not in used])


def _divided(store, keep):
    """(kept, gone): the current deployment, the one before it and the newest others; and the rest."""
    known, current = history.lines(store), deployments.current(store)
    listed = deployments.listing(store)
    here = [item["digest"] for item in listed]
    before = [digest for digest in history.arrivals(known) if digest in here and digest != current]
    came = [current] + before[-1:] + history.newest(known)
    order = sorted(listed, key=lambda item: (came + [item["digest"]]).index(item["digest"]))
    return order[:keep], order[keep:]


def _forget(store, kept, gone):
    """Remove deployments, and the engines of all but the kept ones."""
    removed = []
    for item in gone:
        folder = store.path("deployments", item["digest"])
        shutil.rmtree(folder + _GONE, ignore_errors=True)  # of a removal that was cut
        os.rename(folder, folder + _GONE)  # whole, or not there
        removed.append("deployment {} ({})".format(item["name"], item["digest"][:12]))
    for name in os.listdir(store.path("deployments")):
        path = store.path("deployments", name)
        if name.endswith(_GONE):
            shutil.rmtree(path, ignore_errors=True)
        elif name.endswith(stable.LINK) and not os.path.exists(path):
            os.unlink(path)
    stays = [item["digest"] for item in kept] + [deployments.current(store)]
    return removed + engines.forget(store.path("engines"), stays)


def _artifact(store, item):
    manifest = read_json(store.path("deployments", item["digest"], "manifest.json")) or {}
    return manifest.get("artifact")


def _used(store, kept):
    """Names of blobs and runtimes that must stay."""
    used = set(store.used) | {digest for digest, _ in parts.known().values()}
    used |= stable.opened(store)  # also where damage took the manifest that names it
    for item in kept:
        used |= {item["runtime"], _artifact(store, item), item["digest"]}
    return used


def _runtimes(store, names):
    removed = []
    for name in names:
        if name and os.path.isdir(store.path("runtimes", name)):
            unpack.remove(store, name)
            removed.append("runtime {}".format(name[:12]))
    return removed


def _blobs(store, names):
    removed = []
    for name in names:
        if name and os.path.isfile(store.path("blobs", name)):
            os.unlink(store.path("blobs", name))
            removed.append("blob {}".format(name[:12]))
    return removed
