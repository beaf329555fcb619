"""The process that runs the model: one, fresh, so that a crash ends only it and memory is its own.

It reads requests as frames on stdin and answers on what was stdout; the runtime's own chatter
goes to stderr. It ends when stdin ends.
"""

import hashlib
import mmap
import os
import signal
import sys
import time
from typing import Any

from . import finish, wire
from .failure import Failure, cause
from .measure import memory

# A protocol that gives its layers so long also learns what the board can do at most.
ROOFLINE_FROM_S = 1.0


class Worker(object):
    """One loaded deployment."""

    def __init__(self, out):
        self._out = out
        self._session: Any = None
        self._manifest: Any = None
        self._pixels: Any = None
        self._forms: Any = []

    def open(self, request, _body):
        """Import the runtime, load the artifact, run it once; facts with ms and MB."""
        start_mb = memory.rss_mb()
        clock = time.perf_counter
        t0 = clock()
        # One clock for every process of the board; absent from an agent that did not start this one.
        spawned = request.get("spawned", t0)
        if request.get("cores"):
            _stay_on(request["cores"])
        runtime = _import(request["manifest"]["backend"])
        t1, import_mb = clock(), memory.rss_mb()
        self._manifest = request["manifest"]
        try:
            self._session = runtime.Session(_beside(request["path"]), int(request["threads"]))
        except Failure:
            raise
        except Exception as error:
            raise Failure(
                "load", "the runtime cannot load the model: {}".format(cause(error)), "compile it again"
            )
        t2, load_mb = clock(), memory.rss_mb()
        self._first_run()
        t3, run_mb = clock(), memory.rss_mb()
        from .preprocess import can_decode

        return {
            "runtime_version": runtime.version(),
            "described": self._session.describe(),
            "decodes": can_decode(),
            "start_ms": (t0 - spawned) * 1e3,
            "import_ms": (t1 - t0) * 1e3,
            "load_ms": (t2 - t1) * 1e3,
            "first_run_ms": (t3 - t2) * 1e3,
            "memory_mb": {
                "import": memory.growth(start_mb, import_mb),
                "load": memory.growth(import_mb, load_mb),
                "first_run": memory.growth(load_mb, run_mb),
                "peak": memory.peak_mb(),
            },
        }, b""

    def _first_run(self):
        import numpy as np

        try:
            self._session.set_input(np.zeros(self._manifest["input"]["shape"], np.uint8))
            self._session.invoke()
            self._session.output()
        except Exception as error:
            raise Failure(
                "run", "the runtime cannot run the model: {}".format(cause(error)), "compile it again"
            )

    def finish(self, request, _body):
        """Make the artifact's engine on this board, or find it."""
        return finish.work(self._out, _import, request)

    def bench(self, request, body):
        """Measure as the protocol says; samples in the body, little-endian float64 ms."""
        from . import tasks
        from .measure import bench, roofline

        facts, samples = bench.run(
            self._session,
            self._frames(request, body),
            tasks.reader(self._manifest),
            request["protocol"],
            self._tell,
        )
        peak_mb = memory.peak_mb()  # before the layers, which load the model again
        facts["layers"], facts["layers_absent"] = self._layers(request["protocol"])
        facts["profiled_ms"] = getattr(self._session, "profiled_ms", None)
        if float(request["protocol"].get("layers_s", 0.0)) >= ROOFLINE_FROM_S:
            facts["roof"] = roofline.measure()
        arena_mb = getattr(self._session, "arena_mb", None)
        facts["memory_mb"] = {"peak": peak_mb, "arena": arena_mb}
        if arena_mb is None:
            facts["arena_absent"] = getattr(self._session, "arena_absent", "the runtime does not tell it")
        return facts, bench.ms_bytes(samples)

    def _frames(self, request, body):
        """The pictures of a request, and their way to the network's pixels."""
        from .measure import frames

        spec = dict(self._manifest["preprocessing"])
        if request.get("decode"):
            spec["decode"] = request["decode"]
        return frames.Frames(_split(body, request["sizes"]), spec, request.get("frame"))

    def frames(self, request, body):
        """One more form of frames for ``turns``."""
        self._forms.append(self._frames(request, body))
        return {}, b""

    def turns(self, request, _body):
        """Measure the forms that were sent, in turn; their ms [rounds, forms] in the body."""
        from . import tasks
        from .measure import bench, turns

        forms, self._forms = self._forms, []
        if not forms:
            raise Failure("bad-request", "no frames were sent")
        facts, samples = turns.run(
            self._session, forms, tasks.reader(self._manifest), request["protocol"], self._tell
        )
        return facts, bench.ms_bytes(samples)

    def _layers(self, protocol):
        """(times of the layers, None), or ([], why there are none)."""
        seconds = float(protocol.get("layers_s", 0.0))
        if not seconds:
            return [], "the protocol leaves them out"
        if not hasattr(self._session, "layers"):
            return [], "the runtime does not tell them"
        try:
            return self._session.layers(seconds), None
        except Exception as error:
            return [], cause(error)

    def tap(self, request, body):
        """The value of one tensor for one image, in the body; its dtype, shape, scale and zero point."""
        import numpy as np

        from . import preprocess

        if not hasattr(self._session, "tap"):
            raise Failure("bad-request", "this runtime shows no inner tensors")
        image = preprocess.pixels_of(body, self._manifest["preprocessing"])
        value, scale, zero_point = self._session.tap(request["tensor"], image[None])
        value = np.ascontiguousarray(value)
        facts = {"dtype": value.dtype.name, "shape": list(value.shape), "scale": scale}
        facts["zero_point"] = zero_point
        return facts, value.astype(value.dtype.newbyteorder("<")).tobytes()

    def _tell(self, stage, runs, seconds, of_seconds):
        event = {
            "event": "progress",
            "stage": stage,
            "runs": runs,
            "seconds": seconds,
            "of_seconds": of_seconds,
        }
        wire.write_frame(self._out, event)

    def replay(self, request, body):
        """Answer images; raw outputs in the body, one after the other, and the hash of each one's pixels.

        As many as fit into one reply; the host asks again for the rest.
        """
        import numpy as np

        from . import preprocess

        outputs, pixels, room = [], [], wire.MAX_BODY
        for index, data in enumerate(_split(body, request["sizes"])):
            try:
                fitted = preprocess.pixels_of(data, self._manifest["preprocessing"])
            except ValueError as error:
                raise Failure("bad-image", "image {}: {}".format(index, error), image=index)
            pixels.append(hashlib.sha256(fitted.tobytes()).hexdigest())
            self._session.set_input(fitted[None])
            self._session.invoke()
            output = np.array(self._session.output())
            room -= output.nbytes
            if room < 0:
                pixels.pop()
                break
            outputs.append(output)
        if not outputs:
            raise Failure("run", "an answer of the model is too large to send", "compile a smaller output")
        dtype = outputs[0].dtype.newbyteorder("<")
        facts = {"dtype": outputs[0].dtype.name, "outputs": int(outputs[0].size), "pixels": pixels}
        return facts, b"".join(output.astype(dtype).tobytes() for output in outputs)

    def share(self, request, _body):
        """Take the pixels of every ``answer`` from a file, mapped by both processes, with several places."""
        import numpy as np

        with open(request["path"], "r+b") as stream:
            memory_ = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self._pixels = np.frombuffer(memory_, np.uint8).reshape([-1] + self._manifest["input"]["shape"])
        return {}, b""

    def answer(self, request, _body):
        """Answer the shared pixels of a place: the raw output, and the seconds of the invocation alone."""
        self._session.set_input(self._pixels[request["place"]])
        start = time.perf_counter()
        self._session.invoke()
        seconds = time.perf_counter() - start
        return {"seconds": seconds}, self._session.output().tobytes()


