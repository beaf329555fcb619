"""Geo-localization: distances and shares counted by hand, and what is no place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgenet.agent.tasks.geo import Reader
from edgenet.drift import Worst
from edgenet.errors import DataError
from edgenet.imageset import ImageSet
from edgenet.labels import read_labels
from edgenet.tasks.geo import FARTHEST_KM, METRICS, Geo, GeoDrift
from tests.reports import DRIFT, report

LABELS = ("0, 0 Null", "0, 1", "0, 10 Ten", "0, 100")
TASK = Geo("logits", LABELS)
KM = 6371.0088 * np.pi / 180  # a degree
# Half a degree, two degrees and none off the best cells of the float model.
TRUTH = TASK.truth(
    ImageSet(
        Path("w"),
        tuple(Path(f"{at}.png") for at in range(3)),
        tuple({"latitude": "0", "longitude": value} for value in ("0.5", "12", "100")),
    ),
    4,
)


def logits(*best: int) -> np.ndarray:
    return 3 * np.eye(4, dtype=np.float32)[list(best)]


FLOAT, BOARD = logits(0, 2, 3), logits(1, 2, 0)


def drift(board: np.ndarray = BOARD, labelled: bool = True) -> GeoDrift:
    own = TASK.figures(board, FLOAT, TRUTH if labelled else None)
    rest = {
        "images": 3,
        "labelled": labelled,
        "agreement": 0.5,
        "cosine": 1.0,
        "max_abs": 2.0,
        "stages": None,
    }
    return GeoDrift(**rest, **own)


def test_figures_by_hand() -> None:
    found = drift()
    assert found.km_median_reference == pytest.approx(0.5 * KM)
    assert found.km_median == pytest.approx(2 * KM), "0.5, 2 and 100 degrees"
    assert found.within_km == {"1": 0, "25": 0, "200": 1 / 3, "750": 2 / 3, "2500": 2 / 3}
    assert found.within_km_reference == {"1": 1 / 3, "25": 1 / 3, "200": 2 / 3, "750": 1, "2500": 1}
    assert (found.within_750, found.within_750_reference) == (pytest.approx(2 / 3), 1.0)
    assert found.within_750_delta_pp == pytest.approx(-100 / 3)
    assert found.interval_pp is not None
    assert found.interval_pp[0] < -100 / 3 < found.interval_pp[1]
    assert found.km_median_delta_interval is not None
    assert found.km_median_delta_interval[0] <= 1.5 * KM <= found.km_median_delta_interval[1]


def test_what_int8_moved() -> None:
    found = drift(labelled=False)
    assert found.cells_moved == pytest.approx(2 / 3)
    assert found.moved_km_median == pytest.approx((1 + 100) / 2 * KM)
    assert found.moved_km_most == pytest.approx(100 * KM)
    assert found.km_median is None
    assert found.rows()[1][1] == "5615 km in the median, 11120 at most"
    still = drift(FLOAT, labelled=False)
    assert (still.cells_moved, still.moved_km_median) == (0.0, None)
    assert TASK.error(BOARD, FLOAT).argmax() == 2, "the worst image is the one that went farthest"


def test_the_table_has_the_papers_distances() -> None:
    (table,) = drift().tables()
    assert [row[0] for row in table.rows] == [
        "street (1 km)", "city (25 km)", "region (200 km)", "country (750 km)", "continent (2500 km)",
    ]  # fmt: skip
    assert table.rows[3][1:] == ("66.67 %", "100.00 %")
    assert drift(labelled=False).tables() == []
    far = Worst(file="a.png", max_abs=1.0, error=11_119.5, answer=0, reference=3)
    assert drift().describe(far) == "moved 11120 km"
    assert drift().describe(far.changed(answer=3)) == "logits off by 1"


def test_an_answer_of_nan_is_as_far_off_as_can_be() -> None:
    spoilt = FLOAT.copy()
    spoilt[2] = np.nan
    assert TASK.quality(spoilt, TRUTH) == pytest.approx(2 / 3)
    assert drift(spoilt).within_km["2500"] == pytest.approx(2 / 3)  # type: ignore[index]
    assert pytest.approx(np.pi * 6371.0088) == FARTHEST_KM


def test_labels_are_places() -> None:
    assert TASK.check(4) is None
    for labels, words in (
        ((), "its cells have no places"),
        (("0, 0", "Paris", "0, 1", "0, 2"), "label of class 1, 'Paris', is no place"),
        (("0, 0", "0, 1"), "2 labels for 4 classes"),
    ):
        what, remedy = Geo("logits", labels).check(4) or ("", "")
        assert words in what
        assert remedy
    assert TASK.answer_name(2, ()) == "Ten (0.00 N, 10.00 E)"
    assert TASK.truth_name((1.5, -2.0)) == "1.50 N, 2.00 W"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"class_index": "1"}, "columns file, class_index"),
        ({"latitude": "91", "longitude": "0"}, "has the latitude '91'"),
        ({"latitude": "0", "longitude": "-180.5"}, "has the longitude '-180.5'"),
        ({"latitude": "", "longitude": "0"}, "the latitude"),
        ({"latitude": "nan", "longitude": "0"}, "the latitude 'nan'"),
    ],
)
def test_truth_is_latitude_and_longitude(row: dict[str, str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        TASK.truth(ImageSet(Path("w"), (Path("0.png"),), (row,)), 4)
    short = ImageSet(Path("w"), (Path("0.png"),), ({"lat": "-1.5", "lon": "2"},))
    assert TASK.truth(short, 4) == ((-1.5, 2.0, ""),)
    assert TASK.truth(ImageSet(Path("w"), (Path("0.png"),), None), 4) is None


def test_exchanged_coordinates_are_doubted() -> None:
    labels = tuple(f"{at * 8}, {at * 3 - 60}" for at in range(10))
    task, swapped = (
        Geo("logits", labels),
        Geo("logits", tuple(", ".join(item.split(", ")[::-1]) for item in labels)),
    )
    values = np.tile(np.eye(10, dtype=np.float32), (3, 1))
    truth = [cell for cell in task._cells * 3 if cell is not None]
    assert task.quality(values, truth) == 1.0
    assert task.doubt(values, truth) is None
    doubt = swapped.doubt(values, truth)
    assert doubt is not None
    assert "write the latitude first" in doubt.told


def test_the_best_constant_is_the_cell_near_most() -> None:
    assert TASK.constant(TRUTH) == pytest.approx(1 / 3)
    assert TASK.constant([(0, 0.2), (0, 0.4), (0, 90)]) == pytest.approx(2 / 3)


def test_the_board_shows_places() -> None:
    output = {"dtype": "float32", "scale": None, "zero_point": None, "meaning": "logits"}
    reader = Reader({"output": output, "labels": list(LABELS)})
    raw = np.array([0.0, 1.0, 5.0, 0.0], np.float32)
    assert reader.label(raw) == "Ten (0.00 N, 10.00 E)"
    assert reader.top(raw)[0][2] == 2


def test_cells_are_read_from_a_table(tmp_path: Path) -> None:
    file = tmp_path / "cells.csv"
    file.write_text("class_index,latitude,longitude,name\n1,-34.6,-58.38,Buenos Aires\n0,48.8566,2.3522,\n")
    assert read_labels(file) == ("48.8566 2.3522", "-34.6 -58.38 Buenos Aires")
    assert Geo("logits", read_labels(file)).check(2) is None


def test_metrics_are_absent_where_the_truth_is() -> None:
    shown = {item.key: item.text(report(drift={**DRIFT, "labelled": False})) for item in METRICS}
    assert shown["km_median"] == "–"
