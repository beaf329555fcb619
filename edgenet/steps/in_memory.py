"""A framework's model in memory as one of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgenet.card import ModelCard, read_card
from edgenet.errors import ModelError
from edgenet.importers.framework.in_memory import imported, name_of
from edgenet.model import Model

__all__ = ["from_memory"]


def from_memory(model: Any, card: ModelCard | Path | str | None, labels: Path | str | None) -> Model:
    """Take a ``keras.Model`` or ``torch.nn.Module``.

    Args:
        model: The model.
        card: How it is fed and read: a card's file, or what :func:`edgenet.card_like` gives.
        labels: A file of class names.

    Raises:
        ModelError: No card, no model that edgenet knows, or one that its framework cannot write.
    """
    name = name_of(model)
    if card is None:
        raise ModelError(
            f"how to feed the {type(model).__name__} {name!r} is not known",
            "give preprocessing=: a card's file, or edgenet.card_like(…) of timm or torchvision",
        )
    found = card if isinstance(card, ModelCard) else read_card(Path(card))
    return Model.imported(imported(model, found.preprocessing.size), name, found, labels)
