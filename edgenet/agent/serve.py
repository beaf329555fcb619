"""The agent's main process: one thread reads the host's frames, one answers them in order.

When the host goes away (stdin ends) the model's process is killed and this one ends at once.
"""

import os
import sys
import threading

from . import wire
from .failure import Failure
from .server import Server
from .store.home import Store, default_home, file_digest


def main():
    """Say hello, then serve stdin until it ends."""
    digest = file_digest(sys.argv[0])  # of the archive this agent runs from
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        store = Store(default_home())
    except Failure as failure:
        wire.write_frame(out, {"error": failure.as_json()})
        return 1
    server = Server(store, out, digest)
    wire.write_frame(out, {"hello": "edgenet", "protocol": wire.PROTOCOL, "agent": digest})
    worker = threading.Thread(target=_work, args=(server,))
    worker.daemon = True
    worker.start()
    return _read(server)


def _work(server):
    code = 1
    try:
        server.run()
        code = 0
    except (OSError, wire.WireError) as error:
        sys.stderr.write("edgenet agent: {}\n".format(error))
    finally:
        server.leave()
        os._exit(code)


def _read(server):
    code = 0
    try:
        for frame in iter(lambda: wire.read_frame(server.life), None):
            server.receive(*frame)
    except (OSError, wire.WireError) as error:
        sys.stderr.write("edgenet agent: {}\n".format(error))
        code = 1
    server.leave()
    sys.stderr.flush()
    os._exit(code)
