"""A model, or a network's name, and a board → how long it would take there: ESTIMATED, not measured."""

from __future__ import annotations

import re
from pathlib import Path

import onnx

from edgenet.errors import ModelError, PlanError
from edgenet.estimates.estimate import Estimate, estimated
from edgenet.estimates.work import work_of, work_of_named
from edgenet.network import Network
from edgenet.quantize.quantized import Quantized
from edgenet.steps.source import Source, read_source
from edgenet.steps.taken import target_of
from edgenet.target import Target
from edgenet.zoo.named import FAMILIES, named

__all__ = ["estimate"]

LIKE_A_NAME = re.compile(r"(mobilenet)?_?v\d", re.IGNORECASE)


def estimate(
    model: Source,
    target: Target | Path | str,
    backend: str | None = None,
    precision: str | None = None,
    threads: int = 0,
) -> Estimate:
    """Estimate how long a network would take on a board that nobody measured it on.

    Args:
        model: A file in any form, an embedded model's name, a value, or a network of the papers
            ("v1-0.75-192") where no file is called so.
        target: The board.
        backend: Default: the first that the board prefers.
        precision: Default: the board's.
        threads: Of the runtime; 0 means what the board's file says.

    Returns:
        The network alone; where left-out figures say that it cannot be told, an estimate without a time.

    Raises:
        ModelError: The model cannot be used.
        LibraryError: There is no such board.
        PlanError: The board does not run that backend, or not in that precision.

    Examples:
        >>> edgenet.estimate("v1-0.5-160", "raspberry-pi-4").words
        'ESTIMATED, not measured: v1-0.5-160 on Raspberry Pi 4 Model B takes ...'
    """
    board = target_of(target)
    backend = backend or next(iter(board.backends))
    support = board.backends.get(backend)
    if support is None:
        names = ", ".join(board.backends)
        raise PlanError(f"{board.title} does not run {backend}", f"choose one of {names}")
    precision = precision or board.default_precision
    if precision not in support.precisions:
        why = support.refused.get(precision, f"{backend} does not run it there")
        choices = ", ".join(support.precisions)
        raise PlanError(f"{board.title}, {backend}, {precision}: {why}", f"choose one of {choices}")
    network = named(str(model)) if isinstance(model, str) and not Path(model).exists() else None
    if network is not None:
        name, work, given = network.name, work_of_named(network), None
        full = (network.alpha, network.resolution) == (1.0, 224)
    else:
        (name, proto), full = _read(model), False
        work, given = work_of(proto), str(model) if isinstance(model, str | Path) else ""
    return estimated(
        name, work, board, backend, precision, threads or board.threads, full_size=full, given=given
    )


def _read(model: Source) -> tuple[str, onnx.ModelProto]:
    """Name and graph; how a network is fed does not matter here, so a file needs no card."""
    try:
        found = read_source(model)
    except ModelError:
        if not isinstance(model, str | Path):
            raise
        if not Path(model).exists():
            _check_no_name(str(model))
            raise
        network = Network.read(Path(model))
        return network.path.stem, network.proto
    if isinstance(found, Quantized):
        return found.original.name, found.model.proto
    return found.name, found.proto


def _check_no_name(text: str) -> None:
    """Refuse what is neither a file nor quite the name of a network of the papers."""
    if LIKE_A_NAME.match(text) and not Path(text).suffix[1:].isalpha():
        families = ", ".join(FAMILIES)
        raise ModelError(
            f"{text} is not a file, and not the name of a published network",
            f"names are FAMILY-WIDTH-RESOLUTION, such as v3-large-0.75-224; families are {families}",
        )
