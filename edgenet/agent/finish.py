"""Have a deployment finished on the board, in a process of its own: building may run out of memory."""

from . import wire
from .child import Child
from .failure import Failure
from .store import deployments, trust


def finish(store, manifest, runtime_folder, tell):
    """The worker's reply: ``{"finished": {"path", "cached", "reason", …}}`` or an error.

    Raises:
        Failure: "no-space", which can be mended here; "untrusted": under its digest something else is
            deployed, whose engine it would replace, and this board asks for signatures.
    """
    if deployments.differs(store, manifest):
        trust.demand(store, manifest)
    path = store.verified_blob(manifest["artifact"], manifest["artifact_size"])
    child = Child(runtime_folder)
    order = {"type": wire.FINISH, "manifest": manifest, "path": path, "folder": store.path("engines")}
    try:
        reply = child.request(order, b"", tell)[0]
        if reply.get("error", {}).get("kind") == wire.NO_SPACE:
            raise Failure(**reply["error"])
        deployments.relink(store, manifest)
        return reply
    finally:
        child.close()


def work(out, load, request):
    """What the worker does: the runtime's ``finish``; progress goes out as events."""

    def tell(stage, done, of):
        event = {"event": "progress", "stage": stage, "done": done}
        wire.write_frame(out, event if of is None else dict(event, of=of))

    manifest = request["manifest"]
    found = load(manifest["backend"]).finish(request["path"], manifest, request["folder"], tell)
    return {"finished": found}, b""
