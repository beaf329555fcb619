"""What a detector lost on a board: mAP against the truth, and its boxes against the float model's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from edgenet.drift import Drift, Share, TaskCurves, TaskTable
from edgenet.figures import interval, number, share
from edgenet.json_value import Count, Where, Within
from edgenet.record import Record

__all__ = ["ClassPrecision", "DetectionDrift"]

# A difference of two shares.
Change = Annotated[float, Within(least=-1.0, most=1.0)]
JUDGED = ("map50", "map50_reference", "map50_delta", "map", "map_reference", "map_delta")


@dataclass(frozen=True, kw_only=True)
class ClassPrecision(Record):
    """Average precision at 0.5 of one class on the board and in float, among so many objects of it."""

    name: str
    objects: Count
    ap50: Share
    ap50_reference: Share


@dataclass(frozen=True, kw_only=True)
class DetectionDrift(Drift):
    """Drift of a detector.

    Attributes:
        map50, map50_reference, map50_delta: mAP at an intersection over union of 0.5, of board and float
            model, and the one less the other.
        map50_interval: 95 % interval of the difference, by drawing the images again.
        map, map_reference, map_delta, map_interval: The same, mean over 0.5 to 0.95.
        boxes, boxes_reference: How many are shown on all images.
        boxes_kept, boxes_lost: Share of the float model's boxes that the board shows too, or not; ``None``
            where there are none.
        boxes_below: Share of the float model's boxes that are lost by their score alone: the board finds them
            in their place with at least half of the score that is shown.
        boxes_new: Share of the board's boxes that the float model does not show.
        mean_iou: Of the boxes that both show; ``None`` where there are none.
        score_shift: Mean of board less float score, of these.
        by_class: Each class of the truth, the one that lost most first.
        curve, curve_reference: Precision at recalls of 0, 0.01 … 1, mean of the classes, at 0.5.
        truth_notes: What of the truth is not judged, in words.
    """

    measure = "mAP@0.5"
    moved = "scores and boxes"
    changed_name = "boxes lost"

    map50: Share | None
    map50_reference: Share | None
    map50_delta: Change | None
    map50_interval: tuple[Change, Change] | None
    map: Share | None
    map_reference: Share | None
    map_delta: Change | None
    map_interval: tuple[Change, Change] | None
    boxes: Count
    boxes_reference: Count
    boxes_kept: Share | None
    boxes_lost: Share | None
    boxes_below: Share | None
    boxes_new: Share | None
    mean_iou: Share | None
    score_shift: Change | None
    by_class: tuple[ClassPrecision, ...] = ()
    curve: tuple[Share, ...] = ()
    curve_reference: tuple[Share, ...] = ()
    truth_notes: str | None = None

    def check(self, where: Where) -> None:
        """Labelled drift has all that the truth gives."""
        for name in JUDGED if self.labelled else ():
            if getattr(self, name) is None:
                raise where.at(name).refuse(None, "a number, and the images are labeled")

    @property
    def best(self) -> float | None:
        """mAP at 0.5 of the board."""
        return self.map50 if self.labelled else None

    @property
    def delta_pp(self) -> float | None:
        """The same less the float model's, in percentage points."""
        return 100.0 * self.map50_delta if self.labelled and self.map50_delta is not None else None

    @property
    def kept(self) -> float:
        """mAP at 0.5; without truth the share of boxes that are kept."""
        return super().kept if self.labelled or self.boxes_kept is None else self.boxes_kept

    @property
    def nothing(self) -> str | None:
        """The float model finds nothing either."""
        if self.map50_reference == 0:
            return "the float model finds no object at an IoU of 0.5 either: nothing could be lost"
        if not self.labelled and not self.boxes_reference:
            return "the float model shows no box on any image: nothing could be lost"
        return None

    def rows(self) -> list[tuple[str, str]]:
        """mAP beside the float model's, what the difference is worth, and what became of the boxes."""
        rows = self._against_truth() if self.map50 is not None else []
        if not self.boxes_reference:
            return [*rows, ("boxes", f"{self.boxes}; the float model shows none on any image")]
        return [
            *rows,
            ("boxes that are kept", f"{share(self.boxes_kept, 2)} of {self.boxes_reference}"),
            ("lost by their score alone", share(self.boxes_below, 2)),
            ("new among the board's", f"{share(self.boxes_new, 2)} of {self.boxes}"),
            ("mean IoU of those kept", number(self.mean_iou, 3)),
            ("mean shift of their scores", "–" if self.score_shift is None else f"{self.score_shift:+.3f}"),
        ]

    def tables(self) -> list[TaskTable]:
        """Each class, the one that lost most first."""
        columns = ["class", "objects", "AP@0.5", "float", "pp"]
        rows = [
            [
                item.name,
                str(item.objects),
                share(item.ap50, 2),
                share(item.ap50_reference, 2),
                f"{100 * (item.ap50 - item.ap50_reference):+.2f}",
            ]
            for item in self.by_class
        ]
        return [TaskTable("Classes", columns, rows)] if rows else []

    def curves(self) -> list[TaskCurves]:
        """Precision by recall, of board and float model."""
        named = {"board": self.curve, "float": self.curve_reference}
        lines = {
            name: [(at / (len(curve) - 1), value) for at, value in enumerate(curve)]
            for name, curve in named.items()
            if any(curve)
        }
        return (
            [TaskCurves("Precision by recall at an IoU of 0.5", "recall", "precision", lines)]
            if lines
            else []
        )

    def _against_truth(self) -> list[tuple[str, str]]:
        rows = [
            ("mAP@0.5", f"{share(self.map50, 2)} (float {share(self.map50_reference, 2)})"),
            ("difference", f"{self.delta_pp or 0.0:+.2f} pp"),
            ("its 95 % interval (bootstrap)", interval(self.interval_pp) + " pp"),
            ("mAP@[.5:.95]", f"{share(self.map, 2)} (float {share(self.map_reference, 2)})"),
        ]
        for item in self.by_class[:1] if len(self.by_class) > 1 else ():
            told = f"{item.name}: {share(item.ap50, 2)} (float {share(item.ap50_reference, 2)})"
            rows.append(("class that lost most", f"{told}, {item.objects} objects"))
        return [*rows, *([("not judged", self.truth_notes)] if self.truth_notes else [])]
