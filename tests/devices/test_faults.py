"""What happens to a board in the field, through a real sshd: cuts, silence, odd shells, clocks and disks.

After each fault: one clear line, the old deployment still runs, the next command works.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

import pytest

from edgenet.bundle import Bundle, pack
from edgenet.devices import connect as device
from edgenet.devices import ssh
from edgenet.devices.agent import Agent
from edgenet.devices.channel import Channel
from edgenet.devices.connect import connect
from edgenet.devices.deadlines import Deadlines
from edgenet.devices.replies import BoardError
from edgenet.errors import ConnectionFailed, ConnectionLost, DeviceError
from edgenet.steps.deploy import deploy
from edgenet.steps.doctor import doctor
from tests import sshd
from tests.manifests import manifest
from tests.pythons import python_with

LONG = {"warmup_s": 0.0, "min_seconds": 600.0, "min_runs": 20, "max_seconds": 600.0, "pipeline": True}
# Every request of a deploy and of a profile, in their order.
DEPLOYING = ["switch", "begin", "have", "put", "deployments", "probe", "open", "close", "deploy"]
PROFILING = ["open", "bench", "replay", "close"]


@pytest.fixture(autouse=True)
def null_is_a_runtime(monkeypatch):
    """The board's own Python "has" the do-nothing runtime, so whole deploys are quick."""
    facts = Agent.facts
    monkeypatch.setattr(Agent, "facts", lambda self, _=(): facts(self).changed(runtimes={"null": "1"}))


def bundle(net, name):
    """A bundle for the do-nothing runtime."""
    data = net(name, of=name, shape=[1, 8, 8, 3]).data
    about = manifest(name, "null", "a.json", "a.json")
    return Bundle.parse(pack(about, {"a.json": data}))


def clear(error, code):
    """The error is one line, says what to do, and ends with this code."""
    assert error.exit_code == code
    assert "\n" not in str(error)
    assert len(str(error)) < 600
    assert error.remedy or code == 1


def still_runs(old):
    """The old deployment is current and answers."""
    with connect("board") as agent:
        assert agent.deployments().current == old.digest
        assert agent.open(None, 1).loaded.runtime_version == "1"


def kill_ssh(board, channel):
    os.kill(channel.connection.process.pid, signal.SIGKILL)


def kill_server(board, channel):
    for pid in board.sessions():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def freeze_server(board, channel):
    """The network is there, nobody answers: ssh's keep-alive must notice, or else the deadline of silence."""
    for pid in board.sessions():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)


def thaw(board):
    for pid in board.sessions():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@pytest.fixture
def fault(board, monkeypatch):
    """``fault(kind, how)``: the next request of this kind meets a cut; 2 s of silence end ssh, 5 s all."""
    monkeypatch.setattr(device, "DEADLINES", Deadlines(beat_s=0.5, silence_s=5.0))
    quick = tuple(item for item in ssh._OPTIONS if "Alive" not in item)
    monkeypatch.setattr(ssh, "_OPTIONS", (*quick, "ServerAliveInterval=1", "ServerAliveCountMax=2"))
    request, pending = Channel.request, {}

    def cut(self, kind, *arguments, **more):
        if how := pending.pop(kind, None):
            how(board, self)
        return request(self, kind, *arguments, **more)

    monkeypatch.setattr(Channel, "request", cut)
    yield pending.__setitem__
    thaw(board)


@pytest.mark.parametrize("how", [kill_ssh, kill_server], ids=["ssh", "server"])
@pytest.mark.parametrize("stage", DEPLOYING)
def test_cut_at_each_stage_of_deploy(board, net, fault, stage, how):
    old, new = bundle(net, "old"), bundle(net, "new")
    deploy(old, "board")
    fault(stage, how)
    with pytest.raises(ConnectionLost) as caught:
        deploy(new, "board")
    clear(caught.value, 3)
    still_runs(old)
    assert deploy(new, "board").changed
    still_runs(new)


