"""TensorFlow Lite: LiteRT's interpreter where it is installed, else tflite-runtime's."""

import importlib

import numpy as np


def _interpreter():
    try:
        return importlib.import_module("ai_edge_litert.interpreter")
    except ImportError as error:
        try:
            return importlib.import_module("tflite_runtime.interpreter")
        except ModuleNotFoundError:
            raise error from None


_MODULE = _interpreter()


def version():
    """Package and version of the interpreter, such as "ai-edge-litert 2.3.0"."""
    package = _MODULE.__name__.split(".")[0]
    return "{} {}".format(package.replace("_", "-"), _package_version(package))


class Session(object):
    """A loaded .tflite model with one input and one output; the default delegates (XNNPACK).

    ``invoke`` runs it once.
    """

    def __init__(self, path, threads):
        self._interpreter = _MODULE.Interpreter(model_path=path, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._in = self._interpreter.get_input_details()[0]
        self._out = self._interpreter.get_output_details()[0]
        self._threads = threads
        self._shape = tuple(int(size) for size in self._in["shape"])
        self.invoke = self._interpreter.invoke  # no call in between: it is timed

    def describe(self):
        """Input and output: name, shape, dtype."""
        return {"input": _describe(self._in), "output": _describe(self._out), "threads": self._threads}

    def set_input(self, pixels):
        """Copy uint8 pixels [1, H, W, 3] into the model's input."""
        if pixels.shape != self._shape:
            raise ValueError("input is {}, not {}".format(list(pixels.shape), list(self._shape)))
        self._interpreter.set_tensor(self._in["index"], pixels)

    def output(self):
        """The last answer, one-dimensional, in the artifact's own dtype."""
        return self._interpreter.get_tensor(self._out["index"]).reshape(-1)


def _describe(details):
    scale, zero_point = details.get("quantization") or (0.0, 0)
    return {
        "name": str(details["name"]),
        "shape": [int(size) for size in details["shape"]],
        "dtype": np.dtype(details["dtype"]).name,
        "scale": float(scale) or None,
        "zero_point": int(zero_point) if scale else None,
    }


def _package_version(package):
    version_of = getattr(importlib.import_module(package), "__version__", None)
    if version_of:
        return str(version_of)
    try:
        from importlib import metadata  # novermin
    except ImportError:  # Python 3.6 and 3.7
        return "unknown"
    return metadata.version(package.replace("_", "-"))
