"""A TFLite file cut after any of its operators, by changing three numbers of it.

A .tflite file is a FlatBuffer (https://flatbuffers.dev/internals/), read here with ``struct`` alone: the list
of operators gets another length, and the last operator's output becomes the only one.
Field numbers are those of tensorflow/lite/schema/schema.fbs.
"""

import struct

_SUBGRAPHS, _CODES = 2, 1
_TENSORS, _OUTPUTS, _OPERATORS = 0, 2, 3
_NAME = 3
_OP_CODE, _OP_OUTPUTS = 0, 2


class Cut(object):
    """The operators of a file with one subgraph.

    Attributes:
        names: Of each operator's first output tensor.
        codes: BuiltinOperator number of each operator.
    """

    def __init__(self, data):
        self._data = data
        model = self._target(0)
        graph = self._items(model, _SUBGRAPHS)[0]
        tensors, operators = self._items(graph, _TENSORS), self._items(graph, _OPERATORS)
        kinds = [self._code(place) for place in self._items(model, _CODES)]
        self._length = self._target(self._field(graph, _OPERATORS))
        self._outputs = self._target(self._field(graph, _OUTPUTS))
        self._last = [self._int(self._target(self._field(place, _OP_OUTPUTS)) + 4) for place in operators]
        self.names = [self._text(tensors[index], _NAME) for index in self._last]
        self.codes = [kinds[self._int(self._field(place, _OP_CODE), 0)] for place in operators]

    def until(self, count):
        """The file's bytes with its first ``count`` operators only, the last one's output as its output."""
        data = bytearray(self._data)
        struct.pack_into("<I", data, self._length, count)
        struct.pack_into("<Ii", data, self._outputs, 1, self._last[count - 1])
        return bytes(data)

    def _int(self, place, missing=None):
        if not place and missing is not None:
            return missing
        return struct.unpack_from("<i", self._data, place)[0]

    def _target(self, place):
        return place + struct.unpack_from("<I", self._data, place)[0]

    def _field(self, table, number):
        """Where a field of a table stands; 0 where it has its default."""
        virtual = table - self._int(table)
        if 4 + 2 * number >= struct.unpack_from("<H", self._data, virtual)[0]:
            return 0
        offset = struct.unpack_from("<H", self._data, virtual + 4 + 2 * number)[0]
        return table + offset if offset else 0

    def _items(self, table, number):
        """Where the tables of a list of tables stand."""
        start = self._target(self._field(table, number))
        count = struct.unpack_from("<I", self._data, start)[0]
        return [self._target(start + 4 + 4 * index) for index in range(count)]

    def _text(self, table, number):
        start = self._target(self._field(table, number))
        size = struct.unpack_from("<I", self._data, start)[0]
        return self._data[start + 4 : start + 4 + size].decode("utf-8", "replace")

    def _code(self, table):
        """builtin_code, field 3 (int32); older files have only field 0 (int8)."""
        place, old = self._field(table, 3), self._field(table, 0)
        if place:
            return self._int(place)
        return struct.unpack_from("<b", self._data, old)[0] if old else 0
