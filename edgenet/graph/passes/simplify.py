"""Small rewrites to one canonical form: exporters say the same thing in many ways."""

from __future__ import annotations

import numpy as np
from onnx import helper

from edgenet.graph.graph import Graph, attributes

__all__ = ["simplify"]


def simplify(graph: Graph) -> int:
    """Bring pooling, padding and biases to the form the other passes know, in place.

    * ReduceMean over height and width → GlobalAveragePool (and Flatten when the axes are dropped)
    * AveragePool over the whole picture → GlobalAveragePool
    * Pad with zeros → the pads of the convolution that alone reads it, else without a value for them
    * Split into constant parts → one Slice each
    * Resize to the size that is there already → nothing (Keras's Resizing in front of a network of that size)
    * every Conv gets an explicit bias

    Returns:
        How many nodes were rewritten.
    """
    pooled = _drop_resize(graph) + _mean_to_pool(graph) + _whole_pool(graph)
    padded = _pad_into_conv(graph) + _plain_pad(graph)
    return pooled + padded + _split_to_slices(graph) + _explicit_bias(graph)


def _drop_resize(graph: Graph) -> int:
    changed = 0
    for node in [node for node in graph.nodes if node.op_type == "Resize"]:
        shape = graph.shape(node.input[0])
        cropping = attributes(node).get("coordinate_transformation_mode", b"") == b"tf_crop_and_resize"
        if shape == graph.shape(node.output[0]) and all(shape) and not cropping and graph.can_bypass(node):
            graph.bypass(node)
            changed += 1
    return changed


def _plain_pad(graph: Graph) -> int:
    changed = 0
    for node in [node for node in graph.nodes if node.op_type == "Pad" and len(node.input) == 3]:
        if attributes(node).get("mode", b"constant") != b"constant":
            continue
        value = graph.constant(node.input[2]) if node.input[2] else np.zeros(1)
        if value is not None and not np.any(value):
            graph.set_inputs(node, node.input[:2])
            changed += 1
    return changed


def _mean_to_pool(graph: Graph) -> int:
    changed = 0
    for node in [node for node in graph.nodes if node.op_type == "ReduceMean"]:
        options = attributes(node)
        axes = graph.constant(node.input[1]) if len(node.input) > 1 else options.get("axes")
        shape = graph.shape(node.input[0])
        if axes is None or len(shape) != 4 or sorted(int(a) % 4 for a in axes) != [2, 3]:
            continue
        pooled = graph.fresh(f"{node.output[0]}/pooled")
        pool = helper.make_node("GlobalAveragePool", [node.input[0]], [pooled], name=node.name)
        graph.insert(node, pool, (*shape[:2], 1, 1))
        if options.get("keepdims", 1):
            graph.remove(node)
            graph.redirect(node.output[0], pooled)
        else:
            flatten = helper.make_node("Flatten", [pooled], [node.output[0]], name=f"{node.name}/flatten")
            graph.insert(node, flatten, shape[:2])
            graph.remove(node)
        changed += 1
    return changed


def _whole_pool(graph: Graph) -> int:
    changed = 0
    for node in [node for node in graph.nodes if node.op_type == "AveragePool"]:
        options, shape = attributes(node), graph.shape(node.input[0])
        whole = len(shape) == 4 and all(shape) and tuple(options["kernel_shape"]) == shape[2:]
        if not whole or any(options.get("pads", ())) or graph.shape(node.output[0])[2:] != (1, 1):
            continue
        pool = helper.make_node("GlobalAveragePool", [node.input[0]], [node.output[0]], name=node.name)
        graph.insert(node, pool, graph.shape(node.output[0]))
        graph.remove(node)
        changed += 1
    return changed


def _pad_into_conv(graph: Graph) -> int:
    changed = 0
    for node in [node for node in graph.nodes if node.op_type == "Pad"]:
        pads = graph.constant(node.input[1])
        value = graph.constant(node.input[2]) if len(node.input) > 2 and node.input[2] else np.zeros(1)
        conv = graph.sole_consumer(node.output[0])
        zero = (
            value is not None
            and not np.any(value)
            and attributes(node).get("mode", b"constant") == b"constant"
        )
        if pads is None or len(pads) != 8 or not zero or conv is None or conv.op_type != "Conv":
            continue
        options = attributes(conv)
        if options.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID") or any(pads[[0, 1, 4, 5]]):
            continue
        total = np.asarray(options.get("pads", [0, 0, 0, 0])) + pads[[2, 3, 6, 7]]
        kept = [item for item in conv.attribute if item.name not in ("pads", "auto_pad")]
        del conv.attribute[:]
        conv.attribute.extend([*kept, helper.make_attribute("pads", [int(side) for side in total])])
        graph.bypass(node)
        changed += 1
    return changed


def _split_to_slices(graph: Graph) -> int:
    """An operator with one result for each, so that each can have a scale."""
    nodes = [node for node in graph.nodes if node.op_type == "Split"]
    split = 0
    for node in nodes:
        axis = int(attributes(node).get("axis", 0)) % max(len(graph.shape(node.input[0])), 1)
        shapes = [graph.shape(name) for name in node.output]
        if not all(shape and all(shape) for shape in shapes):
            continue
        start = 0
        for name, shape in zip(node.output, shapes, strict=True):
            parts = {"from": start, "to": start + shape[axis], "axis": axis}
            held = [
                graph.add_constant(f"{name}/{key}", np.array([by], np.int64)) for key, by in parts.items()
            ]
            made = helper.make_node("Slice", [node.input[0], *held], [name], name=name)
            graph.insert(node, made, shape)
            start += shape[axis]
        graph.remove(node)
        split += 1
    return split


def _explicit_bias(graph: Graph) -> int:
    changed = 0
    for conv in graph.nodes:
        if conv.op_type == "Conv" and len(conv.input) == 2 and conv.input[1] in graph.constants:
            zeros = np.zeros(len(graph.constants[conv.input[1]]), np.float32)
            bias = graph.add_constant(f"{conv.name or conv.output[0]}/bias", zeros)
            graph.set_inputs(conv, [*conv.input, bias])
            changed += 1
    return changed
