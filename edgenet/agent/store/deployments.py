"""Deployments: a manifest that names blobs, and one atomic ``current`` link."""

import json
import os

from ..failure import Failure, from_os_error
from . import trust
from .home import DIGEST, check_digest, read_json, sync_folder, write_atomic

# Each field of a manifest and the type it must have.
FIELDS = {
    "digest": str,
    "name": str,
    "backend": str,
    "artifact": str,
    "artifact_size": int,
    "input": dict,
    "output": dict,
    "preprocessing": dict,
    "labels": list,
}


def deploy(store, manifest):
    """Make ``manifest`` the current deployment; returns whether anything changed.

    The artifact and the runtime must be on the board already; the deploy lock must be held.
    """
    store.need_lock()
    check(manifest)
    store.verified_blob(manifest["artifact"], manifest["artifact_size"])
    runtime = manifest.get("runtime")
    if runtime is not None and not os.path.isdir(store.path("runtimes", check_digest(runtime))):
        raise Failure("missing", "runtime {} is not on the board".format(runtime[:12]), "deploy again")
    trust.demand(store, manifest)
    folder = store.path("deployments", manifest["digest"])
    text = json.dumps(manifest, sort_keys=True, indent=1).encode("utf-8")
    try:
        changed = _write(folder, text)
        return _point(store, manifest) or changed
    except OSError as error:
        raise from_os_error(error, len(text), store.free(), folder)


def check(manifest):
    """Raise where a manifest lacks a field or has one of the wrong type."""
    if not isinstance(manifest, dict):
        raise Failure("bad-request", "the manifest is not an object")
    for name, kind in sorted(FIELDS.items()):
        if not isinstance(manifest.get(name), kind):
            raise Failure("bad-request", "the manifest's {!r} is missing or of a wrong type".format(name))
    check_digest(manifest["digest"])
    check_digest(manifest["artifact"])


def current(store):
    """The digest of the current deployment, or ``None``."""
    try:
        name = os.path.basename(os.readlink(store.path("deployments", "current")))
    except OSError:
        return None
    return name if DIGEST.match(name) else None


def load(store, digest):
    """The manifest of a deployment (``None``: the current one)."""
    digest = current(store) if digest is None else check_digest(digest)
    manifest = read_json(store.path("deployments", digest, "manifest.json")) if digest else None
    if manifest is None:
        raise Failure("missing", "this bundle is not deployed on the board", "run `edgenet deploy` first")
    check(manifest)
    return manifest


def listing(store):
    """All deployments: ``[{"digest", "name", "backend", "runtime"}…]``, sorted by digest."""
    found = []
    for digest in sorted(os.listdir(store.path("deployments"))):
        manifest = DIGEST.match(digest) and read_json(store.path("deployments", digest, "manifest.json"))
        if isinstance(manifest, dict):
            found.append({name: manifest.get(name) for name in ("digest", "name", "backend", "runtime")})
    return found


def _write(folder, text):
    path = os.path.join(folder, "manifest.json")
    if os.path.isfile(path):
        with open(path, "rb") as stream:
            if stream.read() == text:
                return False
    os.makedirs(folder, 0o700, exist_ok=True)
    write_atomic(path, text)
    return True


def _point(store, manifest):
    trust.demand(store, manifest)
    digest = manifest["digest"]
    if current(store) == digest:
        return False
    link = store.path("deployments", "current")
    temporary = "{}.{}.tmp".format(link, os.getpid())
    if os.path.lexists(temporary):
        os.unlink(temporary)
    os.symlink(digest, temporary)
    os.replace(temporary, link)
    sync_folder(store.path("deployments"))
    return True
