"""This process's memory. Python 3.6 syntax and unittest, as in `store/test_home.py`."""

import os
import tempfile
import unittest

from edgenet_agent.measure import memory


class MemoryTest(unittest.TestCase):
    def test_from_status(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "status")
            with open(path, "w") as stream:
                stream.write("VmHWM:\t   40000 kB\nVmRSS:\t   30000 kB\n")
            assert memory.rss_mb(path) == 30.72
            assert memory.peak_mb(path) == 40.96

    def test_unknown_is_none_never_zero(self):
        assert memory.rss_mb("/nowhere/status") is None
        assert memory.growth(None, 3.0) is None
        assert memory.growth(1.0, 3.5) == 2.5


if __name__ == "__main__":
    unittest.main()
