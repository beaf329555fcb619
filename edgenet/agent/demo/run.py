"""The demo's process: opens models and source, runs the pipeline, tells the host, and ends cleanly.

It is started by the agent with one order on stdin. When stdin ends the host is gone: the camera is let go and
the process ends within seconds, by force if need be.
"""

import os
import signal
import sys
import threading
import time
from typing import Any

from .. import beat, preprocess, wire
from ..failure import Failure
from . import sources
from .chain import Chain
from .controller import DemoController
from .model import Model
from .pipeline import Pipeline
from .server import Server
from .sources.switch import Switch

TICK_S = 0.25
# The stages hand over to each other often; the default of 5 ms is a fifth of a frame.
SWITCH_S = 0.0005
# What a broken camera or model may take to end when the host is gone, seconds.
LEAVE_S = 3.0


class Host(object):
    """The other end: frames out from any thread, and the control frames in.

    Attributes:
        unkept: Called with ``kind`` and ``why`` where the host could not keep a picture.
    """

    def __init__(self, out):
        self._out, self._lock = out, threading.Lock()
        self.stop = threading.Event()
        self.gone = False
        self.unkept: Any = None

    def tell(self, event, body=b"", **values):
        """Send an event; a host that is gone is noted, not raised."""
        self.send(dict(values, event=event), body)

    def send(self, header, body=b""):
        """Send a frame."""
        try:
            with self._lock:
                wire.write_frame(self._out, header, body)
        except (OSError, ValueError):
            self.leave()

    def listen(self, stream):
        """Read control frames until there are no more; its own thread."""
        try:
            for header, _ in iter(lambda: wire.read_frame(stream), None):
                if header.get("type") == wire.STOP:
                    self.stop.set()
                elif header.get("type") == wire.UNKEPT and self.unkept is not None:
                    self.unkept(str(header.get("kind")), str(header.get("why")))
        except (OSError, wire.WireError):
            pass
        self.leave()

    def leave(self):
        """The host is gone: stop, and end by force where stopping takes too long."""
        if not self.gone:
            self.gone = True
            self.stop.set()
            timer = threading.Timer(LEAVE_S, os._exit, (1,))
            timer.daemon = True
            timer.start()


def main(arguments):
    """Read the order, run it, answer with the summary; or be a camera's program (``picamera …``)."""
    if arguments[:1] == ["picamera"]:
        from .sources import picamera

        return picamera.main(arguments[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_S)
    signal.signal(signal.SIGTERM, lambda *_: host.stop.set())
    host = Host(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    frame = wire.read_frame(sys.stdin.buffer)
    if frame is None:
        return 0
    listener = threading.Thread(target=host.listen, args=(sys.stdin.buffer,), name="host")
    listener.daemon = True
    listener.start()
    try:
        summary = Demo(frame[0], host).run()
    except Failure as failure:
        host.send({"error": failure.as_json()})
    except MemoryError:
        host.send({"error": Failure("memory", "the board has not enough memory for this").as_json()})
    else:
        host.send({"ok": True, "summary": summary})
    sys.stderr.flush()
    os._exit(0)  # a viewer's thread may still hang in a dead connection


class Demo(object):
    """One run.

    Args:
        order: ``models``, ``chain`` (whether the second looks at what the first finds), ``gallery``,
            ``source``, ``others`` (sources that the page may change to), ``page`` (whether), ``port``,
            ``phone`` (whether one more token is needed), ``seconds`` (or None), ``log``, ``keep`` (the
            host's name of where pictures go).
        host: Who asked.
    """

    def __init__(self, order, host):
        self._order, self._host = order, host
        self._models: Any = []
        self._chain: Any = None
        self._source: Any = None
        self._server: Any = None

    def run(self):
        """All of it; returns the summary."""
        try:
            for order in self._order["models"]:
                self._host.tell("progress", stage="loading " + order["manifest"]["name"])
                self._models.append(Model(order))
            if self._order.get("chain"):
                self._chain = Chain(self._models[0], self._models[1])
            self._enroll(self._order["gallery"])
            self._host.tell("progress", stage="opening the source")
            specs = [model.spec for model in self._looking()]
            self._source = Switch(
                self._order["source"], lambda order: sources.open_source(dict(order, specs=specs))
            )
            return self._live()
        finally:
            if self._source is not None:
                self._source.close()
            for model in self._models:
                model.close()

    def _enroll(self, gallery):
        """Show the gallery's pictures to the models whose answers are the nearest of them."""
        for model in [model for model in self._models if model.enrolls]:
            for name, path in gallery:
                try:
                    with open(path, "rb") as stream:
                        self._enroll_one(model, name, stream.read())
                except ValueError as error:
                    raise Failure("bad-image", "gallery picture {}: {}".format(name, error))

    def _enroll_one(self, model, name, data):
        if self._chain is not None:
            self._chain.enroll(name, preprocess.decode(data))
        else:
            model.enroll(name, model.answer(preprocess.pixels_of(data, model.spec)))

    def _looking(self):
        """The models that are shown the frames."""
        return self._models if self._chain is None else self._models[:1]

    def _live(self):
        models = self._looking()
        pipeline = Pipeline(self._source, models, chain=self._chain)
        second = self._chain.second if self._chain is not None else None
        controller = DemoController(pipeline, self._source, models, self._host, self._order, second)
        ready = {"source": controller.source(), "models": [model.about for model in self._models]}
        if self._order["page"]:
            ready.update(self._serve(controller))
        pipeline.start()
        try:
            self._host.tell("ready", **ready)
            self._wait(pipeline, controller)
        finally:
            controller.close()
            if self._server is not None:
                self._server.stop()
            pipeline.stop()
            self._tick(controller)
        if pipeline.failure is not None:
            raise pipeline.failure
        return controller.summary()

    def _serve(self, controller):
        try:
            self._server = Server(controller, self._order["port"])
        except OSError as error:
            what = "port {} cannot be used ({})".format(self._order["port"], error.strerror)
            raise Failure("port", what, "choose another with --port, or leave it out for any free one")
        self._server.start()
        keys = self._server.keys
        found = {"port": self._server.port, "token": keys.token(), "key": keys.key}
        return dict(found, phone=keys.token()) if self._order.get("phone") else found

    def _wait(self, pipeline, controller):
        """Tell how it goes until something ends it."""
        seconds, began = self._order["seconds"], time.monotonic()
        while not self._host.stop.wait(TICK_S) and not pipeline.ended.is_set():
            self._tick(controller)
            if seconds and time.monotonic() - began >= seconds:
                break

    def _tick(self, controller):
        if not self._host.gone:
            state, answers = controller.state(), controller.answers()
            self._host.tell("tick", state=state, answers=answers, stopped=beat.stopped())
