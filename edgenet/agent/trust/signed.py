"""Deployments that are signed: which keys this board trusts, and what their signatures cover."""

import json
import os
import re

from ..failure import Failure, from_os_error, shown
from ..signed import keygen, keys
from ..signed.kept import files, kept
from ..store import deployments, history
from ..store import trust as place
from ..store.home import write_atomic

# What a deployment has beside what its bundle says; none of it is signed.
UNSIGNED = ("runtime", "runtime_version", "tool", "signature")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z")
_MAX_KEYS = 256
_SIGN = "sign it with a trusted key (edgenet sign BUNDLE --key K) and deploy it again"


def demand(store, manifest):
    """The name of the trusted key that signed a deployment; see :func:`..store.trust.demand`."""
    title = "{} ({})".format(manifest["name"], manifest["digest"][:12])
    signature = manifest.get("signature")
    if not isinstance(signature, str):
        raise Failure(
            "untrusted", "{} is not signed, and this board trusts {}".format(title, _who(store)), _SIGN
        )
    blob = keys.signer(signature)
    known = [key for key in keys.read(place.path(store)) if key.blob == blob]
    if blob is None or not known:
        by = "by no Ed25519 key" if blob is None else "by " + keys.fingerprint(blob)
        what = "{} is signed {}, and this board trusts {}".format(title, by, _who(store))
        raise Failure("untrusted", what, _SIGN)
    path = store.verified_blob(manifest["digest"])
    refused = [keygen.refused(key, signature, open(path, "rb")) for key in known]
    if all(refused):
        what = "{}: its signature by {} does not hold: {}".format(title, known[0].name, refused[0])
        raise Failure("untrusted", what, _SIGN)
    _follows(path, manifest, title)
    return known[refused.index("")].name


def _follows(path, manifest, title):
    """See that a deployment says what its bundle's signed manifest says, and nothing more."""
    said = {name: value for name, value in manifest.items() if name not in UNSIGNED}
    try:
        with open(path, "rb") as stream:
            whole = json.loads(stream.read().decode("utf-8"))
        found = [kept(whole, manifest["digest"], file) for file in files(whole)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = "{}: what was signed is no bundle ({})".format(title, type(error).__name__)
        raise Failure("untrusted", what, _SIGN)
    if said not in found:
        odd = sorted(name for name in set(found[0]) | set(said) if found[0].get(name) != said.get(name))
        what = "{}: not what was signed ({})".format(title, ", ".join(odd)[:200])
        raise Failure("untrusted", what, "deploy the bundle as it was signed")


# -- what `edgenet trust` asks


def answer(store, request):
    """List the trusted keys, after adding one, removing one, or asking for no signatures any more."""
    do = request.get("do")
    work = {"add": _add, "remove": _remove, "off": _off}.get(do)
    if work is None and do != "list":
        raise Failure("bad-request", "no such thing to do: {!r}".format(do)[:100])
    changed = work is not None and _under_lock(store, work, request)
    found = keys.read(place.path(store)) if place.asked(store) else []
    told = [
        {"name": shown(key.name)[:200], "key": keys.text(key.blob), "fingerprint": keys.fingerprint(key.blob)}
        for key in found
    ]
    return {"asked": place.asked(store), "keys": told, "changed": changed, "refused": _refused(store)}


def _under_lock(store, work, request):
    """Change the list, one host at a time, and leave a line in the board's history."""
    store.begin()
    try:
        changed = work(store, request)
        if changed:
            what = "trust" if request["do"] == "add" else "untrust"
            about = {"digest": None, "name": request.get("name", "every key")}
            history.add(store, request, what, about)
        return changed
    finally:
        store.release()


def _add(store, request):
    name, text = request["name"], request["key"]
    if not isinstance(name, str) or not _NAME.match(name):
        raise Failure("bad-request", "not a name for a key: {!r}".format(name)[:120])
    blob = keys.blob(text)
    if blob is None:
        raise Failure("bad-request", "not an Ed25519 public key: {!r}".format(text)[:120])
    keygen.try_out()
    found = keys.read(place.path(store)) if place.asked(store) else []
    for key in found:
        if key.blob == blob:
            return False
        if key.name == name:
            what = "this board trusts another key named {}, {}".format(name, keys.fingerprint(key.blob))
            raise Failure("named", what, "give this one a name of its own with --name, or remove that one")
    if len(found) >= _MAX_KEYS:
        raise Failure("bad-request", "{} keys are trusted already".format(len(found)), "remove some")
    return _write(store, _lines(store) + [keys.key(name, blob).line])


def _remove(store, request):
    wanted = str(request["name"])
    found = keys.read(place.path(store)) if place.asked(store) else []
    left = [key for key in found if wanted not in (key.name, keys.fingerprint(key.blob))]
    if len(left) == len(found):
        raise Failure(
            "missing", "this board trusts no key {}".format(wanted)[:120], "see `edgenet trust --list`"
        )
    if not left:
        what = "{} is the last key that this board trusts".format(wanted)[:120]
        raise Failure(
            "last", what, "add another one first, or ask for no signatures any more: edgenet trust --off"
        )
    gone = {key.line for key in found if key not in left}
    return _write(store, [line for line in _lines(store) if line not in gone])


def _off(store, _request):
    if not place.asked(store):
        return False
    os.unlink(place.path(store))
    return True


def _lines(store):
    """What the list says, that of other hands too, without blank lines."""
    return [line for line in keys.lines(place.path(store)) if line.strip()] if place.asked(store) else []


def _write(store, lines):
    data = ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
    try:
        os.makedirs(store.path(place.FOLDER), 0o700, exist_ok=True)
        write_atomic(place.path(store), data)
    except OSError as error:
        raise from_os_error(error, len(data), store.free(), place.path(store))
    return True


def _refused(store):
    """Why what is current could not become it today; ``None`` where it could."""
    if deployments.current(store) is None:
        return None
    try:
        place.demand(store, deployments.load(store, None))
    except Failure as failure:
        return failure.what
    return None


def _who(store):
    """The trusted keys in words, the first few."""
    told = ["{} {}".format(key.name, keys.fingerprint(key.blob)) for key in keys.read(place.path(store))]
    if not told:
        return "no key at all"
    return ", ".join(told[:3]) + (" and {} more".format(len(told) - 3) if len(told) > 3 else "")
