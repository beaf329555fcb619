"""Parts of the agent as they lie on a board, loaded by whatever Python it has; unittest, for the old ones."""

# ruff: noqa: PT009, PT027

import hashlib
import importlib.util
import os
import shutil
import tempfile
import unittest

from edgenet_agent import parts
from edgenet_agent.failure import Failure
from edgenet_agent.store.home import Store

FOLDER = os.environ["EDGENET_TEST_PARTS"]
DETECTOR = {
    "backend": "tflite",
    "task": {
        "name": "detection",
        "settings": {
            "detection": {
                "coding": "corner-offset",
                "background": "none",
                "columns": 1,
                "anchors": {"maps": [2], "per_cell": [1]},
            }
        },
    },
    "output": {"meaning": "probabilities", "scale": None, "zero_point": None},
    "labels": ["cat"],
    "preprocessing": {"size": [8, 8], "resize": "stretch"},
}


class Parts(unittest.TestCase):
    def setUp(self):
        self.home, self.before = tempfile.mkdtemp(), os.environ.get("EDGENET_HOME")
        os.environ["EDGENET_HOME"] = self.home
        self.store = Store(self.home)

    def tearDown(self):
        if self.before is None:
            del os.environ["EDGENET_HOME"]
        else:
            os.environ["EDGENET_HOME"] = self.before
        shutil.rmtree(self.home)

    def send(self, name):
        with open(os.path.join(FOLDER, name + ".zip"), "rb") as stream:
            data = stream.read()
        path = self.store.path("blobs", hashlib.sha256(data).hexdigest())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(data)

    def test_what_a_model_needs_is_asked_for_until_it_is_there(self):
        with self.assertRaises(Failure) as caught:
            parts.need(self.store, parts.of(DETECTOR))
        self.assertEqual(caught.exception.facts, {"parts": ["runtimes/tflite", "tasks/detection"]})
        self.send("runtimes/tflite")
        with self.assertRaises(Failure) as caught:
            parts.need(self.store, parts.of(DETECTOR))
        self.assertEqual(caught.exception.facts, {"parts": ["tasks/detection"]})
        self.send("tasks/detection")
        parts.need(self.store, parts.of(DETECTOR))

    def test_a_name_that_is_no_part_is_asked_of_nobody(self):
        parts.need(self.store, ["tasks/poetry", "nonsense"])
        with self.assertRaises(ValueError):
            parts.load("runtimes", "nonsense")

    @unittest.skipIf(importlib.util.find_spec("numpy") is None, "no numpy")
    def test_a_task_is_read_from_its_part(self):
        import numpy as np
        from edgenet_agent import tasks

        self.send("tasks/detection")
        raw = np.zeros(4 * 5, np.float32)
        raw[2] = 0.75
        raw[4:] = 0.0
        self.assertEqual(tasks.reader(DETECTOR).label(raw), "cat 0.75")


if __name__ == "__main__":
    unittest.main()
