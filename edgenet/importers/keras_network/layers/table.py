"""Every layer that is read, and those that are nothing when a network answers."""

from __future__ import annotations

from collections.abc import Mapping

from edgenet.importers.keras_network.layer import LayerWriter
from edgenet.importers.keras_network.layers import activation, arithmetic, convolution, normalization, pooling, shape

__all__ = ["CODE", "LAYERS", "OPERATIONS", "is_augmentation", "is_nothing"]

LAYERS: Mapping[str, LayerWriter] = {
    **activation.LAYERS,
    **arithmetic.LAYERS,
    **convolution.LAYERS,
    **normalization.LAYERS,
    **pooling.LAYERS,
    **shape.LAYERS,
}
OPERATIONS = arithmetic.OPERATIONS
# Layers whose code is in the file, or elsewhere.
CODE = ("Lambda", "TorchModuleWrapper", "FlaxLayer", "JaxLayer", "TFSMLayer")
# Work in training alone.
NOTHING = (
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "Identity",
    "SpatialDropout2D",
)  # fmt: skip
# Augmentation; RandomCrop, which cuts in inference too, is none of them.
AUGMENTATIONS = (
    "AugMix", "CutMix", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter",
    "RandomContrast", "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur",
    "RandomGrayscale", "RandomHeight", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization",
    "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation", "RandomWidth",
    "RandomZoom",
)  # fmt: skip


def is_nothing(kind: str) -> bool:
    """Whether a layer of this class gives what it is given, when no training goes on."""
    return kind in NOTHING or is_augmentation(kind)


def is_augmentation(kind: str) -> bool:
    """Whether a layer of this class changes pictures at random in training, and only there."""
    return kind in AUGMENTATIONS