@pytest.mark.parametrize("how", [kill_ssh, kill_server], ids=["ssh", "server"])
@pytest.mark.parametrize("stage", PROFILING)
def test_cut_at_each_stage_of_profile(board, net, picture, fault, stage, how):
    old = bundle(net, "old")
    deploy(old, "board")
    fault(stage, how)
    with connect("board") as agent, pytest.raises(ConnectionLost) as caught:
        profile(agent, picture)
    clear(caught.value, 3)
    with connect("board") as agent:
        profile(agent, picture)


def profile(agent, picture):
    """What the step of this name asks of the agent."""
    session = agent.open(None, 1)
    session.bench({**LONG, "min_seconds": 0.0}, [picture(1)])
    list(session.replay([picture(1)]))
    session.close()


@pytest.mark.parametrize("stage", ["put", "open", "deploy"])
def test_server_that_falls_silent(board, net, fault, stage):
    old, new = bundle(net, "old"), bundle(net, "new")
    deploy(old, "board")
    fault(stage, freeze_server)
    began = time.monotonic()
    with pytest.raises(ConnectionLost) as caught:
        deploy(new, "board")
    assert time.monotonic() - began < 30
    clear(caught.value, 3)
    thaw(board)
    still_runs(old)
    assert deploy(new, "board").changed


def test_port_that_closes(board, start_board, net):
    """The whole server goes, and comes back: as when a board restarts between deploy and profile."""
    old = bundle(net, "old")
    deploy(old, "board")
    with connect("board") as agent:
        for pid in [*board.sessions(), board.process.pid]:
            os.kill(pid, signal.SIGKILL)
        board.process.wait(10)
        with pytest.raises(ConnectionLost) as caught:
            agent.deployments()
        clear(caught.value, 3)
    with pytest.raises(ConnectionFailed, match="refuses connections") as refused:
        connect("board")
    clear(refused.value, 3)
    start_board({"EDGENET_PYTHON": sys.executable})
    still_runs(old)


def processes(board, word):
    """The board's Python processes whose last argument is ``word``."""
    found = []
    for pid in board.sessions():
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            if b"python" in line[0] and line[-1] == word.encode():
                found.append(pid)
    return found


@pytest.mark.parametrize("who", ["worker", "agent"])
def test_killed_for_memory_while_profiling(board, net, picture, who):
    """SIGKILL, as the kernel sends it: to the model's process, or to the agent itself."""
    old = bundle(net, "old")
    deploy(old, "board")
    with connect("board") as agent:
        session = agent.open(None, 1)
        (worker,) = processes(board, "worker")
        parent = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])

        def kill(event):
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker if who == "worker" else parent, signal.SIGKILL)

        with pytest.raises(DeviceError) as caught:
            session.bench(LONG, [picture(1)], kill)
    clear(caught.value, 1 if who == "worker" else 3)
    if who == "worker":
        assert "SIGKILL" in caught.value.what
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists(), "the model's process ends with the agent"
    still_runs(old)


def test_agents_of_other_versions_stay(board, net):
    deploy(bundle(net, "old"), "board")
    folder = board.edgenet_home / "agent"
    (ours,) = folder.iterdir()
    other = folder / f"{'0' * 64}.pyz"
    other.write_bytes(b"another version")
    ours.unlink()
    with connect("board") as agent:
        assert agent.agent_sent
    assert other.read_bytes() == b"another version"
    still_runs(bundle(net, "old"))


