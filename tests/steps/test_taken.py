"""Every verb takes the same kinds of arguments: what stands for a thing in one stands for it in all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import edgenet
from edgenet.cards.preset import Preset
from edgenet.devices.ssh import ssh_command
from edgenet.errors import EdgenetError
from edgenet.frame import Frame
from edgenet.library import find
from tests.conftest import CHEAP
from tests.fleets.made import fleet
from tests.reports import report
from tests.sweeps.made import sweep as swept


class Began(Exception):
    """A verb began its work."""


# Where the work of a verb begins, by then all that was given is read; no work is done here.
BEGINS = {
    "compile": "edgenet.steps.compiler.Compiler.compile",
    "demo": "edgenet.steps.demo.connect",
    "deploy": "edgenet.steps.deploy.connect",
    "deploy_fastest": "edgenet.steps.fastest.connect",
    "deploy_fleet": "edgenet.fleets.deploying.each",
    "doctor": "edgenet.steps.doctor.connect",
    "init": "edgenet.steps.init.propose",
    "own_target": "edgenet.steps.own_target.connect",
    "parity": "edgenet.steps.parity.run_bundle",
    "probe": "edgenet.steps.probe.connect",
    "profile": "edgenet.steps.profile.connect",
    "profile_fleet": "edgenet.fleets.profiling.each",
    "prune": "edgenet.steps.prune.connect",
    "quantize_model": "edgenet.steps.quantize.with_class_names",
    "quickstart": "edgenet.steps.quickstart.compile",
    "rollback": "edgenet.steps.rollback.connect",
    "rollout": "edgenet.fleets.rollout.held",
    "status": "edgenet.steps.status.connect",
    "sweep": "edgenet.sweeps.sweep.Store",
    "trusted": "edgenet.steps.trust.connect",
    "wheelhouse": "edgenet.steps.wheelhouse.build",
}
# Every other verb is quick enough to be done; card_like takes what frameworks say and nothing of ours.
DONE = {"compare", "compare_fleets", "estimate", "plan", "present", "to_frame"}
# Those of keys, files beside bundles and digests have tests of their own.
OTHER = {"card_like", "each", "remove", "sign", "signed_by", "trust", "untrust"}


@dataclass(frozen=True)
class Kinds:
    """One thing in every kind that stands for it."""

    model: tuple[Any, ...]
    file: tuple[Any, ...]
    target: tuple[Any, ...]
    recipe: tuple[Any, ...]
    protocol: tuple[Any, ...]
    bundle: tuple[Any, ...]
    images: tuple[Any, ...]
    labelled: tuple[Any, ...]
    report: tuple[Any, ...]
    results: tuple[Any, ...]
    bundles: tuple[Any, ...]
    targets: tuple[Any, ...]
    plan: tuple[Any, ...]
    card: tuple[Any, ...]
    labels: tuple[Any, ...]
    preset: tuple[Any, ...]
    options: tuple[Any, ...]
    frame: tuple[Any, ...]
    fleet: tuple[Any, ...]
    run: tuple[Any, ...]
    device: tuple[Any, ...] = ("local",)


# Verb → its arguments and what kind each is of; the first of a kind stands wherever another is tried.
TAKES: Mapping[str, Mapping[str, str]] = {
    "compare": {"a": "report", "b": "report"},
    "compare_fleets": {"a": "run", "b": "run"},
    "compile": {"model": "model", "target": "target", "recipe": "recipe", "calibration": "images"},
    "demo": {"bundle": "bundle", "device": "device", "options": "options"},
    "deploy": {"bundle": "bundle", "device": "device"},
    "deploy_fastest": {"bundles": "bundles", "device": "device"},
    "deploy_fleet": {"bundles": "bundles", "fleet": "fleet"},
    "doctor": {"device": "device"},
    "estimate": {"model": "model", "target": "target"},
    "init": {"model": "file", "like": "preset", "images": "labelled", "labels": "labels", "output": "file"},
    "own_target": {"device": "device"},
    "parity": {"a": "bundle", "b": "bundle", "images": "labelled"},
    "plan": {"model": "model", "target": "target", "recipe": "recipe"},
    "present": {"results": "results"},
    "probe": {"device": "device"},
    "profile": {
        "bundle": "bundle", "device": "device", "protocol": "protocol", "val": "labelled", "frame": "frame",
    },
    "profile_fleet": {
        "bundles": "bundles", "fleet": "fleet", "protocol": "protocol", "val": "labelled", "frame": "frame",
    },
    "prune": {"device": "device"},
    "quantize_model": {"model": "model", "recipe": "recipe", "calibration": "images"},
    "quickstart": {"protocol": "protocol"},
    "rollback": {"device": "device"},
    "rollout": {"bundles": "bundles", "fleet": "fleet"},
    "status": {"device": "device"},
    "to_frame": {"results": "results"},
    "trusted": {"device": "device"},
    "sweep": {"plan": "plan", "folder": "file"},
    "wheelhouse": {"targets": "targets"},
}  # fmt: skip
# With a file of one's own, its card and its names too.
WITH_A_FILE: Mapping[str, Mapping[str, str]] = {
    name: {"preprocessing": "card", "labels": "labels"} for name in ("compile", "plan", "quantize_model")
}


def own(kind: str, name: str, folder: Path) -> tuple[str, Path, str]:
    """A name, and a file of one's own as a path and as text."""
    path = Path(shutil.copy(find(kind, name), folder / f"own-{kind}.toml"))
    return name, path, str(path)


