"""The life of a board from the host: what is current costs nothing, and what failed is remembered."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from edgenet.agent import wire
from edgenet.board import Board
from edgenet.bundle import Bundle, pack
from edgenet.devices.agent import Agent
from edgenet.devices.connect import connect
from edgenet.devices.replies import BoardError
from edgenet.errors import DeviceError, LibraryError
from edgenet.steps import deploy as deploying
from edgenet.steps.deploy import deploy
from edgenet.steps.prune import prune
from edgenet.steps.remove import remove
from edgenet.steps.rollback import rollback
from edgenet.steps.status import status
from tests.manifests import manifest


@pytest.fixture(autouse=True)
def null_is_a_runtime(monkeypatch):
    """The board's own Python "has" the do-nothing runtime, so whole deploys are quick."""
    facts = Agent.facts
    monkeypatch.setattr(Agent, "facts", lambda self, _=(): facts(self).changed(runtimes={"null": "1"}))


@pytest.fixture
def here(tmp_path):
    """A board that is a folder of this machine."""
    return Board("local", name="kitchen", home=str(tmp_path / "kitchen"))


def bundle(net, name, labels=5, **spec):
    about = manifest(name, "null", "a.json", "a.json")
    about["labels"] = [f"a long name of class {number}" for number in range(labels)]
    about["artifact"]["output"]["classes"] = labels
    return Bundle.parse(pack(about, {"a.json": net(name, of=name, shape=[1, 8, 8, 3], **spec).data}))


def current(board):
    found = status(board).current
    return found and found.name


def test_a_deploy_of_what_is_current_sends_one_small_request(here, net):
    """However many classes the model has."""
    made = bundle(net, "a", labels=1000, outputs=1000)
    first = deploy(made, here)
    again = deploy(made, here)
    assert (first.changed, again.changed) == (True, False)
    assert first.bytes_sent > 20_000
    assert again.bytes_sent < 500
    assert again.name == first.name
    assert again.runtime == first.runtime


def test_a_deploy_of_what_the_board_still_has_sends_one_small_request(here, net):
    deploy(bundle(net, "a"), here)
    deploy(bundle(net, "b"), here)
    again = deploy(bundle(net, "a"), here)
    assert again.changed
    assert again.bytes_sent < 500
    assert [item.what for item in status(here).history] == ["deploy"] * 3


def test_what_is_damaged_there_is_sent_again(here, net):
    made = bundle(net, "a")
    deploy(made, here)
    blob = Path(here.home, "blobs", hashlib.sha256(made.artifact).hexdigest())
    blob.write_bytes(b"x" * blob.stat().st_size)
    assert deploy(made, here).bytes_sent > 500
    assert blob.read_bytes() == made.artifact


def test_another_edgenet_deploys_anew(here, net, monkeypatch):
    """It may know a better runtime for this board."""
    deploy(bundle(net, "a"), here)
    monkeypatch.setattr(deploying, "TOOL", "edgenet 99")
    assert deploy(bundle(net, "a"), here).bytes_sent > 500


def test_status_tells_what_runs_since_when_and_by_whom(here, net):
    assert status(here).current is None
    deploy(bundle(net, "a"), here)
    deploy(bundle(net, "b"), here)
    found = status(here)
    assert found.current is not None
    assert found.current.name == bundle(net, "b").name
    assert (found.current.by, found.current.host) == (getpass.getuser(), socket.gethostname())
    assert found.current.runtime_version == "1"
    assert found.previous is not None
    assert found.previous.name == bundle(net, "a").name
    assert abs((found.current.since or 0) - found.clock_s) < 60
    assert found.free_mb > 0
    assert found.id == status(here).id


def test_a_health_check_that_failed_is_remembered(here, net):
    deploy(bundle(net, "a"), here)
    with pytest.raises(DeviceError):
        deploy(bundle(net, "b", fail="load"), here)
    failed, came = status(here).history
    assert (failed.what, failed.name) == ("deploy", bundle(net, "b", fail="load").name)
    assert failed.result != "ok"
    assert came.result == "ok"
    assert current(here) == bundle(net, "a").name


