"""Reports and sweeps as frames: their columns are the CSV's; without pandas a line says what to do."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import edgenet
from edgenet.errors import EdgenetError, PackageError, ReportError
from edgenet.notebook import tabled
from edgenet.steps.quickstart import Quickstart
from tests.reports import report
from tests.sweeps.made import sweep

Rows = Sequence[Mapping[str, Any]]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Rows]:
    """The rows that pandas would be given."""
    found: list[Rows] = []
    for place in ("edgenet.report", "edgenet.swept", "edgenet.steps.to_frame", "edgenet.steps.compare"):
        monkeypatch.setattr(f"{place}.data_frame", lambda rows: found.append(rows) or "frame")
    return found


def heads(document: str) -> list[str]:
    return next(csv.reader(io.StringIO(document)))


def test_a_report_is_one_row_with_the_columns_of_its_csv(taken: list[Rows]) -> None:
    one = report()
    assert one.to_frame() == "frame"
    (rows,) = taken
    assert [list(row) for row in rows] == [heads(edgenet.present(one, "csv"))]
    assert (rows[0]["backend"], rows[0]["precision"], rows[0]["verdict"]) == ("tflite", "int8", "VALID")
    assert rows[0]["p50_ms"] == one.latency_ms.p50
    assert rows[0]["joules_per_frame"] is None


def test_columns_are_those_that_scripts_rely_on() -> None:
    needed = {"model", "backend", "precision", "device", "protocol", "verdict", "size_mb", "p50_ms", "p99_ms",
              "fps_model", "fps_pipeline", "peak_mb", "joules_per_frame", "agreement_percent", "frame",
              "decode_ms", "fit_ms", "invoke_ms", "post_ms"}  # fmt: skip
    assert needed <= set(tabled(report())[0])


def test_layers_and_samples_are_rows_each() -> None:
    layers = [{"name": "a", "op": "CONV", "ms": 1.5}, {"name": "b", "op": "ADD", "ms": 0.5, "sqnr_db": 40.0}]
    one = report(layers=layers, runs=30)
    rows = tabled(one, "layers")
    assert [(row["name"], row["op"], row["ms"], row["sqnr_db"]) for row in rows] == [
        ("a", "CONV", 1.5, None),
        ("b", "ADD", 0.5, 40.0),
    ]
    samples = tabled(one, "samples")
    assert [row["stage"] for row in samples] == ["model"] * 30 + ["pipeline"] * 30
    assert samples[31] == {"stage": "pipeline", "run": 1, "ms": one.pipeline_ms.samples[1]}
    with pytest.raises(ReportError, match="no part 'sample': choose one of figures, layers, samples"):
        one.to_frame("sample")


def test_a_sweep_is_a_row_a_cell(taken: list[Rows]) -> None:
    made = sweep()
    made.to_frame()
    assert [row["key"] for row in taken[0]] == [cell.key for cell in made.cells]
    assert list(taken[0][0]) == heads(edgenet.present(made, "csv"))
    with pytest.raises(ReportError, match="a sweep has no part 'layers'"):
        tabled(made, "layers")


def test_several_reports_are_as_many_rows(taken: list[Rows], tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    report(2.5).write(path)
    edgenet.to_frame([report(), path])
    Quickstart(None, (report(), report()), {}).to_frame()  # type: ignore[arg-type]
    assert [len(rows) for rows in taken] == [2, 2]
    assert list(taken[0][0]) == heads(edgenet.present([report(), path], "csv"))


def test_a_comparison_is_a_row_a_figure(taken: list[Rows]) -> None:
    found = edgenet.compare(report(), report(2.1))
    found.to_frame()
    assert taken[0] == [asdict(row) for row in found.rows]


def test_without_pandas_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        PackageError, match="^a frame needs pandas, which is not installed: pip install pandas$"
    ) as one:
        report().to_frame()
    assert isinstance(one.value, ImportError)
    assert isinstance(one.value, EdgenetError)


def test_pandas_itself() -> None:
    pandas = pytest.importorskip("pandas", reason="no pandas")
    frame = edgenet.to_frame([report(), report(2.5)])
    assert isinstance(frame, pandas.DataFrame)
    assert frame["p50_ms"].round(1).tolist() == [2.0, 2.5]
    assert frame["p50_ms"].dtype == "float64"
    assert sweep().to_frame().groupby("device")["fps_pipeline"].max().notna().any()
    assert report(runs=30).to_frame("samples").groupby("stage")["ms"].count().to_dict() == {
        "model": 30,
        "pipeline": 30,
    }
    assert list(report(layers=[]).to_frame("layers").columns) == []
