"""From an ONNX file to a serialized engine, with the parser's and the builder's own words where it fails."""

import threading
import time

from ..failure import Failure

OUT_OF_MEMORY = ("out of memory", "outofmemory", "insufficient memory", "bad_alloc", "cuda error 2")
BEAT_S = 1.0


class _Log(object):
    """Keeps TensorRT's errors, the newest last."""

    def __init__(self, trt):
        trt.ILogger.__init__(self)
        severity = trt.ILogger.Severity
        self._bad = (severity.ERROR, severity.INTERNAL_ERROR)
        self.errors = []

    def log(self, severity, message):
        """What TensorRT calls."""
        if severity in self._bad:
            self.errors.append(" ".join(str(message).split())[:300])


class _Monitor(object):
    """Tells the steps of the outermost phase."""

    def __init__(self, trt, tell):
        trt.IProgressMonitor.__init__(self)
        self._tell, self._steps, self._last = tell, {}, 0.0

    def phase_start(self, phase_name, parent_phase, num_steps):
        """What TensorRT calls."""
        if parent_phase is None:
            self._steps[phase_name] = num_steps

    def step_complete(self, phase_name, step):
        """What TensorRT calls; True lets it go on."""
        if phase_name in self._steps and time.time() > self._last + BEAT_S / 5:
            self._last = time.time()
            self._tell("build", step, self._steps[phase_name])
        return True

    def phase_finish(self, phase_name):
        """What TensorRT calls."""
        self._steps.pop(phase_name, None)


def joined(ours, theirs):
    """Our class as a kind of TensorRT's; it calls the other's ``__init__`` itself."""
    return type(ours.__name__.strip("_"), (ours, theirs), {})


def logger_for(trt):
    """A TensorRT logger with the list ``errors``."""
    return joined(_Log, trt.ILogger)(trt)


def build(trt, dialect, data, options, workspace, timings, tell):
    """Build an engine.

    Args:
        trt: The module.
        dialect: See :mod:`dialects`.
        data: Bytes of the ONNX file.
        options: ``precision``, ``dla_core`` (a number or None), ``sm``.
        workspace: Scratch memory that the builder may use, bytes.
        timings: Bytes of an earlier timing cache of the same TensorRT and GPU, or b"".
        tell: ``tell(stage, done, of)``, called about once a second; ``of`` is None for seconds.

    Returns:
        (the engine's bytes, the new timing cache's bytes).

    Raises:
        Failure: "load" (an operator), "memory", or what the builder said.
    """
    log = logger_for(trt)
    builder = trt.Builder(log)
    network = dialect.network(builder)
    parser = trt.OnnxParser(network, log)
    if not parser.parse(data):
        raise _not_parsed(parser)
    config = builder.create_builder_config()
    dialect.configure(
        builder, config, options["precision"], workspace, options.get("dla_core"), options["sm"]
    )
    if dialect.keeps_timings:
        _use_timings(config, timings)
    monitor = _monitor(trt, tell)
    if monitor is not None:
        config.progress_monitor = monitor
    with _Heart(tell if monitor is None else None):
        engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise _not_built(log.errors)
    kept = bytes(config.get_timing_cache().serialize()) if dialect.keeps_timings else b""
    return bytes(engine), kept


def _use_timings(config, timings):
    if timings and config.set_timing_cache(config.create_timing_cache(timings), False):
        return
    config.set_timing_cache(config.create_timing_cache(b""), False)


def _not_parsed(parser):
    error = parser.get_error(0) if parser.num_errors else None
    what = "TensorRT cannot read the network"
    if error is not None:
        # newer versions also give the node's name and operator
        node = getattr(error, "node_name", None)
        name = node() if node is not None else "number {}".format(error.node())
        operator = getattr(error, "node_operator", None)
        kind = operator() if operator is not None else "node"
        what += ": {} {}: {}".format(kind, name, " ".join(error.desc().split())[:300])
    return Failure("load", what, "choose --backend onnxruntime, or a model without this operator")


def _not_built(errors):
    words = errors[-1] if errors else "it gave no reason"
    if any(word in text.lower() for text in errors for word in OUT_OF_MEMORY):
        return Failure(
            "memory",
            "the memory ran out while TensorRT built the engine: " + words,
            "stop the desktop and other programs on the board, or add swap, and deploy again",
        )
    return Failure("load", "TensorRT cannot build the engine: " + words, "choose --backend onnxruntime")


def _monitor(trt, tell):
    """TensorRT's own progress; None where it has no such thing."""
    return joined(_Monitor, trt.IProgressMonitor)(trt, tell) if hasattr(trt, "IProgressMonitor") else None


class _Heart(object):
    """Tells the seconds while TensorRT itself says nothing."""

    def __init__(self, tell):
        self._tell, self._over = tell, threading.Event()
        self._thread = threading.Thread(target=self._beat)
        self._thread.daemon = True

    def _beat(self):
        seconds = 0.0
        while not self._over.wait(BEAT_S):
            seconds += BEAT_S
            self._tell("build (s)", int(seconds), None)

    def __enter__(self):
        if self._tell is not None:
            self._thread.start()

    def __exit__(self, *_):
        self._over.set()
        if self._tell is not None:
            self._thread.join()
