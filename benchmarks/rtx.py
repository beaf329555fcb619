"""Parse and build with TensorRT for RTX, which needs no GPU, and read what the engine is made of.

The dialect class is the agent's own; only the logger differs: the layers of an engine can be inspected
where it can be loaded, which takes a GPU, but the builder prints them too.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

from edgenet.agent.tensorrt.dialects import dialect_for

LAYER = re.compile(r"Name: ([^,]+), LayerType: (\w+), Inputs: \[(.*?)\], Constants: ")


class Layer(NamedTuple):
    """A kernel of an engine: the types of its inputs as the builder writes them, "Int8", "Half", "Float"."""

    name: str
    kind: str
    inputs: tuple[str, ...]


class Built(NamedTuple):
    """What came of a graph; ``error`` is the parser's first one, with the rest empty."""

    error: str
    network: Counter[str]
    size: int
    layers: list[Layer]


def build(trt: Any, data: bytes, precision: str, sm: str) -> Built:
    """Build an engine for a GPU that is not here."""

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.lines: list[str] = []

        def log(self, _severity: Any, message: str) -> None:
            self.lines.append(message)

    log = Logger()
    dialect = dialect_for(trt)
    builder = trt.Builder(log)
    network = dialect.network(builder)
    parser = trt.OnnxParser(network, log)
    if not parser.parse(data):
        return Built(parser.get_error(0).desc(), Counter(), 0, [])
    kinds = Counter(network.get_layer(index).type.name for index in range(network.num_layers))
    config = builder.create_builder_config()
    dialect.configure(builder, config, precision, 1 << 30, None, sm)
    plan = builder.build_serialized_network(network, config)
    assert plan is not None, log.lines[-1]
    text = "\n".join(log.lines)
    found = [
        Layer(name, kind, tuple(re.findall(r"Datatype: (\w+)", inputs)))
        for name, kind, inputs in LAYER.findall(text)
    ]
    return Built("", kinds, len(bytes(plan)), found)
