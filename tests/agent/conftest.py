"""The agent's own tests import ``edgenet_agent`` from the very archives that travel."""

import os
import sys
from pathlib import Path

import pytest

from edgenet.devices.archive import agent_archive, demo_archive, part_archives


@pytest.fixture(scope="session")
def archive_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("agent") / "agent.pyz"
    path.write_bytes(agent_archive().data)
    return path


def pytest_configure(config):
    import tempfile

    folder = tempfile.TemporaryDirectory(prefix="edgenet-agent-")
    config.add_cleanup(folder.cleanup)
    path = folder.name + "/agent.pyz"
    with open(path, "wb") as stream:
        stream.write(agent_archive().data)
    sys.path.insert(0, path)
    # Where test_agent_demo.py finds the demo's part, on any Python.
    os.environ["EDGENET_TEST_DEMO"] = folder.name + "/demo.zip"
    with open(os.environ["EDGENET_TEST_DEMO"], "wb") as stream:
        stream.write(demo_archive().data)
    # Where the parts are found.
    os.environ["EDGENET_TEST_PARTS"] = folder.name
    for name, part in part_archives().items():
        place = f"{folder.name}/{name}.zip"
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as stream:
            stream.write(part.data)
    # In this process the tasks' halves need not lie on a board.
    import edgenet_agent.tasks

    for part in sorted(Path(folder.name, "tasks").iterdir()):
        edgenet_agent.__path__.append(f"{part}/edgenet_agent")
        edgenet_agent.tasks.__path__.append(f"{part}/edgenet_agent/tasks")
