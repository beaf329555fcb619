"""What a TFLite file holds, checked once: tensors with their constants, operators in their order.

Source: tensorflow/lite/schema/schema.fbs; the numbers of fields are theirs in that file, and the names of
operators, types and options come from the schema that LiteRT's package carries.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import ModelError, UnsupportedError
from edgenet.importers.tflite_file.flatbuffer import AGAIN, Table, root_table
from edgenet.tflite_schema import schema

__all__ = ["STATELESS", "Affine", "Network", "Operator", "Tensor", "parse_network"]

MOST_NUMBERS = 1 << 31  # of one tensor
MOST_SIDE = 1 << 24
MOST_AXES = 8
LAST_OLD_CODE = 127
NUMPY = {
    "FLOAT32": "<f4", "FLOAT16": "<f2", "FLOAT64": "<f8", "INT8": "<i1", "UINT8": "<u1", "INT16": "<i2",
    "INT32": "<i4", "INT64": "<i8", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "BOOL": "?",
}  # fmt: skip
LISTS = ("NewShape", "SqueezeDims")  # each the first field of its options
STATELESS = "give a network that answers picture by picture"
ONE_NETWORK = "export the model with one network in the file (one signature)"


@dataclass(frozen=True)
class Affine:
    """``real = scale * (q - zero_point)``.

    Attributes:
        scales: float32 [1], or one a slice of ``axis``.
        zeros: int64, as many.
        axis: In the file's own layout.
    """

    scales: NDArray[np.float32]
    zeros: NDArray[np.int64]
    axis: int


@dataclass(frozen=True)
class Tensor:
    """A tensor.

    Attributes:
        index: Its number in the file.
        name: Of the user's network, and no other tensor's.
        shape: Free sides are -1.
        kind: Of its numbers, in the schema's words.
        affine: How they are quantized; ``None`` where they are not.
        data: A constant's numbers, a view of the file.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    kind: str
    affine: Affine | None = None
    data: NDArray[Any] | None = None


@dataclass(frozen=True)
class Operator:
    """An operator; a tensor that is left out has the number -1."""

    code: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """One network, its operators in the order in which they are computed."""

    where: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def parse_network(data: memoryview, where: str) -> Network:
    """Read a file.

    Args:
        data: All of it.
        where: Its name, for messages.

    Raises:
        ModelError: It is no TFLite file, damaged, or holds several networks.
    """
    model = root_table(data, (b"TFL3",), where)
    graphs = model.tables(2)
    if len(graphs) != 1:
        raise UnsupportedError(
            f"{where}: {len(graphs)} networks in one file (control flow, or several signatures)", ONE_NETWORK
        )
    reader = _Reader(model, graphs[0])
    tensors = reader.tensors()
    operators = reader.operators(len(tensors))
    inputs, outputs = (reader.numbers(graphs[0], slot, len(tensors)) for slot in (1, 2))
    network = Network(where, tensors, operators, inputs, outputs)
    _check_order(network)
    return network