@pytest.fixture
def mounted(tmp_path):
    """``mounted(options)``: a small file system; a second call mounts it anew with other options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options):
        command = ["mount", "-t", "tmpfs", "-o", f"size=16m,mode=755,{options}", "edgenet-test", str(folder)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("cannot mount a file system here")
        return folder

    yield mount
    subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def test_home_that_was_always_read_only(start_board, mounted):
    start_board({"EDGENET_PYTHON": sys.executable, "EDGENET_HOME": str(mounted("ro") / "home")})
    with pytest.raises(ConnectionFailed, match="is mounted read-only") as caught:
        connect("board")
    clear(caught.value, 3)
    assert doctor("board").exit_code == 3


def test_home_that_became_read_only(start_board, mounted, net):
    """As an SD card does at the end of its life: what is there still runs."""
    start_board({"EDGENET_PYTHON": sys.executable, "EDGENET_HOME": str(mounted("rw") / "home")})
    old = bundle(net, "old")
    deploy(old, "board")
    mounted("remount,ro")
    with pytest.raises(DeviceError, match="[Rr]ead-only") as caught:
        deploy(bundle(net, "new"), "board")
    clear(caught.value, 1)
    still_runs(old)
    mounted("remount,rw")
    assert deploy(bundle(net, "new"), "board").changed


def test_home_on_noexec(start_board, mounted, net, make_blob):
    start_board({"EDGENET_PYTHON": sys.executable, "EDGENET_HOME": str(mounted("noexec") / "home")})
    library = next(Path(sysconfig.get_config_var("DESTSHARED")).glob("*.so"))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(
            "onnxruntime/__init__.py", "import ctypes, os\nctypes.CDLL(os.path.dirname(__file__) + '/x.so')\n"
        )
        archive.writestr("onnxruntime/x.so", library.read_bytes())
        archive.writestr("numpy/__init__.py", "")
    wheel = make_blob(stream.getvalue())
    with connect("board") as agent:
        assert agent.facts().noexec is True
        agent.begin()
        agent.send_blobs([wheel])
        trial = agent.try_runtime("onnxruntime", agent.unpack([(wheel.digest, "x.whl")]))
        assert not trial.works
        assert "failed to map segment" in trial.why
        agent.end()
    states = {item.name: item for item in doctor("board").conditions}
    assert states["folder"].state == "not"
    assert "EDGENET_HOME" in states["folder"].remedy
    assert deploy(bundle(net, "new"), "board").changed, "what needs no library of ours works"


def test_clock_of_1970(start_board, tmp_path, net):
    """A Pi without network has no clock; here every Python process of the board reads 2 January 1970.

    (libfaketime cannot do it: under its 1970 the C library refuses to sleep.)
    """
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text("import time\ntime.time = lambda: 86400.0\n")
    start_board({"EDGENET_PYTHON": python_with(tmp_path / "site", tmp_path / "python")})
    old, new = bundle(net, "old"), bundle(net, "new")
    deploy(old, "board")
    assert deploy(new, "board").changed
    still_runs(new)
    clock = {item.name: item for item in doctor("board").conditions}["clock"]
    assert clock.state == "not"
    assert "days behind" in clock.found


@pytest.mark.parametrize("shell", ["fish", "csh", "tcsh", "zsh", "mksh", "bash", "dash"])
def test_login_shell_that_talks(start_board, net, shell):
    """sshd runs ``SHELL -c COMMAND``; its rc file prints a banner and is not in UTF-8."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    board = start_board(
        {"EDGENET_PYTHON": sys.executable, "SHELL": shell},
        f'exec env SHELL=/usr/bin/{shell} {shell} -c "$SSH_ORIGINAL_COMMAND"',
    )
    banner = b"echo 'Gr\xfc\xdfe vom Labor'\n"
    (board.home / ".config/fish").mkdir(parents=True)
    for name in (".cshrc", ".tcshrc", ".zshenv", ".mkshrc", ".bashrc", ".config/fish/config.fish"):
        (board.home / name).write_bytes(banner)
    assert deploy(bundle(net, "new"), "board").changed
    with connect("board") as agent:
        assert agent.facts().shell == shell
    still_runs(bundle(net, "new"))


def test_locale_without_umlauts(start_board, tmp_path, net):
    home = tmp_path / "Bücher 書"
    home.mkdir()
    start_board(
        {
            "EDGENET_PYTHON": sys.executable,
            "EDGENET_HOME": str(home),
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
        }
    )
    assert deploy(bundle(net, "straße"), "board").changed
    with connect("board") as agent:
        assert agent.facts().encoding != "UTF-8"
        assert agent.deployments().deployments[0].name == "straße.null.int8"
        with pytest.raises(BoardError, match="not deployed"):
            agent.open("0" * 64, 1)
    still_runs(bundle(net, "straße"))


def test_nobody_is_left_behind(board, net):
    """After all connections are closed the board runs nothing in edgenet."""
    deploy(bundle(net, "new"), "board")
    deadline = time.monotonic() + 10
    while board.sessions() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert board.sessions() == []
    assert sshd.descendants(board.process.pid) == []
