"""Geo-localization: where a picture was taken, as one of many cells of the earth, each with its center.

The form of PlaNet (Weyand et al., ECCV 2016, arXiv 1602.05314): a classifier whose classes are cells; the
answer is the center of the best one, judged by its great-circle distance to the truth.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.csv_table import shown
from edgenet.drift import Drift, Percent, Share, TaskTable, Worst
from edgenet.errors import DataError, EdgenetError
from edgenet.figures import chance, interval, number, percent, share
from edgenet.geography import Place, Places, kilometers
from edgenet.imageset import ImageSet
from edgenet.json_value import NotNegative
from edgenet.metric import AGREEMENT, Metric
from edgenet.report import Report
from edgenet.statistics import paired, paired_bootstrap, wilson
from edgenet.task import Answers, Doubt, Truth, real
from edgenet.tasks.classification import Classification

__all__ = ["METRICS", "TASK", "Geo", "GeoDrift"]

# Street, city, region, country and continent (Hays and Efros, IM2GPS, CVPR 2008, as PlaNet and MobileNets).
LEVELS = {"1": "street", "25": "city", "200": "region", "750": "country", "2500": "continent"}
HEADLINE_KM = 750.0
COLUMNS = (("latitude", "longitude"), ("lat", "lon"), ("lat", "lng"))
FORM = "LATITUDE, LONGITUDE NAME in degrees, such as 48.8566, 2.3522 Paris"
DEGREES = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,15})?", re.ASCII)
# Right answers, as a share, that a doubt must promise beyond what there are.
CLEAR = 0.2
# No two places are farther apart: what a picture without an answer is off.
FARTHEST_KM = float(kilometers((90.0, 0.0), (-90.0, 0.0)))


@dataclass(frozen=True, kw_only=True)
class GeoDrift(Drift):
    """Drift of a network that says where a picture was taken.

    Attributes:
        within_750, within_750_reference: Share of images at most 750 km off, board and float model.
        within_750_delta_pp: Board minus float in percentage points.
        mcnemar_p: Chance of so unequal a split.
        within_km, within_km_reference: Share of images at most 1, 25, 200, 750 and 2,500 km off.
        km_median, km_median_reference: Median of the distances to the truth.
        km_median_delta_interval: 95 % interval of their difference, km, board minus float.
        cells_moved: Share of images that are in another cell on the board.
        moved_km_median, moved_km_most: How far these moved; ``None`` where none did.
    """

    measure = "within 750 km"
    headline = "within_750"
    moved = "logits"

    within_750: Share | None
    within_750_reference: Share | None
    within_750_delta_pp: Percent | None
    mcnemar_p: Share | None
    within_km: Mapping[str, Share] | None
    within_km_reference: Mapping[str, Share] | None
    km_median: NotNegative | None
    km_median_reference: NotNegative | None
    cells_moved: Share
    moved_km_median: NotNegative | None
    moved_km_most: NotNegative | None
    km_median_delta_interval: tuple[float, float] | None = None

    def rows(self) -> list[tuple[str, str]]:
        """What moved, and how far board and float model are off."""
        rows = [("pictures in another cell", share(self.cells_moved, 2))]
        if self.moved_km_median is not None:
            told = (
                f"{number(self.moved_km_median, 0)} km in the median, {number(self.moved_km_most, 0)} at most"
            )
            rows.append(("these moved", told))
        if self.within_750 is None or self.within_750_delta_pp is None:
            return rows
        return [
            *rows,
            (
                "median distance",
                f"{number(self.km_median, 0)} km (float {number(self.km_median_reference, 0)})",
            ),
            (
                "its difference's 95 % interval (bootstrap)",
                interval(self.km_median_delta_interval, 0) + " km",
            ),
            ("within 750 km", f"{share(self.within_750, 2)} (float {share(self.within_750_reference, 2)})"),
            ("difference", f"{self.within_750_delta_pp:+.2f} pp"),
            ("its 95 % interval (Newcombe)", interval(self.interval_pp) + " pp"),
            ("McNemar p", chance(self.mcnemar_p)),
        ]

    def describe(self, item: Worst) -> str:
        """How far it moved, or the logits of a picture that stayed in its cell."""
        if item.error is None or item.answer == item.reference:
            return super().describe(item)
        return f"moved {item.error:.0f} km"

    def tables(self) -> list[TaskTable]:
        """The shares within each distance."""
        ours, theirs = self.within_km, self.within_km_reference
        if ours is None or theirs is None:
            return []
        rows = [
            (f"{name} ({limit} km)", share(ours.get(limit), 2), share(theirs.get(limit), 2))
            for limit, name in LEVELS.items()
        ]
        return [TaskTable("Pictures within a distance", ("distance", "board", "float"), rows)]


class Geo(Classification):
    """Logits or probabilities of cells, [1, cells], whose labels are places."""

    name = "geo"
    settings_keys = ()
    noun = "a network for geo-localization"
    shape = "1xCELLS"
    drift = GeoDrift

    @classmethod
    def meant(cls, output: object, names: int) -> type[Classification]:  # noqa: ARG003
        """This one."""
        return cls

    @classmethod
    def reads(cls, ending: str, values: int) -> str | None:  # noqa: ARG003
        """A graph does not tell that its classes are cells."""
        return None

    @classmethod
    def read_settings(
        cls,
        table: Mapping[str, Any],
        refuse: Callable[[str, str], EdgenetError],  # noqa: ARG003
    ) -> Mapping[str, Any]:
        """There are none."""
        return dict(table)

    def check(self, values: int) -> tuple[str, str] | None:
        """Labels are one a cell, each a place."""
        if not self.labels:
            return "its cells have no places", f"give a label a cell: {FORM}"
        wrong = next((index for index, found in enumerate(self._cells) if found is None), None)
        if wrong is not None:
            return f"the label of class {wrong}, {shown(self.labels[wrong])}, is no place", f"write {FORM}"
        return super().check(values)

    def truth(self, images: ImageSet, values: int) -> Truth | None:  # noqa: ARG002
        """Where each image was taken: the columns ``latitude`` and ``longitude``, in degrees.

        Raises:
            DataError: They are missing, or no place.
        """
        if images.truth is None:
            return None
        columns = images.truth[0].keys() if images.truth else ()
        found = next((pair for pair in COLUMNS if all(name in columns for name in pair)), None)
        if found is None:
            raise DataError(
                f"{images.folder}: labels.csv has the columns file, {', '.join(columns) or 'and no other'}",
                "write where each picture was taken in columns latitude and longitude, in degrees",
            )
        return tuple(_taken(images, at, row, found) for at, row in enumerate(images.truth))

    def class_names(self, images: ImageSet) -> tuple[str, ...]:  # noqa: ARG002
        """Pictures do not tell how the earth is divided."""
        return ()

    def quality(self, answers: Answers, truth: Truth) -> float:
        """Share of images at most 750 km off."""
        return float((self._distances(answers, truth) <= HEADLINE_KM).mean())

    def scores(self, answers: Answers, truth: Truth) -> NDArray[np.float64]:
        """1 where it is at most 750 km off, else 0."""
        return (self._distances(answers, truth) <= HEADLINE_KM).astype(np.float64)

    def constant(self, truth: Truth) -> float:
        """The share that the best one cell is near."""
        told = _coordinates(truth)
        return max(float((kilometers(cell, told) <= HEADLINE_KM).mean()) for cell in self._centers)

    def doubt(self, answers: Answers, truth: Truth) -> Doubt | None:
        """Whether latitude and longitude are exchanged in the labels: much would be right then."""
        own, count = int(self.scores(answers, truth).sum()), len(answers)
        given = self._centers[self._best(answers)][:, ::-1]
        better = int((kilometers(given, _coordinates(truth)) <= HEADLINE_KM).sum())
        if wilson(better, count)[0] <= wilson(own, count)[1] + CLEAR:
            return None
        told = f"the float model is within 750 km on {share(own / count)} of the images"
        swapped = f"with latitude and longitude of its labels exchanged on {share(better / count)}"
        return Doubt(f"{told}, and {swapped}: write the latitude first", better / count)

    def figures(self, board: Answers, reference: Answers, truth: Truth | None) -> Mapping[str, Any]:
        """What moved; distances to the truth, and what the difference is worth."""
        own = self._moved(board, reference)
        if truth is None:
            names = ("within_750", "within_750_reference", "within_750_delta_pp", "interval_pp", "mcnemar_p",
                     "within_km", "within_km_reference", "km_median", "km_median_reference")  # fmt: skip
            return {**own, **dict.fromkeys(names)}
        ours, theirs = (self._distances(values, truth) for values in (board, reference))
        found = paired(ours <= HEADLINE_KM, theirs <= HEADLINE_KM)
        return {
            **own,
            "within_750": found.first,
            "within_750_reference": found.second,
            "within_750_delta_pp": found.delta_pp,
            "interval_pp": found.interval_pp,
            "mcnemar_p": found.mcnemar_p,
            "within_km": _within(ours),
            "within_km_reference": _within(theirs),
            "km_median": float(np.median(ours)),
            "km_median_reference": float(np.median(theirs)),
            "km_median_delta_interval": paired_bootstrap(
                lambda chosen: float(np.median(ours[chosen]) - np.median(theirs[chosen])), len(ours)
            ),
        }

    def error(self, first: Answers, second: Answers) -> NDArray[np.float64]:
        """How many km the answer moved; of those that did not, how far the logits did, below 1."""
        logits = super().error(first, second)
        return self._apart(first, second) + logits / (1.0 + logits)

    def answer_name(self, answer: int, images: Sequence[str]) -> str:
        """The cell's place."""
        found = Place.parsed(label := super().answer_name(answer, images))
        return label if found is None else str(found)

    def truth_name(self, truth: Any) -> str:
        """Where it was taken."""
        return str(Place(*truth))

    def _moved(self, board: Answers, reference: Answers) -> dict[str, Any]:
        moved = self.answers(board, None) != self.answers(reference, None)
        apart = self._apart(board, reference)[moved]
        return {
            "cells_moved": float(moved.mean()),
            "moved_km_median": float(np.median(apart)) if len(apart) else None,
            "moved_km_most": float(apart.max()) if len(apart) else None,
        }

    def _apart(self, first: Answers, second: Answers) -> NDArray[np.float64]:
        """km between the answers of two runs, [n]."""
        return kilometers(self._centers[self._best(first)], self._centers[self._best(second)])

    def _distances(self, answers: Answers, truth: Truth) -> NDArray[np.float64]:
        """km from the answers to the truth, [n]; half the earth's girth where NaN is no answer."""
        found = kilometers(self._centers[self._best(answers)], _coordinates(truth))
        return np.where(real(answers), found, FARTHEST_KM)

    def _best(self, answers: Answers) -> NDArray[np.int64]:
        """Index of the best cell; a background is none."""
        return np.asarray(answers[:, self.label_offset :].argmax(axis=1))

    @cached_property
    def _cells(self) -> tuple[Place | None, ...]:
        return tuple(map(Place.parsed, self.labels))

    @cached_property
    def _centers(self) -> Places:
        return _coordinates([cell for cell in self._cells if cell is not None])


