"""The agent's own tests on the oldest and the newest Python that a board may have."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STDLIB_TESTS = (
    "test_agent_beat",
    "test_agent_child",
    "test_agent_parts",
    "facts.test_board",
    "facts.test_probe",
    "measure.test_memory",
    "store.test_home",
    "store.test_unpack",
)


def interpreter(version):
    """A real Python of this version: on the PATH, or among pyenv's."""
    if found := shutil.which(f"python{version}"):
        done = subprocess.run([found, "-c", ""], capture_output=True, check=False)
        if done.returncode == 0:
            return found
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for path in sorted(root.glob(f"{version}.*/bin/python")):
        return str(path)
    pytest.skip(f"no Python {version} here")


@pytest.mark.parametrize(
    ("version", "tests", "least"),
    [(version, STDLIB_TESTS, 30) for version in ("3.6", "3.8", "3.10", "3.11", "3.13")]
    + [(version, ("store.test_trust",), 8) for version in ("3.6", "3.13")]
    + [(version, ("demo.test_demo", "demo.test_requests"), 40) for version in ("3.6", "3.13")]
    + [(version, ("test_upkeep", "store.test_history"), 40) for version in ("3.6", "3.13")],
)
def test_unit_tests(version, tests, least, archive_path):
    done = subprocess.run(
        [interpreter(version), "-B", "-W", "error", "-m", "unittest", "-v", *tests],
        cwd=HERE,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(archive_path),
            "EDGENET_TEST_DEMO": os.environ["EDGENET_TEST_DEMO"],
            "EDGENET_TEST_PARTS": os.environ["EDGENET_TEST_PARTS"],
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ran = re.search(r"Ran (\d+) tests", done.stderr)
    assert ran
    assert int(ran[1]) >= least


@pytest.mark.parametrize("version", ["3.6", "3.8", "3.10", "3.12"])
def test_tensorrt_generations(version, archive_path):
    """The Pythons of JetPack 4, 5, 6 and 7, against a double of each TensorRT's API."""
    done = subprocess.run(
        [interpreter(version), "-B", "-W", "error", "-m", "unittest", "-v", "test_agent_tensorrt"],
        cwd=HERE,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(archive_path),
            "EDGENET_TEST_PARTS": os.environ["EDGENET_TEST_PARTS"],
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", ["3.6", "3.13"])
def test_every_file_compiles(version, archive_path, tmp_path):
    parts = sorted(Path(os.environ["EDGENET_TEST_PARTS"]).rglob("*.zip"))
    assert len(parts) > 8, "the demo, the runtimes and the tasks"
    for archive in (archive_path, *parts):
        shutil.unpack_archive(archive, tmp_path / "agent", "zip")
    command = [interpreter(version), "-W", "error", "-m", "compileall", "-q", str(tmp_path / "agent")]
    assert subprocess.run(command, check=False).returncode == 0
