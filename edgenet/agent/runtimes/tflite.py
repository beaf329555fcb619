"""TensorFlow Lite: LiteRT's interpreter where it is installed, else tflite-runtime's."""

import importlib
from typing import Any

import numpy as np

from ..measure.bench import fastest
from ..tflite.cut import Cut

PASSES = 3


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
    """A loaded .tflite model with one input; outputs of several heads are one answer.

    Its delegates are the default ones (XNNPACK).

    ``invoke`` runs it once.
    """

    # Neither interpreter's binding has a call for it; and XNNPACK's memory lies outside the arena.
    arena_absent = "TFLite's Python binding does not tell it"

    def __init__(self, path, threads):
        self._path = path
        self._tap: Any = ("", None)
        self._interpreter = _MODULE.Interpreter(model_path=path, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._in = self._interpreter.get_input_details()[0]
        given = self._interpreter.get_output_details()
        self._out = given[0]
        # what is of another type is a label
        self._places = [item["index"] for item in given if item["dtype"] == self._out["dtype"]]
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
        """The last answer, one-dimensional, in the artifact's own dtype: its outputs one after another."""
        get = self._interpreter.get_tensor
        if len(self._places) == 1:
            return get(self._places[0]).reshape(-1)
        return np.concatenate([get(place).reshape(-1) for place in self._places])

    def layers(self, seconds):
        """[{"name", "op", "until_ms"}]: time of the file cut after each operator, its own included.

        The wheels offer no profiler; a cut file runs the same kernels with the same delegate. The fastest of
        three rounds, so that another program's burst does not look like a layer.
        """
        cut = self._cut()
        times = [float("inf")] * len(cut.names)
        for _ in range(PASSES):
            for index in range(len(times)):
                part = self._part(cut, index)
                part.set_tensor(part.get_input_details()[0]["index"], self._pixels())
                times[index] = min(times[index], fastest(part.invoke, seconds / len(times) / PASSES))
        return [
            {"name": cut.names[index], "op": cut.codes[index], "until_ms": round(ms, 6)}
            for index, ms in enumerate(times)
        ]

    def tap(self, name, pixels):
        """(value of the tensor ``name`` for pixels, its scale or None, its zero point or None)."""
        if self._tap[0] != name:
            cut = self._cut()
            self._tap = (name, self._part(cut, cut.names.index(name)))
        interpreter = self._tap[1]
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
        interpreter.invoke()
        details = interpreter.get_output_details()[0]
        about = _describe(details)
        return interpreter.get_tensor(details["index"]), about["scale"], about["zero_point"]

    def _cut(self):
        with open(self._path, "rb") as stream:
            return Cut(stream.read())

    def _part(self, cut, index):
        part = _MODULE.Interpreter(model_content=cut.until(index + 1), num_threads=self._threads)
        part.allocate_tensors()
        return part

    def _pixels(self):
        return self._interpreter.get_tensor(self._in["index"])


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
