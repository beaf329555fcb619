"""Classification on the board: the most probable classes."""

from . import ClassReader


class Reader(ClassReader):
    """Reads logits or probabilities, [classes]."""
