"""Ansible as the peer of `edgenet deploy`: the same artifact to the same boards, copied and unpacked."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path

from fleet_boards import Simulated, sent, ssh

from edgenet.bundle import Bundle

__all__ = ["peer"]


def peer(where: Path, folder: Path, bundle: Path, found: Sequence[Simulated], forks: int) -> None:
    """Run the play twice, the second time with nothing to change, and print time, bytes and processor time.

    Args:
        where: The folder of a virtual environment with ansible-core.
        folder: For files of this run; ``boards/ssh_config`` in it reaches the boards.
        bundle: Whose artifact is brought.
        found: The boards. This process's Python runs Ansible's modules there: it needs a newer one than 3.6.
        forks: As many boards at once.
    """
    sockets = folder / "sockets"
    command = _play(where, folder, bundle, found, forks)
    environment = {
        **os.environ,
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(sockets),
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }
    for what in ("first", "nothing changed"):
        before, used, began = sent(folder / "boards"), _children_s(), time.perf_counter()
        done = subprocess.run(
            command, cwd=folder, env=environment, check=False, capture_output=True, text=True
        )
        seconds = time.perf_counter() - began
        if done.returncode:
            print(f"Ansible, {what}: ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-500:]}")
        _end_sessions(sockets)
        here = (sent(folder / "boards") - before) / len(found)
        print(
            f"Ansible, {what}: {seconds:.1f} s; {here:,.0f} B a board by ssh's count; "
            f"{1e3 * (_children_s() - used) / len(found):.0f} ms of the host's processor time a board"
        )


def _play(where: Path, folder: Path, bundle: Path, found: Sequence[Simulated], forks: int) -> list[str]:
    """The command; the archive, the inventory and the play are written."""
    files = Bundle.load(bundle)
    name = Path(files.manifest.artifact.file).name
    (folder / name).write_bytes(files.artifact)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as packed:
        packed.add(folder / name, name)
    words = ssh(folder / "boards").removeprefix("ssh ")
    lines = [
        f"{board.name} ansible_ssh_common_args='{words}' "
        f"ansible_python_interpreter={sys.executable} target={board.server.home / 'ansible'}"
        for board in found
    ]
    (folder / "hosts.ini").write_text("\n".join(lines) + "\n")
    packed_there = "{{ target }}/model.tar.gz"
    tasks = [
        {"file": {"path": "{{ target }}", "state": "directory"}},
        {"copy": {"src": str(folder / "model.tar.gz"), "dest": packed_there}},
        {"unarchive": {"src": packed_there, "dest": "{{ target }}", "remote_src": True}},
    ]
    (folder / "play.json").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    return [str(where / "bin/ansible-playbook"), "-i", "hosts.ini", "-f", str(forks), "play.json"]


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _end_sessions(sockets: Path) -> None:
    """Ansible leaves its connections open for a minute, and ssh counts at their end."""
    for socket in sockets.glob("*") if sockets.is_dir() else ():
        end = ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "board"]
        subprocess.run(end, check=False, capture_output=True)
    time.sleep(1.0)
