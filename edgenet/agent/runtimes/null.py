"""The do-nothing runtime: predictable answers, predictable failures. Tests and examples use it.

Its artifact is a JSON file: ``{"shape": [1, H, W, 3], "outputs": N}`` and, where wanted,
``"sleep_ms"``, ``"say"`` (chatter on stdout) and
``"fail": {"at": "load" | "invoke", "signal": "SIGILL" | …}``.
Output i is (sum of the pixels + i) modulo 256, less 128, as int8.
"""

import json
import os
import signal
import time
from typing import Any

import numpy as np


def version():
    """Always "1"."""
    return "1"


class Session(object):
    """A loaded do-nothing model."""

    def __init__(self, path, threads):
        with open(path, "rb") as stream:
            self._spec = json.loads(stream.read().decode("utf-8"))
        self._threads = threads
        self._sleep = self._spec.get("sleep_ms", 0) / 1e3
        os.write(1, self._spec.get("say", "").encode("utf-8"))
        self._fail("load")
        self._pixels: Any = None
        self._output = np.zeros(self._spec["outputs"], np.int8)

    def describe(self):
        """Input and output: name, shape, dtype."""
        return {
            "input": {"name": "pixels", "shape": self._spec["shape"], "dtype": "uint8"},
            "output": {"name": "sums", "shape": [1, self._spec["outputs"]], "dtype": "int8"},
            "threads": self._threads,
        }

    def set_input(self, pixels):
        """Take uint8 pixels of the spec's shape."""
        if list(pixels.shape) != list(self._spec["shape"]):
            raise ValueError("input is {}, not {}".format(list(pixels.shape), self._spec["shape"]))
        self._pixels = pixels

    def invoke(self):
        """Compute, sleep or fail as the spec says."""
        self._fail("invoke")
        if self._sleep:
            time.sleep(self._sleep)
        total = int(self._pixels.sum(dtype=np.int64))
        self._output = ((total + np.arange(self._spec["outputs"])) % 256 - 128).astype(np.int8)

    def output(self):
        """int8 [outputs]."""
        return self._output

    def _fail(self, moment):
        fail = self._spec.get("fail")
        if not fail or fail["at"] != moment:
            return
        if "signal" in fail:
            os.kill(os.getpid(), getattr(signal, fail["signal"]))
        raise RuntimeError(fail.get("error", "told to fail"))
