"""Wheels on the board. Python 3.6 syntax and unittest, as in `test_agent_store.py`."""

# ruff: noqa: PT008, PT027

import hashlib
import io
import os
import shutil
import tempfile
import unittest
import zipfile
from unittest import mock

from edgenet_agent.failure import Failure
from edgenet_agent.store import unpack
from edgenet_agent.store.home import Store


def wheel(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return stream.getvalue()


class UnpackTest(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.home)
        self.store = Store(self.home)
        self.addCleanup(self.store.release)
        self.store.begin()

    def send(self, *wheels):
        sent = []
        for data in wheels:
            digest = hashlib.sha256(data).hexdigest()
            self.store.put(digest, len(data), 0, data)
            sent.append({"digest": digest, "name": "some.whl"})
        return sent

    def unpack(self, *wheels):
        return unpack.unpack(self.store, self.send(*wheels), lambda done, files: None)

    def refuses(self, *wheels):
        with self.assertRaises(Failure) as caught:
            self.unpack(*wheels)
        assert os.listdir(self.store.path("runtimes")) == []
        return caught.exception

    def tree(self, digest):
        folder = self.store.path("runtimes", digest)
        return sorted(
            os.path.relpath(os.path.join(at, name), folder)
            for at, _, names in os.walk(folder)
            for name in names
        )

    def test_wheels_are_merged(self):
        digest = self.unpack(
            wheel(
                [
                    ("one/__init__.py", b"x = 1"),
                    ("one-1.data/purelib/extra.py", b""),
                    ("one-1.data/scripts/run", b""),
                ]
            ),
            wheel([("two.py", b"y = 2"), ("two-2.data/platlib/sub/three.so", b"so"), ("folder/", b"")]),
        )
        assert self.tree(digest) == ["extra.py", "one/__init__.py", "sub/three.so", "two.py"]
        assert unpack.installed(self.store) == ([digest], [])
        assert os.listdir(self.store.path("blobs")) == [], "the wheels are not kept twice"

    def test_names_are_utf_8_whatever_the_locale(self):
        digest = self.unpack(wheel([("one/gr\u00f6\u00dfe.txt", b"")]))
        assert os.listdir(os.fsencode(self.store.path("runtimes", digest, "one"))) == [
            b"gr\xc3\xb6\xc3\x9fe.txt"
        ]

    def test_same_again_does_nothing(self):
        data = wheel([("one.py", b"")])
        digest = self.unpack(data)
        assert self.unpack(data) == digest

    def test_left_overs_of_a_cut_are_replaced(self):
        data = wheel([("one.py", b"")])
        name = unpack.runtime_digest([hashlib.sha256(data).hexdigest()])
        os.makedirs(self.store.path("runtimes", name + ".tmp", "half"))
        assert unpack.installed(self.store) == ([], [])
        assert self.tree(self.unpack(data)) == ["one.py"]
        assert sorted(os.listdir(self.store.path("runtimes"))) == [name, name + ".json"]

    def damaged(self, change, every=False):
        """Whether a runtime that was changed in some way is found damaged and gone."""
        digest = self.unpack(wheel([("one.py", b"x = 1"), ("two/three.so", b"0123456789" * 500)]))
        change(self.store.path("runtimes", digest, "two", "three.so"))
        found = unpack.check(self.store, digest, every)
        assert os.path.isdir(self.store.path("runtimes", digest)) == (not found)
        return found

    def test_a_runtime_that_lost_something_is_damaged(self):
        assert self.damaged(os.unlink)
        assert self.damaged(lambda path: os.truncate(path, 100))

    def test_a_runtime_that_was_written_to_is_damaged(self):
        def write(path):
            with open(path, "r+b") as stream:
                stream.write(b"forged")
            os.utime(path, (1, 1))

        assert self.damaged(write)

    def test_a_flipped_bit_that_left_no_trace_is_found_where_every_byte_is_read(self):
        def flip(path):
            before = os.stat(path)
            with open(path, "r+b") as stream:
                stream.write(b"1")
            os.utime(path, (before.st_atime, before.st_mtime))

        assert not self.damaged(flip)
        shutil.rmtree(self.store.path("runtimes"))
        os.makedirs(self.store.path("runtimes"))
        assert self.damaged(flip, every=True)

    def test_a_copied_runtime_has_other_times_and_is_whole(self):
        assert not self.damaged(lambda path: os.utime(path, (1, 1)))

    def test_a_damaged_runtime_is_told_and_not_listed(self):
        digest = self.unpack(wheel([("one.py", b"x = 1")]))
        os.unlink(self.store.path("runtimes", digest, "one.py"))
        assert unpack.installed(self.store) == ([], [digest])
        with self.assertRaises(Failure) as caught:
            unpack.folder(self.store, digest)
        assert caught.exception.kind == "missing", "it was removed"

    def test_a_runtime_of_an_older_agent_passes(self):
        digest = self.unpack(wheel([("one.py", b"x = 1")]))
        os.unlink(self.store.path("runtimes", digest + ".json"))
        assert unpack.installed(self.store) == ([digest], [])

    def test_a_runtime_of_an_older_agent_is_believed_only_until_it_fails(self):
        digest = self.unpack(wheel([("one.py", b"x = 1")]))
        os.unlink(self.store.path("runtimes", digest + ".json"))
        assert unpack.check(self.store, digest, every=True)

    def test_a_list_that_is_none_is_damage_too(self):
        for data in (
            b"",
            b"[]",
            b"3",
            b'{"one.py": 5}',
            b'{"one.py": [1, "x", null]}',
            b'{"one.py": [1, 2]}',
        ):
            digest = self.unpack(wheel([("one.py", b"x = 1")]))
            with open(self.store.path("runtimes", digest + ".json"), "wb") as stream:
                stream.write(data)
            assert unpack.installed(self.store) == ([], [digest]), data

    def test_unsafe_paths(self):
        for name in ("/etc/x", "../x", "a/../../x", "C:x", "a\\b", "x.data/purelib/../../../y"):
            assert self.refuses(wheel([(name, b"")])).kind == "bad-wheel", name

    def test_symbolic_link(self):
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        assert self.refuses(wheel([(info, b"/etc")])).kind == "bad-wheel"

    def test_not_a_wheel_and_damaged(self):
        assert self.refuses(b"PK nothing").kind == "bad-wheel"
        data = bytearray(wheel([("one.py", b"0123456789" * 1000)]))
        data[40:60] = b"\xff" * 20
        assert self.refuses(bytes(data)).kind == "bad-wheel"

    def test_too_large(self):
        with mock.patch.object(unpack, "MAX_BYTES", 100):
            assert self.refuses(wheel([("big", b"0" * 101)])).kind == "bad-wheel"

    def test_no_space(self):
        with mock.patch.object(Store, "free", lambda self: 100):
            blobs = [wheel([("big", b"0" * 101)])]
            digest = hashlib.sha256(blobs[0]).hexdigest()
            self.store.put(digest, len(blobs[0]), 0, blobs[0])
            with self.assertRaises(Failure) as caught:
                unpack.unpack(self.store, [{"digest": digest, "name": "big.whl"}], lambda done, files: None)
        assert caught.exception.kind == "no-space"

    def test_missing_blob_and_no_lock(self):
        with self.assertRaises(Failure) as caught:
            unpack.unpack(self.store, [{"digest": "a" * 64, "name": "x.whl"}], lambda done, files: None)
        assert caught.exception.kind == "missing"
        self.store.release()
        with self.assertRaises(Failure) as caught:
            self.unpack(wheel([("one.py", b"")]))
        assert caught.exception.kind == "not-begun"


if __name__ == "__main__":
    unittest.main()
