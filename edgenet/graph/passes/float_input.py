"""Let pixels become float before anything else happens to them, as TensorRT's parsers want it."""

from __future__ import annotations

from onnx import TensorProto, helper

from edgenet.graph.graph import Graph
from edgenet.graph.passes.fold_normalization import PIXELS

__all__ = ["cast_first", "float_input"]


def cast_first(graph: Graph) -> int:
    """Rewrite ``pixels → Transpose → Cast`` as ``pixels → Cast → Transpose``, in place; no value changes.

    TensorRT has uint8 only at the network's ends, and only a Cast may read it there (from 8.5 on).

    Returns:
        How many nodes changed places: 2.
    """
    transpose, cast = graph.producer("pixels/planes"), graph.producer("pixels/float")
    if transpose is None or cast is None or cast.op_type != "Cast":
        raise ValueError(f"not a prepared graph: {PIXELS!r} is not transposed and cast to float")
    shape = graph.shape(PIXELS)
    planes = graph.shape("pixels/float")
    kind = helper.get_attribute_value(cast.attribute[0])
    early = helper.make_node("Cast", [PIXELS], ["pixels/real"], name="pixels/real", to=kind)
    late = helper.make_node(
        "Transpose", ["pixels/real"], ["pixels/float"], name="pixels/float", perm=[0, 3, 1, 2]
    )
    graph.insert(transpose, early, shape)
    graph.insert(transpose, late, planes)
    graph.remove(transpose)
    graph.remove(cast)
    return 2


def float_input(graph: Graph) -> int:
    """Take the pixels' values as float32 [1, H, W, 3], in place: for TensorRT 8.2, which has no uint8 at all.

    Returns:
        1, for the Cast that is gone.
    """
    cast = graph.producer("pixels/real")
    if cast is None:
        raise ValueError("cast_first was not run")
    graph.remove(cast)
    graph.redirect("pixels/real", PIXELS)
    real = helper.make_tensor_value_info(PIXELS, TensorProto.FLOAT, graph.shape(PIXELS))
    graph.replace_graph_input(PIXELS, real)
    return 1
