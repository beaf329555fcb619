"""Look into a TFLite file while it runs: every activation of bytes of one invocation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgenet.backends.lowering.file import TfliteFile
from edgenet.backends.lowering.qdq import RESCALED
from edgenet.backends.lowering.startup_message import without_startup_message
from edgenet.errors import ModelError
from edgenet.graph.qparams import SIGNED
from edgenet.text import cause

__all__ = ["tflite_layers"]


def tflite_layers(data: bytes, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.int8]]:
    """The int8 activations of a file by their names, NHWC; those of a uint8 file as int8, 128 less.

    The file is rewritten so that each of them is an output: the kernels, fused as they are, have to hand out
    what they otherwise keep.

    Args:
        data: The file's bytes.
        pixels: uint8 [1, H, W, 3].

    Raises:
        ModelError: LiteRT cannot run the rewritten file.
    """
    from ai_edge_litert.interpreter import Interpreter

    opened, names = TfliteFile.opened(data)
    try:
        with without_startup_message():
            interpreter = Interpreter(model_content=opened, num_threads=1)
            interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
        interpreter.invoke()
        details = interpreter.get_output_details()
        found = {names[item["index"]]: _signed(interpreter.get_tensor(item["index"])) for item in details}
    except (ValueError, RuntimeError) as error:
        reason = cause(error)
        raise ModelError(
            f"LiteRT cannot show the file's layers ({reason})", "update ai-edge-litert"
        ) from None
    return _as_in_graph(found)


def _as_in_graph(found: dict[str, NDArray[np.int8]]) -> dict[str, NDArray[np.int8]]:
    """The same by the names of the graph: what is rounded behind a float operator has that of its result."""
    named = {}
    for name, value in found.items():
        bare = name.removesuffix(RESCALED)
        alone = bare not in found and f"{name}_2" not in found
        named[bare if alone else name] = value
    return named


def _signed(values: NDArray[np.uint8] | NDArray[np.int8]) -> NDArray[np.int8]:
    shift = SIGNED if values.dtype == np.uint8 else 0
    return (values.astype(np.int16) - shift).astype(np.int8)
