"""What a report.json must be to be read: whatever else it is, one line says where and what."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.breakdown import Layer, LayerFacts
from edgenet.cli.shared.tables import report_columns, report_row, verdict_rows
from edgenet.errors import DataError, ReportError
from edgenet.metric import metric, metrics, quality
from edgenet.report import Report
from edgenet.steps.report import present
from edgenet.text import UNPRINTABLE, plain
from tests.reports import CAMERA, DRIFT, report
from tests.views.test_views import MORE

LAYER = {"name": "c", "op": None, "ms": 0.5, "share": 1.0, "gmac_s": None, "gb_s": 2.5, "sqnr_db": None}
FULL: dict[str, Any] = report(
    runs=30,
    more=MORE,
    pipeline_ms={**CAMERA, "parts_absent": {"decode": "why"}},
    layers=[LAYER],
    layer_facts={"method": "m", "sum_ms": 1.0, "profiled_ms": None, "noise_absent": None, "summary": "s"},
    roofline={"copy_gb_s": 10.0, "theoretical_gb_s": None, "source": None, "summary": "s"},
    energy={"source": "INA", "model": {"power_w": 5.0, "joules_per_frame": 0.1, "total_joules_per_frame": 0.2,
                                       "readings": 9}, "joules_per_frame": 0.1, "summary": "s"},
    verdict={"state": "NOISY", "reasons": ["r"], "notes": ["n"],
             "limits": [{"name": "FPS", "limit": 24.0, "value": None, "passed": False, "note": "n"}]},
).to_table()  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON document, the first two of each list."""
    yield path
    items = (
        value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    )
    for key, item in items:
        yield from places(item, (*path, key))


PLACES = [path for path in places(FULL) if path]