@pytest.fixture(scope="module")
def kinds(model_file: Path, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Kinds:
    folder = tmp_path_factory.mktemp("kinds")
    model = edgenet.Model.load(model_file)
    made = edgenet.quantize_model(model, CHEAP, photos)
    compiled = edgenet.compile(made, "local", "onnxruntime", "int8")
    bundle = compiled.write(folder / "b.edgenet")
    one, text = report(), folder / "r.json"
    one.write(text)
    sweep = folder / "s.json"
    swept().write(sweep)
    boards, run = folder / "boards.toml", folder / "fleet.json"
    boards.write_text('[boards.a]\ndevice = "local"\n')
    fleet().write(run)
    names = folder / "names.txt"
    names.write_text("\n".join("abcde"))
    target, recipe = own("target", "local", folder), own("recipe", CHEAP, folder)
    protocol, plan = own("protocol", "quick", folder), own("sweep", "what-to-train", folder)
    images = edgenet.ImageSet.load(photos)
    asked = {"files": "signs", "boards": "local", "val": photos, "frame": "640x480:yuyv", "recipe": CHEAP}
    bundles = (bundle, str(bundle), edgenet.Bundle.load(bundle), compiled)
    return Kinds(
        model=(model_file, str(model_file), model, "signs"),
        file=(folder / "new.onnx", str(folder / "new.onnx")),
        target=(*target, edgenet.Target.load("local")),
        recipe=(*recipe, edgenet.Recipe.load(CHEAP), None),
        protocol=(*protocol, edgenet.Protocol.load("quick")),
        bundle=bundles,
        images=(photos, str(photos), images, "signs"),
        labelled=(photos, str(photos), images, None),
        report=(text, str(text), one),
        results=(text, str(text), one, [text, one], (str(text),), sweep, swept(), [swept()]),
        bundles=(*bundles, list(bundles), (bundle,)),
        targets=("raspberry-pi-4", edgenet.Target.load("raspberry-pi-4"), [find("target", "raspberry-pi-4")]),
        plan=(
            *(*plan, edgenet.SweepPlan.load(plan[1]), edgenet.SweepPlan().changed(**asked)),
            edgenet.SweepPlan().changed(files=[model_file, "signs"], val=images, calibration="signs"),
            edgenet.SweepPlan().changed(families="v1", screen=edgenet.Protocol.load("real-time")),
        ),
        card=(model_file.with_suffix(".toml"), str(model_file.with_suffix(".toml")), None),
        labels=(names, str(names), None),
        preset=("keras", find("preset", "keras"), Preset.load("keras"), None),
        options=(None, *(edgenet.DemoOptions(against=item, source="synthetic") for item in bundles)),
        frame=(None, "640x480", Frame(640, 480)),
        fleet=(boards, str(boards), edgenet.Fleet.load(boards)),
        run=(run, str(run), edgenet.FleetReport.load(run)),
    )


@pytest.fixture(autouse=True)
def begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """No verb does its work."""

    def stop(*_: Any, **__: Any) -> None:
        raise Began

    for place in BEGINS.values():
        monkeypatch.setattr(place, stop)
    monkeypatch.setattr("edgenet.steps.to_frame.data_frame", list)  # pandas need not be there


def call(name: str, arguments: Mapping[str, Any], tmp_path: Path) -> None:
    """Call a verb; it begins its work, or ends it."""
    verb: Callable[..., Any] = getattr(edgenet, name)
    if name == "init":
        file = Path(arguments["model"])
        shutil.copy(MODEL[0], file)
        arguments = {**arguments, "model": type(arguments["model"])(file), "force": True}
    if name == "sweep":
        arguments = {**arguments, "folder": tmp_path}
    try:
        verb(**arguments)
    except Began:
        assert name in BEGINS
    else:
        assert name in DONE or (name == "init" and arguments["images"] is None)


MODEL: list[Path] = []


@pytest.mark.parametrize("name", sorted(TAKES))
def test_a_verb_takes_every_kind(name: str, kinds: Kinds, model_file: Path, tmp_path: Path) -> None:
    MODEL[:] = [model_file]
    takes = TAKES[name]
    usual = {argument: getattr(kinds, kind)[0] for argument, kind in takes.items()}
    usual |= {"precision": "int8"} if name in ("compile", "plan") else {}
    usual |= {"form": "csv"} if name == "present" else {}
    for argument, kind in takes.items():
        for value in getattr(kinds, kind):
            call(name, {**usual, argument: value}, tmp_path)
    for argument, kind in WITH_A_FILE.get(name, {}).items():
        for value in getattr(kinds, kind):
            call(name, {**usual, argument: value}, tmp_path)


def test_every_verb_is_in_the_table() -> None:
    verbs = {name for name in edgenet.__all__ if not isinstance(getattr(edgenet, name), type)} - {
        "__version__"
    }
    assert verbs == set(TAKES) | OTHER
    assert set(BEGINS) | DONE == set(TAKES)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        (name, argument)
        for name, takes in TAKES.items()
        for argument, kind in takes.items()
        if kind in ("target", "recipe", "protocol", "bundle", "images", "labelled", "report")
    ],
)
def test_what_is_no_such_thing_is_refused_in_a_line(name: str, argument: str, kinds: Kinds) -> None:
    usual = {item: getattr(kinds, kind)[0] for item, kind in TAKES[name].items()}
    usual |= {"force": True} if name == "init" else {}
    with pytest.raises(EdgenetError, match=r"^a complex is no \w+: give an? \w+, its name or its path$"):
        getattr(edgenet, name)(**{**usual, argument: 1j})


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("present", ("r", "pdf"), "there is no form 'pdf': choose from html, md, csv"),
        ("present", ([],), "no report is given: give a report"),
        ("present", (None,), "a NoneType is no report: give a Report"),
        ("present", (["r", 3],), "an int is no report: give a Report"),
        ("to_frame", ([],), "no report is given: give a report"),
        ("compare", ("r", "r", {"max_slowdown": 5}), "a dict is no limits of a comparison: give edgenet"),
        ("plan", (None,), "a NoneType is not a model that edgenet knows: give a keras"),
        ("compile", (3, "local", "onnxruntime", "fp32"), "an int is not a model that edgenet knows"),
        ("plan", ("signs", "local", "tflite", 8), "there is no precision 8: choose precision="),
        ("plan", ("signs", "local", 8), "there is no backend 8: choose"),
    ],
)  # fmt: skip
def test_an_argument_of_a_wrong_kind_is_refused(
    name: str, arguments: tuple[Any, ...], message: str, kinds: Kinds
) -> None:
    path = str(kinds.report[0])
    given = [path if item == "r" else item for item in arguments]
    given = [[path if part == "r" else part for part in item] if item == ["r", 3] else item for item in given]
    with pytest.raises(EdgenetError) as caught:
        getattr(edgenet, name)(*given)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("device", [3, None, b"local"])
def test_a_device_is_named_in_a_text(device: object) -> None:
    with pytest.raises(EdgenetError, match="is not a board's name: give"):
        ssh_command(device, ["true"], False)  # type: ignore[arg-type]


def test_a_model_in_memory_has_no_file_for_a_card_or_a_worker(model: edgenet.Model) -> None:
    with pytest.raises(EdgenetError, match="is in memory, a card stands beside a file: give the path"):
        edgenet.init(model)
    with pytest.raises(EdgenetError, match="a sweep reads every model from its file: give the path"):
        edgenet.SweepPlan().changed(files=[model])


def test_a_part_of_a_folder_is_no_folder_of_a_sweep(photos: Path) -> None:
    with pytest.raises(EdgenetError, match="a part of its images: give a folder of those alone"):
        edgenet.SweepPlan().changed(val=edgenet.ImageSet.load(photos).head(3))
