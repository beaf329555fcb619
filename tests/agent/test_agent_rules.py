"""What keeps the agent small and old-Python clean."""

import ast
import hashlib
import io
import json
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
    source = "import sys; sys.modules['numpy'] = None; from edgenet_agent import main, serve, probe, child"
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
    for part in (first, archive.demo_archive(), *archive.runtime_archives().values()):
        assert len(part.data) <= archive.MAX_SIZE


def test_the_archive_of_every_board_holds_no_runtime():
    with zipfile.ZipFile(io.BytesIO(archive.agent_archive().data)) as agent:
        held = [name for name in agent.namelist() if "/runtimes/" in name]
        parts = json.loads(agent.read("edgenet_agent/runtimes/parts.json"))
    assert held == ["edgenet_agent/runtimes/__init__.py", "edgenet_agent/runtimes/parts.json"]
    assert parts.keys() == {"null", "onnxruntime", "tensorrt", "tflite"}
    for name, (digest, size) in parts.items():
        part = archive.runtime_archives()[name].data
        assert (hashlib.sha256(part).hexdigest(), len(part)) == (digest, size)
        with zipfile.ZipFile(io.BytesIO(part)) as files:
            rest = set(files.namelist()) - {f"edgenet_agent/runtimes/{name}.py"}
        assert all(file.startswith(f"edgenet_agent/{name}/") for file in rest)
