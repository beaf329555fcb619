"""What a prompt and a notebook show of the public types is short, escaped, and needs nothing else."""

from __future__ import annotations

import dataclasses
import html.parser
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import edgenet
from edgenet.errors import DeviceError
from edgenet.fleets.each import Outcome
from edgenet.library import names
from edgenet.notebook import Grid, Shown, card
from edgenet.record import Record
from edgenet.steps.compare import Gates
from edgenet.steps.compare_fleets import FleetGates, compare_fleets
from edgenet.steps.deploy import Deployment
from edgenet.steps.doctor import Examination, examine
from edgenet.steps.fastest import Fastest
from edgenet.steps.plan import options
from edgenet.steps.quickstart import Quickstart
from edgenet.steps.wheelhouse import Kept
from tests.conftest import CHEAP
from tests.fleets.made import board, fleet
from tests.reports import CAMERA, DRIFT, report
from tests.steps.test_doctor import facts_of
from tests.sweeps.made import sweep

VOID = {"br", "path", "rect", "line", "circle", "polygon", "polyline", "use"}
EVIL = [
    "<script>alert(1)</script>",
    "a' onload='x",
    '" onmouseover="x',
    "<img src=http://x>",
]


def records(value: object) -> list[Record]:
    """A record and all records within it."""
    if isinstance(value, Record):
        return [value, *(found for item in vars(value).values() for found in records(item))]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
    return [found for item in items for found in records(item)]


