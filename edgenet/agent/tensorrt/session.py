"""A loaded engine: pinned host buffers, GPU buffers, one stream."""

import json

import numpy as np

from ..failure import Failure
from .build import joined, logger_for
from .engines import built_for

PROFILED_RUNS = 20


class Session(object):
    """An engine with one input; outputs of several heads, numbered in their names, are one answer.

    Args:
        trt: The module.
        dialect: Its dialect.
        cuda: The GPU.
        path: The engine's file; what it was built for lies beside it.

    Raises:
        Failure: "load": it was built by another TensorRT or for another GPU, or is damaged.
    """

    def __init__(self, trt, dialect, cuda, path):
        self._trt, self._dialect, self._cuda = trt, dialect, cuda
        self._log = logger_for(trt)
        self._runtime = trt.Runtime(self._log)
        dla_core = built_for(path).get("dla_core")
        if dla_core is not None:
            self._runtime.DLA_core = dla_core
        with open(path, "rb") as stream:
            self._engine = self._runtime.deserialize_cuda_engine(stream.read())
        if self._engine is None:
            words = self._log.errors[-1] if self._log.errors else "it gave no reason"
            raise Failure("load", "TensorRT cannot load the engine: " + words, "deploy again")
        self._tensors = dialect.tensors(self._engine)
        self._in = next(item for item in self._tensors if item[1])
        outputs = [item for item in self._tensors if not item[1]]
        self._outs = sorted(outputs, key=lambda item: (len(item[0]), item[0]))
        self._buffers, self._addresses = {}, {}
        for name, _, shape, kind in self._tensors:
            size = int(np.prod(shape)) * np.dtype(trt.nptype(kind)).itemsize
            self._buffers[name] = cuda.pinned_buffer(size)
            self._addresses[name] = cuda.device_buffer(size)
        self._input, self._rows = self._array(self._in), [self._array(item) for item in self._outs]
        self._context = self._engine.create_execution_context()
        if self._context is None:
            words = self._log.errors[-1] if self._log.errors else "out of memory"
            raise Failure("memory", "TensorRT cannot prepare the engine: " + words, "free some memory")
        self._enqueue = dialect.runner(self._context, self._tensors, self._addresses, cuda.stream)

    def _array(self, tensor):
        name, _, shape, kind = tensor
        return np.frombuffer(self._buffers[name], self._trt.nptype(kind)).reshape(shape)

    def describe(self):
        """Input and output; the number of layers; MB (1e6 bytes) of the GPU that one context needs."""
        return {
            "input": self._about(self._in),
            "output": self._about(self._outs[0]),
            "threads": 1,
            "layers": self._engine.num_layers,
            "gpu_memory_mb": round(self._dialect.device_memory(self._engine) / 1e6, 3),
            "gpu": self._cuda.facts(),
        }

    def _about(self, tensor):
        name, _, shape, kind = tensor
        return {"name": name, "shape": list(shape), "dtype": np.dtype(self._trt.nptype(kind)).name}

    def set_input(self, pixels):
        """Copy uint8 pixels [1, H, W, 3] to the GPU, as float32 values where the engine takes those."""
        if pixels.shape != self._input.shape:
            raise ValueError("input is {}, not {}".format(list(pixels.shape), list(self._input.shape)))
        np.copyto(self._input, pixels)
        self._cuda.to_gpu(self._addresses[self._in[0]], self._buffers[self._in[0]])
        self._cuda.wait()

    def invoke(self):
        """Run once and wait for the end."""
        if not self._enqueue():
            raise RuntimeError(self._log.errors[-1] if self._log.errors else "TensorRT refused to run")
        self._cuda.wait()

    def output(self):
        """The last answer, one-dimensional, in the engine's own dtype: its outputs one after another."""
        for name, _, _, _ in self._outs:
            self._cuda.to_host(self._buffers[name], self._addresses[name])
        self._cuda.wait()
        if len(self._rows) == 1:
            return self._rows[0].reshape(-1)
        return np.concatenate([item.reshape(-1) for item in self._rows])

    def layers(self, _seconds):
        """[{"name", "op", "ms"}]: mean times by TensorRT's profiler, in a context of its own."""
        times = joined(_Profiler, self._trt.IProfiler)(self._trt)
        context = self._engine.create_execution_context()
        context.profiler = times
        enqueue = self._dialect.runner(context, self._tensors, self._addresses, self._cuda.stream)
        for _ in range(PROFILED_RUNS):
            enqueue()
            self._cuda.wait()
        kinds = self._kinds()
        return [
            {"name": name, "op": kinds.get(name), "ms": round(total / PROFILED_RUNS, 6)}
            for name, total in times.total.items()
        ]

    def _kinds(self):
        """Layer name → kind, where the engine tells."""
        inspector = self._engine.create_engine_inspector()
        text = inspector.get_engine_information(self._trt.LayerInformationFormat.JSON)
        try:
            layers = json.loads(text).get("Layers", [])
        except (ValueError, AttributeError):
            return {}
        return {item.get("Name"): item.get("LayerType") for item in layers if isinstance(item, dict)}


class _Profiler(object):
    """Adds up the milliseconds of each layer."""

    def __init__(self, trt):
        trt.IProfiler.__init__(self)
        self.total = {}

    def report_layer_time(self, layer_name, ms):
        """What TensorRT calls."""
        self.total[layer_name] = self.total.get(layer_name, 0.0) + ms
