"""What the agent's main process answers: a method for each request of the host."""

import queue
import threading
import time
from typing import Any

from . import beat, finish, live, parts, upkeep, wire
from .child import Child, try_runtime
from .facts import probe
from .failure import Failure, of_board
from .store import deployments, prune, trust, unpack
from .store.home import LOCK_WAIT

# A host that holds the deploy lock and says nothing for this long has lost it, seconds.
LOCK_IDLE = 60.0
# Failures of a model's process behind which damage in its runtime may be.
_DOUBTFUL = ("import", "load", "run")
# A host that says nothing for this long is gone (a cable cut without a word), seconds.
IDLE = 3600.0


class Server(object):
    """Answers one host."""

    def __init__(self, store, out, digest):
        self._store, self._out, self._digest = store, out, digest
        self._child: Any = None
        self._runtime: Any = None
        self._live: Any = None
        self._id: Any = None
        self._sending = threading.Lock()
        self.jobs: Any = queue.Queue()
        self.life = beat.Beat(self._send)
        self._upkeep = upkeep.Upkeep(store, self._send)

    def run(self):
        """Answer requests until the host is silent for an hour or cannot be written to."""
        silent = 0.0
        while silent < IDLE:
            try:
                request, body = self.jobs.get(timeout=LOCK_IDLE)
            except queue.Empty:
                if time.monotonic() - self.life.heard < LOCK_IDLE:
                    continue  # a large request comes in slowly
                silent += LOCK_IDLE
                self._store.release()
                continue
            silent = 0.0
            self._id = request.get("id")
            self.life.busy = True
            reply, data = self._answer(request, body)
            self.life.busy = False
            self._send(reply, data)

    def _send(self, header, body=b""):
        with self._sending:
            wire.write_frame(self._out, dict(header, id=self._id), body)

    def receive(self, request, body):
        """A frame of the host: what a running demo must see at once, or a request that waits its turn."""
        self.life.begin(request.get("beat", wire.BEAT_S))
        if request.get("type") not in (wire.STOP, wire.STREAM, wire.UNKEPT, wire.ALIVE):
            self.jobs.put((request, body))
        elif self._live is not None:
            self._live.receive(request, body)

    def _answer(self, request, body):
        try:
            handler = _HANDLERS.get(request.get("type"))
            if handler is None:
                raise Failure("bad-request", "no such request: {!r}".format(request.get("type"))[:100])
            reply, data = handler(self, request, body)
            return (reply if "error" in reply else dict(reply, ok=True)), data
        except Failure as failure:
            return {"error": failure.as_json()}, b""
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = "{}: {}".format(type(error).__name__, error)[:300]
            return {
                "error": Failure("bad-request", "the agent cannot read the request: " + what).as_json()
            }, b""
        except OSError as error:
            return {"error": of_board(error).as_json()}, b""

    # -- requests

    def _probe(self, request, _body):
        backends = request.get("backends", [])
        parts.need(self._store, [parts.runtime(name) for name in backends])
        return {"facts": probe.probe(self._store, self._digest, backends)}, b""

    def _begin(self, request, _body):
        self._store.begin(min(float(request.get("wait", LOCK_WAIT)), IDLE))
        return {"signed_only": trust.asked(self._store)}, b""

    def _end(self, _request, _body):
        self._store.release()
        self._store.used.clear()
        return {}, b""

    def _have(self, request, _body):
        removed, missing = prune.with_room(self._store, lambda: self._store.missing(request["blobs"]))
        return {"missing": missing, "free": self._store.free(), "removed": removed}, b""

    def _put(self, request, body):
        where = request["digest"], int(request["size"]), int(request["offset"])
        removed, done = prune.with_room(self._store, lambda: self._store.put(*(where + (body,))))
        return {"done": done, "removed": removed}, b""

    def _runtimes(self, _request, _body):
        whole, damaged = unpack.installed(self._store)
        return {"runtimes": whole, "damaged": damaged}, b""

    def _unpack(self, request, _body):
        def tell(done, files):
            if done % 100 == 0:
                self._send({"event": "progress", "stage": "unpack", "done": done, "of": files})

        removed, name = prune.with_room(
            self._store, lambda: unpack.unpack(self._store, request["blobs"], tell)
        )
        self._store.used.add(name)
        return {"runtime": name, "removed": removed}, b""

    def _try_runtime(self, request, _body):
        self._store.used.add(request.get("runtime"))
        folder = unpack.folder(self._store, request.get("runtime"))
        parts.need(self._store, [parts.runtime(request["backend"])])
        found = try_runtime(str(request["backend"]), folder)
        if not found["works"] and self._doubt(request["runtime"]):
            found = try_runtime(str(request["backend"]), folder)
        return found, b""

    def _doubt(self, runtime):
        """After a failure, read every byte of its runtime; True where compiled code went: it may work now.

        Raises:
            Failure: ``damaged-runtime``: that was why.
        """
        folder = unpack.folder(self._store, runtime, every=True)
        return folder is not None and unpack.forget_compiled(folder)

    def _finish(self, request, _body):
        manifest = request["manifest"]
        deployments.check(manifest)
        parts.need(self._store, [parts.runtime(manifest["backend"])])
        folder = unpack.folder(self._store, manifest.get("runtime"))
        removed, reply = prune.with_room(
            self._store, lambda: finish.finish(self._store, manifest, folder, self._send)
        )
        return dict(reply, removed=removed), b""

    def _keep_up(self, request, _body):
        return upkeep.HANDLERS[request["type"]](self._upkeep, request), b""

    def _trust(self, request, _body):
        return trust.keeper(self._store).answer(self._store, request), b""

    def _prove(self, request, _body):
        deployments.check(request["manifest"])
        return {"signer": trust.demand(self._store, request["manifest"])}, b""

    def _deployments(self, _request, _body):
        return {
            "current": deployments.current(self._store),
            "deployments": deployments.listing(self._store),
        }, b""

    def _open(self, request, _body):
        self._close(request, b"")
        order = self._order(request)
        if "error" in order:
            return order, b""
        self._child, self._runtime = Child(order["folder"]), order["manifest"].get("runtime")
        reply, data = self._forward(dict(order, type=wire.OPEN, spawned=self._child.spawned), b"")
        return (dict(reply, finished=order["finished"]) if order["finished"] else reply), data

    def _order(self, request):
        """What opens a model: its manifest, the artifact's path, the runtime's folder; or an error."""
        manifest = request.get("manifest")
        if manifest is None:
            manifest = deployments.load(self._store, request.get("digest"))
        deployments.check(manifest)
        parts.need(self._store, parts.of(manifest))
        path = self._store.verified_blob(manifest["artifact"], manifest["artifact_size"])
        folder, finished = unpack.folder(self._store, manifest.get("runtime")), None
        if manifest.get("build"):
            reply = finish.finish(self._store, manifest, folder, self._send)
            if "error" in reply:
                return reply
            finished = reply["finished"]
            path = finished["path"]
        return {
            "manifest": manifest,
            "path": path,
            "folder": folder,
            "threads": int(request["threads"]),
            "cores": request.get("cores"),
            "finished": finished,
        }

    def _demo(self, request, _body):
        self._close(request, b"")
        models = [self._order(item) for item in request["models"]]
        for order in models:
            if "error" in order:
                return order, b""
        self._live = live.Live(live.order(self._store, request, models), self)
        try:
            return self._live.run(self._send)
        finally:
            self._live = None

    def _run(self, request, body):
        if self._child is None:
            raise Failure("not-open", "no model is open", "open one first")
        return self._forward(request, body)

    def _forward(self, request, body):
        try:
            reply, data = self._child.request(request, body, self._send)
        except Failure:
            self._child = None
            self._doubt(self._runtime)
            raise
        if reply.get("error", {}).get("kind") in _DOUBTFUL:
            self._doubt(self._runtime)
        return reply, data

    def _close(self, _request, _body):
        if self._child is not None:
            self._child.close()
            self._child = None
        return {}, b""

    def leave(self):
        """The host is gone: end the model's process without waiting."""
        if self._child is not None:
            self._child.kill_now()
        if self._live is not None:
            self._live.leave()
        self._upkeep.leave()


_HANDLERS = {
    wire.PROBE: Server._probe,
    wire.BEGIN: Server._begin,
    wire.END: Server._end,
    wire.HAVE: Server._have,
    wire.PUT: Server._put,
    wire.RUNTIMES: Server._runtimes,
    wire.UNPACK: Server._unpack,
    wire.TRY_RUNTIME: Server._try_runtime,
    wire.FINISH: Server._finish,
    wire.DEPLOYMENTS: Server._deployments,
    wire.TRUST: Server._trust,
    wire.PROVE: Server._prove,
    wire.OPEN: Server._open,
    wire.BENCH: Server._run,
    wire.FRAMES: Server._run,
    wire.TURNS: Server._run,
    wire.REPLAY: Server._run,
    wire.TAP: Server._run,
    wire.CLOSE: Server._close,
    wire.DEMO: Server._demo,
}
_HANDLERS.update(dict.fromkeys(upkeep.HANDLERS, Server._keep_up))
