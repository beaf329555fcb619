"""ONNX Runtime on the CPU, any version from 1.10."""

from typing import Any

import numpy as np
import onnxruntime

_TYPES = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(int8)": "int8"}


def version():
    """The version of the installed onnxruntime."""
    return str(onnxruntime.__version__)


class Session(object):
    """A loaded ONNX model with one input and one output."""

    def __init__(self, path, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._in, self._out = self._session.get_inputs()[0], self._session.get_outputs()[0]
        self._input = np.zeros([_fixed(size) for size in self._in.shape], np.uint8)
        self._threads = threads
        self._output: Any = None
        self._names, self._feed = [self._out.name], {self._in.name: self._input}
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
        """The last answer, one-dimensional, in the artifact's own dtype."""
        return self._output[0].reshape(-1)


def _fixed(size):
    return size if isinstance(size, int) else 1


def _describe(value):
    return {
        "name": value.name,
        "shape": [_fixed(size) for size in value.shape],
        "dtype": _TYPES.get(value.type, value.type),
    }
