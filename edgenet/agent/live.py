"""A running demo, seen from the agent's main process: its process, the way to its page, and whether the host
is still there."""

import os
import socket
import sys
import threading
import time
from typing import Any

from . import wire
from .child import Child
from .failure import Failure
from .tunnel import Tunnel

# What a demo may take to let its camera go, seconds.
PATIENCE_S = 4.0


def order(store, request, models):
    """The order for the demo's process: a host's request with paths in place of digests.

    Args:
        store: Where the blobs lie.
        request: ``program``, ``source``, ``others``, ``gallery``, ``page``, ``port``, ``phone``, ``seconds``,
            ``log``, ``keep``.
        models: What opens each.
    """
    if not 1 <= len(models) <= 2:
        raise Failure("bad-request", "a demo has one model or two")
    return {
        "type": wire.DEMO,
        "models": models,
        "chain": bool(request.get("chain")) and len(models) > 1,
        "source": _source(store, request["source"]),
        "others": [_source(store, other) for other in request.get("others", [])],
        "gallery": [[str(name), store.verified_blob(digest)] for name, digest in request.get("gallery", [])],
        "program": store.verified_blob(request["program"]),
        "page": bool(request.get("page")),
        "port": int(request.get("port") or 0),
        "seconds": request.get("seconds"),
        "log": bool(request.get("log")),
        "phone": bool(request.get("phone")),
        "keep": str(request.get("keep") or ""),
    }


def _source(store, told):
    """A source's order with paths in place of digests."""
    source = dict(told)
    paths = [store.verified_blob(digest) for digest in source.pop("blobs", [])]
    return dict(source, paths=paths) if paths else source


class Live(object):
    """The demo's process.

    Args:
        order: See :func:`order`.
        server: ``life.heard``: when the host last said something.
    """

    def __init__(self, order, server):
        self._order, self._server = order, server
        self._child = Child(order["models"][0]["folder"], "demo", order["program"])
        self._port: Any = None
        self._tunnel: Any = None
        self._over = threading.Event()

    def run(self, send):
        """Until it ends; returns its reply ``(header, body)``.

        Args:
            send: Sends a frame to the host.
        """

        def tell(header, body):
            if header.get("event") == "ready":
                self._port = header.get("port")
            self._server.life.stalled = header.get("stopped", False)
            send(header, body)

        self._tunnel = Tunnel(send, self._reach)
        watch = threading.Thread(target=self._watch, name="watch")
        watch.daemon = True
        watch.start()
        try:
            return self._child.request(self._order, b"", tell)
        finally:
            self._over.set()
            self._tunnel.close()
            self._child.close(PATIENCE_S)

    def receive(self, header, body):
        """A frame of the host that does not wait; the reader's thread."""
        if header["type"] == wire.STREAM and self._tunnel is not None:
            self._tunnel.receive(header, body)
        elif header["type"] in (wire.STOP, wire.UNKEPT):
            try:
                self._child.send(header)
            except Failure:
                pass  # it ended already; its reply says how

    def leave(self):
        """The host is gone: the process lets the camera go and ends by itself."""
        self._child.close_stdin()

    def _reach(self):
        if self._port is None:
            raise OSError("there is no page")
        connection = socket.create_connection(("127.0.0.1", self._port), 2.0)
        connection.settimeout(None)
        return connection

    def _watch(self):
        while not self._over.wait(1.0):
            if time.monotonic() - self._server.life.heard > wire.GONE_S:
                sys.stderr.write("edgenet agent: the host fell silent, the demo ends\n")
                sys.stderr.flush()
                self.leave()
                os._exit(1)