@pytest.fixture(scope="module")
def shown(model_file: Path, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """A value of every public type, of what every verb gives, and of all that lies within them."""
    made = edgenet.quantize_model(model_file, CHEAP, photos)
    compiled = edgenet.compile(made, "local", "tflite", "int8")
    bundle, one = compiled.bundle, report(runs=3000, drift={**DRIFT, "worst": DRIFT["worst"] * 50})
    deployment = Deployment("local", bundle.digest, bundle.name, "1.0", True, 10, 0.5)
    seen = facts_of("pi-5", tmp_path_factory.mktemp("board"))
    copy = tmp_path_factory.mktemp("init") / "m.onnx"
    copy.write_bytes(model_file.read_bytes())
    return [
        *(made, compiled, bundle, made.golden, edgenet.Model.load(model_file), edgenet.ImageSet.load(photos)),
        *records(one),
        *records(bundle.manifest),
        *records(sweep()),
        *(fleet(), *fleet().boards),
        *((fleets := compare_fleets(fleet(), fleet(), FleetGates(min_fps=24))), *fleets.boards),
        *(edgenet.Target.load(name) for name in names("target")),
        *(edgenet.Recipe.load(name) for name in names("recipe")),
        *(edgenet.Protocol.load(name) for name in names("protocol")),
        *(edgenet.SweepPlan.load(name) for name in names("sweep")),
        edgenet.DemoOptions(against=compiled),
        *((pi := edgenet.Board("pi@a", "raspberry-pi-4", "a", ("kitchen",), 1)), edgenet.Fleet.of(pi)),
        *(Outcome(pi, deployment, None, 1.0), Outcome(pi, None, DeviceError("it is full"), 1.0)),
        edgenet.RolloutOptions(),
        edgenet.plan(model_file, "raspberry-pi-4", "tflite", "fp32"),
        *options(edgenet.Target.load("jetson-nano")),
        edgenet.compare(one, report(2.1), Gates(min_fps=24, max_drift=0.1)),
        edgenet.estimate("v1-1.0-224", "raspberry-pi-4"),
        edgenet.parity(compiled, bundle),
        edgenet.init(copy, like="keras"),
        edgenet.card_like(TIMM),
        deployment,
        Fastest(deployment, {bundle.digest: (1.0, 1.1)}, ("one is as fast as the other",)),
        Kept("tflite", "3.11", "aarch64", "ai-edge-litert==2", 10.0, ""),
        *(seen, Examination("local", tuple(examine(seen, ["tflite"], {}, 1.7e9)))),
        Quickstart(made.original, (one, report()), {"within_pp": 0.5, "fastest": None}),
    ]


TIMM = {
    "input_size": (3, 224, 224), "mean": (0.5,) * 3, "std": (0.5,) * 3,
    "interpolation": "bicubic", "crop_pct": 0.875,
}  # fmt: skip


def test_every_representation_fits_a_line(shown: list[Any]) -> None:
    assert len(shown) > 300
    long = {type(item).__name__: len(repr(item)) for item in shown if len(repr(item)) >= 300}
    assert not long
    assert all(type(item).__name__ in repr(item) for item in shown)


def test_every_public_type_and_result_shows_itself(shown: list[Any]) -> None:
    public = {value for name in edgenet.__all__ if isinstance(value := getattr(edgenet, name), type)}
    assert public - {edgenet.EdgenetError} <= {type(item) for item in shown}
    dumb = {type(item).__name__ for item in shown if not hasattr(item, "_repr_html_")}
    assert dumb == {"Golden"}, "a part of a bundle that no verb gives"


def test_a_table_is_small_well_formed_and_asks_for_nothing(shown: list[Any]) -> None:
    for item in shown:
        if not isinstance(item, Shown):
            continue
        found = item._repr_html_()
        drawn = isinstance(item, edgenet.Report | edgenet.Sweep | edgenet.FleetReport)
        assert len(found) < (80_000 if drawn else 12_000), type(item)
        assert Strict.problems(found) == [], type(item)
        assert dataclasses.is_dataclass(item)


class Strict(html.parser.HTMLParser):
    """Elements that are open, and what a notebook must not be given."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    @classmethod
    def problems(cls, text: str) -> list[str]:
        reader = cls()
        reader.feed(text)
        reader.close()
        return reader.wrong + reader.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "link", "img", "form"):
            self.wrong.append(tag)
        self.wrong += [
            f"{tag} {name}" for name, value in attrs if name.startswith("on") or "url(" in (value or "")
        ]
        self.wrong += [f"{tag} {name}" for name, value in attrs if name in ("src", "href") and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in VOID:
            self.wrong.append(f"</{tag}>")


@pytest.mark.parametrize("text", EVIL)
def test_foreign_text_is_shown_as_text(text: str, model_file: Path) -> None:
    table = report().to_table()
    table["bundle"]["model"] = table["device"]["name"] = text
    one = type(report()).from_table(table, "r")
    made = sweep()
    other = replace(made, cells=(replace(made.cells[0], model=text, device=text), *made.cells[1:]))
    bundle = edgenet.compile(model_file, "local", "onnxruntime", "fp32").bundle
    named = replace(bundle.manifest.model, name=text)
    evil = replace(bundle, manifest=bundle.manifest.changed(model=named))
    lost = board(text, reason=text, remedy=text, tags=(text,))
    away = fleet([lost, board(f"{text}2", one, tags=(text,))])
    for item in (
        one,
        other,
        evil,
        away,
        compare_fleets(away, away),
        replace(edgenet.Target.load("local"), title=text, notes=(text,)),
    ):
        found = item._repr_html_()
        assert "<" not in text or text not in found
        assert Strict.problems(found) == []
    assert text not in card(text, {text: [text, text * 9]}, Grid((text,), [[text]]))


def test_a_report_shows_its_figures_and_charts() -> None:
    found = report()._repr_html_()
    assert found.count("<svg") >= 3
    for told in ("VALID", "m tflite int8", "1.998", "70.0", "edgenet.present(report)"):
        assert told in found


def test_an_emulated_report_shows_no_speed() -> None:
    verdict = {"state": "EMULATED", "reasons": [], "limits": []}
    found = report(verdict=verdict)._repr_html_()
    assert "EMULATED" in found
    assert "p50" not in re.sub(r"<style>.*?</style>", "", found, flags=re.S)


def test_each_kind_has_a_style_of_its_own_with_both_palettes() -> None:
    """Two outputs of a notebook share its page, and a rule of one must not reach the other."""
    for item, kind in ((report(), "report"), (sweep(), "sweep")):
        found = item._repr_html_()
        style = found.partition("<style>")[2].partition("</style>")[0]
        assert style.startswith(f".edgenet-{kind}.edgenet-{kind} {{")
        assert style.count("{") == style.count("}")
        assert ":root" not in style
        assert style.count("--paper: #fbfbfa") == 2
        assert style.count("--paper: #111317") == 2
        assert 'body[data-jp-theme-light="false"] &' in style


def test_every_drawing_has_its_rules() -> None:
    """Without them the browser fills each shape with black."""
    for item in (report(), report(pipeline_ms=CAMERA), sweep()):
        style, _, rest = item._repr_html_().partition("</style>")
        drawings = re.findall(r"<svg[^>]* class=\"([^\"]+)\"", rest)
        assert drawings
        assert all(any(f".{name}" in style for name in names.split()) for names in drawings), drawings


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, ""),
        ((), ""),
        (("a", "b"), "a, b"),
        (("a sentence that is longer than any name is", "b"), "is<br>b"),
        (list(range(40)), "10, 11, … 40 in all"),
        (b"12", "2 bytes"),
        (True, "yes"),
        ("\x1b[31m\u202e", "\ufffd[31m\ufffd"),
        ({"a": 1.25, "b": None}, "a 1.25, b –"),
        ("x" * 900, f"{'x' * 600}…</td>"),
        ("choose --precision int8", "choose precision=&quot;int8&quot;"),
    ],
)
def test_a_value_in_a_table(value: Any, wanted: str) -> None:
    found = card("t", {"n": value})
    assert wanted in found
    assert ("<td" in found) is bool(wanted)
