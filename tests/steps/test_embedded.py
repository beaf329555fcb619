"""The trained models that travel with edgenet, chosen by task."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenet.card import read_card
from edgenet.errors import ModelError, PlanError
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.steps.demo import DemoOptions, demo
from edgenet.steps.embedded import embedded_name
from edgenet.steps.source import read_float
from edgenet.zoo import EMBEDDED, embedded


def test_each_is_of_another_task_and_has_its_sets() -> None:
    tasks = {name: read_card(embedded(name).with_suffix(".toml")).task.name for name in EMBEDDED}
    assert {embedded_name(task): task for task in tasks.values()} == tasks
    for name in EMBEDDED:
        for split in ("calib", "val"):
            assert len(ImageSet.load(image_folder(name, split))) >= 128


@pytest.mark.parametrize("name", EMBEDDED)
def test_its_name_is_taken_for_a_model_where_no_file_is_called_so(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_float(name).name == name
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(b"no model")
    with pytest.raises(ModelError, match=name):
        read_float(name)


def test_a_task_without_one_is_told() -> None:
    with pytest.raises(
        PlanError, match="no model of the task 'embedding' .*choose classification or detection"
    ):
        embedded_name("embedding")


def test_a_bundle_says_itself_what_it_is_for(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="leave task= out"):
        demo(tmp_path / "x.edgenet", options=DemoOptions(task="detection"))
