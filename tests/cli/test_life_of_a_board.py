"""``status``, ``list``, ``rollback``, ``prune`` and ``remove``: what people and programs read."""

from __future__ import annotations

import json
import time

import pytest
from click.testing import CliRunner

from edgenet.board import Board
from edgenet.cli.main import cli
from edgenet.cli.shared.status_lines import clock_note, history_rows, kept_rows, status_cells, status_lines
from edgenet.devices.connect import connect
from edgenet.devices.upkeep_answers import BoardStatus
from tests.devices.conftest import Net


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGENET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))


def ran(*words, code=0):
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    if done.exception is not None:
        return done.exception
    assert (done.return_value or 0) == code, done.output
    return done.stdout


def test_every_command_prints_one_json_document():
    with connect("local") as agent:
        for name in "abc":
            Net(name, of=name).deploy(agent)
    assert json.loads(ran("status", "--json"))["current"]["name"] == "c"
    kept = json.loads(ran("list", "--json"))
    assert [item["name"] for item in kept["deployments"]] == ["c", "b", "a"]
    assert (kept["current"], kept["previous"]) == (Net("c").digest, Net("b").digest)
    assert json.loads(ran("rollback", "--json"))["name"] == "b"
    assert json.loads(ran("rollback", "--to", Net("c").digest[:8], "--json"))["name"] == "c"
    assert json.loads(ran("remove", Net("b").digest[:12], "--json"))["removed"][0].startswith("deployment b")
    assert json.loads(ran("prune", "--keep", "1", "--json"))["removed"][0].startswith("deployment a")
    assert json.loads(ran("list", "--json"))["previous"] is None
    assert json.loads(ran("status", "--json"))["history"][0]["what"] == "prune"


def test_people_read_it_in_lines():
    assert "nothing is deployed on local" in ran("list")
    with connect("local") as agent:
        Net("a").deploy(agent)
    assert "current      a (" in ran("status")
    assert "a" in ran("list")
    assert "removed on local: nothing" in ran("prune")
    assert "current deployment" in str(ran("remove", Net("a").digest))


def test_several_boards_are_one_table_and_one_document(tmp_path):
    lines = []
    for name in ("kitchen", "garage"):
        with connect(Board("local", home=str(tmp_path / name))) as agent:
            Net(name).deploy(agent)
        lines += [f"[boards.{name}]", 'device = "local"', f'home = "{tmp_path / name}"']
    (tmp_path / "fleet.toml").write_text("\n".join(lines))
    shown = ran("status", "--fleet", str(tmp_path / "fleet.toml"))
    assert all(f"{name} ({Net(name).digest[:12]})" in shown for name in ("kitchen", "garage"))
    told = json.loads(ran("list", "--fleet", str(tmp_path / "fleet.toml"), "--json"))["boards"]
    assert [item["result"]["deployments"][0]["name"] for item in told] == ["kitchen", "garage"]
    told = json.loads(ran("rollback", "--fleet", str(tmp_path / "fleet.toml"), "--json", code=4))["boards"]
    assert all("no earlier deployment" in item["reason"] and item["remedy"] for item in told)


def test_a_machine_of_two_names_is_rolled_back_once(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    homes = {"here": tmp_path / "shelf", "there": tmp_path / "link" / "shelf"}
    with connect(Board("local", home=str(homes["here"]))) as agent:
        for name in "ab":
            Net(name).deploy(agent)
    lines = [f'[boards.{name}]\ndevice = "local"\nhome = "{home}"\n' for name, home in homes.items()]
    (tmp_path / "fleet.toml").write_text("".join(lines))
    told = json.loads(ran("rollback", "--fleet", str(tmp_path / "fleet.toml"), "--json", code=4))["boards"]
    assert sorted(item["state"] for item in told) == ["done", "failed"]
    assert any("are one machine" in (item["reason"] or "") for item in told)
    assert json.loads(ran("list", "--board-home", str(homes["here"]), "--json"))["current"] == Net("a").digest


def found(**more):
    kept = {"digest": "a" * 64, "name": "m.tflite.int8", "backend": "tflite", "since": 0.0}
    empty = {"deployments": [kept], "current": kept, "free_mb": 5.0, "clock_s": time.time(), "history": []}
    return BoardStatus.from_table({**empty, **more})


def test_a_wrong_clock_is_told():
    assert clock_note(found()) is None
    assert "3.0 years behind" in str(clock_note(found(clock_s=time.time() - 3 * 365.25 * 86400)))
    assert "2.0 hours ahead" in str(clock_note(found(clock_s=time.time() + 7200)))


def test_what_is_not_known_is_a_dash():
    told = {"n": 1, "what": "x", "result": "ok"}
    bare = found(current=None, deployments=[{"digest": "b" * 64}], history=[told])
    assert dict(status_lines(bare))["current"] == "none"
    assert kept_rows(bare)[0][1:4] == ["–", "–, the board's own", "–"]
    assert history_rows(bare)[0][:2] == ["–", "–"]
    assert status_cells(bare)["current"] == "–"
