"""Run a graph on this machine: to observe ranges, and to have the truth an artifact is held to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgenet.agent import wire
from edgenet.errors import ModelError
from edgenet.graph.kernels import kernel_options
from edgenet.text import cause

for _name in wire.NO_TELEMETRY:
    os.environ.setdefault(_name, "1")  # read when the library is loaded, so before that
import onnxruntime  # noqa: E402

__all__ = ["Evaluator", "flat"]


class Evaluator:
    """An ONNX graph loaded in ONNX Runtime on this machine's CPU.

    Int8 graphs give the numbers of the CPU they are written for, whichever this one is
    (:mod:`edgenet.graph.kernels`).

    Args:
        proto: The graph.
        outputs: Names of tensors to give; default is the graph's own outputs.
        threads: Threads inside an operator.
        optimize: Let ONNX Runtime rewrite the graph, as a user's session does.
        lean: Give memory back after every run: for many sessions at once.

    Raises:
        ModelError: ONNX Runtime cannot load the graph.
    """

    def __init__(
        self,
        proto: onnx.ModelProto | bytes,
        outputs: Sequence[str] = (),
        threads: int = 1,
        optimize: bool = True,
        lean: bool = False,
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        if lean:
            options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        if not optimize:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            if isinstance(proto, bytes):
                parsed, data = onnx.load_model_from_string(proto), proto
            else:
                parsed, data = proto, _with_outputs(proto, outputs).SerializeToString()
            for name, value in kernel_options(parsed).items():
                options.add_session_config_entry(name, value)
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own exception classes share no public base
            reason = cause(error)
            raise ModelError(
                f"ONNX Runtime cannot load the graph ({reason})", "check the model with onnx.checker"
            ) from None
        self._input = self._session.get_inputs()[0].name
        given = self._session.get_outputs()
        self._outputs = list(outputs) or [item.name for item in given]
        self._row = [item.name for item in given if item.type == given[0].type and item.name in self._outputs]

    def run(self, value: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        """The outputs by name for one input; raises as :meth:`feed`."""
        return self.feed({self._input: value})

    def feed(self, values: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """The outputs by name for several inputs, by name.

        Raises:
            ModelError: The graph's operators do not fit each other.
        """
        return dict(zip(self._outputs, self._answer(self._outputs, values), strict=True))

    def row(self, value: NDArray[Any]) -> NDArray[Any]:
        """The answer to one input, flat: [classes] for a classifier; raises as :meth:`feed`.

        The outputs of several heads follow one another; what is of another type, a label, is none of them.
        """
        return flat(self._answer(self._row, {self._input: value}))

    def _answer(self, names: list[str], values: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        try:
            found: list[NDArray[Any]] = self._session.run(names, dict(values))
        except Exception as error:  # as above
            raise ModelError(
                f"ONNX Runtime cannot run the graph ({cause(error)})", "export the model again"
            ) from None
        return found


def flat(values: Iterable[NDArray[Any]]) -> NDArray[Any]:
    """The row of an answer, one-dimensional: its outputs one after another."""
    return np.concatenate([np.asarray(item).reshape(-1) for item in values])


def _with_outputs(proto: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """A copy of the graph that also gives the named tensors."""
    own = {item.name for item in proto.graph.output}
    missing = [name for name in names if name not in own]
    if not missing:
        return proto
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in missing)
    return copy
