"""The promise of docs/add-a-backend.md and docs/add-a-task.md: one file on each side, no list is edited."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgenet.backend import backend_names
from edgenet.model import Model
from edgenet.zoo import embedded
from tests.house.tree import PACKAGE, ROOT

# ONNX under another name: what a new backend must bring is the two files, not a new format.
HOST = '''
"""A toy."""

from pathlib import Path

from edgenet.backend import Artifact, Backend
from edgenet.graph.evaluate import Evaluator
from edgenet.manifest import TensorSpec


class Toy(Backend):
    name = "toy"
    precisions = ("fp32",)

    def lower(self, model, target):
        data = model.proto.SerializeToString(deterministic=True)
        return Artifact(data, "model.toy", TensorSpec.float32(model.classes, model.output))

    def open(self, artifact, threads=1):
        return Session(Evaluator(artifact.read_bytes(), threads=threads))


class Session:
    def __init__(self, evaluator):
        self.run = evaluator.row


def backend():
    return Toy()
'''
BOARD = '''
"""A toy."""

import onnxruntime


def version():
    return "toy 1"


class Session(object):
    def __init__(self, path, threads):
        with open(path, "rb") as stream:
            self._session = onnxruntime.InferenceSession(stream.read(), providers=["CPUExecutionProvider"])
        self._name = self._session.get_inputs()[0].name

    def describe(self):
        return {"input": {"name": self._name}, "output": {}, "threads": 1}

    def set_input(self, pixels):
        self._pixels = pixels

    def invoke(self):
        self._output = self._session.run(None, {self._name: self._pixels})[0]

    def output(self):
        return self._output.reshape(-1)
'''
# A task of its own: the least likely class.
TASK_HOST = '''
"""A toy."""

import numpy as np

from edgenet.tasks import classification


class Least(classification.Classification):
    name = "least"

    def answers(self, values, truth):
        return values.argmin(axis=1)


TASK, METRICS = Least, classification.METRICS[-1:]
'''
TASK_BOARD = '''
"""A toy."""


class Reader(object):
    def __init__(self, manifest):
        self._labels = manifest["labels"]

    def label(self, raw):
        return self._labels[int(raw.argmin())]

    def top(self, raw):
        return [[self.label(raw), 1.0, int(raw.argmin())]]
'''
CHAIN = """
import json
import sys

import edgenet
from edgenet.devices.archive import agent_archive, part_archives
from edgenet.steps.doctor import doctor
from edgenet.target import Target

made = edgenet.compile(sys.argv[2], Target.load(sys.argv[1]), "toy", "fp32").bundle
done, again = edgenet.deploy(made, "local"), edgenet.deploy(made, "local")
report = edgenet.profile(made, "local", "quick")
found = {item.name: item.state for item in doctor("local", "toy").conditions}
print(json.dumps({
    "package": edgenet.__file__, "runtime": done.runtime, "second": again.bytes_sent,
    "task": report.drift.task, "worst": report.drift.worst[0].answer_label,
    "fps": report.fps.model, "agreement": report.drift.agreement, "doctor": found["runtime toy"],
}))
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A copy of the package with a backend and a task more, and what names them: a target, a model's card."""
    copy = tmp_path / "tree" / "edgenet"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "backends" / "toy.py").write_text(HOST, encoding="utf-8")
    (copy / "agent" / "runtimes" / "toy.py").write_text(BOARD, encoding="utf-8")
    (copy / "tasks" / "least.py").write_text(TASK_HOST, encoding="utf-8")
    (copy / "agent" / "tasks" / "least.py").write_text(TASK_BOARD, encoding="utf-8")
    for data in ("targets", "calibration", "profiles"):
        (copy / data).symlink_to(ROOT / data)
    target = (ROOT / "targets" / "local.toml").read_text(encoding="utf-8")
    (tmp_path / "toy.toml").write_text(f'{target}\n[backends.toy]\nprecisions = ["fp32"]\n', encoding="utf-8")
    card = embedded().with_suffix(".toml").read_text(encoding="utf-8")
    (tmp_path / "signs.onnx").write_bytes(embedded().read_bytes())
    (tmp_path / "signs.toml").write_text(card.replace('"classification"', '"least"'), encoding="utf-8")
    return tmp_path


def test_a_backend_and_a_task_of_one_file_on_each_side_go_the_whole_way(toy: Path) -> None:
    variables = {"PYTHONPATH": str(toy / "tree"), "EDGENET_HOME": str(toy / "home")}
    done = subprocess.run(
        [sys.executable, "-c", CHAIN, str(toy / "toy.toml"), str(toy / "signs.onnx")],
        env={**os.environ, **variables, "EDGENET_CACHE": str(toy / "cache")},
        cwd=toy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["package"].startswith(str(toy)), "the copy ran, not this checkout"
    assert told["runtime"] == "toy 1"
    assert told["fps"] > 0
    assert told["agreement"] == 1.0
    assert told["task"] == "least"
    assert told["worst"] in Model.load(embedded()).labels
    assert told["second"] <= 4096
    assert told["doctor"] == "ok"


STEPS = ("finish", "doctor", "wheelhouse", "parity", "stage", "plan", "probe", "profile")
ROOMS = ("verify", "measure")


def test_no_step_asks_for_a_backend_by_its_name() -> None:
    """Where a name decides, a new backend is forgotten; ``Backend`` has a method for it instead."""
    word = re.compile("|".join(rf"\"{name}\"|backends\.{name}\b" for name in backend_names()))
    files = [PACKAGE / "steps" / f"{name}.py" for name in STEPS] + [PACKAGE / "backend.py"]
    files += [path for room in ROOMS for path in (PACKAGE / room).glob("*.py")]
    assert len(backend_names()) >= 3
    assert not [path.name for path in files if word.search(path.read_text(encoding="utf-8"))]
