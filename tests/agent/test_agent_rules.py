"""What keeps the agent small and old-Python clean."""

import ast
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edgenet.devices import archive
from edgenet.devices.bootstrap import BOOT

AGENT = Path(archive.__file__).parent.parent / "agent"
FILES = sorted(AGENT.rglob("*.py"))
# Beyond the standard library: numpy, Pillow to decode, and each runtime in its own file.
ALLOWED = {"numpy", "PIL"}
RUNTIMES = {"onnxruntime": {"onnxruntime"}, "tflite": set(), "null": set(), "tensorrt": {"tensorrt"}}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_imports_stay_on_the_floor(path):
    allowed = ALLOWED | set(sys.stdlib_module_names)
    if path.parent.name == "runtimes":
        allowed |= RUNTIMES.get(path.stem, set())
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom) and not node.level:
            assert node.module.split(".")[0] in allowed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_stay_small(path):
    assert len(path.read_text().splitlines()) <= 300


def test_numpy_is_not_needed_to_reach_a_board(archive_path):
    source = "import sys; sys.modules['numpy'] = None; from edgenet_agent import main, serve, child"
    environment = {"PYTHONPATH": str(archive_path)}
    done = subprocess.run([sys.executable, "-S", "-c", source], env=environment, check=False)
    assert done.returncode == 0


def test_language_is_python_3_6():
    pytest.importorskip("vermin")
    done = subprocess.run(
        [sys.executable, "-c", "from vermin import main; main()", "-q", "-t=3.6-", "--no-tips", str(AGENT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_boot_snippet_can_be_quoted_for_sh():
    assert "'" not in BOOT
    assert "%(" not in BOOT
    ast.parse(BOOT, feature_version=(3, 6))


def test_archive_is_small_and_always_the_same():
    first = archive.agent_archive()
    archive.agent_archive.cache_clear()
    assert archive.agent_archive() == first
    for part in (first, *archive.part_archives().values()):
        assert len(part.data) <= archive.MAX_SIZE
    assert len(archive.demo_archive().data) <= archive.MAX_DEMO


def test_the_archive_of_every_board_holds_no_half():
    halves = {
        f"{folder}/{path.stem}"
        for folder in ("runtimes", "tasks", "trust")
        for path in (AGENT / folder).glob("*.py")
        if path.stem != "__init__"
    }
    with zipfile.ZipFile(io.BytesIO(archive.agent_archive().data)) as agent:
        held = {name.removeprefix("edgenet_agent/").removesuffix(".py") for name in agent.namelist()}
        parts = json.loads(agent.read("edgenet_agent/parts.json"))
    assert not held & halves
    assert {"runtimes/__init__", "tasks/__init__", "trust/__init__"} < held
    assert parts.keys() == halves
    for name, (digest, size) in parts.items():
        part = archive.part_archives()[name].data
        assert (hashlib.sha256(part).hexdigest(), len(part)) == (digest, size)
        with zipfile.ZipFile(io.BytesIO(part)) as files:
            rest = set(files.namelist()) - {f"edgenet_agent/{name}.py"}
        assert all(file.startswith(f"edgenet_agent/{name.partition('/')[2]}/") for file in rest)


def test_no_half_of_the_agent_knows_another():
    """On a board there is the one that it needs; what several need stands in the folder's __init__."""
    halves = {name.partition("/")[2] for name in archive.part_archives()}
    for name in archive.part_archives():
        path = AGENT / f"{name}.py"
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                first = (node.module or "").partition(".")[0]
                wanted = {first} if first else {alias.name for alias in node.names}
                assert not (wanted & halves) - {path.stem}, path.name


def test_every_file_of_the_agent_travels_in_exactly_one_archive():
    """A half named like one of the agent's rooms would take that room away from every other board."""
    archives = (archive.agent_archive(), archive.demo_archive(), *archive.part_archives().values())
    sent = []
    for part in archives:
        with zipfile.ZipFile(io.BytesIO(part.data)) as files:
            sent += [name for name in files.namelist() if name.endswith(".py") and name != "__main__.py"]
    assert sorted(sent) == sorted(f"edgenet_agent/{path.relative_to(AGENT).as_posix()}" for path in FILES)
    rooms = {path.name for path in AGENT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    with zipfile.ZipFile(io.BytesIO(archives[0].data)) as agent:
        own = {name.split("/")[1] for name in agent.namelist() if name.count("/") > 1}
    assert (
        own
        == rooms - {"demo", *(name.partition("/")[2] for name in archive.part_archives())}
        == {"facts", "measure", "resample", "runtimes", "store", "tasks", "trust"}
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_indices_are_as_wide_as_the_machine_s(path):
    """``take`` refuses int64 on a 32-bit board, where it is wider than an index."""
    assert not re.search(r"astype\(np\.int64\)", path.read_text())
