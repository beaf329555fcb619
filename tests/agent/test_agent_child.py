"""Programs that the agent starts. Python 3.6 syntax and unittest, as in `store/test_home.py`."""

import unittest

from edgenet_agent import child


class OutputTest(unittest.TestCase):
    def test_of_a_program(self):
        assert child.output(["echo", "hello"]) == "hello\n"

    def test_failures_are_values(self):
        for command, why in (
            (["sh", "-c", "echo no >&2; exit 3"], "sh failed: no"),
            (["sleep", "5"], "sleep took more than 0.1 s"),
            (["/nowhere/program"], "No such file"),
        ):
            said = ""
            try:
                child.output(command, 0.1 if command[0] == "sleep" else 5)
            except (OSError, ValueError) as error:
                said = str(error)
            assert why in said


class SignalTest(unittest.TestCase):
    def test_names(self):
        assert child.signal_name(-4) == "SIGILL"
        assert child.signal_name(-9) == "SIGKILL"
        assert child.signal_name(1) is None


if __name__ == "__main__":
    unittest.main()
