"""Small TFLite files written operator by operator, and what LiteRT says of them: the independent source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from edgenet.backends.lowering.file import Operator, Quantization, Tensor, TfliteFile
from edgenet.graph.evaluate import Evaluator
from edgenet.importer import Imported
from edgenet.importers.tflite import read

Options = tuple[str, dict[str, Any]] | None
PICTURE = (1, 7, 6, 3)
SIZE = PICTURE[1:3]


class Net:
    """Writes a file; every method gives the number of a tensor."""

    def __init__(
        self, shape: tuple[int, ...] = PICTURE, dtype: str = "float32", how: Quantization | None = None
    ) -> None:
        self.rng = np.random.default_rng(3)
        self.file = TfliteFile("test")
        self.picture = self.file.add(Tensor("picture", shape, dtype, how))

    def constant(self, value: Any, how: Quantization | None = None, name: str = "constant") -> int:
        made = np.array(value, order="C")
        name = f"{name}{len(self.file.tensors)}"
        return self.file.add(Tensor(name, made.shape, str(made.dtype), how, made))

    def normal(self, *shape: int, spread: float = 0.5) -> int:
        """A float constant."""
        return self.constant(self.rng.normal(0, spread, shape).astype(np.float32))

    def whole(self, *sides: int) -> int:
        """Such as a shape or axes."""
        return self.constant(np.array(sides, np.int32))

    def op(
        self,
        code: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        options: Options = None,
        version: int = 1,
        dtype: str = "float32",
        how: Quantization | None = None,
    ) -> int:
        """An operator with one result."""
        name = f"{code.lower()}{len(self.file.tensors)}"
        made = self.file.add(Tensor(name, tuple(shape), dtype, how))
        self.file.operators.append(Operator(code, version, tuple(inputs), (made,), options))
        return made

    def ops(self, code: str, inputs: Sequence[int], shapes: Sequence[Sequence[int]], options: Options) -> int:
        """An operator with several results of float; the last of them."""
        made = [self.file.add(Tensor(f"{code}{n}", tuple(s), "float32")) for n, s in enumerate(shapes)]
        self.file.operators.append(Operator(code, 1, tuple(inputs), tuple(made), options))
        return made[-1]

    def to_bytes(self, *outputs: int) -> bytes:
        return self.file.to_bytes([self.picture], outputs)


def imported(data: bytes, size: tuple[int, int] = SIZE, name: str = "net.tflite") -> Imported:
    """What the importer makes of a file's bytes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return read(path, size)


def litert(data: bytes, picture: np.ndarray) -> np.ndarray:
    """The file's own answer; of bytes the real values."""
    interpreter = Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    entry, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.set_tensor(entry["index"], picture)
    interpreter.invoke()
    answer = interpreter.get_tensor(output["index"])
    scale, zero = output["quantization"]
    return answer if answer.dtype == np.float32 else (answer.astype(np.float32) - zero) * np.float32(scale)


def pictures(dtype: str, shape: Sequence[int] = PICTURE, count: int = 4) -> list[np.ndarray]:
    """Random ones, every byte of bytes."""
    rng = np.random.default_rng(11)
    if dtype == "float32":
        return [rng.normal(0, 1.5, shape).astype(np.float32) for _ in range(count)]
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    return [rng.integers(low, high + 1, shape).astype(dtype) for _ in range(count)]


def both(data: bytes, shown: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The file's answers in LiteRT and those of the imported graph, both in the file's order of axes."""
    proto = imported(data).proto
    session = Evaluator(proto, optimize=False)
    entry, output = proto.graph.input[0].name, proto.graph.output[0].name
    theirs, ours = [], []
    for picture in shown:
        planes = np.ascontiguousarray(picture.transpose(0, 3, 1, 2))
        answer = np.asarray(session.feed({entry: planes})[output])
        ours.append(answer.transpose(0, 2, 3, 1) if answer.ndim == 4 else answer)
        theirs.append(litert(data, picture))
    return np.stack(theirs), np.stack(ours)


def changed(data: bytes, change: Callable[[Any], object]) -> bytes:
    """A file with something else in its tables, written again."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    change(model)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