def test_rollback_sends_nothing_of_a_model(here, net):
    made = bundle(net, "a", labels=1000, outputs=1000)
    deploy(made, here)
    deploy(bundle(net, "b"), here)
    done = rollback(here)
    assert (done.digest, done.changed) == (made.digest, True)
    assert done.bytes_sent < 500
    assert rollback(here, to=made.digest[:12]).changed is False
    assert rollback(here).name == bundle(net, "b").name


def test_what_cannot_be_is_refused_with_one_remedy(here, net):
    deploy(bundle(net, "a"), here)
    for ask in (
        lambda: rollback(here),
        lambda: rollback(here, to="0123456789ab"),
        lambda: rollback(here, to="../../etc"),
        lambda: remove(bundle(net, "a").digest, here),
        lambda: remove("0123456789ab", here),
        lambda: prune(here, keep=0),
    ):
        with pytest.raises((DeviceError, LibraryError)) as caught:
            ask()
        assert caught.value.remedy
        assert "\n" not in str(caught.value)
    assert current(here) == bundle(net, "a").name


def test_prune_and_remove_say_what_went(here, net):
    for name in "abc":
        deploy(bundle(net, name), here)
    assert [item.split()[0] for item in remove(bundle(net, "b").digest, here)] == ["deployment", "blob"]
    assert [item.split()[0] for item in prune(here, keep=1)] == ["deployment", "blob"]
    assert [item.what for item in status(here).history][:2] == ["prune", "remove"]
    assert [item.name for item in status(here).deployments] == [bundle(net, "c").name]


def test_a_placed_build_can_be_checked_before_it_is_current(here, net):
    a, b = net("a"), net("b")
    with connect(here) as agent:
        a.deploy(agent)
        agent.begin()
        agent.send_blobs([b.blob])
        agent.upkeep.place(b.manifest())
        good = agent.upkeep.check(b.manifest(), 'test -f "$EDGENET_ARTIFACT" && echo well', 20.0)
        bad = agent.upkeep.check(b.manifest(), "echo no; exit 7", 20.0)
        assert (good.exit_status, good.output, bad.exit_status, bad.output) == (0, "well", 7, "no")
        assert agent.deployments().current == a.digest
        assert agent.upkeep.switch(b.digest).changed_
        assert agent.deployments().current == b.digest


def test_a_check_ends_with_its_connection(here, net, tmp_path):
    told = tmp_path / "pid"

    def check(agent):
        with contextlib.suppress(DeviceError):
            agent.upkeep.check(net("a").manifest(), f"echo $$ > {told}; sleep 600", 600.0)

    with connect(here) as agent:
        net("a").deploy(agent)
        checking = threading.Thread(target=check, args=(agent,))
        checking.start()
        wait_until(lambda: told.exists() and told.read_text().endswith("\n"))
    checking.join(20)
    wait_until(lambda: not runs(int(told.read_text())))


def wait_until(holds):
    for _ in range(400):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError


def runs(process):
    """Whether a process runs; one that ended and that nobody waits for does not."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


@pytest.fixture
def full_card(tmp_path):
    """A board whose card is a small ext4, as boards' are; ``fill()`` leaves no block of it."""
    image, folder = tmp_path / "card.img", tmp_path / "card"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("cannot make a file system here")
    with image.open("wb") as stream:
        stream.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    if subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a file system here")

    def fill():
        with (folder / "hog").open("ab", 0) as stream:
            for size in (1 << 16, 1 << 10, 1):
                try:
                    while stream.write(bytes(size)):
                        pass
                except OSError:
                    os.fsync(stream.fileno())

    folder.chmod(0o755)
    yield Board("local", name="full", home=str(folder / "home")), fill
    subprocess.run(["umount", "-l", folder], check=True)


def test_rollback_on_a_card_without_any_room(full_card, net):
    board, fill = full_card
    for name in "ab":
        deploy(bundle(net, name), board)
    fill()
    with pytest.raises(OSError, match="space"):
        Path(board.home, "more").write_bytes(bytes(4096))
    for name in "abab":
        assert rollback(board).name == bundle(net, name).name
        assert current(board) == bundle(net, name).name
        assert Path(board.home, "switched").read_text() == bundle(net, name).digest + "\n"
    with pytest.raises(BoardError) as caught:
        deploy(bundle(net, "c"), board)
    assert caught.value.kind == wire.NO_SPACE
    assert current(board) == bundle(net, "b").name
