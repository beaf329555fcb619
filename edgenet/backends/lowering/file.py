"""A TFLite file as plain data, and its bytes.

Names (operators, options, data types) are those of the TFLite schema,
tensorflow/lite/schema/schema.fbs; they become numbers only in :meth:`TfliteFile.to_bytes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray

from edgenet.backends.lowering.flatbuffer import FileBuilder
from edgenet.tflite_schema import schema

__all__ = ["Operator", "Quantization", "Tensor", "TfliteFile"]

LAST_OLD_CODE = 127  # PLACEHOLDER_FOR_GREATER_OP_CODES: readers of schema v3 look at an int8 code
TYPES = {
    "float32": "FLOAT32",
    "float16": "FLOAT16",
    "int8": "INT8",
    "uint8": "UINT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
}
ENUMS = {
    "padding": "Padding",
    "fusedActivationFunction": "ActivationFunctionType",
    "inDataType": "TensorType",
    "outDataType": "TensorType",
    "outputType": "TensorType",
    "type": "TensorType",
}


@dataclass(frozen=True)
class Quantization:
    """``real = scale * (q - zero_point)``, per tensor or per channel.

    Attributes:
        dtype: "int8", "uint8", "int16", "int32" or "int64".
        scales: float32 [1] or [channels].
        zero_point: The same for every channel (0 for weights and biases).
        axis: The channel axis in the file's own layout; matters only where ``scales`` has several.
    """

    dtype: str
    scales: NDArray[np.float32]
    zero_point: int = 0
    axis: int = 0

    @property
    def scale(self) -> float:
        """The scale of a per-tensor quantization."""
        return float(self.scales[0])

    def same_as(self, other: Quantization) -> bool:
        """Whether both give every stored number the same real value."""
        same = self.dtype == other.dtype and self.zero_point == other.zero_point
        return same and np.array_equal(self.scales, other.scales)


@dataclass
class Tensor:
    """A tensor of the file; ``data`` is given for constants only."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization | None = None
    data: NDArray[Any] | None = None


@dataclass(frozen=True)
class Operator:
    """One operator; ``options`` is the name of its options table and the fields that are set."""

    code: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: tuple[str, Mapping[str, Any]] | None = None


@dataclass
class TfliteFile:
    """One subgraph with its tensors and operators, in execution order."""

    description: str
    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)

    def add(self, tensor: Tensor) -> int:
        """Keep a tensor and return its index."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def to_bytes(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file; the same content always gives the same bytes."""
        file = FileBuilder()
        codes = sorted({(item.code, item.version) for item in self.operators})
        buffers = [file.table("Buffer", {})]  # buffer 0 is the empty one
        tensors = [_tensor(file, item, buffers) for item in self.tensors]
        operators = [_operator(file, item, codes.index((item.code, item.version))) for item in self.operators]
        graph = {
            "tensors": file.offsets(tensors),
            "inputs": file.numbers(inputs),
            "outputs": file.numbers(outputs),
            "operators": file.offsets(operators),
            "name": file.text("main"),
        }
        model = {
            "version": 3,
            "operatorCodes": file.offsets([_code(file, *item) for item in codes]),
            "subgraphs": file.offsets([file.table("SubGraph", graph)]),
            "description": file.text(self.description),
            "buffers": file.offsets(buffers),
            "signatureDefs": file.offsets([self._signature(file, inputs, outputs)]),
        }
        return file.finished(file.table("Model", model))

    @staticmethod
    def opened(data: bytes) -> tuple[bytes, dict[int, str]]:
        """A file with every activation of bytes among its outputs, and their names by tensor index."""
        from ai_edge_litert import (
            schema_py_generated as generated,  # LiteRT's has classes that pack themselves
        )

        model = generated.ModelT.InitFromPackedBuf(data, 0)
        graph = model.subgraphs[0]
        made = [int(index) for operator in graph.operators for index in operator.outputs]
        kinds = (generated.TensorType.INT8, generated.TensorType.UINT8)
        whole = [index for index in made if graph.tensors[index].type in kinds]
        graph.outputs, model.signatureDefs = whole, []
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output()), {index: graph.tensors[index].name.decode() for index in whole}

    def _signature(self, file: FileBuilder, inputs: Sequence[int], outputs: Sequence[int]) -> int:
        named = [
            file.offsets([_named(file, self.tensors[index].name, index) for index in side])
            for side in (inputs, outputs)
        ]
        key = file.text("serving_default")
        return file.table("SignatureDef", {"inputs": named[0], "outputs": named[1], "signatureKey": key})


def _tensor(file: FileBuilder, tensor: Tensor, buffers: list[int]) -> int:
    fields: dict[str, int] = {
        "shape": file.numbers(tensor.shape),
        "type": _number("type", TYPES[tensor.dtype]),
    }
    if tensor.data is not None:
        fields["buffer"] = len(buffers)
        buffers.append(file.table("Buffer", {"data": file.aligned(tensor.data)}))
    fields["name"] = file.text(tensor.name)
    if (known := tensor.quantization) is not None:
        zeros = np.full(len(known.scales), known.zero_point, np.int64)
        of = {"scale": file.array(known.scales), "zeroPoint": file.array(zeros)}
        fields["quantization"] = file.table(
            "QuantizationParameters", {**of, "quantizedDimension": known.axis}
        )
    return file.table("Tensor", {**fields, "hasRank": True})


def _operator(file: FileBuilder, operator: Operator, code: int) -> int:
    sides = {"inputs": file.numbers(operator.inputs), "outputs": file.numbers(operator.outputs)}
    fields = {"opcodeIndex": code, **sides}
    if operator.options is not None:
        table, given = operator.options
        values = {name: _option(file, name, value) for name, value in given.items()}
        fields["builtinOptionsType"] = getattr(schema().BuiltinOptions, table)
        fields["builtinOptions"] = file.table(table, values)
    return file.table("Operator", fields)


def _option(file: FileBuilder, name: str, value: Any) -> Any:
    if isinstance(value, list):
        return file.numbers(value)
    return _number(name, value) if name in ENUMS else value


def _number(name: str, word: str) -> int:
    return int(getattr(getattr(schema(), ENUMS[name]), word))


def _code(file: FileBuilder, name: str, version: int) -> int:
    code = getattr(schema().BuiltinOperator, name)
    old = min(code, LAST_OLD_CODE)
    return file.table("OperatorCode", {"deprecatedBuiltinCode": old, "version": version, "builtinCode": code})


def _named(file: FileBuilder, name: str, index: int) -> int:
    return file.table("TensorMap", {"name": file.text(name), "tensorIndex": index})
