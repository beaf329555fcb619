"""Make room: remove what the current and the last deployments do not use."""

import json
import os
import shutil

from .. import runtimes
from . import deployments, engines
from .home import read_json, write_atomic

# So many deployments, the newest, are kept; the current one always is.
KEEP = 4
_HISTORY = "history.json"


def note(store, digest):
    """Remember that a deployment is the newest; order without a clock."""
    order = [digest] + [item for item in history(store) if item != digest]
    try:
        write_atomic(store.path("deployments", _HISTORY), json.dumps(order[:64]).encode("ascii"))
    except OSError:
        pass  # a card without room: the order of the others still stands


def history(store):
    """Digests of deployments, newest first."""
    found = read_json(store.path("deployments", _HISTORY))
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def prune(store):
    """Remove old deployments, and runtimes and blobs that neither the rest nor this connection uses.

    Needs the deploy lock. Returns what was removed, in words.
    """
    store.need_lock()
    order = history(store)
    place = {digest: number for number, digest in enumerate(order)}
    listed = deployments.listing(store)
    listed.sort(key=lambda item: place.get(item["digest"], len(order)))
    current = deployments.current(store)
    kept = [item for item in listed if item["digest"] == current]
    kept += [item for item in listed if item["digest"] != current][: KEEP - len(kept)]
    removed = []
    for item in listed:
        if item not in kept:
            shutil.rmtree(store.path("deployments", item["digest"]), ignore_errors=True)
            removed.append("deployment {} ({})".format(item["name"], item["digest"][:12]))
    used = set(store.used) | {item["runtime"] for item in kept}
    used |= {digest for digest, _ in runtimes.parts().values()}
    for item in kept:
        manifest = read_json(store.path("deployments", item["digest"], "manifest.json")) or {}
        used.add(manifest.get("artifact"))
    removed += engines.forget(store.path("engines"), [item["digest"] for item in kept])
    return removed + _runtimes(store, used) + _blobs(store, used)


def _runtimes(store, used):
    removed = []
    for name in sorted(os.listdir(store.path("runtimes"))):
        if name not in used:
            shutil.rmtree(store.path("runtimes", name), ignore_errors=True)
            removed.append("runtime {}".format(name[:12]))
    return removed


def _blobs(store, used):
    removed = []
    for name in sorted(os.listdir(store.path("blobs"))):
        if name.partition(".")[0] not in used:
            os.unlink(store.path("blobs", name))
            removed.append("blob {}".format(name[:12]))
    return removed
