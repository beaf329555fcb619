"""What verbs take: a value, its name or its path, in whatever way it comes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from edgenet.bundle import Bundle
from edgenet.errors import BundleError, DataError, EdgenetError, LibraryError, ReportError
from edgenet.files import read_regular
from edgenet.fleet import Fleet
from edgenet.fleet_report import MAX_BYTES, FleetReport
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.protocol import Protocol
from edgenet.recipe import Recipe
from edgenet.report import Report
from edgenet.steps.compiled import Compiled
from edgenet.swept import Sweep
from edgenet.target import Target
from edgenet.text import with_article

__all__ = [
    "BundleLike",
    "Kind",
    "builds_of",
    "bundle_of",
    "fleet_of",
    "fleet_report_of",
    "images_of",
    "kind_of",
    "protocol_of",
    "recipe_of",
    "report_of",
    "several",
    "target_of",
]

# What names a bundle: it, what `compile` gave, or its file.
BundleLike = Bundle | Compiled | Path | str

# What a file of figures can be.
Kind = type[Report] | type[Sweep] | type[FleetReport]

_T = TypeVar("_T")


def several(given: Any) -> tuple[Any, ...]:
    """Many values, or one that stands alone; a name is one, not its letters."""
    alone = isinstance(given, str | os.PathLike) or not isinstance(given, Iterable)
    return (given,) if alone else tuple(given)


def bundle_of(given: BundleLike) -> Bundle:
    """A bundle.

    Raises:
        BundleError: It cannot be read.
    """
    return given.bundle if isinstance(given, Compiled) else _of(given, Bundle, Bundle.load, BundleError)


def builds_of(given: Iterable[BundleLike] | BundleLike) -> list[Bundle]:
    """Builds of one model, each once, in their order.

    Raises:
        BundleError: One cannot be read.
        DataError: They are not of one model; two are named.
    """
    found = list({bundle.digest: bundle for bundle in map(bundle_of, several(given))}.values())
    for other in found[1:]:
        if other.manifest.model.digest != found[0].manifest.model.digest:
            raise DataError(
                f"{other.name} and {found[0].name} are not builds of one model",
                "name bundles that were compiled from the same ONNX file",
            )
    return found


def target_of(given: Target | Path | str) -> Target:
    """A board.

    Raises:
        LibraryError: There is none of that name, or its file cannot be used.
    """
    return _of(given, Target, Target.load, LibraryError)


def recipe_of(given: Recipe | Path | str | None) -> Recipe | None:
    """A recipe, where one is given.

    Raises:
        LibraryError: There is none of that name, or its file cannot be used.
    """
    return None if given is None else _of(given, Recipe, Recipe.load, LibraryError)


def protocol_of(given: Protocol | Path | str) -> Protocol:
    """A protocol.

    Raises:
        LibraryError: There is none of that name, or its file cannot be used.
    """
    return _of(given, Protocol, Protocol.load, LibraryError)


def images_of(given: ImageSet | Path | str | None, split: str) -> ImageSet | None:
    """Images, where some are given.

    Args:
        given: A set, a folder, or the name of a set that ships.
        split: "calib" or "val" of the latter.

    Raises:
        DataError: They cannot be read.
    """
    if given is None:
        return None
    return _of(given, ImageSet, lambda name: ImageSet.load(image_folder(str(name), split)), DataError)


def fleet_of(given: Fleet | Path | str) -> Fleet:
    """A fleet.

    Raises:
        LibraryError: Its file cannot be used.
    """
    return _of(given, Fleet, Fleet.load, LibraryError)


def report_of(given: Report | Path | str) -> Report:
    """A report.

    Raises:
        ReportError: It cannot be read.
    """
    return _of(given, Report, Report.load, ReportError)


def fleet_report_of(given: FleetReport | Path | str) -> FleetReport:
    """A fleet's report.

    Raises:
        ReportError: It cannot be read.
    """
    return _of(given, FleetReport, FleetReport.load, ReportError)


def kind_of(given: Report | Sweep | FleetReport | Path | str) -> Kind:
    """What figures are of; what cannot be read counts as a report, and is told when it is read."""
    if isinstance(given, Sweep | FleetReport):
        return type(given)
    if not isinstance(given, str | os.PathLike):
        return Report
    try:
        values = json.loads(read_regular(Path(given), MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return Report
    if not isinstance(values, dict) or "bundle" in values:
        return Report
    return Sweep if "cells" in values else FleetReport if "boards" in values else Report


def _of(given: object, kind: type[_T], load: Callable[[Path | str], _T], error: type[EdgenetError]) -> _T:
    """A value of a kind as it is, and what a name or path stands for."""
    if isinstance(given, kind):
        return given
    if isinstance(given, str | os.PathLike):
        return load(given if isinstance(given, str) else Path(given))
    noun = kind.__name__
    reason = f"{with_article(type(given).__name__)} is no {noun.lower()}"
    raise error(reason, f"give {with_article(noun)}, its name or its path")
