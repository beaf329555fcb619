"""What the board keeps. Python 3.6 and unittest: `test_agent_pythons.py` runs this on old Pythons too."""

# ruff: noqa: PT008, PT027

import errno
import hashlib
import json
import os
import shutil
import tempfile
import unittest
from unittest import mock

from edgenet_agent.failure import Failure
from edgenet_agent.store import deployments, home
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

    def test_two_blobs_of_one_connection_may_come_in_turns(self):
        first, second = os.urandom(6), os.urandom(8)
        names = [digest_of(first), digest_of(second)]
        for start in (0, 2, 4):
            done = self.store.put(names[0], 6, start, first[start : start + 2])
            assert done == (start == 4)
            assert not self.store.put(names[1], 8, start, second[start : start + 2])
        assert self.store.put(names[1], 8, 6, second[6:])
        assert sorted(os.listdir(self.store.path("blobs"))) == sorted(names)

    def test_a_whole_part_is_not_sent_again(self):
        """All bytes came, and then the cable was cut: nothing is missing but the check."""
        name = digest_of(b"abc")
        with open(self.store.blob_path(name) + ".part", "wb") as stream:
            stream.write(b"abc")
        assert self.store.missing([[name, 3]]) == [[name, 3]]
        assert self.store.put(name, 3, 3, b"")

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

    def test_what_is_needed_is_what_is_missing_and_four_mebibytes_to_spare(self):
        name, other = digest_of(b"abcdef"), digest_of(b"xyz")
        self.store.put(name, 6, 0, b"ab")
        wanted, needed = [[name, 6], [other, 3]], 4 + 3 + 4194304
        with mock.patch.object(Store, "free", lambda self: needed):
            assert self.store.missing(wanted) == [[name, 2], [other, 0]]
        with mock.patch.object(Store, "free", lambda self: needed - 1):
            failure = self.refuses("no-space", self.store.missing, wanted)
        assert (failure.facts["needed"], failure.facts["free"]) == (needed, needed - 1)

    def test_a_disk_that_fills_up_under_way_is_named_with_what_was_missing(self):
        name = digest_of(b"abcdef")
        self.store.put(name, 6, 0, b"ab")
        full = OSError(errno.ENOSPC, "full")
        with mock.patch.object(home, "_write_all", mock.Mock(side_effect=full)):
            failure = self.refuses("no-space", self.store.put, name, 6, 2, b"cd")
        assert failure.facts["needed"] == 4
        with mock.patch.object(home.os, "makedirs", mock.Mock(side_effect=full)):
            failure = self.refuses("no-space", Store, self.home)
        assert failure.facts["needed"] == 4096

    def test_space_is_that_of_the_nearest_folder_that_exists(self):
        for place, asked in (
            (os.path.join(self.home, "not", "yet"), self.home),
            (self.home, self.home),
            ("nowhere", "."),
        ):
            self.store.home = place
            usage = mock.Mock(return_value=mock.Mock(free=7))
            with mock.patch.object(home.shutil, "disk_usage", usage):
                assert self.store.free() == 7
            usage.assert_called_once_with(asked)

    def test_folders_are_this_users_alone(self):
        for name in ("agent", "blobs", "runtimes", "deployments"):
            assert os.stat(self.store.path(name)).st_mode & 0o777 == 0o700

    def test_home_is_where_the_environment_says(self):
        with mock.patch.dict(os.environ, {"EDGENET_HOME": "/some/where"}):
            assert home.default_home() == "/some/where"
        with mock.patch.dict(os.environ, {"HOME": "/home/pi"}):
            os.environ.pop("EDGENET_HOME", None)
            assert home.default_home() == "/home/pi/.edgenet"

    def test_a_blob_is_named_by_twelve_digits(self):
        name = digest_of(b"abcdef")
        whats = [self.refuses("missing", self.store.verified_blob, name).what]
        whats.append(self.refuses("bad-offset", self.store.put, name, 6, 3, b"def").what)
        self.store.put(name, 6, 0, b"abc")
        whats.append(self.refuses("busy", Store(self.home).put, name, 6, 3, b"def").what)
        whats.append(self.refuses("damaged", self.store.put, name, 6, 3, b"xyz").what)
        self.put(b"abcdef")
        whats.append(self.refuses("damaged", self.store.verified_blob, name, 5).what)
        for what in whats:
            assert "blob " + name[:12] in what
            assert name[:13] not in what
        long = self.refuses("bad-request", self.store.blob_path, "x" * 500)
        assert len(long.what) == 120

    def test_a_blob_is_verified_without_its_size_too(self):
        name = self.put(b"abc")
        assert self.store.verified_blob(name) == self.store.blob_path(name)

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

    def test_another_deploy_is_waited_for_five_seconds(self):
        self.store.begin()
        assert self.store.locked
        other, now, slept = Store(self.home), [100.0], []

        def sleep(seconds):
            slept.append(seconds)
            now[0] += seconds

        clock = mock.Mock(monotonic=lambda: now[0], sleep=sleep)
        with mock.patch.object(home, "time", clock):
            self.refuses("locked", other.begin)
        assert 105.0 < now[0] < 105.2
        assert set(slept) == {0.05}
        assert not other.locked

    def test_where_files_cannot_be_locked_there_is_one_host_only(self):
        with mock.patch.object(home, "fcntl", None):
            self.store.begin()
            other = Store(self.home)
            other.begin()
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
