"""LiteRT's startup message is left out; what anybody else writes to stderr is not, whatever thread loads."""

from __future__ import annotations

import os
import threading

import pytest

from edgenet.backends.lowering import startup_message

LINE = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has loaded nothing yet."""
    monkeypatch.setattr(startup_message, "_shown", threading.Event())


def test_only_the_startup_message_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    with startup_message.without_startup_message():
        os.write(2, b"before\n" + LINE + b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_descriptor_2_is_turned_aside_once_a_process(capfd: pytest.CaptureFixture[str]) -> None:
    with startup_message.without_startup_message():
        os.write(2, LINE)
    place = os.fstat(2).st_ino
    with startup_message.without_startup_message():
        assert os.fstat(2).st_ino == place
        os.write(2, b"shown at once\n")
        assert capfd.readouterr().err == "shown at once\n"


def fails() -> None:
    os.write(2, b"why\n")
    raise ValueError("no file")


def test_a_load_that_fails_gives_descriptor_2_back(capfd: pytest.CaptureFixture[str]) -> None:
    place = os.fstat(2).st_ino
    with pytest.raises(ValueError, match="no file"), startup_message.without_startup_message():
        fails()
    assert os.fstat(2).st_ino == place
    assert capfd.readouterr().err == "why\n"


def test_many_threads_load_at_once_and_stderr_is_whole_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    place, barrier, count = os.fstat(2).st_ino, threading.Barrier(9), 8
    inside: list[bool] = []

    def load(number: int) -> None:
        barrier.wait()
        with startup_message.without_startup_message():
            inside.append(os.fstat(2).st_ino != place)
            os.write(2, LINE if inside[-1] else b"")
        os.write(2, b"%d\n" % number)

    threads = [threading.Thread(target=load, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    barrier.wait()
    for thread in threads:
        thread.join()
    assert os.fstat(2).st_ino == place
    assert sum(inside) == 1, "one load was silent, no second one turned it aside again"
    assert sorted(capfd.readouterr().err.split()) == [str(number) for number in range(count)]
