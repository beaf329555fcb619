"""A TFLite file as plain data, and its bytes.

Names (operators, options, data types) are those of the TFLite schema,
tensorflow/lite/schema/schema.fbs; they become numbers only in :meth:`TfliteFile.to_bytes`, so that this
is the one place that needs the schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Operator", "Quantization", "Tensor", "TfliteFile"]

ALIGNMENT = 16  # force_align of Buffer.data in the schema
LAST_OLD_CODE = 127  # PLACEHOLDER_FOR_GREATER_OP_CODES: readers of schema v3 look at an int8 code
TYPES = {"float32": "FLOAT32", "float16": "FLOAT16", "int8": "INT8", "uint8": "UINT8", "int32": "INT32"}
ENUMS = {
    "padding": "Padding",
    "fusedActivationFunction": "ActivationFunctionType",
    "inDataType": "TensorType",
    "outDataType": "TensorType",
    "outputType": "TensorType",
}


@dataclass(frozen=True)
class Quantization:
    """``real = scale * (q - zero_point)``, per tensor or per channel.

    Attributes:
        dtype: "int8", "uint8" or "int32".
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
        import flatbuffers
        from ai_edge_litert import schema_py_generated as schema

        codes = sorted({(item.code, item.version) for item in self.operators})
        subgraph = schema.SubGraphT()
        subgraph.name = "main"
        subgraph.inputs, subgraph.outputs = list(inputs), list(outputs)
        buffers: list[Any] = [schema.BufferT()]  # buffer 0 is the empty one
        subgraph.tensors = [_tensor(schema, item, buffers) for item in self.tensors]
        subgraph.operators = [
            _operator(schema, item, codes.index((item.code, item.version))) for item in self.operators
        ]
        model = schema.ModelT()
        model.version, model.description = 3, self.description
        model.operatorCodes = [_code(schema, *item) for item in codes]
        model.subgraphs, model.buffers = [subgraph], buffers
        model.signatureDefs = [self._signature(schema, inputs, outputs)]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    @staticmethod
    def opened(data: bytes) -> tuple[bytes, dict[int, str]]:
        """A file with every activation of bytes among its outputs, and their names by tensor index."""
        import flatbuffers
        from ai_edge_litert import schema_py_generated as schema

        model = schema.ModelT.InitFromPackedBuf(data, 0)
        graph = model.subgraphs[0]
        made = [int(index) for operator in graph.operators for index in operator.outputs]
        kinds = (schema.TensorType.INT8, schema.TensorType.UINT8)
        whole = [index for index in made if graph.tensors[index].type in kinds]
        graph.outputs, model.signatureDefs = whole, []
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output()), {index: graph.tensors[index].name.decode() for index in whole}

    def _signature(self, schema: ModuleType, inputs: Sequence[int], outputs: Sequence[int]) -> Any:
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "serving_default", 0
        signature.inputs = [_named(schema, self.tensors[index].name, index) for index in inputs]
        signature.outputs = [_named(schema, self.tensors[index].name, index) for index in outputs]
        return signature


class _AlignedBuffer:
    """A ``Buffer`` whose bytes begin at a multiple of 16; the generated class does not see to that."""

    def __init__(self, schema: ModuleType, data: NDArray[Any]) -> None:
        self._schema = schema
        self._data = np.ascontiguousarray(data, data.dtype.newbyteorder("<")).tobytes()

    def Pack(self, builder: Any) -> int:
        """Called by the generated code; returns the table's offset."""
        builder.Prep(ALIGNMENT, len(self._data))
        data = builder.CreateByteVector(self._data)
        self._schema.BufferStart(builder)
        self._schema.BufferAddData(builder, data)
        return int(self._schema.BufferEnd(builder))


def _tensor(schema: ModuleType, tensor: Tensor, buffers: list[Any]) -> Any:
    packed = schema.TensorT()
    packed.name, packed.shape, packed.hasRank = tensor.name, list(tensor.shape), True
    packed.type = getattr(schema.TensorType, TYPES[tensor.dtype])
    if tensor.data is not None:
        packed.buffer = len(buffers)
        buffers.append(_AlignedBuffer(schema, tensor.data))
    if tensor.quantization is not None:
        packed.quantization = quantization = schema.QuantizationParametersT()
        quantization.scale = tensor.quantization.scales
        quantization.zeroPoint = np.full(
            len(tensor.quantization.scales), tensor.quantization.zero_point, np.int64
        )
        quantization.quantizedDimension = tensor.quantization.axis
    return packed


def _operator(schema: ModuleType, operator: Operator, code: int) -> Any:
    packed = schema.OperatorT()
    packed.opcodeIndex = code
    packed.inputs, packed.outputs = list(operator.inputs), list(operator.outputs)
    if operator.options is not None:
        table, fields = operator.options
        packed.builtinOptionsType = getattr(schema.BuiltinOptions, table)
        packed.builtinOptions = getattr(schema, f"{table}T")()
        for name, value in fields.items():
            number = getattr(getattr(schema, ENUMS[name]), value) if name in ENUMS else value
            setattr(packed.builtinOptions, name, number)
    return packed


def _code(schema: ModuleType, name: str, version: int) -> Any:
    packed = schema.OperatorCodeT()
    packed.builtinCode, packed.version = getattr(schema.BuiltinOperator, name), version
    packed.deprecatedBuiltinCode = min(packed.builtinCode, LAST_OLD_CODE)
    return packed


def _named(schema: ModuleType, name: str, index: int) -> Any:
    packed = schema.TensorMapT()
    packed.name, packed.tensorIndex = name, index
    return packed