class _Reader:
    def __init__(self, model: Table, graph: Table) -> None:
        self.schema = schema()
        self.where, self.data, self.graph = model.where, model.data, graph
        self.codes = [self._code(item) for item in model.tables(1)]
        self.buffers = model.tables(4)
        self.kinds, self.tables = (
            _names(getattr(self.schema, name)) for name in ("TensorType", "BuiltinOptions")
        )

    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors, their names made unique."""
        taken: dict[str, int] = {}
        return tuple(self._tensor(at, item, taken) for at, item in enumerate(self.graph.tables(0)))

    def operators(self, tensors: int) -> tuple[Operator, ...]:
        """All operators."""
        return tuple(self._operator(item, tensors) for item in self.graph.tables(3))

    def numbers(self, table: Table, slot: int, tensors: int) -> tuple[int, ...]:
        """A list of tensors."""
        found = table.array(slot, "<i4")
        if np.any(found >= tensors) or np.any(found < -1):
            raise self.damaged("a tensor that is not there")
        return tuple(found.tolist())

    def damaged(self, what: str) -> ModelError:
        """The error for what cannot be; the caller raises it."""
        return ModelError(f"{self.where}: damaged ({what})", AGAIN)

    def _code(self, table: Table) -> str:
        old, new = table.number(0, "<b"), table.number(3, "<i")
        code = _names(self.schema.BuiltinOperator).get(max(old, new), f"operator {max(old, new)}")
        return f"{code} {table.text(1)!r}" if code == "CUSTOM" else code

    def _operator(self, table: Table, tensors: int) -> Operator:
        code = table.number(0, "<I")
        if code >= len(self.codes):
            raise self.damaged("an operator without a code")
        inputs, outputs = (self.numbers(table, slot, tensors) for slot in (1, 2))
        if not outputs or -1 in outputs:
            raise self.damaged(f"{self.codes[code]} without a result")
        return Operator(self.codes[code], inputs, outputs, self._options(table))

    def _options(self, table: Table) -> Mapping[str, Any]:
        """An operator's options by the schema's names, those that are numbers; a custom one's as bytes."""
        custom = table.array(5, "u1")
        if custom.size:
            return {"CustomOptions": custom.tobytes()}
        kind, found = self.tables.get(table.number(3, "<B"), "NONE"), table.table(4)
        if kind == "NONE" or found is None or not hasattr(self.schema, kind):
            return {}
        reader = getattr(self.schema, kind)()
        try:
            reader.Init(self.data, found.position)
            options = {name: getattr(reader, name)() for name in _scalars(kind)}
        except (struct.error, IndexError, ValueError, TypeError, OverflowError):
            raise self.damaged(f"the options {kind}") from None
        return options | {name: found.array(0, "<i4").tolist() for name in LISTS if hasattr(reader, name)}

    def _tensor(self, at: int, table: Table, taken: dict[str, int]) -> Tensor:
        name = _name(table.text(3), at, taken)
        kind = self.kinds.get(table.number(1, "<b"), "unknown")
        shape, free = table.array(0, "<i4").tolist(), table.array(7, "<i4").tolist()
        if len(free) == len(shape):
            shape = [-1 if side == -1 else known for side, known in zip(free, shape, strict=True)]
        if len(shape) > MOST_AXES or any(not -1 <= side <= MOST_SIDE for side in shape):
            raise self.damaged(f"{name!r} has the shape {shape[:MOST_AXES]}")
        if math.prod(abs(side) for side in shape) > MOST_NUMBERS:
            raise self.damaged(f"{name!r} has the shape {shape}")
        data = self._data(table, name, kind, tuple(shape))
        if table.table(6) is not None:
            raise UnsupportedError(
                f"{self.where}: {name!r} is stored as a sparse tensor", "convert the model without sparsity"
            )
        if table.number(5, "<B"):
            raise UnsupportedError(f"{self.where}: {name!r} is kept from one picture to the next", STATELESS)
        return Tensor(at, name, tuple(shape), kind, self._affine(table, name, shape), data)

    def _data(self, table: Table, name: str, kind: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
        number = table.number(2, "<I")
        if table.number(10, "<I"):
            raise UnsupportedError(
                f"{self.where}: the weights of {name!r} lie outside the file", "give one file"
            )
        if number >= len(self.buffers):
            raise self.damaged(f"{name!r} without a buffer")
        raw = self._buffer(self.buffers[number])
        if not raw.size:
            return np.zeros(shape, NUMPY.get(kind, "u1")) if number and 0 in shape else None
        if kind not in NUMPY:
            raise UnsupportedError(
                f"{self.where}: {name!r} holds {kind}",
                "convert the model with int8, float16 or float32 weights",
            )
        if -1 in shape or math.prod(shape) * np.dtype(NUMPY[kind]).itemsize != raw.size:
            raise self.damaged(f"{name!r} has {raw.size} bytes for {list(shape)} of {kind}")
        return raw.view(NUMPY[kind]).reshape(shape)

    def _buffer(self, table: Table) -> NDArray[np.uint8]:
        """The bytes, which files above 2 GB keep behind the flatbuffer."""
        begin, size = table.number(1, "<Q"), table.number(2, "<Q")
        if begin <= 1:
            return table.array(0, "u1")
        if begin + size > len(self.data):
            raise table.damaged("a buffer")
        return np.frombuffer(self.data, "u1", size, begin)

    def _affine(self, table: Table, name: str, shape: list[int]) -> Affine | None:
        found = table.table(4)
        scales = found.array(2, "<f4") if found is not None else np.zeros(0)
        if found is None or not scales.size:
            return None
        zeros, axis = found.array(3, "<i8"), found.number(6, "<i")
        zeros = np.zeros(scales.size, np.int64) if not zeros.size else zeros
        if zeros.size == 1:
            zeros = np.repeat(zeros, scales.size)
        fits = scales.size == 1 or (0 <= axis < len(shape) and shape[axis] == scales.size)
        if zeros.size != scales.size or not fits or not np.all(np.isfinite(scales)) or np.any(scales <= 0):
            raise self.damaged(
                f"{name!r} has {scales.size} scales and {zeros.size} zero points, or none above 0"
            )
        return Affine(scales.astype(np.float32), zeros.astype(np.int64), axis if scales.size > 1 else 0)


def _names(enum: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enum).items() if isinstance(value, int)}


@functools.cache
def _scalars(options: str) -> tuple[str, ...]:
    """The generated accessors of scalars: those of vectors and tables take an index, or come in groups."""
    members = vars(getattr(schema(), options))
    found = {name: getattr(item, "__code__", None) for name, item in members.items() if name[0].isupper()}
    plain = [
        name for name, code in found.items() if code and code.co_argcount == 1 and "Get" in code.co_names
    ]
    return tuple(name for name in plain if not name.endswith(("AsNumpy", "Length", "IsNone")))


def _name(text: str, at: int, taken: dict[str, int]) -> str:
    """The tensor's name, the first of those fused into it; with a number where another has it."""
    given = name = text.partition(";")[0] or f"tensor_{at}"
    while name in taken:
        taken[given] += 1
        name = f"{given}_{taken[given]}"
    taken[name] = 1
    return name


def _check_order(network: Network) -> None:
    """Every operator reads what is there already, and makes what is not."""
    made = {index for item in network.operators for index in item.outputs}
    known = {item.index for item in network.tensors if item.data is not None} | {*network.inputs}
    for item in network.operators:
        late = next((index for index in item.inputs if index in made and index not in known), None)
        if late is not None:
            what = f"{item.code} reads {network.tensors[late].name!r} before it is made"
            raise ModelError(f"{network.where}: damaged ({what})", AGAIN)
        if known & set(item.outputs) or len(set(item.outputs)) < len(item.outputs):
            name = network.tensors[item.outputs[0]].name
            raise ModelError(f"{network.where}: damaged ({item.code} {name!r} is made twice)", AGAIN)
        known |= set(item.outputs)
    ends = (*network.inputs, *network.outputs)
    if not (network.operators and network.inputs and network.outputs) or -1 in ends:
        raise ModelError(f"{network.where}: no network in it", AGAIN)
