"""Signs of life. Python 3.6 and unittest: `test_agent_pythons.py` runs this on old Pythons too."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from edgenet_agent import beat, wire
from edgenet_agent.store.home import Store


class TestStopped(unittest.TestCase):
    def test_a_stopped_child_is_known_until_it_goes_on(self):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        try:
            assert not beat.stopped()
            os.kill(child.pid, signal.SIGSTOP)
            assert self.soon(True)
            assert beat.stopped(), "asking changes nothing"
            assert child.poll() is None, "nor does it tell that it ended"
            os.kill(child.pid, signal.SIGCONT)
            assert self.soon(False)
        finally:
            child.kill()
            assert child.wait() == -signal.SIGKILL, "its end is told as ever"
        assert not beat.stopped()

    def soon(self, state):
        for _ in range(100):
            if beat.stopped() == state:
                return True
            time.sleep(0.02)
        return False


class TestBeat(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.holder = Store(self.folder.name)
        path = next(item for item in sys.path if item.endswith(".pyz"))
        self.agent = subprocess.Popen(
            [sys.executable, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ, EDGENET_HOME=self.folder.name),
        )
        wire.read_frame(self.agent.stdout)

    def tearDown(self):
        self.agent.stdin.close()
        self.agent.stdout.close()
        self.agent.wait()
        self.holder.release()
        self.folder.cleanup()

    def ask(self, data):
        """What comes until the reply: (names of events, the reply)."""
        self.agent.stdin.write(data)
        self.agent.stdin.flush()
        events = []
        for header, _ in iter(lambda: wire.read_frame(self.agent.stdout), None):
            if "event" not in header:
                return events, header
            events.append((header["event"], header["stopped"]))
        return None

    def test_it_beats_while_it_works_and_while_a_request_comes_in(self):
        self.holder.begin()
        request = {"type": wire.BEGIN, "id": 1, "wait": 3.0, "beat": 0.2}
        events, reply = self.ask(wire.pack(request))
        assert reply["error"]["kind"] == wire.LOCKED
        assert len(events) > 2
        assert set(events) == {(wire.ALIVE, False)}
        data = wire.pack({"type": wire.END, "id": 2}, bytes(1000))
        for start in range(0, 900, 50):
            self.agent.stdin.write(data[start : start + 50])
            self.agent.stdin.flush()
            time.sleep(0.15)
        events, reply = self.ask(data[900:])
        assert reply["ok"]
        assert len(events) > 2


if __name__ == "__main__":
    unittest.main()
