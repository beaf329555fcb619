"""Every layer that is read, and those that are nothing when a network answers."""

from __future__ import annotations

from collections.abc import Mapping

from edgenet.importers.keras_network.layer import LayerWriter
from edgenet.importers.keras_network.layers import (
    activation,
    arithmetic,
    convolution,
    normalization,
    pooling,
    shape,
)

__all__ = ["AUGMENTATIONS", "LAYERS", "NOTHING", "OPERATIONS"]

LAYERS: Mapping[str, LayerWriter] = {
    **activation.LAYERS,
    **arithmetic.LAYERS,
    **convolution.LAYERS,
    **normalization.LAYERS,
    **pooling.LAYERS,
    **shape.LAYERS,
}
OPERATIONS = arithmetic.OPERATIONS
# Give what they are given, when no training goes on.
NOTHING = (
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "Identity",
    "SpatialDropout2D",
)  # fmt: skip
# Change pictures at random in training, and only there. RandomCrop, which cuts in inference too, is no such.
AUGMENTATIONS = (
    "AugMix", "CutMix", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration",
    "RandomColorJitter", "RandomContrast", "RandomElasticTransform", "RandomErasing", "RandomFlip",
    "RandomGaussianBlur", "RandomGrayscale", "RandomHeight", "RandomHue", "RandomInvert",
    "RandomPerspective", "RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness",
    "RandomShear", "RandomTranslation", "RandomWidth", "RandomZoom",
)  # fmt: skip
