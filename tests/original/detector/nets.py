"""Small detectors as ONNX: one convolution a map and head, joined as exporters join them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgenet.preprocessing import Preprocessing

__all__ = ["ANCHORS", "COLUMNS", "MAPS", "Net", "fed"]

SIDE, MAPS, ANCHORS, COLUMNS = 8, (4, 2), 3, 3


def fed(side: int = SIDE) -> Preprocessing:
    """How it is fed."""
    return Preprocessing((side, side), "rgb", "stretch", None, "bilinear", (0.0,) * 3, (1.0,) * 3)


class Net:
    """A graph under construction.

    Args:
        maps: Sides of its maps, all of a picture of 8x8.
        anchors: Of every cell.
        columns: Scores of every anchor.
        codes: Numbers of every box.
    """

    def __init__(
        self, maps: Sequence[int] = MAPS, anchors: int = ANCHORS, columns: int = COLUMNS, codes: int = 4
    ) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.outputs: list[str] = []
        self._random = np.random.default_rng(7)
        self.scores = [self.conv(f"scores{side}", side, anchors * columns) for side in maps]
        self.boxes = [self.conv(f"boxes{side}", side, anchors * codes) for side in maps]
        self.columns, self.codes = columns, codes

    def conv(self, name: str, side: int, channels: int) -> str:
        """A map of a picture."""
        stride = SIDE // side
        weight = self.keep(f"{name}/weights", self._random.normal(size=(channels, 3, stride, stride)))
        return self.add("Conv", ["image", weight], name, strides=[stride, stride])

    def keep(self, name: str, values: Any, kind: type = np.float32) -> str:
        """A constant."""
        self.weights.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def add(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """An operator."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def rows(self, map_: str, columns: int) -> str:
        """A map as [1, anchors, columns], as exporters write it."""
        turned = self.add("Transpose", [map_], f"{map_}/nhwc", perm=[0, 2, 3, 1])
        shape = self.keep(f"{map_}/shape", [1, -1, columns], np.int64)
        return self.add("Reshape", [turned, shape], f"{map_}/rows")

    def joined(self, ending: str = "") -> Net:
        """With the outputs "scores" and "boxes", [1, N, columns] each."""
        parts = [self.rows(name, self.columns) for name in self.scores]
        last = self.add("Concat", parts, "logits" if ending else "scores", axis=1)
        if ending:
            self.add(ending, [last], "scores", **({"axis": -1} if ending == "Softmax" else {}))
        self.add("Concat", [self.rows(name, self.codes) for name in self.boxes], "boxes", axis=1)
        self.outputs = ["scores", "boxes"]
        return self

    def model(self, batch: int | str = 1, side: int | str = SIDE) -> onnx.ModelProto:
        """The graph."""
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, side, side])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in self.outputs],
            self.weights,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
