"""What every importer is: a file in another form than ONNX comes in, and an ONNX graph comes out.

An importer is one module of ``edgenet/importers/`` with two functions; it is found by its file, and nothing
outside it asks for it by name. See docs/models.md.

    takes(path)         whether the file, by its suffix, or the folder, by what lies in it, is of its form
    read(path, size)    the network as an :class:`Imported`; ``size`` is the card's height and width, for the
                        sides that the file leaves free
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import onnx

from edgenet.importers import importer_module, importer_names

__all__ = ["Imported", "Reader", "find_importer"]


class Imported(NamedTuple):
    """A network that came in another form.

    Attributes:
        proto: The same network as ONNX, float32, its layers under the user's names.
        notes: What was left out of it because it changes no answer, one sentence each.
        one: How a file with one of its outputs is made, where it has several, as the remedy of an error.
    """

    proto: onnx.ModelProto
    notes: tuple[str, ...] = ()
    one: str = ""


Reader = Callable[[Path, tuple[int, int]], Imported]


def find_importer(path: Path) -> Reader | None:
    """What reads a file or a folder; ``None`` where no importer takes it, and it is to be ONNX."""
    for name in importer_names():
        module = importer_module(name)
        if module.takes(path):
            reader: Reader = module.read
            return reader
    return None
