"""Processes that the agent starts: the worker, and short trials of a runtime."""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from . import wire
from .failure import Failure, cause, shown

TAIL = 4096
_MEANING = {
    "SIGILL": (
        "illegal instruction",
        "this build of the runtime needs what this CPU lacks: use another",
    ),
    "SIGBUS": ("bus error", "try fewer threads or another version of the runtime; check the board's storage"),
    "SIGSEGV": ("segmentation fault", "try another version of the runtime"),
    "SIGKILL": ("killed", "most likely the memory ran out: close other programs or use a smaller model"),
    "SIGABRT": ("aborted", "try another version of the runtime"),
}


def command(*arguments):
    """The command line that runs this same agent again."""
    return [sys.executable, sys.argv[0]] + list(arguments)


def environment(runtime_folder):
    """The environment of a child that imports from ``runtime_folder`` first (None: the board's own).

    The bootstrap left no other ``PYTHONPATH``; a demo's process has one, of the first of its models.
    """
    variables = dict(os.environ)
    variables.pop("PYTHONPATH", None)
    for name in wire.NO_TELEMETRY:
        variables.setdefault(name, "1")  # nothing that runs here tells anybody of it
    variables.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's own threads only stand in the runtime's way
    if runtime_folder:
        variables["PYTHONPATH"] = runtime_folder
    return variables


def signal_name(code):
    """The name of the signal in a return code, or ``None``."""
    if code >= 0:
        return None
    try:
        return signal.Signals(-code).name
    except ValueError:
        return "signal {}".format(-code)


class Child(object):
    """The worker process, or another of the agent's own; its stderr's last lines are kept."""

    def __init__(self, runtime_folder, *arguments):
        self._oom = oom_kills()
        self.spawned = time.perf_counter()
        self._process: Any = subprocess.Popen(
            command(*(arguments or ("worker",))),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(runtime_folder),
        )
        self.pid = self._process.pid
        self._tail = b""
        self._reader = threading.Thread(target=self._collect)
        self._reader.daemon = True
        self._reader.start()

    def _collect(self):
        for piece in iter(lambda: self._process.stderr.read1(TAIL), b""):
            self._tail = (self._tail + piece)[-TAIL:]

    def request(self, header, body, tell):
        """Send a request; events go to ``tell(header, body)``; returns the reply as ``(header, body)``.

        Raises:
            Failure: ``died``, with the signal's name and the last words, where the process ended.
        """
        self.send(header, body)
        return self.receive(tell)

    def send(self, header, body=b""):
        """Send one frame; raises as ``request`` does."""
        try:
            wire.write_frame(self._process.stdin, header, body)
        except (OSError, ValueError):
            raise self._died()

    def receive(self, tell):
        """Wait for a reply; as ``request``."""
        try:
            while True:
                frame = wire.read_frame(self._process.stdout)
                if frame is None:
                    raise self._died()
                if "event" not in frame[0]:
                    return frame
                tell(*frame)
        except (OSError, wire.WireError):
            raise self._died()

    def _died(self):
        self.kill()
        code = self._process.returncode
        name = signal_name(code)
        how, remedy = _MEANING.get(name, ("ended", "")) if name else ("exit status {}".format(code), "")
        if name == "SIGKILL" and oom_kills() != self._oom:
            how = "killed by the kernel: out of memory"
        what = (
            "the model's process was ended by {} ({})".format(name, how)
            if name
            else "the model's process ended ({})".format(how)
        )
        last = self.last_words()
        return Failure(
            wire.DIED, what + (": " + last if last and not name else ""), remedy, signal=name, stderr=last
        )

    def last_words(self):
        """The end of stderr, one line of at most 300 characters."""
        self._reader.join(1.0)
        lines = self._tail.decode("utf-8", "replace").split("\n")
        words = [line.strip() for line in lines if line.strip()]
        return wire.redacted(words[-1])[:300] if words else ""

    def close_stdin(self):
        """Tell the process that nobody listens any more, without waiting: it ends by itself."""
        try:
            self._process.stdin.close()
        except OSError:
            pass

    def close(self, patience=1.0):
        """End the process: politely, then not."""
        self.close_stdin()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def kill(self):
        """End the process now (a process that died by itself keeps its own return code)."""
        try:
            self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill_now(self):
        """End the process without waiting; for an agent that goes away itself."""
        try:
            self._process.kill()
        except OSError:
            pass


def oom_kills(path="/proc/vmstat"):
    """How often the kernel killed for memory since boot; ``None`` where it does not count."""
    try:
        with open(path) as stream:
            for line in stream:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return None


def try_runtime(backend, runtime_folder, seconds=120):
    """Import a runtime in a process of its own.

    Returns:
        ``{"works": True, "version"}`` or ``{"works": False, "why", "signal", "absent"}``, where ``absent``
        tells that a module is not installed at all.
    """
    process = subprocess.Popen(
        command("try", backend),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(runtime_folder),
    )
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return _does_not("importing took more than {} s".format(seconds))
    for line in out.decode("utf-8", "replace").split("\n"):
        if line.startswith("EDGENET version "):
            return {"works": True, "version": line[len("EDGENET version ") :].strip()[:100]}
        if line.startswith("EDGENET failed "):
            why = line[len("EDGENET failed ") :].strip()[:400]
            return _does_not(why, absent=why.startswith("ModuleNotFoundError"))
    name = signal_name(process.returncode)
    how = (
        "{} ({})".format(name, _MEANING.get(name, ("", ""))[0])
        if name
        else "exit status {}".format(process.returncode)
    )
    words = errors.decode("utf-8", "replace").strip().split("\n")[-1][:200]
    return _does_not("ended by " + how + (": " + words if words and not name else ""), name)


def _does_not(why, signal_=None, absent=False):
    return {"works": False, "why": why, "signal": signal_, "absent": absent}


def main_try(backend):
    """What the trial's process does."""
    from . import runtimes

    try:
        said = "version " + runtimes.load(backend).version()
    except Exception as error:
        said = "failed {}: {}".format(type(error).__name__, cause(error))
    sys.stdout.flush()
    os.write(1, ("\nEDGENET " + shown(said) + "\n").encode("utf-8", "replace"))
    return 0


def output(command_line, seconds=5):
    """What a small program of the board prints on stdout.

    Raises:
        OSError: It cannot be started.
        ValueError: It failed or took too long; its own words.
    """
    process = subprocess.Popen(
        command_line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise ValueError("{} took more than {} s".format(command_line[0], seconds))
    if process.returncode:
        words = " ".join((errors or out).decode("utf-8", "replace").split())[:200]
        raise ValueError("{} failed: {}".format(command_line[0], words or process.returncode))
    return out.decode("utf-8", "replace")
