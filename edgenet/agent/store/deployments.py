"""Deployments: a manifest that names blobs, and one atomic ``current`` link."""

import contextlib
import json
import os

from ..failure import Failure, from_os_error
from . import stable, trust
from .home import DIGEST, check_digest, read_json, write_atomic

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

# What a program loads depends on these.
MADE_OF = ("artifact", "backend", "build", "file")

# What a listing tells of each.
LISTED = ("digest", "name", "backend", "runtime", "runtime_version")


def deploy(store, manifest):
    """Make ``manifest`` the current deployment; returns whether anything changed.

    The artifact and the runtime must be on the board already; the deploy lock must be held.
    """
    changed = place(store, manifest)
    return switch(store, manifest) or changed


def place(store, manifest):
    """Complete a deployment's folder; what is current stays. Returns whether anything changed."""
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
        stable.prepare(store, manifest)
        return changed
    except OSError as error:
        raise from_os_error(error, len(text), store.free(), folder)


def switch(store, manifest):
    """Make a placed deployment the current one; returns whether it was another before."""
    store.need_lock()
    trust.demand(store, manifest)
    digest = manifest["digest"]
    changed = current(store) != digest
    try:
        stable.prepare(store, manifest)  # an older agent's deployment has no stable path yet
        if changed:
            stable.point(store, digest)
    except OSError as error:
        raise from_os_error(error, 4096, store.free(), store.path("deployments"))
    stable.tell(store, digest)
    return changed


def relink(store, manifest):
    """See that the stable path leads to a model: to the engine that the board finished again, or to what an
    older agent deployed."""
    if os.path.isdir(store.path("deployments", manifest["digest"])):
        with contextlib.suppress(OSError):
            stable.prepare(store, manifest)


def differs(store, manifest):
    """Whether under its digest a deployment is here that another artifact is made of."""
    here = read_json(store.path("deployments", manifest["digest"], "manifest.json"))
    return isinstance(here, dict) and any(here.get(name) != manifest.get(name) for name in MADE_OF)


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
    """All deployments, each a dict of what ``LISTED`` names, sorted by digest."""
    found = []
    for digest in sorted(os.listdir(store.path("deployments"))):
        manifest = DIGEST.match(digest) and read_json(store.path("deployments", digest, "manifest.json"))
        if isinstance(manifest, dict):
            told = {name: _short(manifest.get(name)) for name in LISTED}
            known = DIGEST.match(told["runtime"] or "")
            found.append(dict(told, digest=digest, runtime=told["runtime"] if known else None))
    return found


def _short(value):
    """A manifest's text as it may be told, or ``None``: damage may have made another thing of it."""
    return value if isinstance(value, str) and len(value) <= 300 else None


def _write(folder, text):
    path = os.path.join(folder, "manifest.json")
    if os.path.isfile(path):
        with open(path, "rb") as stream:
            if stream.read() == text:
                return False
    os.makedirs(folder, 0o700, exist_ok=True)
    write_atomic(path, text)
    return True
