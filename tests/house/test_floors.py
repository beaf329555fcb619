"""Imports go only downwards, strangers stay strangers, and each foreign library has one place."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import ROOT, imports, parsed, sources

# Lowest first. A row's groups are strangers to each other; modules within a group may know each other.
TYPES = {
    "address", "board", "bundle", "change", "fleet", "fleet_limit", "fleet_report", "frame", "imageset",
    "inventory", "manifest", "model", "pipeline", "preprocessing", "protocol", "published", "recipe",
    "report", "ssh_words", "swept", "target",
}  # fmt: skip
PARTS = {
    "breakdown", "card", "cards", "detection", "drift", "facts", "golden", "image_files", "importer",
    "importers", "labels", "measured", "metric", "network", "onnx_file", "soundness", "task", "tasks",
}  # fmt: skip
# What tasks and reports compute with.
ALONE = {
    "classifier_drift",
    "confusion",
    "confusion_matrix",
    "crossed_loss",
    "geography",
    "mistakes",
    "original",
    "outliers",
    "sigmoids",
    "signatures",
    "statistics",
    "verification",
}
FOUNDATION = {
    "arguments", "arrays", "cache", "csv_table", "data_frame", "errors", "figures", "files", "json_file",
    "json_value", "library", "locks", "log", "notebook", "packed", "pages", "progress", "record", "shell",
    "text", "text_file", "tflite_schema", "threads",
}  # fmt: skip
FLOORS = (
    ("0", (FOUNDATION,)),
    ("1", (TYPES | PARTS | ALONE,)),
    ("2", ({"graph"}, {"zoo"}, {"views"})),
    ("2, above graph", ({"quantize"}, {"estimates"})),
    ("3", ({"backend", "backends"}, {"devices"})),
    ("3, above both", ({"verify"}, {"live"})),
    ("3, above verify", ({"measure"},)),
    ("4", ({"steps"},)),
    ("4, above steps", ({"sweeps"}, {"fleets"})),
    ("5", ({"cli", "__main__"},)),
)
# The board's side stands apart; these of its files are all that the host may import.
AGENT = "agent"
SHARED_WITH_THE_HOST = (
    "edgenet.agent.demo.gate",
    "edgenet.agent.detection",
    "edgenet.agent.preprocess",
    "edgenet.agent.signed.kept",
    "edgenet.agent.tasks",
    "edgenet.agent.tunnel",
    "edgenet.agent.wire",
)
# ``edgenet`` itself is the front door: it opens every room; from within only its version is asked.
DOOR, VERSION = "edgenet", "edgenet.__version__"

CLUSTERS = (
    "sweeps/joined_cluster.py",
    "sweeps/local_cluster.py",
    "sweeps/on_dask.py",
    "sweeps/on_worker.py",
    "sweeps/sending.py",
)
# Library → the files, or folders, that may import it.
PLACES = {
    "ai_edge_litert": (
        "backends/tflite.py",
        "backends/lowering/",
        "agent/runtimes/tflite.py",
        "tflite_schema.py",
    ),
    "tflite": ("tflite_schema.py",),
    "click": ("cli/",),
    "cryptography": ("signatures/ed25519.py",),
    "dask": CLUSTERS,
    "distributed": CLUSTERS,
    "h5py": ("importers/keras_network/dump.py",),
    "jinja2": ("views/template.py",),
    # Training proves its export against torch before it writes it.
    "onnxruntime": (
        "graph/evaluate.py",
        "agent/runtimes/onnxruntime.py",
        "zoo/training.py",
    ),
    "PIL": (
        "agent/decoding.py",
        "agent/preprocess.py",
        "agent/resample/pillow.py",
        "zoo/scenes/",
        "zoo/signs/",
    ),
    "cv2": ("agent/resample/opencv.py", "agent/demo/sources/opencv.py"),
    "segno": ("cli/shared/qr.py",),
    "simplejpeg": ("agent/decoding.py",),
    "pygal": ("views/svg.py",),
    "rich": ("cli/",),
    "subprocess": (
        "devices/",
        "agent/check.py",
        "agent/child.py",
        "agent/signed/keygen.py",
        "agent/demo/program.py",
        "importers/framework/",
        "importers/keras_network/hdf5.py",
    ),
    "pandas": ("data_frame.py",),
    "picamera2": ("agent/demo/sources/picamera.py",),
    "tensorrt": ("agent/runtimes/tensorrt.py",),
    "tensorrt_rtx": ("agent/runtimes/tensorrt.py",),
    "tflite_runtime": ("agent/runtimes/tflite.py",),
    "torch": ("zoo/in_torch.py", "zoo/training.py", "zoo/scenes/train.py", "zoo/signs/train.py"),
}
MAX_LINES, MAX_FUNCTION = 400, 60
STUB = re.compile(r"\b(TODO|FIXME|XXX|HACK|raise NotImplementedError|placeholder)\b", re.IGNORECASE)
# A sensor's word for a reading that means nothing.
NO_STUB = {("edgenet.agent.facts.sensors", "placeholder")}

SOURCES = sources()


def room(name: str) -> str:
    """The part of the tree a module stands in: ``edgenet.graph.graph`` → ``graph``."""
    return name.split(".")[1] if "." in name else DOOR


def place(wanted: str) -> tuple[int, int]:
    """(floor, group) of a room."""
    for level, (_, groups) in enumerate(FLOORS):
        for number, group in enumerate(groups):
            if wanted in group:
                return level, number
    raise KeyError(wanted)


def allowed(source: str, target: str) -> bool:
    """Whether a module of edgenet may import another, or ``edgenet.__version__``."""
    if source == DOOR or target == VERSION:
        return True
    here, there = room(source), room(target)
    if AGENT in (here, there):
        return here == there or target.startswith(SHARED_WITH_THE_HOST)
    if there == DOOR:
        return False
    (level, group), (other_level, other_group) = place(here), place(there)
    return other_level < level or (other_level, other_group) == (level, group)


def module(target: str) -> str:
    """An imported name as the module it comes from: ``edgenet.errors.ModelError`` → ``edgenet.errors``."""
    while target != VERSION and target not in SOURCES:
        target = target.rpartition(".")[0]
    return target


def every_import() -> Iterator[tuple[str, str, str]]:
    """(where, importing module, imported name) over the whole package."""
    for name, path in SOURCES.items():
        for line, target in imports(name, path):
            yield f"{path.relative_to(ROOT)}:{line} imports {target}", name, target


def test_every_module_has_a_floor() -> None:
    rooms = {room(name) for name in SOURCES} - {DOOR, AGENT}
    listed = {member for _, groups in FLOORS for group in groups for member in group}
    assert rooms == listed


def test_imports_go_downwards() -> None:
    ours = [item for item in every_import() if item[2].partition(".")[0] == DOOR]
    assert len(ours) > 200, "the test sees the tree"
    assert not [where for where, name, target in ours if not allowed(name, module(target))]


def test_libraries_stay_in_their_place() -> None:
    wrong = [
        where
        for where, _, target in every_import()
        if (library := target.partition(".")[0]) in PLACES
        and not where.removeprefix("edgenet/").startswith(PLACES[library])
    ]
    assert not wrong


def test_only_declared_libraries_are_imported() -> None:
    expected = {"flatbuffers", "google", "numpy", "onnx", "packaging", DOOR, *PLACES} | set(
        sys.stdlib_module_names
    )
    assert not [where for where, _, target in every_import() if target.partition(".")[0] not in expected]


def test_a_place_that_nobody_uses_is_no_rule() -> None:
    waiting = {"tensorrt"}  # its half on the board is still to come
    assert set(PLACES) - waiting <= {target.partition(".")[0] for _, _, target in every_import()}


def test_no_stub_is_left() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for name, path in SOURCES.items()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := STUB.search(line)) and (name, match[0].lower()) not in NO_STUB
    ]
    empty = [
        f"{where}: an empty body"
        for where, node in functions()
        if len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
    ]
    assert not found + empty


def test_files_are_short() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in SOURCES.items()}
    assert not {name: count for name, count in lengths.items() if count > MAX_LINES}


def test_functions_are_short() -> None:
    lengths = {where: (node.end_lineno or node.lineno) - node.lineno + 1 for where, node in functions()}
    assert not {where: count for where, count in lengths.items() if count > MAX_FUNCTION}


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in SOURCES.values():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


class TestTheRuleItself:
    """What the rule must refuse, so that a rule that lets everything pass is seen."""

    @pytest.mark.parametrize(
        ("source", "target"),
        [
            ("edgenet.errors", "edgenet.model"),
            ("edgenet.graph.graph", "edgenet.zoo.mobilenet_v1"),
            ("edgenet.graph.graph", "edgenet.quantize.calibration.ranges"),
            ("edgenet.backends.tflite", "edgenet.devices.agent"),
            ("edgenet.devices.agent", "edgenet.backend"),
            ("edgenet.steps.profile", "edgenet.cli.shared.output"),
            ("edgenet.agent.serve", "edgenet.errors"),
            ("edgenet.devices.agent", "edgenet.agent.store.home"),
            ("edgenet.model", "edgenet"),
        ],
    )
    def test_refused(self, source: str, target: str) -> None:
        assert not allowed(source, target)

    @pytest.mark.parametrize(
        ("source", "target"),
        [
            ("edgenet.model", "edgenet.errors"),
            ("edgenet.quantize.quantizer", "edgenet.graph.graph"),
            ("edgenet.imageset", "edgenet.agent.preprocess"),
            ("edgenet.devices.agent", "edgenet.agent.wire"),
            ("edgenet.agent.serve", "edgenet.agent.store.home"),
            ("edgenet.steps.compile", "edgenet.__version__"),
            ("edgenet", "edgenet.steps.compile"),
        ],
    )
    def test_allowed(self, source: str, target: str) -> None:
        assert allowed(source, target)

    def test_relative_and_late_imports_are_seen(self, tmp_path: Path) -> None:
        path = tmp_path / "serve.py"
        path.write_text(
            "from . import wire\nfrom .store import Store\ndef f():\n import click\n"
            "import_module('torch.nn')\n"
        )
        names = [target for _, target in imports("edgenet.agent.serve", path)]
        assert set(names) == {"edgenet.agent.wire", "edgenet.agent.store.Store", "torch.nn", "click"}
