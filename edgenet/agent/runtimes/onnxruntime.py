"""ONNX Runtime on the CPU, any version from 1.10."""

import contextlib
import json
import os
import tempfile
import time
from typing import Any, Dict

import numpy as np
import onnxruntime

# ONNX Runtime keeps at most a million events, and the file must fit the memory.
MIN_PROFILED, MAX_PROFILED = 8, 300
_TYPES = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(int8)": "int8"}


def version():
    """The version of the installed onnxruntime."""
    return str(onnxruntime.__version__)


class Session(object):
    """A loaded ONNX model with one input; outputs of several heads are one answer."""

    arena_absent = "only ONNX Runtime's profile tells it, and the protocol times no layers"

    def __init__(self, path, threads):
        self._path = path
        self._tap: Any = ("", None)
        self.arena_mb: Any = None
        self.profiled_ms: Any = None
        self._session = _session(path, _options(threads))
        given = self._session.get_outputs()
        self._in, self._out = self._session.get_inputs()[0], given[0]
        self._input = np.zeros([_fixed(size) for size in self._in.shape], np.uint8)
        self._threads = threads
        self._output: Any = None
        # what is of another type is a label
        self._names = [item.name for item in given if item.type == self._out.type]
        self._feed = {self._in.name: self._input}
        self._run = self._session.run

    def describe(self):
        """Input and output: name, shape, dtype; the execution providers."""
        return {
            "input": _describe(self._in),
            "output": _describe(self._out),
            "threads": self._threads,
            "providers": self._session.get_providers(),
        }

    def set_input(self, pixels):
        """Copy uint8 pixels [1, H, W, 3] into the model's input."""
        if pixels.shape != self._input.shape:
            raise ValueError("input is {}, not {}".format(list(pixels.shape), list(self._input.shape)))
        np.copyto(self._input, pixels)

    def invoke(self):
        """Run the model once."""
        self._output = self._run(self._names, self._feed)

    def output(self):
        """The last answer, one-dimensional, in the artifact's own dtype: its outputs one after another."""
        if len(self._output) == 1:
            return self._output[0].reshape(-1)
        return np.concatenate([item.reshape(-1) for item in self._output])

    def layers(self, seconds):
        """[{"name", "op", "ms"}]: least time of each node, as ONNX Runtime's own profiler writes it.

        A session of its own, for profiling costs time: ``profiled_ms`` is then its fastest whole run.
        Names are those of the optimized graph.
        """
        with open(self._path, "rb") as stream:
            model = stream.read()
        with tempfile.TemporaryDirectory(prefix="edgenet-") as folder, _standing_in(folder):
            options = _options(self._threads)
            options.enable_profiling = True
            options.profile_file_prefix = "profile"
            session = _session(model, options)
            end = time.perf_counter() + seconds
            for run in range(MAX_PROFILED):
                if run >= MIN_PROFILED and time.perf_counter() > end:
                    break
                session.run(self._names, self._feed)
            with open(session.end_profiling(), "rb") as stream:
                events = json.loads(stream.read().decode("utf-8"))
        runs = [event["dur"] / 1e3 for event in events if event.get("name") == "model_run"]
        self.profiled_ms = round(min(runs), 6) if runs else None
        held = [int(event.get("args", {}).get("mem_arena_held", 0)) for event in events]
        self.arena_mb = max(held) / 1e6 or None
        return _nodes(events)

    def tap(self, name, pixels):
        """(value of the tensor ``name`` for pixels, None, None): the scale stands in the graph."""
        if self._tap[0] != name:
            with open(self._path, "rb") as stream:
                model = with_output(stream.read(), name)
            self._tap = (name, _session(model, _options(self._threads)))
        return self._tap[1].run([name], {self._in.name: pixels})[0], None, None


@contextlib.contextmanager
def _standing_in(folder):
    """Within it names are bare: ONNX Runtime takes them in UTF-8, which the folder's need not be."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _options(threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    return options


def _session(model, options):
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _nodes(events):
    """The profile's kernels in the order of the run."""
    times: Dict[str, Any] = {}
    kinds = {}
    for event in events:
        name = event.get("name", "")
        if event.get("cat") == "Node" and name.endswith("_kernel_time"):
            name = name[: -len("_kernel_time")]
            times.setdefault(name, []).append(event["dur"] / 1e3)
            kinds[name] = event["args"].get("op_name")
    return [{"name": name, "op": kinds[name], "ms": round(min(runs), 6)} for name, runs in times.items()]


def with_output(model, name):
    """An ONNX file that also gives the tensor ``name``.

    Protocol buffers that follow one another are one message (https://protobuf.dev, encoding): a graph
    (field 7) with one more output (field 12) of that name (field 1) is put behind the file.
    """
    field = name.encode("utf-8")
    for number in (1, 12, 7):
        field = bytes([number << 3 | 2]) + _varint(len(field)) + field
    return model + field


def _varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _fixed(size):
    return size if isinstance(size, int) else 1


def _describe(value):
    return {
        "name": value.name,
        "shape": [_fixed(size) for size in value.shape],
        "dtype": _TYPES.get(value.type, value.type),
    }
