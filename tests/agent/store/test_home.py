"""What the board keeps. Python 3.6 and unittest: `test_agent_pythons.py` runs this on old Pythons too."""

# ruff: noqa: PT008, PT027

import hashlib
import json
import os
import shutil
import tempfile
import unittest
from unittest import mock

from edgenet_agent.failure import Failure
from edgenet_agent.store import deployments
from edgenet_agent.store.home import Store


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


class StoreCase(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.home)
        self.store = Store(self.home)
        self.addCleanup(self.store.release)

    def refuses(self, kind, call, *arguments):
        with self.assertRaises(Failure) as caught:
            call(*arguments)
        assert caught.exception.kind == kind
        return caught.exception

    def put(self, data):
        assert self.store.put(digest_of(data), len(data), 0, data)
        return digest_of(data)


class BlobTest(StoreCase):
    def test_pieces_become_the_blob(self):
        data = os.urandom(1000)
        name = digest_of(data)
        assert self.store.missing([[name, 1000]]) == [[name, 0]]
        assert not self.store.put(name, 1000, 0, data[:600])
        assert not os.path.exists(self.store.blob_path(name))
        assert self.store.missing([[name, 1000]]) == [[name, 600]]
        assert self.store.put(name, 1000, 600, data[600:])
        assert self.store.missing([[name, 1000]]) == []
        with open(self.store.verified_blob(name, 1000), "rb") as stream:
            assert stream.read() == data
        assert os.listdir(self.store.path("blobs")) == [name]

    def test_another_connection_goes_on(self):
        data = os.urandom(1000)
        name = digest_of(data)
        self.store.put(name, 1000, 0, data[:10])
        self.store.release()
        other = Store(self.home)
        assert other.missing([[name, 1000]]) == [[name, 10]]
        assert other.put(name, 1000, 10, data[10:])

    def test_empty_blob(self):
        self.put(b"")

    def test_two_writers_do_not_mix(self):
        name = digest_of(b"abcdef")
        self.store.put(name, 6, 0, b"abc")
        self.refuses("busy", Store(self.home).put, name, 6, 3, b"def")

    def test_wrong_offset(self):
        name = digest_of(b"abcdef")
        self.refuses("bad-offset", self.store.put, name, 6, 3, b"def")
        self.refuses("bad-offset", self.store.put, name, 6, 0, b"abcdefg")

    def test_wrong_digest_leaves_nothing(self):
        name = digest_of(b"what was meant")
        self.refuses("damaged", self.store.put, name, 3, 0, b"not")
        assert os.listdir(self.store.path("blobs")) == []

    def test_part_longer_than_the_blob_is_dropped(self):
        name = digest_of(b"abc")
        with open(self.store.blob_path(name) + ".part", "wb") as stream:
            stream.write(b"longer")
        assert self.store.missing([[name, 3]]) == [[name, 0]]
        assert self.store.put(name, 3, 0, b"abc")

    def test_damaged_blob_is_removed_and_asked_for_again(self):
        name = self.put(b"abc")
        with open(self.store.blob_path(name), "wb") as stream:
            stream.write(b"abd")
        self.refuses("damaged", self.store.verified_blob, name, 3)
        assert self.store.missing([[name, 3]]) == [[name, 0]]

    def test_hostile_names(self):
        for name in (
            "",
            "../" * 20 + "etc/passwd",
            "a" * 63,
            "A" * 64,
            "a" * 64 + "\n",
            "a" * 63 + "/",
            7,
            None,
            ["a"],
        ):
            self.refuses("bad-request", self.store.put, name, 1, 0, b"x")
            self.refuses("bad-request", self.store.missing, [[name, 1]])

    def test_full_disk_is_seen_before_sending(self):
        with mock.patch.object(Store, "free", lambda self: 5000000):
            failure = self.refuses("no-space", self.store.missing, [["a" * 64, 10000000]])
        assert failure.facts["needed"] >= 10000000
        assert failure.facts["free"] == 5000000
        assert "needs 14.2 MB, 5.0 MB are free" in failure.what

    def test_what_is_there_needs_no_space(self):
        name = self.put(b"abc")
        with mock.patch.object(Store, "free", lambda self: 0):
            assert self.store.missing([[name, 3]]) == []


class LockTest(StoreCase):
    def test_one_deploy_at_a_time(self):
        self.store.begin()
        self.store.begin()
        other = Store(self.home)
        failure = self.refuses("locked", other.begin, 0.1)
        assert "deploy.lock" in failure.what
        self.store.release()
        other.begin(0.1)
        other.release()

    def test_changes_need_the_lock(self):
        self.refuses("not-begun", self.store.need_lock)
        self.refuses("not-begun", deployments.deploy, self.store, {})


class DeploymentTest(StoreCase):
    def setUp(self):
        StoreCase.setUp(self)
        self.store.begin()

    def manifest(self, letter, artifact):
        return {
            "digest": letter * 64,
            "name": "net " + letter,
            "backend": "null",
            "artifact": artifact,
            "artifact_size": 3,
            "input": {"shape": [1, 2, 2, 3], "dtype": "uint8"},
            "output": {"dtype": "int8", "scale": None, "zero_point": None, "meaning": "logits"},
            "preprocessing": {},
            "labels": [],
            "runtime": None,
        }

    def test_the_last_one_is_current(self):
        artifact = self.put(b"abc")
        assert deployments.current(self.store) is None
        for letter in "ab":
            assert deployments.deploy(self.store, self.manifest(letter, artifact))
            assert deployments.current(self.store) == letter * 64
            assert deployments.load(self.store, None)["name"] == "net " + letter
        assert os.path.islink(self.store.path("deployments", "current"))
        listed = [entry["digest"] for entry in deployments.listing(self.store)]
        assert listed == ["a" * 64, "b" * 64]
        assert deployments.load(self.store, "a" * 64)["name"] == "net a"

    def test_the_same_again_changes_nothing(self):
        manifest = self.manifest("a", self.put(b"abc"))
        deployments.deploy(self.store, manifest)
        assert not deployments.deploy(self.store, manifest)

    def test_failures_leave_the_old_one(self):
        artifact = self.put(b"abc")
        deployments.deploy(self.store, self.manifest("a", artifact))
        cases = [
            ("missing", dict(self.manifest("b", "c" * 64))),
            ("missing", dict(self.manifest("b", artifact), runtime="d" * 64)),
            ("bad-request", dict(self.manifest("b", artifact), runtime="../x")),
            ("bad-request", dict(self.manifest("b", artifact), digest="../../x")),
            ("bad-request", dict(self.manifest("b", artifact), labels="none")),
            ("bad-request", "not an object"),
        ]
        for kind, manifest in cases:
            self.refuses(kind, deployments.deploy, self.store, manifest)
            assert deployments.current(self.store) == "a" * 64
        assert len(deployments.listing(self.store)) == 1

    def test_foreign_files_are_passed_over(self):
        os.makedirs(self.store.path("deployments", "a" * 64))
        os.makedirs(self.store.path("deployments", "notes"))
        with open(self.store.path("deployments", "a" * 64, "manifest.json"), "w") as stream:
            json.dump([1], stream)
        assert deployments.listing(self.store) == []
        self.refuses("missing", deployments.load, self.store, "b" * 64)
        self.refuses("missing", deployments.load, self.store, None)


if __name__ == "__main__":
    unittest.main()
