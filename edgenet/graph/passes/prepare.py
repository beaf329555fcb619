"""The passes every model goes through before it is quantized or lowered, in their order."""

from __future__ import annotations

from edgenet.graph.graph import Graph
from edgenet.graph.names import free_names
from edgenet.graph.passes.affine import fold_affines, name_affines
from edgenet.graph.passes.bound_slopes import bound_slopes
from edgenet.graph.passes.center_logits import center_logits
from edgenet.graph.passes.dense_to_conv import dense_to_conv
from edgenet.graph.passes.ending import ENDINGS, HEADS, SOFTMAX
from edgenet.graph.passes.fold_batchnorm import fold_batchnorm
from edgenet.graph.passes.fold_constants import fold_constants
from edgenet.graph.passes.fold_normalization import fold_normalization
from edgenet.graph.passes.hard_activations import fold_gates, name_hard_activations
from edgenet.graph.passes.merge_branches import merge_branches
from edgenet.graph.passes.reshapes import merge_reshapes
from edgenet.graph.passes.simplify import simplify
from edgenet.graph.passes.take_normalization import take_normalization
from edgenet.graph.passes.to_nchw import to_nchw
from edgenet.model import Model

__all__ = ["prepare"]


def prepare(model: Model) -> Model:
    """Bring a float model to the form that the quantizer and the backends read.

    The result takes ``pixels`` (uint8 [1, H, W, 3], RGB), gives logits or vectors (float32 [1, values], those
    of several heads one after another) and is NCHW throughout. Batch normalization, other scales and offsets,
    the normalization of the input (in the card and in the graph), dense layers, squeeze-and-excite gates, and
    an ending without which the answers are the same are folded away. It computes what the model computed, up
    to float rounding.
    """
    graph, task = Graph(free_names(model.proto)), model.task
    fold_constants(graph)
    to_nchw(graph)
    merge_reshapes(graph)
    stripped = ENDINGS[task.ending](graph)
    simplify(graph)
    fold_batchnorm(graph)
    name_affines(graph)
    preprocessing = take_normalization(graph, model.preprocessing)
    name_hard_activations(graph)
    fold_affines(graph)
    merge_branches(graph)
    dense_to_conv(graph)
    if stripped and task.ending == SOFTMAX:
        center_logits(graph)
    fold_gates(graph)
    bound_slopes(graph)
    fold_normalization(graph, preprocessing)
    kept = task.ending == HEADS and not stripped  # what could not be taken off still is what it was
    return model.with_proto(graph.proto(), output=model.output if kept else task.outputs[0])