def _coordinates(places: Sequence[Place]) -> Places:
    return np.array([place[:2] for place in places], np.float64).reshape(-1, 2)


def _within(distances: NDArray[np.float64]) -> dict[str, float]:
    return {limit: float((distances <= float(limit)).mean()) for limit in LEVELS}


def _taken(images: ImageSet, at: int, row: Mapping[str, str], columns: tuple[str, str]) -> Place:
    values = []
    for column, most in zip(columns, (90.0, 180.0), strict=True):
        cell = row.get(column, "").strip()
        value = float(cell) if DEGREES.fullmatch(cell) else None
        if value is None or abs(value) > most:
            raise DataError(
                f"{images.folder}: in labels.csv, {images.name(at)} has the {column} {shown(cell)}",
                f"write degrees from -{most:.0f} to {most:.0f}",
            )
        values.append(value)
    return Place(values[0], values[1])


def _median(report: Report) -> float | None:
    return getattr(report.drift, "km_median", None)


TASK = Geo
METRICS = (
    Metric("within_750_percent", "within 750 km", "%", 1, "higher", lambda r: percent(r.drift.best),
           column="in 750 km", tell=lambda value: f"{value:.1f} %", axis="within 750 km, %"),
    Metric("drift_pp", "drift", "pp", 2, "higher", lambda r: r.drift.delta_pp, column="drift pp",
           compared=False),
    Metric("km_median", "median distance", "km", 0, "lower", _median, column="median km"),
    AGREEMENT,
)  # fmt: skip
