"""Engines that a board finished, as files: ``KEY.engine`` and beside it ``KEY.json``, what it was made for.

Which runtime made one does not matter here; ``prune`` forgets those of bundles that are gone.
"""

import os

from .home import read_json


def others(folder, bundle=None):
    """[(key, what)] of the engines of a bundle, or of all."""
    found = []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        known = read_json(os.path.join(folder, name)) if name.endswith(".json") else None
        what = known.get("what") if isinstance(known, dict) else None
        if isinstance(what, dict) and bundle in (None, what.get("bundle")):
            found.append((name[: -len(".json")], what))
    return found


def remove(folder, key):
    """Forget an engine."""
    for suffix in (".engine", ".json"):
        if os.path.exists(os.path.join(folder, key + suffix)):
            os.unlink(os.path.join(folder, key + suffix))


def forget(folder, bundles):
    """Remove the engines of every other bundle; returns what was removed, in words."""
    removed = []
    for key, what in others(folder):
        if what.get("bundle") not in bundles:
            remove(folder, key)
            removed.append("engine {}".format(key[:12]))
    return removed
