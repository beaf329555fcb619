"""What writes a layer, or why nothing does: each refusal with what its user can do."""

from __future__ import annotations

import re

from edgenet.errors import ModelError
from edgenet.importers.keras_network.architecture import Entry
from edgenet.importers.keras_network.config import Config
from edgenet.importers.keras_network.layer import LayerWriter
from edgenet.importers.keras_network.layers.table import AUGMENTATIONS, LAYERS, NOTHING, OPERATIONS

__all__ = ["writer_of"]

# Layers whose code is in the file, or elsewhere.
CODE = ("Lambda", "TorchModuleWrapper", "FlaxLayer", "JaxLayer", "TFSMLayer")
# Networks that see no pictures, or not by convolutions.
OTHERS = re.compile(r"Attention|LSTM|GRU|RNN|[13]D|Embedding|Text|String|Hash|Spectrogram")
# What TensorFlow's Model Optimization Toolkit puts around layers.
WRAPPED = {
    "ClusterWeights": 'tfmot.clustering.keras.strip_clustering(model).save("model.keras")',
    "PruneLowMagnitude": 'tfmot.sparsity.keras.strip_pruning(model).save("model.keras")',
    "QuantizeLayer": "save the model before quantize_model, edgenet quantizes it",
    "QuantizeWrapper": "save the model before quantize_model, edgenet quantizes it",
    "QuantizeWrapperV2": "save the model before quantize_model, edgenet quantizes it",
}


def writer_of(entry: Entry, config: Config) -> LayerWriter | None:
    """What writes a layer; ``None`` for one that is nothing in inference.

    Raises:
        ModelError: It is none that edgenet knows.
    """
    if entry.kind in CODE:
        raise config.refuse(
            "contains custom code, which edgenet never runs",
            "replace it with layers of Keras (Rescaling, Normalization …) and save the model again",
        )
    if entry.kind in WRAPPED:
        raise config.refuse("wraps another layer for a toolkit", WRAPPED[entry.kind])
    if entry.custom:
        raise config.refuse("is a custom class, whose code is not in the file")
    if "Quantized" in str(config.part("dtype").get("class_name")):
        raise config.refuse("was quantized by Keras", "save the model before model.quantize() and give that")
    if not entry.operation and (entry.kind in NOTHING or entry.kind in AUGMENTATIONS):
        return None
    # Files in HDF5 do not tell functions from layers.
    known = {**LAYERS, **OPERATIONS} if entry.operation else {**OPERATIONS, **LAYERS}
    if entry.kind not in known:
        raise _unknown(entry, config)
    return known[entry.kind]


def _unknown(entry: Entry, config: Config) -> ModelError:
    if OTHERS.search(entry.kind):
        return config.refuse(
            "belongs to no network that edgenet supports",
            "give a convolutional network for pictures, such as a MobileNet",
        )
    return config.refuse("is a layer that edgenet does not know")
