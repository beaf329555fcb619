"""PyTorch's files: refused, with the lines that make an ONNX file of what they hold.

A ``.pt`` or ``.pth`` file is a pickle: to load it is to run what its author wrote, and mostly it holds
weights without the network they belong to. A ``.pt2`` file holds the network as operators of ATen.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from edgenet.errors import ModelError

__all__ = ["read", "takes"]

PICKLES, PROGRAM = (".pt", ".pth"), ".pt2"


def takes(path: Path) -> bool:
    """Whether it is called as PyTorch's files are."""
    return path.suffix.lower() in (*PICKLES, PROGRAM)


def read(path: Path, size: tuple[int, int]) -> NoReturn:
    """Refuse it.

    Raises:
        ModelError: Always; the remedy is the lines to run.
    """
    height, width = size
    onnx = f"{path.stem}.onnx"
    picture = f"torch.zeros(1, 3, {height}, {width})"
    if path.suffix.lower() == PROGRAM:
        raise ModelError(
            f"{path}: a program of torch.export, which edgenet does not read yet",
            f"run in Python: import torch; torch.onnx.export(torch.export.load({path.name!r}), ({picture},), "
            f"{onnx!r}, dynamo=True)",
        )
    raise ModelError(
        f"{path}: a pickle of PyTorch, which runs code when it is loaded and mostly holds weights alone",
        f"run in Python, with model built as you trained it: import torch; model.load_state_dict(torch.load("
        f"{path.name!r}, weights_only=True)); model.eval(); torch.onnx.export(model, ({picture},), {onnx!r}, "
        "dynamo=True)",
    )
