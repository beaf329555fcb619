"""From nothing but ssh and a Python to a running agent."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgenet.devices.archive import agent_archive
from edgenet.devices.bootstrap import script
from edgenet.devices.connect import connect
from edgenet.errors import ConnectionFailed

SHELLS = [["sh"], ["dash"], ["bash", "--posix"], ["bash"], ["zsh"], ["ksh"], ["mksh"], ["busybox", "sh"]]
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"


def test_agent_is_sent_once(board):
    with connect("board") as agent:
        first = agent.bytes_sent
        assert agent.agent_sent
        assert first > len(agent_archive().data)
    with connect("board") as agent:
        assert not agent.agent_sent
        assert agent.bytes_sent < 4096
        assert agent.facts().agent == agent_archive().digest
    kept = list((board.edgenet_home / "agent").iterdir())
    assert [path.name for path in kept] == [agent_archive().digest + ".pyz"]
    assert kept[0].read_bytes() == agent_archive().data


def test_damaged_agent_is_sent_again(board):
    connect("board").close()
    path = board.edgenet_home / "agent" / (agent_archive().digest + ".pyz")
    path.write_bytes(path.read_bytes()[:-1])
    with connect("board") as agent:
        assert agent.agent_sent


def test_home_is_the_users_alone(board):
    connect("board").close()
    assert board.edgenet_home.stat().st_mode & 0o077 == 0


def test_local_and_ssh_say_the_same(board):
    with connect("local") as here, connect("board") as there:
        one, other = here.facts().to_table(), there.facts().to_table()
        assert one.keys() == other.keys()
        different = {name for name in one if one[name] != other[name]}
        assert different <= {
            "disk_free_mb",
            "clock_s",
            "uptime_s",
            "memory_available_mb",
            "encoding",
            "shell",
        }
        assert here.facts().runtimes == {}, "none was asked for"
        assert here.facts(["tflite"]).runtimes.keys() == {"tflite"}
        assert here.facts(["onnxruntime"]).runtimes.keys() == {"onnxruntime", "tflite"}
        assert here.facts().decodes == ("ppm", "jpeg", "png")


def test_banner_before_the_agent(start_board):
    text = "Welcome to the lab! EDGENET is not this line; EDG1 neither"
    start_board({"EDGENET_PYTHON": sys.executable}, f"printf '%s' '{text}'; exec $SSH_ORIGINAL_COMMAND")
    with connect("board") as agent:
        assert agent.facts().system


def test_endless_banner_is_given_up(start_board):
    start_board(command="yes")
    with pytest.raises(ConnectionFailed, match="printed more than 64 KiB"):
        connect("board")


def test_a_board_that_only_talks(start_board):
    start_board(command="printf 'This account is\\033[31m not available.\\n'; exit 1")
    with pytest.raises(ConnectionFailed, match=r"does not run `sh`.*not available") as caught:
        connect("board")
    assert "\033" not in caught.value.what
    assert caught.value.exit_code == 3


def test_python_named_on_the_board_must_be_one(start_board):
    start_board({"EDGENET_PYTHON": "/nowhere/python"})
    with pytest.raises(
        ConnectionFailed, match=r"EDGENET_PYTHON on board is not a Python 3\.6 or newer: /nowhere"
    ):
        connect("board")


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.8", "3.13"])
def test_other_pythons_on_the_board(start_board, version):
    found = sorted(PYENV.glob(f"{version}.*/bin/python"))
    if not found:
        pytest.skip(f"no Python {version} here")
    start_board({"EDGENET_PYTHON": str(found[0])})
    if version == "2.7":
        with pytest.raises(ConnectionFailed, match="is not a Python"):
            connect("board")
        return
    with connect("board") as agent:
        assert agent.facts().python.startswith(version + ".")
        assert agent.facts().python_executable == str(found[0])


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_script_in_any_shell(shell, tmp_path):
    """The shell reads ahead as it likes: it must ask for the agent, and start it."""
    if shutil.which(shell[0]) is None:
        pytest.skip(f"no {shell[0]}")
    data, digest = agent_archive()
    environment = {**os.environ, "EDGENET_HOME": str(tmp_path), "EDGENET_PYTHON": sys.executable}
    with subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        process.stdin.write(script(digest, len(data)))
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(2)] == [b"\n", b"EDGENET need\n"]
        process.stdin.write(data)
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(2)] == [b"\n", b"EDGENET ready\n"]
        assert process.stdout.read(4) == b"EDG1"
        process.stdin.close()
        process.stdout.read()
    assert process.returncode == 0


def test_no_python_at_all(tmp_path):
    text = script("0" * 64, 1).replace(b"/usr/bin/python3", b"/nowhere/python3")
    text = text.replace(b"/usr/local/bin/python3", b"/nowhere/python3")
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run([shutil.which("sh")], input=text, env=environment, capture_output=True, check=False)
    assert done.stdout == b"\nEDGENET no-python python3\n"


def test_no_python_is_said_plainly(start_board):
    start_board(command="printf '\\nEDGENET no-python python3\\n'; exit 1")
    with pytest.raises(ConnectionFailed, match="board has no Python") as caught:
        connect("board")
    assert "install python3" in caught.value.remedy


def test_home_that_cannot_be_written(start_board, tmp_path):
    (tmp_path / "file").write_text("")
    start_board({"EDGENET_PYTHON": sys.executable, "EDGENET_HOME": str(tmp_path / "file" / "home")})
    with pytest.raises(ConnectionFailed, match="does not let this user write"):
        connect("board")


def open_home(home):
    home.mkdir(0o700)
    home.chmod(0o777)
    return home


def open_to_the_group(home):
    home.mkdir(0o700)
    home.chmod(0o770)
    return home


def link_to_an_open_home(home):
    home.symlink_to(open_home(home.with_name("elsewhere")))
    return home.with_name("elsewhere")


def open_folder_above(home):
    home.mkdir(0o700)
    home.parent.chmod(0o757)
    return home.parent


def open_folder_below(home):
    (home / "runtimes").mkdir(0o700, parents=True)
    (home / "runtimes").chmod(0o777)
    return home / "runtimes"


def link_below_to_an_open_disk(home):
    (disk := home.with_name("disk")).mkdir()
    (disk / "blobs").mkdir(0o700)
    disk.chmod(0o777)
    home.mkdir(0o700)
    (home / "blobs").symlink_to(disk / "blobs")
    return disk


@pytest.mark.parametrize(
    "make",
    [
        open_home,
        open_to_the_group,
        link_to_an_open_home,
        open_folder_above,
        open_folder_below,
        link_below_to_an_open_disk,
    ],
)
def test_a_home_that_others_may_write_is_refused(board, make):
    folder = make(board.edgenet_home)
    with pytest.raises(
        ConnectionFailed, match=re.escape(f"lets other users write {folder} (mode 0")
    ) as caught:
        connect("board")
    assert f"`chmod go-w {folder}`" in caught.value.remedy
    assert not list(board.edgenet_home.glob("agent/*")), "nothing was written there"
    subprocess.run(["chmod", "go-w", str(folder)], check=True)
    with connect("board") as agent:
        assert agent.facts().system


def test_a_home_is_named_with_its_letters(start_board, tmp_path):
    """A Python 3.6 in the C locale takes file names to be ASCII."""
    found = sorted(PYENV.glob("3.6.*/bin/python"))
    if not found:
        pytest.skip("no Python 3.6 here")
    open_home(tmp_path / "Müller")
    start_board({"EDGENET_PYTHON": str(found[0]), "EDGENET_HOME": str(tmp_path / "Müller"), "LC_ALL": "C"})
    with pytest.raises(ConnectionFailed, match=f"{tmp_path}/Müller"):
        connect("board")


@pytest.mark.skipif(os.name == "nt", reason="no modes")
def test_a_local_home_that_others_may_write_is_refused(tmp_path, monkeypatch):
    folder = open_home(tmp_path / "it's ours; $(echo no)")
    monkeypatch.setenv("EDGENET_HOME", str(folder))
    with pytest.raises(ConnectionFailed, match="lets other users write") as caught:
        connect("local")
    command = caught.value.remedy.split("`")[1]
    subprocess.run(["sh", "-c", command], check=True)
    connect("local").close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
@pytest.mark.parametrize("above", [False, True])
def test_a_home_of_another_user_is_refused(board, above):
    board.edgenet_home.mkdir(0o700)
    folder = board.home if above else board.edgenet_home
    os.chown(folder, 12345, 12345)
    with pytest.raises(
        ConnectionFailed, match=rf"{folder} on board belongs to another user \(uid 12345\)"
    ) as caught:
        connect("board")
    assert "EDGENET_HOME" in caught.value.remedy


def test_a_home_that_only_its_user_writes_is_taken(start_board, tmp_path):
    """Others may read it, it may be a link, and a sticky folder such as /tmp may lie above it."""
    sticky = tmp_path / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    (sticky / "homes" / "mine").mkdir(parents=True)
    (sticky / "homes").chmod(0o755)
    (sticky / "homes" / "mine").chmod(0o755)
    (tmp_path / "link").symlink_to(sticky / "homes" / "mine")
    start_board({"EDGENET_PYTHON": sys.executable, "EDGENET_HOME": str(tmp_path / "link")})
    with connect("board") as agent:
        assert agent.facts().system


def test_new_homes_are_their_users_alone_whatever_the_umask(start_board, tmp_path):
    home = tmp_path / "new" / "home"
    start_board(
        {"EDGENET_PYTHON": sys.executable, "EDGENET_HOME": str(home)}, "umask 0; exec $SSH_ORIGINAL_COMMAND"
    )
    connect("board").close()
    for folder in (home.parent, home, *(path for path in home.rglob("*") if path.is_dir())):
        assert folder.stat().st_mode & 0o777 == 0o700, folder


def test_no_room_for_the_agent(start_board):
    start_board({"EDGENET_PYTHON": sys.executable}, "ulimit -f 8; exec $SSH_ORIGINAL_COMMAND")
    with pytest.raises(ConnectionFailed, match="no space left"):
        connect("board")


def test_folder_of_the_user_is_not_imported_from(tmp_path, monkeypatch):
    (tmp_path / "hashlib.py").write_text("raise SystemExit('imported from the current folder')")
    monkeypatch.chdir(tmp_path)
    with connect("local") as agent:
        assert agent.facts().python
