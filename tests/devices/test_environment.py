"""Variables for the user's own Pythons, set in ``.bashrc`` or the like: what edgenet starts runs without."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from edgenet.devices.connect import connect
from tests.devices.test_bootstrap import PYENV
from tests.pythons import python_with


@pytest.fixture
def old(tmp_path):
    """A folder of modules for Python 2 that hide what the agent and the runtime import."""
    folder = tmp_path / "python2"
    folder.mkdir()
    for name in ("json", "hashlib", "queue", "numpy", "PIL", "sitecustomize"):
        (folder / f"{name}.py").write_text(f'print "{name} for Python 2"\n')
    return str(folder)


def variables(old):
    return [
        {"PYTHONHOME": "/nowhere"},
        {"PYTHONPATH": old},
        {"PYTHONSTARTUP": f"{old}/json.py", "PYTHONSAFEPATH": "1", "PYTHONPLATLIBDIR": "nowhere"},
        {
            "PYTHONIOENCODING": "utf-16",
            "PYTHONWARNINGS": "error",
            "PYTHONOPTIMIZE": "2",
        },
        {"PYTHONHOME": "/nowhere", "PYTHONPATH": old, "PYTHONNOUSERSITE": "1"},
    ]


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("device", ["local", "board"])
def test_a_model_runs_whatever_other_pythons_need(device, number, old, request, monkeypatch, net, picture):
    names = variables(old)[number]
    if device == "local":
        for name, value in names.items():
            monkeypatch.setenv(name, value)
    else:
        request.getfixturevalue("start_board")({"EDGENET_PYTHON": sys.executable, **names})
    with connect(device) as agent:
        assert agent.facts(["null"]).runtimes == {"null": "1"}
        assert agent.facts().decodes == ("ppm", "jpeg", "png")
        net().deploy(agent)
        session = agent.open(None, 1)
        assert len(session.bench({"min_runs": 5}, [picture(1)]).model_ms) == 5


@pytest.mark.parametrize("version", ["3.6", "3.13"])
@pytest.mark.parametrize("base", [None, "packages"])
def test_what_pip_installed_for_the_user_is_seen(start_board, tmp_path, version, base):
    found = sorted(PYENV.glob(f"{version}.*/bin/python"))
    if not found:
        pytest.skip(f"no Python {version} here")
    folder = tmp_path / (base or "board/home/.local") / f"lib/python{version}/site-packages"
    folder.mkdir(parents=True)
    (folder / "onnxruntime.py").write_text("__version__ = '1.2.3'\n")
    (folder / "numpy.py").write_text("")
    more = {"PYTHONUSERBASE": str(tmp_path / base)} if base else {}
    start_board({"EDGENET_PYTHON": str(found[0]), "PYTHONHOME": "/nowhere", **more})
    with connect("board") as agent:
        assert agent.facts(["onnxruntime"]).runtimes == {"onnxruntime": "1.2.3"}


def test_a_python_is_tried_as_it_is_run(start_board, tmp_path):
    """One whose start-up files end it is no Python for the agent; the next is taken."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text("import os\nos._exit(3)\n")
    broken = Path(python_with(tmp_path / "site", tmp_path / "broken"))
    broken.rename(broken.with_name("python3"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3.14").symlink_to(sys.executable)
    start_board({"PATH": os.pathsep.join([str(broken.parent), str(tmp_path / "bin"), "/usr/bin", "/bin"])})
    with connect("board") as agent:
        assert agent.facts().python_executable == str(tmp_path / "bin/python3.14")