def put(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A copy of the full report with another value at a path."""
    table = copy.deepcopy(FULL)
    inner: Any = table
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return table


def test_what_was_read_is_written_again_key_by_key() -> None:
    """A null stays a null, and what was absent stays absent."""
    again = Report.from_table(json.loads(json.dumps(FULL))).to_table()
    assert again == FULL
    assert "gmac_s" in again["layers"][0]
    assert "until_ms" not in again["layers"][0]


@given(st.sets(st.sampled_from(["op", "share", "node", "artifact", "until_ms", "macs", "gb_s", "sqnr_db"])))
def test_a_layer_keeps_the_keys_it_has(keys: set[str]) -> None:
    for value in (None, 1):
        table = {
            "name": "c",
            "op": None,
            "ms": 0.5,
            **dict.fromkeys(keys - {"op", "node", "artifact"}, value),
        }
        assert Layer.from_table(table).to_table() == table


def test_a_none_that_is_named_is_null_and_another_is_left_out() -> None:
    layer = Layer(name="c", op=None, ms=1.0)
    assert layer.to_table() == {"name": "c", "op": None, "ms": 1.0}
    assert layer.changed(sqnr_db=None).to_table() == {"name": "c", "op": None, "ms": 1.0, "sqnr_db": None}
    assert layer.changed(sqnr_db=None).changed(gb_s=2.0).to_table()["sqnr_db"] is None
    assert LayerFacts.of(profiled_ms=None).to_table() == {"profiled_ms": None}
    assert LayerFacts(absent="why").to_table() == {"absent": "why"}


def test_keys_that_a_later_edgenet_adds_are_skipped() -> None:
    assert Report.from_table({**FULL, "later": {"x": math.nan}}) == Report.from_table(FULL)


def test_what_older_reports_lack_is_absent() -> None:
    table = copy.deepcopy(FULL)
    for path in (("layer_facts",), ("more",), ("latency_ms", "p50_interval"), ("verdict", "notes")):
        inner = table
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]
    old = Report.from_table(table)
    assert (old.more, old.verdict.notes, old.latency_ms.p50_interval) == (None, (), None)
    assert set(table) == set(old.to_table())


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("latency_ms", "p50"), "fast", "latency_ms.p50 is 'fast', not a number"),
        (("latency_ms", "p50"), True, "latency_ms.p50 is True, not a number"),
        (("latency_ms", "p50"), math.nan, "latency_ms.p50 is nan, not a number above 0"),
        (("latency_ms", "p50"), math.inf, "latency_ms.p50 is inf"),
        (("latency_ms", "p50"), 10**400, "latency_ms.p50 is 1000"),
        (("latency_ms", "samples", 1), 0.0, r"latency_ms.samples\[1\] is 0.0, not a number above 0"),
        (("latency_ms", "samples", 1), -1.0, r"latency_ms.samples\[1\] is -1.0"),
        (("latency_ms", "samples", 1), "1", r"latency_ms.samples\[1\] is '1'"),
        (("latency_ms", "samples"), [], "latency_ms.samples is .., not at least one sample"),
        (("latency_ms", "samples"), {}, "latency_ms.samples is {}, not a list"),
        (("fps", "model"), None, "fps.model is None"),
        (("fps",), [1, 2], r"fps is \[1, 2\], not a table"),
        (("bundle", "size_bytes"), 1.5, "bundle.size_bytes is 1.5, not an integer"),
        (("bundle", "model"), 3, "bundle.model is 3, not text"),
        (("bundle", "model"), "x" * 99_999, "not at most 16384 characters"),
        (("layers", 0, "name"), "a\x1b[2Jb", r"layers\[0\].name is 'a\\x1b\[2Jb', not printable text"),
        (("layers", 0, "name"), "a\u202eb", "not printable text"),
        (("layers", 0, "name"), "\ud800", "not printable text"),
        (("drift", "agreement"), 1.5, "drift.agreement is 1.5, not a number from 0 to 1"),
        (("drift", "top1"), None, "drift.top1 is None, not a number, and the images are labeled"),
        (("drift", "interval_pp"), [1.0], "drift.interval_pp is .1.0., not 2 values"),
        (("drift", "stages"), {}, "no 'drift.stages.preprocess' in it"),
        (("verdict", "limits", 0, "passed"), 1, r"verdict.limits\[0\].passed is 1, not true or false"),
        (("more", "threads", "best"), 3, "more.threads.best is 3, not a number that was tried"),
        (("more", "sustained", "curve"), [], "more.sustained.curve"),
        (("more", "cold_start", "runs"), [], "more.cold_start.runs"),
        (("device", "facts", "x"), math.inf, "device.facts.x is inf, not a finite number"),
        (("sensors", "before", "absent"), ["x"], "sensors.before.absent is .'x'., not a table"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_in_one_line(path: tuple[Any, ...], value: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        Report.from_table(put(path, value), "r.json")
    assert str(caught.value).startswith("r.json: ")
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).endswith("profile again")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        (json.dumps(FULL).replace('"p90": ', '"p90": 1e400, "x": ', 1), "latency_ms.p90 is inf"),
        (json.dumps(FULL).replace('"p90": ', '"p90": NaN, "x": ', 1), "latency_ms.p90 is nan"),
        (
            json.dumps(FULL).replace('"p90": ', '"p90": ' + "9" * 5000 + ', "x": ', 1),
            "not a report, or truncated",
        ),
        (json.dumps({**FULL, "schema": "\x1b" * 10**6}), "this edgenet reads 1"),
        (json.dumps({**FULL, "schema": True}), "schema True, this edgenet reads 1"),
    ],
)
def test_what_no_parser_likes_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ReportError, match=message) as caught:
        Report.load(tmp_path / "r.json")
    assert len(str(caught.value)) < 500
    assert not UNPRINTABLE.search(str(caught.value))


def test_a_deep_fact_is_refused(tmp_path: Path) -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(ReportError, match="not at most 16 deep"):
        Report.from_table(put(("device", "facts", "x"), deep))


def test_a_file_of_another_size_is_not_even_parsed(tmp_path: Path) -> None:
    with (tmp_path / "r.json").open("wb") as stream:
        stream.truncate(10**9)
    with pytest.raises(ReportError, match="at most 48.00 MB are read"):
        Report.load(tmp_path / "r.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(PLACES), JSON)
@settings(max_examples=400)
def test_another_value_anywhere_is_refused_or_shown(path: tuple[Any, ...], value: Any) -> None:
    """A report that is read can be told, drawn and written; no value in it ends in a traceback."""
    try:
        found = Report.from_table(put(path, value), "r.json")
    except ReportError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 (what is raised is half of the property)
        return
    json.dumps(found.to_table(), allow_nan=False).encode()
    assert Report.from_table(found.to_table()) == found
    assert all(
        not UNPRINTABLE.search(line) for line in [f"{name:12} {text}" for name, text in verdict_rows(found)]
    )
    assert len(report_row(found)) == len(report_columns(found))
    for form in ("md", "csv"):
        present([found], form).encode()


@given(st.sampled_from(PLACES), st.sampled_from([0, -1, 1e-300, 2.0**62, "", [], {}, None]))
@settings(max_examples=40)
def test_a_page_is_drawn_of_whatever_was_read(path: tuple[Any, ...], value: Any) -> None:
    try:
        found = Report.from_table(put(path, value), "r.json")
    except ReportError:
        return
    present([found, report()], "html").encode()


@given(JSON)
def test_plain_text_can_be_kept_in_a_report(value: Any) -> None:
    text = json.dumps(plain(value))
    assert not UNPRINTABLE.search(text.encode().decode())


def test_a_report_says_what_it_is_of_in_a_line() -> None:
    assert repr(report()) == f"<Report m tflite int8 on local: p50 {report().latency_ms.p50:.3f} ms, VALID>"
    assert len(repr(report().drift)) < 2000
    assert len(repr(report().latency_ms)) < 300


def test_every_metric_is_read_from_a_report() -> None:
    full = Report.from_table(FULL)
    assert len({item.key for item in metrics(full)}) == len(metrics(full)) == 10
    assert all(item.of(full) is not None for item in metrics(full))
    assert metric("fps_pipeline", full).of(full) == full.fps.pipeline
    assert metrics(full, full) == metrics(full)
    emulated = report(verdict={"state": "EMULATED"})
    assert {item.key for item in metrics(full) if item.of(emulated) is None} == {
        "p50_ms", "p99_ms", "fps_model", "fps_pipeline", "joules_per_frame",
    }  # fmt: skip


def test_the_best_of_a_metric_is_the_higher_or_the_lower() -> None:
    assert metric("fps_model", report()).best([1.0, 3.0, 2.0]) == 3.0
    assert metric("p50_ms", report()).best([1.0, 3.0, 2.0]) == 1.0
    assert metric("p50_ms", report()).best([1.00001, 1.00002]) is None


def test_quality_is_what_every_report_has() -> None:
    blind = report(drift={**DRIFT, "labelled": False, "top1": None})
    first, second = quality(report(), report()), quality(report(), blind)
    assert first is not None
    assert second is not None
    assert (first.key, second.key) == ("top1_percent", "agreement_percent")


def test_what_was_lost_is_told_in_one_way() -> None:
    lost = report().drift.lost()
    assert (lost.name, lost.pp, lost.interval) == ("top-1 lost (pp)", 0.5, (-0.25, 1.25))
    blind = report(drift={**DRIFT, "labelled": False, "top1": None}).drift
    assert (blind.lost().name, blind.lost().interval) == ("answers changed (pp)", None)
    assert blind.lost().pp == pytest.approx(1.0)
    assert report(drift={**DRIFT, "top1": 0.68}).drift.lost(since=report().drift).pp == pytest.approx(2.0)
