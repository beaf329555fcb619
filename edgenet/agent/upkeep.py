"""The life of a board: what is deployed on it, how that came, and what becomes current or goes.

Each function here whose name begins with a request of ``HANDLERS`` answers it. All that change something take
the deploy lock, and leave a line in the board's history, also where they fail.
"""

import contextlib
import hashlib
import os
import re
import time

from . import finish, parts, wire
from .check import Check
from .child import try_runtime
from .facts import sensors
from .failure import Failure
from .store import deployments, history, prune, stable, trust, unpack
from .store.home import LOCK_WAIT, check_digest, read_json
from .store.identity import board_id

# Lines of its history that a board tells at most.
TOLD = 200
_LIST = "see `edgenet list`"
_PREFIX = re.compile(r"[0-9a-f]{4,64}\Z")
_WORD = re.compile(r"[a-z][a-z-]{0,31}\Z")


class Upkeep(object):
    """Answers these requests of one host.

    Args:
        store: The board's.
        tell: Sends an event.
    """

    def __init__(self, store, tell):
        self._store, self._tell = store, tell
        self._check = None

    def leave(self):
        """The host is gone: end a check that runs."""
        if self._check is not None:
            self._check.end()

    def status(self, request):
        """What is there, what is current, how it came, and what was measured last."""
        self._settle_if_free()
        known = history.lines(self._store)
        kept = self._kept(known)
        by_digest = {item["digest"]: item for item in kept}
        return {
            "board_id": board_id(self._store),
            "current": by_digest.get(deployments.current(self._store)),
            "previous": by_digest.get(self._previous(known)),
            "deployments": kept,
            "free_mb": round(self._store.free() / 1e6, 1),
            "temperature_c": _temperature(),
            "clock_s": round(time.time(), 1),
            "trusted": trust.asked(self._store),
            "last_report": history.last_report(known),
            "history": known[::-1][: min(int(request.get("lines", TOLD)), TOLD)],
        }

    def deploy(self, request):
        """Make a bundle whose blobs are here the current one."""
        manifest = request["manifest"]
        deployments.check(manifest)
        with self._told(request, "deploy") as done:
            done.manifest = manifest
            removed, done.changed = prune.with_room(
                self._store, lambda: deployments.deploy(self._store, manifest)
            )
        removed += prune.trim(self._store)
        return self._over({"changed": done.changed, "removed": removed})

    def place(self, request):
        """Complete a bundle's folder; the current one stays, what is old goes, and the lock is held on."""
        manifest = request["manifest"]
        deployments.check(manifest)
        with self._told(request, history.WAITS) as done:
            done.manifest = manifest
            removed, done.changed = prune.with_room(
                self._store, lambda: deployments.place(self._store, manifest)
            )
        removed += prune.trim(self._store)
        return {"changed": done.changed, "removed": removed}

    def switch(self, request):
        """Make a deployment that is here the current one; nothing is sent for it."""
        self._store.begin(float(request.get("wait", LOCK_WAIT)))
        what, tool = _word(request.get("what", "switch")), request.get("tool")
        with self._told(request, what, tool is None) as done:
            manifest = done.manifest = self._manifest(self._target(request.get("digest")))
            if tool not in (None, manifest.get("tool")):
                raise Failure(
                    "missing", "what is on the board was deployed by another edgenet", "deploy again"
                )
            self._prove(manifest)
            done.changed = deployments.switch(self._store, manifest)
        told = {name: manifest.get(name) for name in ("digest", "name", "runtime", "runtime_version")}
        signature = manifest.get("signature")
        if isinstance(signature, str):
            told["signature"] = hashlib.sha256(signature.encode("utf-8")).hexdigest()
        return self._over(dict(told, changed=done.changed))

    def check(self, request):
        """Run the user's command on a deployment."""
        manifest = self._manifest(check_digest(request["digest"]))
        path = stable.artifact(self._store, manifest)
        folder = self._store.path("deployments", manifest["digest"])
        variables = {
            "EDGENET_ARTIFACT": path or "",
            "EDGENET_MANIFEST": os.path.join(folder, "manifest.json"),
            "EDGENET_DIGEST": manifest["digest"],
        }
        self._check = Check(str(request["command"]), variables, folder)
        try:
            return self._check.wait(float(request["timeout_s"]))
        finally:
            self._check = None

    def prune(self, request):
        """Forget all but some deployments, and all that nothing uses."""
        self._store.begin(float(request.get("wait", LOCK_WAIT)))
        keep = int(request["keep"])
        if keep < 1:
            raise Failure("bad-request", "the current deployment cannot be pruned", "keep 1 or more")
        removed = prune.prune(self._store, keep)
        if removed:
            nothing = {"digest": None, "name": None}
            history.add(self._store, request, "prune", nothing, told={"removed": removed[:20]})
        return self._over({"removed": removed})

    def remove(self, request):
        """Forget one deployment."""
        self._store.begin(float(request.get("wait", LOCK_WAIT)))
        manifest = self._manifest(self._target(request["digest"]))
        digest = manifest["digest"]
        if digest == deployments.current(self._store) and request.get("force") is not True:
            what = "{} ({}) is the current deployment".format(manifest["name"], digest[:12])
            raise Failure("current", what, "make another one current first: `edgenet rollback`")
        removed = prune.remove(self._store, digest)
        history.add(self._store, request, "remove", manifest)
        stable.tell(self._store, deployments.current(self._store))
        return self._over({"removed": removed})

    def note(self, request):
        """A line of the host's for the history: a failed health check, what was measured."""
        told = request.get("told")
        if told is not None and not isinstance(told, dict):
            raise Failure("bad-request", "what is told beside a line of the history is no object")
        digest = check_digest(request["digest"])
        name = self._name(digest) or request.get("name")
        about = {"digest": digest, "name": name}
        history.add(self._store, request, _word(request["what"]), about, str(request["result"]), told)
        return {}

    # -- what they share

    def _told(self, request, what, failures=True):
        self._store.need_lock()
        self._settle()
        return history.Told(self._store, request, what, failures)

    def _over(self, reply):
        self._store.release()
        self._store.used.clear()
        return reply

    def _settle(self):
        """Mend what a cut just after a switch, or an older agent's deploy, left: no line of it, no model at
        the stable path, or a board's program that was not told."""
        digest = deployments.current(self._store)
        if digest is None:
            return
        arrivals = list(history.arrivals(history.lines(self._store)))
        if arrivals[-1:] != [digest]:
            history.add(self._store, {}, "found", {"digest": digest, "name": self._name(digest)})
        if os.path.lexists(self._store.path("current")):  # programs of this board know it
            with contextlib.suppress(Failure):  # a damaged manifest
                deployments.relink(self._store, deployments.load(self._store, digest))
            stable.tell(self._store, digest)

    def _settle_if_free(self):
        if self._store.locked:
            return
        try:
            self._store.begin(0.0)
        except (Failure, OSError):
            return  # a deploy is under way, and tells by itself
        try:
            self._settle()
        finally:
            self._store.release()

    def _name(self, digest):
        manifest = read_json(self._store.path("deployments", digest, "manifest.json"))
        return manifest.get("name") if isinstance(manifest, dict) else None

    def _kept(self, known):
        """Every deployment, the newest first, with how it came."""
        arrivals, place = history.arrivals(known), history.newest(known)
        listed = deployments.listing(self._store)
        listed.sort(key=lambda item: place.index(item["digest"]) if item["digest"] in place else len(place))
        for item in listed:
            line = arrivals.get(item["digest"]) or {}
            item.update(by=line.get("who"), host=line.get("host"))
            item.update(since=line.get("at_host"), since_board=line.get("at_board"))
        return listed

    def _previous(self, known):
        """The digest of the newest deployment that was current before the current one, and still is here."""
        here = {item["digest"] for item in deployments.listing(self._store)}
        before = [digest for digest in history.arrivals(known) if digest in here]
        before = [digest for digest in before if digest != deployments.current(self._store)]
        return before[-1] if before else None

    def _target(self, digest):
        """The digest that a host means: the one before the current one, or one that begins like this."""
        if digest is None:
            found = self._previous(history.lines(self._store))
            if found is None:
                raise Failure("missing", "there is no earlier deployment on the board", "deploy a bundle")
            return found
        if not isinstance(digest, str) or not _PREFIX.match(digest):
            raise Failure("bad-request", "not a digest or its beginning: {!r}".format(digest)[:120], _LIST)
        every = [item["digest"] for item in deployments.listing(self._store)]
        found = [item for item in every if item.startswith(digest)]
        if len(found) > 1:
            raise Failure(
                "bad-request", "{} deployments begin with {}".format(len(found), digest), "say more"
            )
        if not found:
            what = "no deployment {} is on the board".format(digest[:12])
            raise Failure("missing", what, _LIST + ", or deploy its bundle")
        return found[0]

    def _manifest(self, digest):
        return deployments.load(self._store, digest)

    def _prove(self, manifest):
        """That all it needs is here and whole: its artifact, its runtime, an engine for this very GPU."""
        remedy = "deploy its bundle again"
        title = "{} ({})".format(manifest["name"], manifest["digest"][:12])
        try:
            self._store.verified_blob(manifest["artifact"], manifest["artifact_size"])
            folder = unpack.folder(self._store, manifest.get("runtime"))
        except Failure as failure:
            raise Failure(failure.kind, "{} cannot become current: {}".format(title, failure.what), remedy)
        parts.need(self._store, [parts.runtime(manifest["backend"])])
        if manifest.get("build"):
            reply = finish.finish(self._store, manifest, folder, self._tell)
            if "error" in reply:
                raise Failure(**reply["error"])
        elif folder is None:
            found = try_runtime(manifest["backend"], None)
            if not found["works"]:
                what = "{} cannot become current: the board's own {} does not work: {}"
                raise Failure("import", what.format(title, manifest["backend"], found["why"]), remedy)


def _temperature():
    try:
        return sensors.temperature("/")
    except (OSError, ValueError, IndexError):
        return None


def _word(value):
    if not isinstance(value, str) or not _WORD.match(value):
        raise Failure("bad-request", "not a word for the history: {!r}".format(value)[:120])
    return value


HANDLERS = {
    wire.DEPLOY: Upkeep.deploy,
    wire.STATUS: Upkeep.status,
    wire.PLACE: Upkeep.place,
    wire.CHECK: Upkeep.check,
    wire.SWITCH: Upkeep.switch,
    wire.PRUNE: Upkeep.prune,
    wire.REMOVE: Upkeep.remove,
    wire.NOTE: Upkeep.note,
}
