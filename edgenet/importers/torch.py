"""PyTorch's files: a program of torch.export is converted by PyTorch's exporter, a pickle is refused.

A ``.pt`` or ``.pth`` file is a pickle: to load it is to run what its author wrote, and mostly it holds
weights without the network they belong to. A ``.pt2`` file holds the network as operators of ATen.

Source: https://docs.pytorch.org/docs/stable/onnx_export.html.
"""

from __future__ import annotations

from pathlib import Path

from edgenet.errors import ModelError
from edgenet.importer import Imported
from edgenet.importers.framework.convert import Form, convert
from edgenet.onnx_file import read_onnx

__all__ = ["read", "takes"]

PICKLES, PROGRAM = (".pt", ".pth"), ".pt2"
SCRIPT = """
import sys
import torch
program = torch.export.load(sys.argv[1])
torch.onnx.export(program, (), sys.argv[2], dynamo=True, external_data=False)
"""


def takes(path: Path) -> bool:
    """Whether it is called as PyTorch's files are."""
    return path.suffix.lower() in (*PICKLES, PROGRAM)


def read(path: Path, size: tuple[int, int]) -> Imported:
    """The network of a program of torch.export.

    Args:
        path: The file.
        size: Height and width, for the lines that export a pickle's network.

    Raises:
        ModelError: A pickle; no Python has torch and onnxscript, or they cannot convert the program.
    """
    if path.suffix.lower() == PROGRAM:
        needs = ("torch", "onnxscript")
        return convert(path, Form("a program of torch.export", needs, SCRIPT, ".onnx", _onnx, _by_hand))
    picture = "torch.zeros(1, 3, {}, {})".format(*size)
    raise ModelError(
        f"{path}: a pickle of PyTorch, which runs code when it is loaded and mostly holds weights alone",
        f"run in Python, with model built as you trained it: import torch; model.load_state_dict(torch.load("
        f"{path.name!r}, weights_only=True)); model.eval(); torch.onnx.export(model, ({picture},), "
        f"{path.stem + '.onnx'!r}, dynamo=True)",
    )


def _onnx(made: Path) -> Imported:
    return Imported(read_onnx(made))


def _by_hand(path: Path) -> str:
    return (
        f"run in Python: import torch; torch.onnx.export(torch.export.load({str(path)!r}), (), "
        f"{path.stem + '.onnx'!r}, dynamo=True), and give that file"
    )
