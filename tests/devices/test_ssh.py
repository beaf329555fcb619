"""The ssh command line, and what ssh's failures are called."""

from __future__ import annotations

import socket
import subprocess
import threading

import pytest

from edgenet.devices.connect import connect
from edgenet.devices.deadlines import Deadlines
from edgenet.devices.ssh import ssh_command
from edgenet.devices.sshfailures import diagnose
from edgenet.errors import ConnectionFailed
from tests import sshd


def tail(destination):
    command = ssh_command(destination, ["sh"], interactive=False)
    return command[command.index("BatchMode=yes") + 1 :]


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("pi", ["--", "pi", "sh"]),
        ("pi@raspberrypi.local", ["--", "pi@raspberrypi.local", "sh"]),
        ("pi@10.0.0.7:2222", ["-p", "2222", "--", "pi@10.0.0.7", "sh"]),
        ("pi@[fe80::1%eth0]:22", ["-p", "22", "--", "pi@fe80::1%eth0", "sh"]),
        ("pi@fe80::1", ["--", "pi@fe80::1", "sh"]),
        ("ssh://pi@board:2222", ["--", "ssh://pi@board:2222", "sh"]),
    ],
)
def test_destinations(destination, expected):
    assert tail(destination) == expected


@pytest.mark.parametrize(
    "destination",
    [
        "",
        "-oProxyCommand=x",
        "-v",
        "-oProxyCommand=touch x",
        "a b",
        "a\nb",
        "pi@-oX",
        "\x00",
        "a\tb",
        "pi@a:0",
        "pi@a:65536",
    ],
)
def test_hostile_destinations(destination):
    with pytest.raises(ConnectionFailed, match="not a board's name"):
        ssh_command(destination, ["sh"], interactive=False)


def test_no_check_is_switched_off():
    for interactive in (True, False):
        command = " ".join(ssh_command("pi", ["sh"], interactive))
        assert "StrictHostKeyChecking" not in command
        assert "UserKnownHostsFile" not in command
        assert ("BatchMode" in command) is not interactive


def test_other_ssh_program(monkeypatch):
    monkeypatch.setenv("EDGENET_SSH", "ssh -F 'my pi.conf'")
    assert ssh_command("pi", ["sh"], interactive=True)[:4] == ["ssh", "-F", "my pi.conf", "-T"]


def test_ssh_understands_the_command_line(tmp_path):
    config = tmp_path / "config"
    config.write_text("Host pi\n  RemoteCommand tmux\n  LocalForward 1234 localhost:80\n")
    command = ssh_command("pi@pi:2222", ["sh"], interactive=False)
    command[1:1] = ["-G", "-F", str(config)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "port 2222" in said
    assert "user pi" in said
    assert "batchmode yes" in said
    assert not any(line.startswith("remotecommand tmux") for line in said)


def refused(destination="board"):
    with pytest.raises(ConnectionFailed) as caught:
        connect(destination)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    return caught.value


def test_refused_key(board):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(board.folder / "other_key")], check=True
    )
    sshd.write_config(board, key="other_key")
    error = refused()
    assert error.what == "board refused the login (it accepts: publickey)"
    assert "ssh-copy-id board" in error.remedy


def test_unknown_host_key(board):
    sshd.write_config(board, known=False, hosts="empty_known_hosts")
    error = refused()
    assert error.what == "the host key of board is not known yet"
    assert "fingerprint" in error.remedy


def test_changed_host_key(board):
    hosts = board.folder / "known_hosts"
    other = (board.folder / "user_key.pub").read_text().split()
    hosts.write_text(f"[127.0.0.1]:{board.port} {other[0]} {other[1]}\n")
    error = refused()
    assert error.what == "the host key of board has changed"
    assert f"ssh-keygen -R [127.0.0.1]:{board.port}" in error.remedy
    assert hosts.read_text().split()[2] == other[1], "edgenet must not touch known_hosts"