def _beside(path):
    """The bare name of a file, to which this process goes: an artifact's is ASCII, its folder's need not be.

    Runtimes take names in UTF-8; this Python may hold others, in the C locale or in that of Latin-1.
    """
    os.chdir(os.path.dirname(path))
    return os.path.basename(path)


def _stay_on(cores):
    """Run on these cores only, and every thread that comes from here on too."""
    try:
        os.sched_setaffinity(0, cores)
    except (AttributeError, OSError, ValueError) as error:
        raise Failure("bad-request", "the board cannot run it on cores {}: {}".format(cores, cause(error)))


def _import(backend):
    from . import runtimes

    try:
        return runtimes.load(backend)
    except (ImportError, ValueError) as error:
        raise Failure("import", "the runtime {} cannot be imported: {}".format(backend, cause(error)))


def _split(body, sizes):
    """The images of a body."""
    if not sizes or sum(sizes) != len(body):
        raise Failure("bad-request", "the sizes of the images do not add up to the body")
    images, offset = [], 0
    for size in sizes:
        images.append(body[offset : offset + size])
        offset += size
    return images


def main():
    """Serve until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    worker = Worker(out)
    handlers = {
        wire.FINISH: worker.finish,
        wire.OPEN: worker.open,
        wire.BENCH: worker.bench,
        wire.FRAMES: worker.frames,
        wire.TURNS: worker.turns,
        wire.REPLAY: worker.replay,
        wire.SHARE: worker.share,
        wire.ANSWER: worker.answer,
        wire.TAP: worker.tap,
    }
    while True:
        frame = wire.read_frame(sys.stdin.buffer)
        if frame is None:
            return 0
        request, body = frame
        wire.write_frame(out, *_answer(handlers[request["type"]], request, body))


def _answer(handler, request, body):
    try:
        reply, data = handler(request, body)
    except Failure as failure:
        return {"error": failure.as_json()}, b""
    except MemoryError:
        return {"error": Failure("memory", "the board has not enough memory for this").as_json()}, b""
    except Exception as error:
        what = "{}: {}".format(type(error).__name__, cause(error))
        return {"error": Failure("run", "the runtime failed: " + what).as_json()}, b""
    reply["ok"] = True
    return reply, data