def test_connection_refused(board, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        board.port = unused.getsockname()[1]
        sshd.write_config(board)
        assert refused().what == "board refuses connections"


def test_not_an_ssh_server(board):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        board.port = server.getsockname()[1]
        sshd.write_config(board)

        def hang_up():
            server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        assert refused().what == "board closed the connection before the login"
        thread.join()


def test_no_ssh_program(monkeypatch):
    monkeypatch.setenv("EDGENET_SSH", "/nowhere/ssh")
    error = refused("pi")
    assert error.what.startswith("cannot run /nowhere/ssh")


# What OpenSSH writes, and the answer that each must get.
RECORDED = [
    (
        "ssh: Could not resolve hostname pi5: Name or service not known\r\n",
        "no address is known for pi",
        "IP address",
    ),
    (
        "ssh: Could not resolve hostname pi5: Temporary failure in name resolution\r\n",
        "no address is known for pi",
        "check the name",
    ),
    ("ssh: connect to host 10.0.0.9 port 22: Connection timed out\r\n", "pi does not answer", "power"),
    ("ssh: connect to host 10.0.0.9 port 22: Operation timed out\r\n", "pi does not answer", "power"),
    (
        "Connection timed out during banner exchange\r\n",
        "pi does not",
        "",
    ),
    ("ssh: connect to host 10.0.0.9 port 22: No route to host\r\n", "there is no way to pi", "network"),
    (
        "ssh: connect to host 10.0.0.9 port 22: Connection refused\r\n",
        "pi refuses connections",
        "switch ssh on",
    ),
    (
        "pi@10.0.0.9: Permission denied (publickey,password).\r\n",
        "pi refused the login (it accepts: publickey,password)",
        "ssh-copy-id",
    ),
    (
        "Received disconnect from 10.0.0.9 port 22:2: Too many authentication failures\r\n",
        "pi refused: too many keys were tried",
        "IdentitiesOnly",
    ),
    (
        "@@@@\n@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\n@@@@\nPermissions 0644 …\n"
        "pi@10.0.0.9: Permission denied (publickey).\r\n",
        "ssh refuses a private key that others can read",
        "chmod 600",
    ),
    (
        "kex_exchange_identification: read: Connection reset by peer\r\n",
        "pi closed the connection before the login",
        "wait",
    ),
    (
        "/home/me/.ssh/config: line 3: Bad configuration option: foo\r\n",
        "ssh cannot read its configuration",
        "ssh -G",
    ),
    (
        "sign_and_send_pubkey: no mutual signature supported\r\n",
        "ssh to pi failed: sign_and_send_pubkey",
        "ssh -v",
    ),
    ("", "ssh to pi failed: it gave no reason", "ssh -v"),
]


@pytest.mark.parametrize(("stderr", "what", "remedy"), RECORDED)
def test_recorded_messages(stderr, what, remedy):
    error = diagnose("pi", stderr, 255, "")
    assert error.what.startswith(what)
    assert remedy in error.remedy
    assert len(str(error)) < 300


@pytest.mark.parametrize(
    ("stderr", "remedy"),
    [
        ("Host key verification failed.\r\n", "run `ssh -p 2222 pi@board` once"),
        ("pi@board: Permission denied (publickey).\r\n", "run `ssh-copy-id -p 2222 pi@board`"),
        ("odd\n", "try `ssh -v -p 2222 pi@board`"),
    ],
)
def test_what_a_remedy_says_to_type_is_what_ssh_takes(stderr, remedy):
    """To ssh itself, pi@board:2222 is the name of a host."""
    assert remedy in diagnose("pi@board:2222", stderr, 255, "").remedy


def test_pages_of_text_are_not_repeated():
    error = diagnose("pi", "line of a banner\n" * 1000 + "x" * 5000 + "\x1b[2J\n", 255, "")
    assert len(str(error)) < 300
    assert "\x1b" not in str(error)


def test_a_board_that_never_starts_the_agent(start_board, monkeypatch):
    start_board(command="sleep 60")
    monkeypatch.setattr("edgenet.devices.connect.DEADLINES", Deadlines(start_s=1.0))
    what = refused().what
    assert "did not start the agent in time" in what
    assert "waited 1 s" in what


BANNER = "Idle sessions are timed out.\nPermission denied (to strangers)!\nConnection refused is no answer\n"


@pytest.mark.parametrize(
    ("stderr", "status", "words"),
    [
        (BANNER + "sh: 1: exec: not found\n", 127, "exit status 127): sh: 1: exec: not found"),
        (BANNER + "bash: fork: Cannot allocate memory\n", 254, "bash: fork: Cannot allocate memory"),
        (BANNER + "ssh: connect to host pi port 22: Connection refused\r\n", 255, "refuses connections"),
        (BANNER + "ssh: connect to host pi port 22: Connection timed out\r\n", 255, "does not answer"),
        (BANNER.splitlines()[0] + "\nme@pi: Permission denied (publickey).\r\n", 255, "accepts: publickey"),
        ("debug1: connect to address 1.2.3.4 port 22: Connection timed out\nodd\n", 255, "failed: odd"),
        ("sh: ssh: Connection refused\ndebug1: Exit status 1\ndebug1: channel 0: free\n", 1, "sh: ssh: Conn"),
        ("no home\nTransferred: sent 1, received 2 bytes\nBytes per second: sent 1\n", 1, ": no home"),
        ("channel 0: open failed: connect failed: No route to host\n", 255, "no way to"),
    ],
)
def test_only_sshs_own_lines_tell_a_cause(stderr: str, status: int, words: str) -> None:
    """A login banner and ssh's debugging hold any words; ssh itself ends with 255."""
    assert words in diagnose("pi", stderr, status, "").what
